"""Climbing the ladder: telling the next circle of people while nobody has answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from mdm.access.model import Operator
from mdm.access.places import actor_for
from mdm.alarms import targets
from mdm.alarms.kinds import Kind
from mdm.core.clock import iso
from mdm.core.ids import new_secret, secret_digest
from mdm.core.permissions import Permission
from mdm.core.telephone import mobile_number
from mdm.org.model import ServicePoint, Unit
from mdm.org.queries import units_below
from mdm.outbox import service as outbox
from mdm.outbox import sms
from mdm.panic import duty, keeping, letters
from mdm.panic.ladder import Rung, climb
from mdm.panic.letters import Told
from mdm.panic.model import PanicAlarm, PanicCall, PanicDuty
from mdm.panic.states import Move, State, possible
from mdm.people.model import Person
from mdm.storage.call import Call

STALE: Final = timedelta(hours=2)
"""After so long nobody wants the SMS any more."""


@dataclass(frozen=True, slots=True)
class How:
    """How calls for help are told here: the city's clock, seconds between two rungs, the address that links begin with."""

    zone: ZoneInfo
    seconds: int
    base: str
    country: str
    """The setting ``sms_country``."""


@dataclass(frozen=True, slots=True)
class _Hearer:
    """Somebody who can be told."""

    who: str
    name: str
    language: str
    email: str = ""
    phone: str = ""
    operator_id: int | None = None


def any_due(call: Call) -> bool:
    """Whether a rung is due. Costs one look at an index."""
    due = select(PanicAlarm.id).where(PanicAlarm.state == State.RINGING.value, PanicAlarm.next_at <= call.now).limit(1)
    return call.session.scalar(due) is not None


def climb_due(call: Call, how: How) -> int:
    """Climbs one rung for every call for help that is due; how many. For the clock."""
    due = call.session.scalars(
        select(PanicAlarm)
        .where(PanicAlarm.state == State.RINGING.value, PanicAlarm.next_at <= call.now)
        .order_by(PanicAlarm.id)
        .limit(50)
        .with_for_update(skip_locked=True)
    ).all()
    for alarm in due:
        _climb(call, alarm, how)
    return len(due)


def tell_all(call: Call, alarm: PanicAlarm, how: How) -> int:
    """Tells everybody anew who was told, and everybody who may answer: under duress. How many."""
    on, place, city = _circles(call, alarm, how)
    people = {one.who: one for one in (*on, *place, *city)}
    for one in people.values():
        _tell(call, alarm, one, Rung.CITY, how, again=True)
    return len(people)


def _climb(call: Call, alarm: PanicAlarm, how: How) -> None:
    if not possible(alarm.state, Move.ESCALATE):
        return
    ranked = duty.of_alarm(call, alarm, how.zone)
    on, place, city = _circles(call, alarm, how)
    telling = climb(alarm.step, [rank for rank, _ in ranked], len(place), len(city), call.now, how.seconds)
    circle = {Rung.DUTY: on, Rung.PLACE: place, Rung.CITY: city}[telling.rung]
    if alarm.step == 0:
        targets.tell(call, Kind.PANIC, notice(alarm), f"panic-{alarm.uid}")
    told = [circle[number] for number in telling.who]
    again = _was_told(call, alarm, told)
    for one in told:
        _tell(call, alarm, one, telling.rung, how, again=again)
    alarm.step, alarm.next_at = alarm.step + 1, telling.next_at
    names = ", ".join(one.name for one in told)
    keeping.line(call, alarm, f"told_{telling.rung.value}" if told else "nobody", names[:255], by="")
    keeping.beat(call)


def _was_told(call: Call, alarm: PanicAlarm, people: Sequence[_Hearer]) -> bool:
    """Whether all of them were told before: then they are told once more."""
    known = set(call.session.scalars(select(PanicCall.who).where(PanicCall.alarm_id == alarm.id)))
    return bool(people) and all(one.who in known for one in people)


