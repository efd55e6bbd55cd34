"""Calling for help: by a phone's key, by a device, in an exercise. The same press sent ten times is one call."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, select

from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.ids import new_uid
from mdm.core.permissions import Where
from mdm.inventory.model import Device
from mdm.panic import drills, keeping, keys
from mdm.panic.model import PanicAlarm, PanicDrill, PanicLine, PanicSpot
from mdm.panic.states import LOUD, Move, after
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

LONGEST: Final = timedelta(days=7)
"""Whoever was without a line for longer is believed no more about when the button was pressed."""
_ID: Final = re.compile(r"[A-Za-z0-9-]{8,40}")


@dataclass(frozen=True, slots=True)
class Press:
    """One press: the id that the phone made for it, how many seconds ago it was, and whether it is only practised."""

    id: str
    ago: float = 0
    exercise: bool = False


@dataclass(frozen=True, slots=True)
class _Source:
    """Who calls, from what, and where that is."""

    name: str
    where: Where
    person: Person | None = None
    device: Device | None = None
    key_id: int | None = None
    spot: str = ""


def by_key(call: Call, secret: str, press: Press) -> PanicAlarm:
    """Help for the person whose phone this is. Pressed again while the call is open, it is the same call.

    Raises NotSignedInError (``panic_key``) for a key that nobody has, InvalidError for a press without a proper id,
    ConflictError (``no_drill``) for a practised press where nobody practises.
    """
    key, person = keys.found(call, secret)
    # Two presses at the same moment are told apart, or found to be one, one after the other.
    call.session.refresh(key, with_for_update=True)
    key.used_at = call.now
    where = Where(person.service_point_id, person.unit_id)
    source = _Source(f"key:{key.id}", where, person=person, key_id=key.id, spot=key.spot)
    speaker = Actor(ActorKind.EMPLOYEE, person.id, person.name, (), call.actor.request_id)
    return _raise(call.by(speaker), source, press)


def by_device(call: Call, device_id: int, press: Press) -> PanicAlarm:
    """Help where this device stands, for whoever holds it. Raises InvalidError and ConflictError like ``by_key``."""
    device = call.session.get_one(Device, device_id, with_for_update=True)
    person = call.session.get(Person, device.person_id) if device.person_id else None
    spot = call.session.scalar(select(PanicSpot.spot).where(PanicSpot.device_id == device.id)) or ""
    where = Where(device.service_point_id, device.unit_id)
    if where == Where() and person is not None:
        where = person.where
    return _raise(call, _Source(f"device:{device.id}", where, person=person, device=device, spot=spot), press)


def by_drill(call: Call, uid: str) -> PanicAlarm:
    """The organiser's own call for help within an exercise; twice is one. Raises ConflictError after its end."""
    drill = drills.managed(call, uid)
    if not drills.open_at(drill, call.now):
        raise ConflictError(N_("This exercise is over. Nothing was raised."), code="no_drill")
    press = Press(drill.uid, exercise=True)
    return _raise(call, _Source(f"drill:{drill.id}", drill.where, spot=drill.note[: keys.MAX_SPOT]), press, drill)


def _raise(call: Call, source: _Source, press: Press, drill: PanicDrill | None = None) -> PanicAlarm:
    if not _ID.fullmatch(press.id):
        raise InvalidError(N_("This is no call for help: its id is wrong. Nothing was raised."), code="panic_id")
    slot = f"{source.name}:{press.id}"
    known = _known(call, source, slot)
    if known is not None:
        return known
    pressed_at = call.now - min(max(timedelta(seconds=press.ago), timedelta()), LONGEST)
    if press.exercise and drill is None:
        drill = drills.at(call, source.where, pressed_at)
        if drill is None:
            raise ConflictError(
                N_("Nobody practises here now, so nothing was sent. For true help, press the red button."),
                code="no_drill",
            )
    open_one = _open(call, source, drill)
    if open_one is not None:
        return _again(call, open_one, slot)
    return _fresh(call, source, slot, pressed_at - call.now, drill)


