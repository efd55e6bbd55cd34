"""Who opened a person's record, or the page of a device in their hands, or took them out in a file: for the person to read.

One line for each person, day, reader and way, and not one for each click: whoever looks after devices is not watched by the
minute either. A list in which somebody stands among others, and a search, are no look at them; the page says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from mdm.core.actor import Actor, ActorKind
from mdm.core.text import clean
from mdm.inventory.model import Device
from mdm.people import employee
from mdm.people.model import Person
from mdm.privacy.model import Look
from mdm.storage.call import Call

SILENT: Final = frozenset({ActorKind.DEVICE, ActorKind.EMPLOYEE, ActorKind.SYSTEM, ActorKind.VISITOR})
"""Who opens nobody's record: devices, the clock, strangers, and employees, who see their own alone."""
CHUNK: Final = 500


class Way(StrEnum):
    """How somebody looked."""

    FILE = "file"
    PAGE = "page"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class Seen:
    """Whom a look is at: a person, and the device in their hands whose page it was."""

    person: int
    device: str = ""
    label: str = ""


def seen(session: Session, kind: str, key: str) -> Seen | None:
    """Whom the page of a ``device`` (by uid) or a ``person`` (by number) shows; None where that is nobody."""
    if kind == "person":
        found = (
            session.scalar(select(Person.id).where(Person.id == int(key))) if key.isascii() and key.isdigit() else None
        )
        return None if found is None else Seen(found)
    device = session.scalar(select(Device).where(Device.uid == key, Device.person_id.is_not(None)))
    return None if device is None else Seen(device.person_id or 0, device.uid, device.label)


def noted(session: Session, actor: Actor, one: Seen, way: Way, now: datetime) -> bool:
    """Whether this look stands there already today."""
    return (
        session.scalar(
            select(Look.id).where(*_same(actor, way, now), Look.person_id == one.person, Look.device == one.device)
        )
        is not None
    )


def note(call: Call, looks: Iterable[Seen], way: Way) -> None:
    """Notes looks of the call's actor; what stands there already today stays as it is. Some actors look at nobody: ``SILENT``."""
    actor = call.actor
    if actor.kind in SILENT:
        return
    rows = [
        {
            "person_id": one.person,
            "device": one.device,
            "device_label": clean(one.label, 255),
            "on_day": call.now.date(),
            "at": call.now,
            "actor_kind": actor.kind.value,
            "actor_id": actor.id or 0,
            "by": clean(actor.name, 255),
            "way": way.value,
        }
        for one in {(one.person, one.device): one for one in looks}.values()
    ]
    insert = postgresql.insert if call.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    for start in range(0, len(rows), CHUNK):
        call.session.execute(insert(Look).values(rows[start : start + CHUNK]).on_conflict_do_nothing())


def own(call: Call, limit: int) -> Sequence[Look]:
    """Who looked at the employee who speaks, the newest first."""
    mine = select(Look).where(Look.person_id == employee.me(call).id)
    return call.session.scalars(mine.order_by(Look.at.desc(), Look.id.desc()).limit(limit)).all()


def _same(actor: Actor, way: Way, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Look.on_day == now.date(),
        Look.actor_kind == actor.kind.value,
        Look.actor_id == (actor.id or 0),
        Look.way == way.value,
    )
