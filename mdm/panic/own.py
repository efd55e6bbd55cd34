"""What the phone of whoever called for help shows of it. Somebody may look over their shoulder, or hold the phone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from mdm.core.permissions import Where
from mdm.core.telephone import mobile_number
from mdm.org.model import ServicePoint
from mdm.panic import drills, duty, keys, raising
from mdm.panic.model import PanicAlarm, PanicKey
from mdm.panic.states import State
from mdm.people import employee
from mdm.people.model import Person
from mdm.storage.call import Call

FRESH: Final = timedelta(hours=2)
"""So long the end of a call for help is shown; then the button is as before."""


class Stage(StrEnum):
    """How a call for help stands, as the phone says it."""

    COMING = "coming"
    ENDED = "ended"
    NONE = "none"
    RUNG = "rung"


@dataclass(frozen=True, slots=True)
class Shown:
    """The button on one phone."""

    key: PanicKey
    person: Person
    stage: Stage
    by: str
    """Who is coming; empty while nobody is."""
    exercise: bool
    """Whether what is open is only practised."""
    practising: bool
    """Whether an exercise is under way at this person's place, so that there is a second button."""
    place: str
    """The service point; empty where nobody knows it."""
    call_number: str
    """The service point's telephone number."""
    sms_number: str
    """Where an SMS is read when there is no line for data."""
    needs_code: bool


def look(call: Call, secret: str, zone: ZoneInfo, country: str) -> Shown:
    """How the button stands on the phone with this key. Raises NotSignedInError (``panic_key``)."""
    key, person = keys.found(call, secret)
    alarm = raising.mine(call, secret)
    stage = stage_of(call, alarm)
    where = Where(person.service_point_id, person.unit_id)
    point = call.session.get(ServicePoint, person.service_point_id) if person.service_point_id else None
    return Shown(
        key=key,
        person=person,
        stage=stage,
        by=alarm.acknowledged_by if alarm is not None and stage is Stage.COMING else "",
        exercise=alarm is not None and stage is not Stage.NONE and alarm.exercise,
        practising=drills.at(call, where, call.now) is not None,
        place=point.name if point else "",
        call_number=point.phone if point else "",
        sms_number=_sms_number(call, where, point, zone, country),
        needs_code=keys.needs_code(key),
    )


@dataclass(frozen=True, slots=True)
class OwnCall:
    """A call for help in somebody's own name, wherever it was raised: on a phone of theirs, on the computer they hold."""

    uid: str
    number: str
    stage: Stage
    by: str
    """Who is coming; empty while nobody is."""
    exercise: bool
    device: str
    """The computer; empty for a phone."""
    spot: str
    raised_at: datetime


def calls(call: Call) -> list[OwnCall]:
    """The employee's own calls for help that are open, or ended in the last two hours; the newest first.

    One that was ended under duress is among those that are over, like any other. Raises NotSignedInError.
    """
    found = []
    for alarm in raising.of_person(call, employee.me(call).id):
        stage = stage_of(call, alarm)
        if stage is not Stage.NONE:
            by = alarm.acknowledged_by if stage is Stage.COMING else ""
            found.append(
                OwnCall(
                    alarm.uid, alarm.number, stage, by, alarm.exercise, alarm.device_label, alarm.spot, alarm.raised_at
                )
            )
    return found


def any_open(call: Call) -> bool:
    """Whether a call for help in the employee's own name is open as far as they see it."""
    return any(one.stage in (Stage.RUNG, Stage.COMING) for one in calls(call))


def asks_code(call: Call) -> bool:
    """Whether the employee ends calls in their own name by a code."""
    key = keys.with_codes(call, employee.me(call).id)
    return key is not None and keys.needs_code(key)


def stage_of(call: Call, alarm: PanicAlarm | None) -> Stage:
    """What is said of a call for help: the same for a false alarm and for one that was ended under duress."""
    if alarm is None:
        return Stage.NONE
    ended = alarm.called_off_at or alarm.closed_at
    if ended is not None:
        return Stage.ENDED if ended > call.now - FRESH else Stage.NONE
    return Stage.COMING if alarm.state == State.ACKNOWLEDGED.value else Stage.RUNG


def _sms_number(call: Call, where: Where, point: ServicePoint | None, zone: ZoneInfo, country: str) -> str:
    numbers = [one.phone for _, one in duty.at(call, where, call.now, zone)] + ([point.phone] if point else [])
    mobiles = (mobile_number(number, country) for number in numbers if number)
    return next((number for number in mobiles if number), "")
