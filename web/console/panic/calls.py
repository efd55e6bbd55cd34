"""Calls for help: those that are open, those that are over, one with all that happened, its report."""

from typing import Any

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.panic import duty, location, queries, service
from mdm.panic.model import PanicAlarm
from mdm.panic.service import Outcome, Readers, Report
from mdm.panic.states import Move, possible
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.identity import seal, settings
from web.console.pages.helpers import GET, POST, Route, back, number, page, refused, text
from web.console.panic.bar import bar, changed
from web.console.panic.city import zone
from web.console.panic.pulse import pulse


@may(Permission.PANIC_VIEW)
def panic(call: Call) -> Response:
    """What is open now, and who is on duty at this person's places."""
    clock = zone(settings())
    on = [one for one in duty.roster(call) if duty.is_on(one, call.now, clock)]
    return page("panic/now.html", lines=queries.alarms(call, open_only=True), on=on, names=duty.names(call, on))


@may(Permission.PANIC_VIEW)
def panic_earlier(call: Call) -> Response:
    """Every call for help, the newest first."""
    lines = queries.alarms(call, before=number("before", request.args))
    return page("panic/earlier.html", lines=lines, more=lines[-1].alarm.id if len(lines) == queries.PAGE else None)


@may(Permission.PANIC_VIEW)
def panic_call(call: Call, uid: str) -> Response:
    """One call for help."""
    return _page(call, queries.alarm(call, uid))


@may(Permission.PANIC_ANSWER)
def panic_coming(call: Call, uid: str) -> Response:
    """ "I am coming"; back to the page where it was pressed, so that nobody is torn out of their work before they go."""
    service.acknowledge(call, uid)
    changed()
    return back(url_for("panic_call", uid=uid))


@may(Permission.PANIC_ANSWER)
def panic_close(call: Call, uid: str) -> Response:
    """Closes with a report; what was wrong in it is told beside what was written."""
    try:
        service.close(call, uid, _report())
    except HavenmeesterError as error:
        failure = refused(call, error)
        return failure.stamp(_page(call, queries.alarm(call, uid), failure))
    changed()
    return back(url_for("panic_call", uid=uid))


@may(Permission.PANIC_VIEW)
def panic_place(call: Call, uid: str) -> Response:
    """Where the phone was; the look stands in the diary."""
    found = location.show(call, seal(), uid)
    return _page(call, queries.alarm(call, uid), place=found)


@may(Permission.PANIC_VIEW)
def panic_report(call: Call, uid: str) -> Response:
    """The report; that it was read stands in the diary."""
    report = service.read_report(call, uid)
    return _page(call, queries.alarm(call, uid), report=report)


def _report() -> Report:
    outcome, readers = text("outcome"), text("readers")
    return Report(
        Outcome(outcome) if outcome in set(Outcome) else Outcome.OTHER,
        happened=text("happened"),
        injured=bool(request.form.get("injured")),
        police=bool(request.form.get("police")),
        police_report=text("police_report"),
        follow_up=text("follow_up"),
        readers=Readers(readers) if readers in set(Readers) else Readers.MANAGERS,
    )


def _page(call: Call, alarm: PanicAlarm, failure: Failure | None = None, **more: Any) -> Response:
    written = queries.report_of(call, alarm)
    return page(
        "panic/call.html",
        alarm=alarm,
        place_name=queries.places_of(call, [alarm])[alarm.id],
        lines=queries.lines(call, alarm),
        told=queries.told(call, alarm),
        located=location.known(call, alarm),
        may_answer=call.actor.may(Permission.PANIC_ANSWER, alarm.where),
        may_manage=call.actor.may(Permission.PANIC_MANAGE, alarm.where),
        can_come=possible(alarm.state, Move.ACKNOWLEDGE),
        can_close=possible(alarm.state, Move.CLOSE),
        written=written,
        may_read=written is not None and service.may_read(call, alarm, written),
        failure=failure,
        values=request.form if failure else {},
        **more,
    )


@may(Permission.PANIC_VIEW)
def panic_sound(_call: Call) -> Response:
    """Where a person allows the sound on this computer, and tries it."""
    return page("panic/sound.html", heading=gettext("Sound"))


ROUTES: tuple[Route, ...] = (
    ("/panic", "panic", panic, GET),
    ("/panic/bar", "panic_bar", bar, GET),
    ("/panic/pulse", "panic_pulse", pulse, GET),
    ("/panic/earlier", "panic_earlier", panic_earlier, GET),
    ("/panic/sound", "panic_sound", panic_sound, GET),
    ("/panic/calls/<uid>", "panic_call", panic_call, GET),
    ("/panic/calls/<uid>/coming", "panic_coming", panic_coming, POST),
    ("/panic/calls/<uid>/close", "panic_close", panic_close, POST),
    ("/panic/calls/<uid>/place", "panic_place", panic_place, POST),
    ("/panic/calls/<uid>/report", "panic_report", panic_report, POST),
)
