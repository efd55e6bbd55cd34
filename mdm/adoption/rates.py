"""How many of those who were invited are active: per unit, group and service point, on a day and over time.

A unit counts everybody in it and below it, in the organogram of the day that is asked for: when units move on a date, so do
the figures from that date on.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true

from mdm.adoption import due
from mdm.adoption.model import Invitee
from mdm.core.permissions import Permission
from mdm.org.model import ServicePoint
from mdm.org.queries import unit_paths, units, units_below
from mdm.people.model import Person, Persona
from mdm.storage.call import Call
from mdm.storage.scoping import within

WEEKS: Final = 12


class By(StrEnum):
    """What rates are shown by."""

    UNIT = "unit"
    PERSONA = "persona"
    SERVICE_POINT = "service_point"


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Whose rates. Ids of units (with all below) and service points, personas; empty: everybody's."""

    units: Collection[int] = ()
    service_points: Collection[int] = ()
    personas: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """How far a group of people is. Somebody active counts as invited, however they came to it."""

    people: int = 0
    invited: int = 0
    active: int = 0

    @property
    def missing(self) -> int:
        """Invited, and not active."""
        return self.invited - self.active

    @property
    def percent(self) -> float:
        """The activation rate: per cent of those invited; 0 where nobody was."""
        return due.share(self.active, self.invited)

    @property
    def reached(self) -> bool:
        """Whether it is above the goal."""
        return self.invited > 0 and self.percent > due.GOAL

    def __add__(self, other: "Rate") -> "Rate":
        return Rate(self.people + other.people, self.invited + other.invited, self.active + other.active)


@dataclass(frozen=True, slots=True)
class Line:
    """One row: what it is about and how far it is. ``depth`` is how far a unit stands below the top."""

    key: str
    name: str
    rate: Rate
    depth: int = 0


def overall(call: Call, zone: ZoneInfo, narrowed: Narrowed, on: date) -> Rate:
    """The figure for all of them together."""
    return sum((one for one in _grouped(call, zone, narrowed, on, Person.persona).values()), Rate())


def by(call: Call, zone: ZoneInfo, what: By, narrowed: Narrowed, on: date) -> list[Line]:
    """One row per unit (as a tree, each with all below it), persona or service point that has people."""
    if what is By.UNIT:
        return _by_unit(call, zone, narrowed, on)
    if what is By.PERSONA:
        counted = _grouped(call, zone, narrowed, on, Person.persona)
        return [Line(one.value, one.value, counted[one.value]) for one in Persona if one.value in counted]
    counted = _grouped(call, zone, narrowed, on, Person.service_point_id)
    names = dict(
        call.session.execute(
            select(ServicePoint.id, ServicePoint.name).where(ServicePoint.id.in_([key for key in counted if key]))
        ).all()
    )
    lines = [Line(str(key or ""), names.get(key, ""), rate) for key, rate in counted.items()]
    return sorted(lines, key=lambda line: (line.key == "", line.name.lower(), line.key))


def over_time(call: Call, zone: ZoneInfo, narrowed: Narrowed, on: date, weeks: int = WEEKS) -> list[tuple[date, Rate]]:
    """The figure at the end of this day and of the same weekday of the weeks before, oldest first."""
    days = [on - timedelta(weeks=back) for back in range(weeks - 1, -1, -1)]
    sums = [one for day in days for one in _sums(zone, day, _of_units(call, narrowed, day))]
    row = call.session.execute(_people(call, narrowed).with_only_columns(*sums)).one()
    return [(day, Rate(*(row[place * 3 + n] or 0 for n in range(3)))) for place, day in enumerate(days)]


def _by_unit(call: Call, zone: ZoneInfo, narrowed: Narrowed, on: date) -> list[Line]:
    paths = unit_paths(call.session, on)
    summed: dict[int, Rate] = {}
    without = Rate()
    for unit, rate in _grouped(call, zone, narrowed, on, Person.unit_id).items():
        if unit is None:
            without += rate
        for above in paths.get(unit, ()) if unit is not None else ():
            summed[above] = summed.get(above, Rate()) + rate
    lines = [
        Line(str(one.unit.id), one.unit.name, summed[one.unit.id], one.depth)
        for one in units(call, closed=True, on=on)
        if one.unit.id in summed
    ]
    least = min((line.depth for line in lines), default=0)
    shown = [Line(line.key, line.name, line.rate, line.depth - least) for line in lines]
    return [*shown, Line("", "", without)] if without.people else shown


def _grouped(call: Call, zone: ZoneInfo, narrowed: Narrowed, on: date, column: Any) -> dict[Any, Rate]:
    query = _people(call, narrowed).where(_of_units(call, narrowed, on), _counts(zone, on))
    rows = call.session.execute(query.with_only_columns(column, *_sums(zone, on, true())).group_by(column))
    return {row[0]: Rate(row[1] or 0, row[2] or 0, row[3] or 0) for row in rows}


def _people(call: Call, narrowed: Narrowed) -> Select[Any]:
    """People at the actor's places, with how far they are."""
    query = (
        select(Person.id)
        .select_from(Person)
        .outerjoin(Invitee, Invitee.person_id == Person.id)
        .where(within(call.actor.scope(Permission.PEOPLE_VIEW), Person.service_point_id, Person.unit_id))
    )
    if narrowed.service_points:
        query = query.where(Person.service_point_id.in_(narrowed.service_points))
    if narrowed.personas:
        query = query.where(Person.persona.in_(narrowed.personas))
    return query


def _of_units(call: Call, narrowed: Narrowed, day: date) -> ColumnElement[bool]:
    """People in these units and below, in the organogram of that day."""
    if not narrowed.units:
        return true()
    wanted = frozenset[int]().union(*(units_below(call.session, unit, day) for unit in narrowed.units))
    return Person.unit_id.in_(wanted)


def _counts(zone: ZoneInfo, day: date) -> ColumnElement[bool]:
    """People who were known and here at the end of that day."""
    here = or_(Person.left_on.is_(None), Person.left_on > day)
    return and_(here, Person.created_at < due.end_of(day, zone))


def _sums(zone: ZoneInfo, day: date, of: ColumnElement[bool]) -> list[ColumnElement[Any]]:
    """People, invited and active at the end of that day."""
    end = due.end_of(day, zone)
    active = Invitee.activated_at < end
    invited = or_(Invitee.first_invited_at < end, active)
    counts = and_(_counts(zone, day), of)
    return [
        func.sum(case((counts, 1), else_=0)),
        func.sum(case((and_(counts, invited), 1), else_=0)),
        func.sum(case((and_(counts, active), 1), else_=0)),
    ]
