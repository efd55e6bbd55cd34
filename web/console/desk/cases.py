"""Cases: "what if ...?" with its four buttons, opening one, and the list."""

from typing import Any

from flask import make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.cases import queries, service, steps
from mdm.desk.cases.model import GONE, Case, CaseKind
from mdm.desk.custody.scan import CardKind, look_up
from mdm.inventory.model import Device
from mdm.inventory.queries import device_by_uid, devices_select
from mdm.overview.cases import CASES
from mdm.people.model import Person
from mdm.people.queries import person as person_of
from mdm.storage.call import Call
from web.common.guard import may
from web.console.desk.frame import desk_page
from web.console.lists import export, show
from web.console.pages.helpers import BOTH, GET, Route, day_field, done, refused, text

LONGEST = 512
ICONS = {
    CaseKind.LOST: "map-pin-question",
    CaseKind.STOLEN: "alert-triangle",
    CaseKind.BROKEN: "tool",
    CaseKind.LEAVER: "door-exit",
}


@may(Permission.CASE_VIEW)
def cases(call: Call) -> Response:
    """The list."""
    return desk_page(call, "desk/cases.html", list=show(call, CASES, "cases"), flows=steps.FLOWS, icons=ICONS)


@may(Permission.CASE_VIEW, write=True)
def cases_file(call: Call) -> Response:
    """The list as a file."""
    return export(call, CASES)


@may(Permission.CASE_MANAGE)
def what_if(call: Call) -> Response:
    """Four big buttons; each says what will happen."""
    return desk_page(call, "desk/what_if.html", flows=steps.FLOWS, icons=ICONS)


@may(Permission.CASE_MANAGE)
def case_new(call: Call, kind: str) -> Response:
    """Which device, or who; what will happen; and the button that does it."""
    if kind not in {one.value for one in CaseKind}:
        raise InvalidError(N_("There is no such kind of case. Nothing was opened."))
    wanted = CaseKind(kind)
    if request.method == "GET":
        device, person, wrong, offered = _chosen(call, wanted)
        known = _open_already(call, wanted, device)
        if known and wanted in GONE:
            return make_response(redirect(url_for("case", uid=known[0].uid), 303))
        return _form(call, wanted, device, person, wrong, offered)
    try:
        case = _open(call, wanted)
    except HavenmeesterError as error:
        failure = refused(call, error)
        return failure.stamp(_form(call, wanted, *_again(call, wanted), failure=failure))
    sentence = gettext("The case %(number)s is open.", number=case.number)
    if wanted in GONE:
        sentence = gettext("The case %(number)s is open. The steps say what was done at once.", number=case.number)
    return done(sentence, url_for("case", uid=case.uid))


def _open(call: Call, kind: CaseKind) -> Case:
    if kind is CaseKind.LEAVER:
        written = text("person")
        number = int(written) if written.isascii() and written.isdigit() and len(written) < 15 else 0
        return service.open_leaver(call, number, day_field("last_day"), day_field("lock_on"))
    told = service.Told(
        text("account"), day_field("seen_on"), text("seen_where"), text("police_report"), day_field("police_on")
    )
    opens = {
        CaseKind.LOST: service.open_lost,
        CaseKind.STOLEN: service.open_stolen,
        CaseKind.BROKEN: service.open_broken,
    }
    return opens[kind](call, text("device"), told)


def _chosen(call: Call, kind: CaseKind) -> tuple[Device | None, Person | None, str, dict[str, Any]]:
    """What the address names, or what was scanned or typed into the field."""
    uid, number = request.args.get("device", ""), request.args.get("person", "")
    code = clean(request.args.get("code", ""), LONGEST).strip()
    if uid and kind is not CaseKind.LEAVER:
        return device_by_uid(call, uid), None, "", {}
    if number and kind is CaseKind.LEAVER:
        digits = number.isascii() and number.isdigit() and len(number) < 15
        return None, person_of(call, int(number) if digits else 0), "", {}
    if not code:
        return None, None, "", {}
    card = look_up(call, code)
    if kind is CaseKind.LEAVER:
        people = [one for one in card.choices if one.kind is CardKind.PERSON]
        wrong = "" if card.holder or people else gettext("Nobody here has this badge, name or number.")
        return None, card.holder, wrong, {"choices": people}
    if card.device is not None:
        return card.device, None, "", {}
    held = [one.device for one in card.held]
    choices = [one for one in card.choices if one.kind in (CardKind.DEVICE, CardKind.PERSON)]
    wrong = "" if held or choices else gettext("Nothing here has the code %(code)s.", code=code)
    return None, None, wrong, {"devices": held, "choices": choices}


def _held(call: Call, person: Person) -> list[Device]:
    query = devices_select(call).where(Device.person_id == person.id).order_by(Device.name, Device.id).limit(20)
    return list(call.session.scalars(query))


def _again(call: Call, kind: CaseKind) -> tuple[Device | None, Person | None, str, dict[str, Any]]:
    """What a form named that was refused, as far as it is there."""
    try:
        if kind is CaseKind.LEAVER:
            return None, person_of(call, int(text("person"))), "", {}
        return device_by_uid(call, text("device")), None, "", {}
    except (HavenmeesterError, ValueError):
        return None, None, "", {}


def _open_already(call: Call, kind: CaseKind, device: Device | None) -> list[Case]:
    """Open cases about the same."""
    if device is None:
        return []
    return [one for one in queries.open_for(call, device) if (one.kind in GONE) == (kind in GONE)]


def _form(
    call: Call,
    kind: CaseKind,
    device: Device | None,
    person: Person | None,
    wrong: str,
    offered: dict[str, Any],
    failure: Any = None,
) -> Response:
    return desk_page(
        call,
        "desk/case_new.html",
        camera=device is None and person is None,
        kind=kind,
        flow=steps.FLOWS[kind],
        drawing=ICONS[kind],
        device=device,
        person=person,
        holder=call.session.get(Person, device.person_id) if device is not None and device.person_id else None,
        held=_held(call, person) if person is not None else [],
        open_already=_open_already(call, kind, device),
        wrong=wrong,
        offered=offered,
        failure=failure,
        values=request.form,
        today=call.now.date(),
    )


@may(Permission.CASE_MANAGE)
def case_lost(call: Call, uid: str) -> Response:
    """One click at the card or at the device: lost, locked, and on to the case."""
    case = service.open_lost(call, uid)
    return make_response(redirect(url_for("case", uid=case.uid), 303))


ROUTES: tuple[Route, ...] = (
    ("/desk/cases", "cases", cases, GET),
    ("/desk/cases/file", "cases_file", cases_file, GET),
    ("/desk/cases/what-if", "what_if", what_if, GET),
    ("/desk/cases/new/<kind>", "case_new", case_new, BOTH),
    ("/desk/lost/<uid>", "case_lost", case_lost, ("POST",)),
)
