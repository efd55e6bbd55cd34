"""Kiosks of the desk's places: what they report, and walking round along them with a phone in the hand."""

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.desk.kiosks import queries, service
from mdm.desk.kiosks.model import Paper
from mdm.desk.repairs.model import Fault
from mdm.overview.kiosks import KIOSKS
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console import lists
from web.console.desk.frame import desk_page
from web.console.desk.place import desk_place
from web.console.pages.helpers import GET, POST, Route, done, refused, text


@may(Permission.DESK_VIEW)
def kiosks(call: Call) -> Response:
    """The list, with what kiosks report of themselves and what was seen last."""
    shown = lists.show(call, KIOSKS, "desk_kiosks")
    return desk_page(call, "desk/kiosks/list.html", list=shown, rounds=queries.rounds(call, 3))


@may(Permission.DESK_VIEW, write=True)
def kiosks_file(call: Call) -> Response:
    """The same as a file."""
    return lists.export(call, KIOSKS)


@may(Permission.DESK_VIEW)
def rounds(call: Call) -> Response:
    """The last rounds, and beginning another one."""
    return _rounds(call)


def _rounds(call: Call, failure: Failure | None = None) -> Response:
    here = desk_place(call)
    chosen = set(request.form.getlist("place")) if failure else {str(here.id)} if here else set()
    response = desk_page(
        call,
        "desk/kiosks/rounds.html",
        rounds=queries.rounds(call),
        offered=queries.places_with_kiosks(call),
        chosen=chosen,
        failure=failure,
    )
    return failure.stamp(response) if failure else response


@may(Permission.DESK_WORK)
def round_start(call: Call) -> Response:
    """Begins a round along the kiosks of the chosen places."""
    numbers = [
        int(one) for one in request.form.getlist("place")[:200] if one.isascii() and one.isdigit() and len(one) < 10
    ]
    try:
        made = service.start(call, numbers)
    except HavenmeesterError as error:
        failure = refused(call, error)
        return _rounds(call, failure)
    return done(gettext("The round has begun."), url_for("desk_kiosk_round", uid=made.uid))


@may(Permission.DESK_VIEW)
def kiosk_round(call: Call, uid: str) -> Response:
    """One round: what is still to be seen, and what was seen."""
    return _round(call, uid)


def _round(call: Call, uid: str, failure: Failure | None = None) -> Response:
    row = queries.round_(call, uid)
    stops = queries.stops(call, row)
    response = desk_page(
        call,
        "desk/kiosks/round.html",
        row=row,
        stops=stops,
        seen=sum(stop.row.seen_at is not None for stop in stops),
        following=next((stop.row.id for stop in stops if stop.row.seen_at is None), None),
        works=any(call.actor.may(Permission.DESK_WORK, stop.row.where) for stop in stops),
        faults=[fault.value for fault in Fault],
        papers=[paper.value for paper in Paper if paper],
        at=text("device") if failure else "",
        values=request.form,
        failure=failure,
    )
    return failure.stamp(response) if failure else response


@may(Permission.DESK_WORK)
def round_change(call: Call, uid: str) -> Response:
    """Ticks one kiosk, or finishes the round."""
    try:
        if text("step") == "finish":
            service.finish(call, uid)
            return done(gettext("The round is finished."), url_for("desk_kiosk_rounds"))
        stop = service.tick(
            call,
            uid,
            text("device"),
            seen=text("seen"),
            paper=text("paper"),
            faults=request.form.getlist("fault"),
            note=text("note"),
        )
    except HavenmeesterError as error:
        failure = refused(call, error)
        return _round(call, uid, failure)
    sentence = gettext("Noted, and a repair is open.") if stop.seen == "wrong" else gettext("Noted.")
    return done(sentence, url_for("desk_kiosk_round", uid=uid) + "#next")


ROUTES: tuple[Route, ...] = (
    ("/desk/kiosks", "desk_kiosks", kiosks, GET),
    ("/desk/kiosks/file", "desk_kiosks_file", kiosks_file, GET),
    ("/desk/kiosks/rounds", "desk_kiosk_rounds", rounds, GET),
    ("/desk/kiosks/rounds/start", "desk_kiosk_round_start", round_start, POST),
    ("/desk/kiosks/rounds/<uid>", "desk_kiosk_round", kiosk_round, GET),
    ("/desk/kiosks/rounds/<uid>/change", "desk_kiosk_round_change", round_change, POST),
)