def _fresh(call: Call, source: _Source, slot: str, distance: timedelta, drill: PanicDrill | None) -> PanicAlarm:
    person, device = source.person, source.device
    alarm = PanicAlarm(
        uid=new_uid(),
        slot=slot,
        drill_id=drill.id if drill else None,
        person_id=person.id if person else None,
        device_id=device.id if device else None,
        key_id=source.key_id,
        person_name=person.name if person else "",
        device_label=device.label if device else "",
        spot=source.spot,
        phone=(person.phone if person else "") or (device.phone_number if device else ""),
        service_point_id=source.where.service_point_id,
        unit_id=source.where.unit_id,
        pressed_at=call.now + distance,
        raised_at=call.now,
        next_at=call.now,
    )
    call.session.add(alarm)
    # Two deliveries of one press at the same moment: the second is told to come again, and finds the first.
    flush_unique(call.session, ConflictError(N_("This call for help is being taken already."), code="panic_twice"))
    keeping.line(call, alarm, "raised", by=alarm.person_name or alarm.device_label)
    keeping.record(call, alarm, "panic.raised")
    keeping.beat(call)
    return alarm


def _again(call: Call, alarm: PanicAlarm, slot: str) -> PanicAlarm:
    """Pressed once more: whoever was told it is over is wrong now."""
    alarm.state = after(alarm.state, Move.PRESS).value
    alarm.presses += 1
    alarm.called_off_at = None
    keeping.line(call, alarm, "pressed", slot, by=alarm.person_name or alarm.device_label)
    keeping.beat(call)
    return alarm


def _known(call: Call, source: _Source, slot: str) -> PanicAlarm | None:
    found = call.session.scalar(select(PanicAlarm).where(PanicAlarm.slot == slot))
    if found is not None:
        return found
    return call.session.scalar(
        select(PanicAlarm)
        .join(PanicLine, PanicLine.alarm_id == PanicAlarm.id)
        .where(_of(source), PanicLine.kind == "pressed", PanicLine.text == slot)
        .limit(1)
    )


def _open(call: Call, source: _Source, drill: PanicDrill | None) -> PanicAlarm | None:
    practised = PanicAlarm.drill_id.is_(None) if drill is None else PanicAlarm.drill_id == drill.id
    return call.session.scalar(
        select(PanicAlarm)
        .where(_of(source), practised, PanicAlarm.state.in_(LOUD))
        .order_by(PanicAlarm.id.desc())
        .limit(1)
        .with_for_update()
    )


def _of(source: _Source) -> ColumnElement[bool]:
    if source.key_id is not None:
        return PanicAlarm.key_id == source.key_id
    if source.device is not None:
        return PanicAlarm.device_id == source.device.id
    return PanicAlarm.slot.startswith(f"{source.name}:")


def mine(call: Call, secret: str, within: timedelta = timedelta(hours=12)) -> PanicAlarm | None:
    """The newest call for help from this phone in the last hours; None where there was none."""
    key, _ = keys.found(call, secret)
    return call.session.scalar(
        select(PanicAlarm)
        .where(PanicAlarm.key_id == key.id, PanicAlarm.raised_at > call.now - within)
        .order_by(PanicAlarm.id.desc())
        .limit(1)
    )


def of_person(call: Call, person_id: int, within: timedelta = timedelta(hours=12)) -> Sequence[PanicAlarm]:
    """Calls for help of the last hours in the name of this person, from phones and devices, newest first; also those that
    are over: who looks must not see by what is left out that one of them only seems so."""
    return call.session.scalars(
        select(PanicAlarm)
        .where(PanicAlarm.person_id == person_id, PanicAlarm.raised_at > call.now - within)
        .order_by(PanicAlarm.id.desc())
        .limit(10)
    ).all()
