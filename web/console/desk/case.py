"""One case: its steps, its time line, where a lost device is, and how it ends."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import current_app, request, url_for
from flask.wrappers import Response
from flask_babel import gettext
from sqlalchemy import select

from mdm.commands.model import Command, Verb
from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission
from mdm.desk.cases import location, papers, queries, service
from mdm.desk.cases.model import GONE, Case, CaseKind, CaseState, Outcome, StepState
from mdm.desk.cases.queries import File
from mdm.inventory.model import Device, LifeCycle
from mdm.inventory.queries import devices_select
from mdm.orders import lanes
from mdm.orders import queries as orders
from mdm.orders.model import Lane
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.common.sealed import SEAL
from web.console.desk.frame import desk_page
from web.console.identity import settings
from web.console.pages.helpers import GET, POST, Route, day_field, done, number, refused, text


@may(Permission.CASE_VIEW)
def case(call: Call, uid: str) -> Response:
    """The page."""
    return _page(call, queries.file(call, uid))


def _page(call: Call, file: File, failure: Failure | None = None, place: Any = None) -> Response:
    found, device = file.case, file.device
    actor, where = call.actor, found.where
    gone = found.kind in GONE
    may_locate = actor.may(Permission.CASE_LOCATE, where)
    response = desk_page(
        call,
        "desk/case.html",
        file=file,
        case=found,
        device=device,
        flow=file.flow,
        is_open=found.state == CaseState.OPEN,
        gone=gone,
        leaver=found.kind == CaseKind.LEAVER,
        may_manage=actor.may(Permission.CASE_MANAGE, where),
        may_locate=may_locate,
        can_tell=device is not None and location.can_tell(device),
        leave=location.current(call, found) if gone and may_locate else None,
        shown_place=place,
        asked=_asked(call, file),
        order=orders.open_for(call, device.uid)
        if device is not None and actor.may(Permission.ORDER_VIEW, where)
        else None,
        may_wipe=device is not None and actor.may(lanes.RULES[Lane.STOLEN].permission, device.where),
        lock_due=found.lock_on is not None and found.lock_on <= call.now.date(),
        ways=_ways(found, device),
        owed=_owed(call, file),
        outcomes=[one.value for one in file.flow.outcomes],
        failure=failure,
        values=request.form,
        today=call.now.date(),
    )
    return failure.stamp(response) if failure is not None else response


def _owed(call: Call, file: File) -> dict[int, str]:
    """Ids in addresses of the devices that are still to come back."""
    ids = [one.device_id for one in file.items if one.device_id is not None and one.returned_at is None]
    rows = call.session.execute(devices_select(call).where(Device.id.in_(ids)).with_only_columns(Device.id, Device.uid))
    return {row[0]: row[1] for row in rows}


def _ways(found: Case, device: Device | None) -> dict[str, dict[str, str]]:
    """Where the other pages of the desk do a step, by its key."""
    ways: dict[str, dict[str, str]] = {}
    if found.person_id is not None:
        ways["replacement"] = {
            "url": url_for("hand_out", person=found.person_id),
            "icon": "user-check",
            "label": N_("Hand out"),
        }
    if device is not None:
        ways["loaner"] = {"url": url_for("swap", device=device.uid), "icon": "repeat", "label": N_("Swap")}
        if device.state != LifeCycle.IN_REPAIR:
            ways["repair"] = {
                "url": url_for("desk_repair_open", device=device.uid),
                "icon": "tool",
                "label": N_("To repair"),
            }
    return ways


def _asked(call: Call, file: File) -> list[Command]:
    """What this case asked of its device, the newest first."""
    if file.device is None:
        return []
    verbs = [verb.value for verb in (Verb.LOCK, Verb.LOST, Verb.LOCATE, Verb.FOUND, Verb.UNLOCK)]
    query = select(Command).where(
        Command.device_id == file.device.id, Command.created_at >= file.case.opened_at, Command.verb.in_(verbs)
    )
    return list(call.session.scalars(query.order_by(Command.created_at.desc(), Command.id).limit(10)))


def _did(uid: str, sentence: str) -> Response:
    return done(sentence, url_for("case", uid=uid))


def _kept(view: Callable[[Call, str], Response]) -> Callable[[Call, str], Response]:
    """The view; what it refuses is said on the case's own page, beside what was filled in."""

    @wraps(view)
    def shown(call: Call, uid: str) -> Response:
        try:
            return view(call, uid)
        except HavenmeesterError as error:
            failure = refused(call, error)
            return _page(call, queries.file(call, uid), failure)

    return shown


@may(Permission.CASE_MANAGE)
@_kept
def case_note(call: Call, uid: str) -> Response:
    """Notes something."""
    service.note(call, uid, text("text"))
    return _did(uid, gettext("The note was saved."))


@may(Permission.CASE_MANAGE)
@_kept
def case_tell(call: Call, uid: str) -> Response:
    """Writes down what was told: when, where, how, the police report."""
    _tell(call, uid)
    return _did(uid, gettext("It was written down."))


