"""Pools: what is free now, the calendar of a place, and its rules."""

from datetime import date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import N_, HavenmeesterError, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.desk.loans import places, queries
from mdm.desk.loans import pools as pooled
from mdm.desk.loans.model import LoanPlace
from mdm.desk.loans.opening import Week, open_time
from mdm.desk.loans.places import BOUNDS, Rules
from mdm.people.model import Person
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.desk.frame import desk_page
from web.console.desk.loan_calendar import draw
from web.console.desk.place import desk_place, desk_places
from web.console.identity import settings
from web.console.pages.helpers import GET, POST, Route, day_field, done, number, refused, text

LENGTHS = (7, 14, 28)
"""Days that the calendar can show."""


@may(Permission.DESK_VIEW)
def pools(call: Call) -> Response:
    """Every place that lends, and what is free there now."""
    lines = pooled.pools(call)
    lending = {line.point.id for line in lines}
    others = [point for point in desk_places(call) if point.id not in lending]
    return desk_page(call, "desk/loans/pools.html", lines=lines, others=others)


@may(Permission.DESK_WORK)
def pool_open(call: Call) -> Response:
    """Has a service point lend."""
    point = number("service_point_id")
    if point is None:
        raise InvalidError(N_("Choose a service point first. Nothing was changed."))
    places.open_place(call, point, zone=settings().timezone, flex=text("flex") == "yes")
    return done(gettext("This place lends from now on."), url_for("desk_pool", number=point))


@may(Permission.DESK_VIEW)
def pool(call: Call, number: int) -> Response:
    """One pool: what is free, its devices, its rules."""
    return _pool(call, number)


def _pool(call: Call, key: int, failure: Failure | None = None) -> Response:
    line = next(iter(pooled.pools(call, only=key)), None)
    if line is None:
        raise NotFoundError(N_("Nothing is lent at this place, or it is not one of yours."))
    devices = pooled.pool(call, key)
    holders = {device.id: call.session.get_one(Person, device.person_id).name for device in devices if device.person_id}
    response = desk_page(
        call,
        "desk/loans/pool.html",
        line=line,
        rules=line.place,
        devices=devices,
        holders=holders,
        works=call.actor.may(Permission.DESK_WORK, line.place.where),
        bounds=BOUNDS,
        values=request.form if failure else line.place,
        failure=failure,
    )
    return failure.stamp(response) if failure else response


@may(Permission.DESK_WORK)
def pool_change(call: Call, number: int) -> Response:
    """Changes the rules of a pool, or whether it lends."""
    try:
        step = text("step")
        if step in ("close", "reopen"):
            places.change_place(call, number, closed=step == "close")
        else:
            places.change_place(call, number, **_rules())
    except HavenmeesterError as error:
        failure = refused(call, error)
        return _pool(call, number, failure)
    return done(gettext("The rules of this place were saved."), url_for("desk_pool", number=number))


def _rules() -> Rules:
    """The rules in the form; a number that is none is refused by the place."""
    numbers = {name: _whole(name) for name in BOUNDS if name in request.form}
    return cast(Rules, {"flex": text("flex") == "yes", "keeper_email": text("keeper_email"), **numbers})


def _whole(name: str) -> int | None:
    written = text(name)
    if not written:
        return None
    return int(written) if written.isascii() and written.isdigit() and len(written) < 9 else -1


@may(Permission.DESK_VIEW)
def calendar(call: Call) -> Response:
    """The calendar of one place, with a table beside it."""
    offered = queries.offered(call)
    chosen = _chosen(call, offered)
    if chosen is None:
        return desk_page(call, "desk/loans/calendar.html", offered=offered, drawn=None)
    place, point = chosen
    zone = ZoneInfo(place.zone)
    length = int(request.args["days"]) if request.args.get("days") in {str(one) for one in LENGTHS} else LENGTHS[0]
    first = _first(call, zone, point.opening_hours)
    found = queries.between(call, point.id, _midnight(first, zone), _midnight(first + timedelta(days=length), zone))
    return desk_page(
        call,
        "desk/loans/calendar.html",
        offered=offered,
        at=point,
        rules=place,
        zone=zone,
        first=first,
        length=length,
        lengths=LENGTHS,
        before=first - timedelta(days=length),
        after=first + timedelta(days=length),
        found=found,
        drawn=draw(found, first, length, point.opening_hours, zone, call.now),
    )


def _chosen(call: Call, offered: list[tuple[LoanPlace, Any]]) -> tuple[LoanPlace, Any] | None:
    wanted = number("service_point", request.args)
    if wanted is not None:
        found = next((one for one in offered if one[1].id == wanted), None)
        if found is None:
            raise NotFoundError(N_("Nothing is lent at this place, or it is not one of yours."))
        return found
    mine = desk_place(call)
    return next((one for one in offered if mine and one[1].id == mine.id), None) or next(iter(offered), None)


def _first(call: Call, zone: ZoneInfo, week: Week) -> date:
    """The day asked for, else the Monday of the week in which the place is open next."""
    wanted = day_field("from", request.args)
    if wanted is not None and 2000 <= wanted.year <= 2100:
        return wanted
    following, _ = next(open_time(week, call.now, zone, 14), (call.now, call.now))
    today = following.astimezone(zone).date()
    return today - timedelta(days=today.weekday())


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


ROUTES: tuple[Route, ...] = (
    ("/desk/loans/pools", "desk_pools", pools, GET),
    ("/desk/loans/pools/open", "desk_pool_open", pool_open, POST),
    ("/desk/loans/pools/<int:number>", "desk_pool", pool, GET),
    ("/desk/loans/pools/<int:number>/change", "desk_pool_change", pool_change, POST),
    ("/desk/loans/calendar", "desk_calendar", calendar, GET),
)
