"""What is prepared for calls for help: the duty roster, rooms of computers, exercises."""

from datetime import date
from typing import Any

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import HavenmeesterError, InvalidError
from mdm.core.permissions import Permission
from mdm.panic import drills, duty, queries, raising, spots
from mdm.panic.duty import Line
from mdm.panic.hours import DAYS
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.identity import settings
from web.console.pages.helpers import BOTH, GET, POST, Route, day_field, done, number, page, refused, text
from web.console.panic.bar import changed
from web.console.panic.city import place, place_name, places, zone


@may(Permission.PANIC_VIEW, write=None)
def panic_duty(call: Call) -> Response:
    """Who is on duty, where and when; putting somebody on it."""
    if request.method == "GET":
        return _duty(call)
    try:
        wrong: dict[str, str] = {}
        added = duty.add(
            call,
            Line(
                who=text("who"),
                where=place(text("place")),
                begins=text("begins"),
                ends=text("ends"),
                from_day=_day("from_day", wrong) or call.now.astimezone(zone(settings())).date(),
                until_day=_day("until_day", wrong),
                days=tuple(day for day in DAYS if day in request.form.getlist("days")),
                rank=number("rank") or 1,
                phone=text("phone"),
                wrong=wrong,
            ),
        )
    except HavenmeesterError as error:
        failure = refused(call, error)
        return failure.stamp(_duty(call, failure))
    return done(gettext("%(name)s is on the roster.", name=added.name), url_for("panic_duty"))


@may(Permission.PANIC_MANAGE)
def panic_duty_remove(call: Call, line: int) -> Response:
    """Takes a line off the roster."""
    duty.remove(call, line)
    return done(gettext("The line is off the roster."), url_for("panic_duty"))


@may(Permission.PANIC_VIEW, write=None)
def panic_rooms(call: Call) -> Response:
    """In which rooms computers stand that call for help; writing one down."""
    if request.method == "GET":
        return page("panic/rooms.html", rooms=spots.all_of(call), failure=None)
    try:
        device = spots.put(call, text("device"), text("spot"))
    except HavenmeesterError as error:
        failure = refused(call, error)
        return failure.stamp(page("panic/rooms.html", rooms=spots.all_of(call), failure=failure))
    return done(gettext("The room of %(device)s is written down.", device=device.label), url_for("panic_rooms"))


@may(Permission.PANIC_VIEW, write=None)
def panic_drills(call: Call) -> Response:
    """Exercises; beginning one."""
    if request.method == "GET":
        return _drills(call)
    try:
        begun = drills.begin(call, place(text("place")), number("minutes") or 0, text("note"))
    except HavenmeesterError as error:
        failure = refused(call, error)
        return failure.stamp(_drills(call, failure))
    changed()
    return done(gettext("The exercise has begun."), url_for("panic_drill", uid=begun.uid))


@may(Permission.PANIC_VIEW)
def panic_drill(call: Call, uid: str) -> Response:
    """One exercise with its figures."""
    found = drills.drill(call, uid)
    return page(
        "panic/drill.html",
        drill=found,
        place_name=place_name(call, found.where),
        under_way=drills.open_at(found, call.now),
        figures=drills.figures(call, found),
        lines=drills.lines_of(call, found),
        calls=[(one, queries.told(call, one)) for one in drills.alarms_of(call, found)],
        may_manage=call.actor.may(Permission.PANIC_MANAGE, found.where),
    )


@may(Permission.PANIC_MANAGE)
def panic_drill_raise(call: Call, uid: str) -> Response:
    """The organiser's own call within the exercise."""
    raising.by_drill(call, uid)
    changed()
    return done(gettext("The practised call for help is on its way."), url_for("panic_drill", uid=uid))


@may(Permission.PANIC_MANAGE)
def panic_drill_end(call: Call, uid: str) -> Response:
    """Ends it, or keeps what was learned."""
    drills.end(call, uid, text("learned"))
    changed()
    return done(gettext("Saved."), url_for("panic_drill", uid=uid))


def _duty(call: Call, failure: Failure | None = None) -> Response:
    lines = duty.roster(call)
    clock = zone(settings())
    return page(
        "panic/duty.html",
        lines=lines,
        names=duty.names(call, lines),
        now_on={one.id for one in lines if duty.is_on(one, call.now, clock)},
        places=places(call),
        failure=failure,
        values=_kept() if failure else {"days": DAYS[:5], "begins": "08:00", "ends": "18:00", "rank": "1"},
    )


def _drills(call: Call, failure: Failure | None = None) -> Response:
    found = [(one, place_name(call, one.where), drills.figures(call, one)) for one in drills.all_of(call)]
    return page(
        "panic/drills.html",
        drills=found,
        places=places(call),
        failure=failure,
        now=call.now,
        values=_kept() if failure else {"minutes": "30"},
    )


def _kept() -> dict[str, Any]:
    return {**request.form.to_dict(), "days": request.form.getlist("days")}


def _day(name: str, wrong: dict[str, str]) -> date | None:
    try:
        return day_field(name)
    except InvalidError as error:
        wrong |= error.fields
        return None


ROUTES: tuple[Route, ...] = (
    ("/panic/duty", "panic_duty", panic_duty, BOTH),
    ("/panic/duty/<int:line>/remove", "panic_duty_remove", panic_duty_remove, POST),
    ("/panic/rooms", "panic_rooms", panic_rooms, BOTH),
    ("/panic/drills", "panic_drills", panic_drills, BOTH),
    ("/panic/drills/<uid>", "panic_drill", panic_drill, GET),
    ("/panic/drills/<uid>/raise", "panic_drill_raise", panic_drill_raise, POST),
    ("/panic/drills/<uid>/end", "panic_drill_end", panic_drill_end, POST),
)