def _tell(call: Call, uid: str) -> None:
    """Writes down what the form says; what it does not ask stays as it is."""
    told, asked = service.told_of(queries.file(call, uid).case), request.form
    said = service.Told(
        text("account") if "account" in asked else told.account,
        day_field("seen_on") if "seen_on" in asked else told.seen_on,
        text("seen_where") if "seen_where" in asked else told.seen_where,
        text("police_report") if "police_report" in asked else told.police_report,
        day_field("police_on") if "police_on" in asked else told.police_on,
    )
    service.tell(call, uid, said)


@may(Permission.CASE_MANAGE)
def case_step(call: Call, uid: str) -> Response:
    """Ticks a step, skips it, or opens it again."""
    state = text("state")
    if state not in {one.value for one in StepState}:
        raise InvalidError(N_("This is no state of a step. Nothing was changed."))
    service.step(call, uid, text("step"), StepState(state))
    return _did(uid, gettext("The step was noted."))


@may(Permission.CASE_MANAGE)
def case_lock(call: Call, uid: str) -> Response:
    """Locks what the case is about."""
    service.lock(call, uid)
    return _did(uid, gettext("The lock was asked. It is done as soon as the device is reached."))


@may(Permission.CASE_MANAGE)
@_kept
def case_stolen(call: Call, uid: str) -> Response:
    """The lost device turned out to be stolen; what was written in the same form is kept with it."""
    service.stolen(call, uid, text("police_report"))
    _tell(call, uid)
    return _did(uid, gettext("It goes on as a case of a stolen device."))


@may(Permission.CASE_MANAGE)
@_kept
def case_days(call: Call, uid: str) -> Response:
    """Leaver: the last day, and from when on locking is proposed."""
    last_day = day_field("last_day")
    if last_day is None:
        sentence = N_("A last day is needed. Nothing was changed.")
        raise InvalidError(sentence, fields={"last_day": sentence})
    service.days(call, uid, last_day, day_field("lock_on"))
    return _did(uid, gettext("The days were saved."))


@may(Permission.CASE_MANAGE)
def case_missing(call: Call, uid: str) -> Response:
    """Leaver: a thing will not come back, or is awaited again."""
    service.missing(call, uid, number("item") or 0)
    return _did(uid, gettext("It was noted."))


@may(Permission.CASE_MANAGE)
@_kept
def case_close(call: Call, uid: str) -> Response:
    """Ends the case."""
    outcome = text("outcome")
    if outcome not in {one.value for one in Outcome}:
        sentence = N_("Choose how it ended. Nothing was closed.")
        raise InvalidError(sentence, fields={"outcome": sentence})
    service.close(call, uid, Outcome(outcome), text("text"))
    return _did(uid, gettext("The case is closed."))


@may(Permission.CASE_MANAGE)
@_kept
def case_reopen(call: Call, uid: str) -> Response:
    """Opens it again."""
    service.reopen(call, uid, text("text"))
    return _did(uid, gettext("The case is open again."))


@may(Permission.CASE_LOCATE)
@_kept
def case_look(call: Call, uid: str) -> Response:
    """Asks for leave to look where the device is: with a reason, and somebody else must agree."""
    service.look(call, uid, text("reason"))
    return _did(uid, gettext("You may look for an hour. The device was asked where it is."))


@may(Permission.CASE_LOCATE)
@_kept
def case_show(call: Call, uid: str) -> Response:
    """Shows where the device is: written down in the diary, told to the holder, each time."""
    place = service.show(call, current_app.extensions[SEAL], uid)
    response = _page(call, queries.file(call, uid), place=place)
    response.headers["Cache-Control"] = "no-store"
    return response


def _pdf(content: bytes, name: str) -> Response:
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    response.headers["Cache-Control"] = "no-store"
    return response


@may(Permission.CASE_MANAGE)
def case_paper(call: Call, uid: str) -> Response:
    """The declaration of loss, or the receipt of what came back, as a PDF."""
    found, owner = queries.case(call, uid), settings().organisation
    if found.kind == CaseKind.LEAVER:
        return _pdf(papers.receipt(call, uid, owner), f"receipt-{found.number}")
    return _pdf(papers.declaration(call, uid, owner), f"declaration-{found.number}")


ROUTES: tuple[Route, ...] = (
    ("/desk/cases/<uid>", "case", case, GET),
    ("/desk/cases/<uid>/note", "case_note", case_note, POST),
    ("/desk/cases/<uid>/tell", "case_tell", case_tell, POST),
    ("/desk/cases/<uid>/step", "case_step", case_step, POST),
    ("/desk/cases/<uid>/lock", "case_lock", case_lock, POST),
    ("/desk/cases/<uid>/stolen", "case_stolen", case_stolen, POST),
    ("/desk/cases/<uid>/days", "case_days", case_days, POST),
    ("/desk/cases/<uid>/missing", "case_missing", case_missing, POST),
    ("/desk/cases/<uid>/close", "case_close", case_close, POST),
    ("/desk/cases/<uid>/reopen", "case_reopen", case_reopen, POST),
    ("/desk/cases/<uid>/look", "case_look", case_look, POST),
    ("/desk/cases/<uid>/show", "case_show", case_show, POST),
    ("/desk/cases/<uid>/paper", "case_paper", case_paper, POST),
)
