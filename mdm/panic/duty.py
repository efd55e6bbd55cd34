"""The duty roster: who hears of a call for help first, at which place, on which days and at which hours."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, select

from mdm.access.model import Operator
from mdm.access.places import actor_for
from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, InvalidError, NotFoundError
from mdm.core.mail import email_address
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean
from mdm.org import queries as org
from mdm.panic.hours import DAYS, Turn, on_duty
from mdm.panic.model import PanicAlarm, PanicDuty
from mdm.people import queries as people
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.scoping import within

MOST: Final = 200
"""Lines of one place."""
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_PHONE: Final = re.compile(r"\+?[0-9 ()./-]{6,30}")


@dataclass(frozen=True, slots=True)
class Line:
    """One line as somebody writes it: ``who`` is the e-mail address of an account or of an employee."""

    who: str
    where: Where
    begins: str
    ends: str
    from_day: date
    until_day: date | None = None
    days: tuple[str, ...] = DAYS
    rank: int = 1
    phone: str = ""
    wrong: dict[str, str] = field(default_factory=dict)


def add(call: Call, line: Line) -> PanicDuty:
    """Puts somebody on duty. Asks ``panic:manage`` at the place.

    Raises InvalidError where nobody has that address whom the actor may know of (an employee that they see, an account with
    a right to see calls at that place; for the whole city anybody), and for days or hours that are none.
    """
    require(call.actor, Permission.PANIC_MANAGE, line.where)
    operator, person = _who(call, line)
    phone = clean(line.phone, 30) or (person.phone if person else "")
    _check(line, phone)
    duty = PanicDuty(
        service_point_id=line.where.service_point_id,
        unit_id=line.where.unit_id,
        operator_id=operator.id if operator else None,
        person_id=person.id if person else None,
        name=operator.name if operator else person.name if person else "",
        phone=phone,
        email=(operator.email if operator else person.email if person else "") or "",
        rank=line.rank,
        days=" ".join(day for day in DAYS if day in line.days),
        begins=line.begins,
        ends=line.ends,
        from_day=line.from_day,
        until_day=line.until_day,
        made_at=call.now,
        made_by=clean(call.actor.name),
    )
    here = (PanicDuty.service_point_id == duty.service_point_id, PanicDuty.unit_id == duty.unit_id)
    if len(call.session.scalars(select(PanicDuty.id).where(*here)).all()) >= MOST:
        raise InvalidError(N_("There are %(most)s lines for this place already. Remove one first."), most=MOST)
    call.session.add(duty)
    call.session.flush()
    _record(call, duty, "panic.duty_added")
    return duty


def remove(call: Call, duty_id: int) -> None:
    """Takes a line off the roster. Raises NotFoundError for one that is not there or not at the actor's places."""
    found = call.session.get(PanicDuty, duty_id)
    if found is None or not call.actor.may(Permission.PANIC_MANAGE, _where(found)):
        raise NotFoundError(N_("There is no such line of the roster, or it is not one of yours."))
    _record(call, found, "panic.duty_removed")
    call.session.delete(found)


def roster(call: Call) -> Sequence[PanicDuty]:
    """The lines at the actor's places that are not over, by place and rank."""
    scope = call.actor.scope(Permission.PANIC_VIEW)
    return call.session.scalars(
        select(PanicDuty)
        .where(
            within(scope, PanicDuty.service_point_id, PanicDuty.unit_id),
            or_(PanicDuty.until_day.is_(None), PanicDuty.until_day >= call.now.date()),
        )
        .order_by(
            PanicDuty.service_point_id.is_(None),
            PanicDuty.service_point_id,
            PanicDuty.unit_id,
            PanicDuty.rank,
            PanicDuty.name,
            PanicDuty.id,
        )
    ).all()


