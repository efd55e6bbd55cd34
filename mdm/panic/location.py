"""Where the phone was when help was called for: only for this call, kept sealed, forgotten after the setting's days."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select

from mdm.core.actor import require
from mdm.core.errors import N_, DeniedError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.panic import keeping, keys
from mdm.panic.model import PanicAlarm, PanicPlace
from mdm.panic.states import OPEN
from mdm.people import employee
from mdm.storage.call import Call
from mdm.storage.seal import Seal

MOST: Final = 20
"""Places that are kept of one call for help; older ones go."""


@dataclass(frozen=True, slots=True)
class Place:
    """Degrees, metres, and when the server was told."""

    latitude: float
    longitude: float
    accuracy: float | None
    taken_at: datetime


def take(call: Call, seal: Seal, secret: str, press: str, found: Mapping[str, object]) -> bool:
    """Keeps where the phone is, sealed, for the call for help of this press; False where nothing was kept.

    Nothing is kept for a phone whose person did not switch it on, a press that is unknown, somebody else's or over, or
    numbers that are no place. Raises NotSignedInError (``panic_key``).
    """
    key, _ = keys.found(call, secret)
    alarm = call.session.scalar(
        select(PanicAlarm).where(PanicAlarm.key_id == key.id, PanicAlarm.slot == f"key:{key.id}:{press}")
    ) or _open_of(call, key.id)
    read = _read(found)
    if not key.locates or alarm is None or alarm.state not in OPEN or read is None:
        return False
    uid = new_uid()
    sealed = seal.seal(json.dumps(read).encode(), _bound(uid))
    call.session.add(PanicPlace(uid=uid, alarm_id=alarm.id, sealed=sealed, taken_at=call.now))
    call.session.flush()
    old = select(PanicPlace.id).where(PanicPlace.alarm_id == alarm.id).order_by(PanicPlace.id.desc()).offset(MOST)
    call.session.execute(delete(PanicPlace).where(PanicPlace.id.in_(call.session.scalars(old).all())))
    if known(call, alarm) == 1:
        keeping.line(call, alarm, "place_known", by="")
    keeping.beat(call)
    return True


def known(call: Call, alarm: PanicAlarm) -> int:
    """How many places are kept of this call for help."""
    return call.session.scalar(select(func.count()).where(PanicPlace.alarm_id == alarm.id)) or 0


def show(call: Call, seal: Seal, uid: str) -> Place:
    """The last place that is known; each look stands in the diary.

    While the call for help is open for those who may answer it, afterwards for those who answer for the buttons of the
    place, until it is forgotten. Raises NotFoundError where nothing is known, DeniedError afterwards for the others.
    """
    alarm = keeping.locked(call, uid, Permission.PANIC_VIEW)
    if alarm.state in OPEN:
        require(call.actor, Permission.PANIC_ANSWER, alarm.where)
    elif not call.actor.may(Permission.PANIC_MANAGE, alarm.where):
        raise DeniedError(N_("This call for help is over, so where it came from is shown no more."))
    kept = call.session.scalar(
        select(PanicPlace).where(PanicPlace.alarm_id == alarm.id).order_by(PanicPlace.id.desc()).limit(1)
    )
    if kept is None:
        raise NotFoundError(N_("The phone has not said where it is."))
    keeping.line(call, alarm, "looked")
    keeping.record(call, alarm, "panic.place_looked")
    said = json.loads(seal.open(kept.sealed, _bound(kept.uid)))
    return Place(said["latitude"], said["longitude"], said["accuracy"], kept.taken_at)


def mine(call: Call, seal: Seal) -> dict[str, dict[str, object]]:
    """Where the employee who speaks called for help from, as far as it is still kept: for their own file, by the place's uid.

    It stands in the diary as the taking out of that file.
    """
    person = employee.me(call)
    kept = call.session.scalars(
        select(PanicPlace)
        .join(PanicAlarm, PanicAlarm.id == PanicPlace.alarm_id)
        .where(PanicAlarm.person_id == person.id)
    )
    return {one.uid: json.loads(seal.open(one.sealed, _bound(one.uid))) for one in kept}


def forget_due(call: Call, before: datetime, limit: int = 500) -> int:
    """Forgets where calls for help came from that were closed before this moment; how many places."""
    old = call.session.scalars(
        select(PanicPlace.id)
        .join(PanicAlarm, PanicAlarm.id == PanicPlace.alarm_id)
        .where(PanicAlarm.state.not_in(OPEN), PanicAlarm.closed_at < before)
        .limit(limit)
    ).all()
    call.session.execute(delete(PanicPlace).where(PanicPlace.id.in_(old)))
    return len(old)


def _open_of(call: Call, key_id: int) -> PanicAlarm | None:
    """Pressed twice, it is one call: the place of the second press is the first one's."""
    return call.session.scalar(
        select(PanicAlarm)
        .where(PanicAlarm.key_id == key_id, PanicAlarm.state.in_(OPEN))
        .order_by(PanicAlarm.id.desc())
        .limit(1)
    )


def _read(found: Mapping[str, object]) -> dict[str, float | None] | None:
    latitude, longitude, accuracy = (found.get(key) for key in ("latitude", "longitude", "accuracy"))
    if not (_number(latitude) and _number(longitude)):
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # type: ignore[operator]
        return None
    metres = float(accuracy) if _number(accuracy) and 0 <= accuracy < 1e7 else None  # type: ignore[operator, arg-type]
    return {"latitude": float(latitude), "longitude": float(longitude), "accuracy": metres}  # type: ignore[arg-type]


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bound(uid: str) -> str:
    return f"panic_place:{uid}"