def _circles(call: Call, alarm: PanicAlarm, how: How) -> tuple[list[_Hearer], list[_Hearer], list[_Hearer]]:
    on = [_on_duty(call, one) for _, one in duty.of_alarm(call, alarm, how.zone)]
    known = {one.who for one in on}
    place: list[_Hearer] = []
    city: list[_Hearer] = []
    found = call.session.scalars(select(Operator).where(Operator.disabled_at.is_(None)).order_by(Operator.id))
    for operator in found.all():
        actor = actor_for(call.session, operator, "-", None, call.now, units_below)
        if f"operator:{operator.id}" in known or not actor.may(Permission.PANIC_ANSWER, alarm.where):
            continue
        hearer = _Hearer(f"operator:{operator.id}", operator.name, operator.language, operator.email, "", operator.id)
        (city if actor.scope(Permission.PANIC_ANSWER).city else place).append(hearer)
    return on, place, city


def _on_duty(call: Call, one: PanicDuty) -> _Hearer:
    operator = call.session.get(Operator, one.operator_id) if one.operator_id else None
    person = call.session.get(Person, one.person_id) if one.person_id else None
    who = f"operator:{operator.id}" if operator else f"person:{one.person_id}"
    language = operator.language if operator else person.language if person else "en"
    return _Hearer(who, one.name, language, one.email, one.phone, operator.id if operator else None)


def _tell(call: Call, alarm: PanicAlarm, one: _Hearer, rung: Rung, how: How, *, again: bool) -> None:
    """Tells somebody, once each, or anew: then the link of before gives way to a new one."""
    known = call.session.scalar(
        select(PanicCall).where(PanicCall.alarm_id == alarm.id, PanicCall.who == one.who).limit(1)
    )
    if known is not None and not again:
        return
    secret = new_secret()
    mobile = mobile_number(one.phone, how.country) if one.phone else None
    ways = (["mail"] if one.email else []) + (["sms"] if mobile else [])
    if known is None:
        known = PanicCall(
            alarm_id=alarm.id,
            who=one.who,
            name=one.name,
            operator_id=one.operator_id,
            rung=rung.value,
            told_at=call.now,
            link_digest="",
        )
        call.session.add(known)
    known.link_digest, known.ways = secret_digest(secret), " ".join(ways)
    told = told_of(call, alarm, f"{how.base}/panic/come/{secret}")
    text = letters.message(one.language, told)
    if mobile:
        sms.post(call, to=mobile, text=text, country=how.country, due=call.now - outbox.BEFORE, until=call.now + STALE)
    if one.email:
        subject = letters.subject(one.language, told)
        outbox.post_urgent(call, "mail", {"to": one.email, "subject": subject, "text": text + "\n"})
    call.session.flush()


def told_of(call: Call, alarm: PanicAlarm, link: str) -> Told:
    """What is said of a call for help."""
    return Told(
        number=alarm.number,
        who=alarm.person_name or alarm.device_label,
        place=", ".join(part for part in (place_name(call, alarm), alarm.spot) if part),
        phone=alarm.phone,
        link=link,
        exercise=alarm.exercise,
        duress=alarm.duress_at is not None,
    )


def place_name(call: Call, alarm: PanicAlarm) -> str:
    """The service point, else the unit; empty where neither is known."""
    if alarm.service_point_id is not None:
        point = call.session.get(ServicePoint, alarm.service_point_id)
        return point.name if point else ""
    unit = call.session.get(Unit, alarm.unit_id) if alarm.unit_id else None
    return unit.name if unit else ""


def notice(alarm: PanicAlarm) -> dict[str, object]:
    """What a program is told: numbers, no name, so that nothing personal leaves the house."""
    return {
        "at": iso(alarm.raised_at),
        "exercise": alarm.exercise,
        "kind": Kind.PANIC.value,
        "subject": {"id": alarm.uid, "kind": "panic"},
        "where": {"service_point": alarm.service_point_id, "unit": alarm.unit_id},
    }