def names(call: Call, lines: Sequence[PanicDuty]) -> dict[int, str]:
    """The name of the place of each line; empty for the whole city."""
    points = org.service_point_names(call.session, {one.service_point_id for one in lines if one.service_point_id})
    units = org.unit_names(call.session, {one.unit_id for one in lines if one.unit_id})
    return {one.id: points.get(one.service_point_id or 0) or units.get(one.unit_id or 0, "") for one in lines}


def is_on(duty: PanicDuty, now: datetime, zone: ZoneInfo) -> bool:
    """Whether this line's turn is now."""
    return on_duty(Turn(frozenset(duty.days.split()), duty.begins, duty.ends, duty.from_day, duty.until_day), now, zone)


def of_alarm(call: Call, alarm: PanicAlarm, zone: ZoneInfo) -> list[tuple[int, PanicDuty]]:
    """Who was on duty when help was called for, each with a rank: the service point's first, then the unit's, the city's.

    Taken at the moment of the call, so that the ladder stays the same while it is climbed.
    """
    return at(call, alarm.where, alarm.raised_at, zone)


def at(call: Call, where: Where, moment: datetime, zone: ZoneInfo) -> list[tuple[int, PanicDuty]]:
    """Who is on duty for a place at a moment, in the order in which they are told; the number says who goes together."""
    above = org.unit_paths(call.session, moment.date()).get(where.unit_id, ()) if where.unit_id else ()
    city = and_(PanicDuty.service_point_id.is_(None), PanicDuty.unit_id.is_(None))
    here = PanicDuty.service_point_id == where.service_point_id if where.service_point_id else None
    places = or_(city, PanicDuty.unit_id.in_(above), *([here] if here is not None else []))
    found = []
    for duty in call.session.scalars(select(PanicDuty).where(places)):
        if is_on(duty, moment, zone):
            level = 0 if duty.service_point_id else 1 + above.index(duty.unit_id) if duty.unit_id else 1000
            found.append((level * 100 + duty.rank, duty))
    return sorted(found, key=lambda one: (one[0], one[1].id))


def _where(duty: PanicDuty) -> Where:
    return Where(duty.service_point_id, duty.unit_id)


def _who(call: Call, line: Line) -> tuple[Operator | None, Person | None]:
    address = email_address(line.who, "who")
    person = call.session.scalar(people.people_select(call).where(Person.email == address))
    operator = call.session.scalar(select(Operator).where(Operator.email == address, Operator.disabled_at.is_(None)))
    if operator is not None and not _known(call, operator, line.where):
        operator = None
    if operator is None and person is None:
        sentence = N_("Nobody has this e-mail address, neither an account nor an employee.")
        raise InvalidError(sentence, fields={"who": sentence})
    return operator, person


def _known(call: Call, operator: Operator, where: Where) -> bool:
    """Whether the actor may be told that there is this account: name and number of the line come from it."""
    if call.actor.may(Permission.PANIC_MANAGE):
        return True
    return actor_for(call.session, operator, "-", None, call.now, org.units_below).may(Permission.PANIC_VIEW, where)


def _check(line: Line, phone: str) -> None:
    wrong = dict(line.wrong)
    if not line.days or set(line.days) - set(DAYS):
        wrong["days"] = N_("Choose at least one day of the week.")
    for name, time in (("begins", line.begins), ("ends", line.ends)):
        if not _TIME.fullmatch(time):
            wrong[name] = N_("Write a time such as 08:30.")
    if line.until_day is not None and line.until_day < line.from_day:
        wrong["until_day"] = N_("The last day lies before the first.")
    if not 1 <= line.rank <= 20:
        wrong["rank"] = N_("Choose a number from 1 to 20.")
    if phone and not _PHONE.fullmatch(phone):
        wrong["phone"] = N_("This is not a telephone number.")
    if wrong:
        raise InvalidError(N_("The line was not saved."), fields=wrong)


def _record(call: Call, duty: PanicDuty, action: str) -> None:
    details = {"days": duty.days, "begins": duty.begins, "ends": duty.ends, "rank": duty.rank}
    audit.record(call, action, ("panic_duty", duty.id), name=duty.name, where=_where(duty), details=details)
