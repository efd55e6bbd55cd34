"""Pictures of kiosks' screens: asked for in the maintenance window, with a reason; looked at by who may, each time in the diary.

The agent decides the same once more by its own clock, and alone knows whether a citizen was there just now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, undefer

from mdm.audit import service as audit
from mdm.commands import service as commands
from mdm.commands.model import Command, State, Verb
from mdm.core.actor import ActorKind, require
from mdm.core.errors import N_, ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.inventory import queries as inventory
from mdm.inventory.model import Device, FactSection
from mdm.kiosks import png
from mdm.kiosks.model import KioskPicture
from mdm.policies.model import Cohort
from mdm.storage.call import Call

KEPT: Final = timedelta(hours=24)
REASON_MOST: Final = 500
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WINDOWS: Final = ("kiosk.maintenance", "updates.window")
"""Settings that say when a kiosk may be looked at; the first that there is counts."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture without its content."""

    uid: str
    asked_by: str
    taken_at: datetime
    width: int
    height: int


def window_of(call: Call, device: Device) -> dict[str, Any] | None:
    """The maintenance window of a kiosk by its policies, as the catalogue has it; None where there is none."""
    settings = call.session.scalar(select(Cohort.settings).where(Cohort.id == device.cohort_id)) or {}
    return next((settings[key] for key in WINDOWS if key in settings), None)


def holds(window: dict[str, Any], local: datetime) -> bool:
    """Whether a moment in the kiosk's own time lies in a window; one that ends before it begins goes over midnight. Pure."""
    start, end = (int(window[name][:2]) * 60 + int(window[name][3:5]) for name in ("from", "to"))
    minute, today, yesterday = local.hour * 60 + local.minute, DAYS[local.weekday()], DAYS[local.weekday() - 1]
    if start < end:
        return today in window["days"] and start <= minute < end
    return (today in window["days"] and minute >= start) or (yesterday in window["days"] and minute < end)


def ask(call: Call, uid: str, reason: str, zone: ZoneInfo) -> str:
    """Asks a kiosk for a picture of its screen; the command's id. ``zone`` is the city's time.

    Raises InvalidError without a reason, ConflictError: ``kiosk_none`` for a device without a kiosk's session,
    ``window_none``, ``window_closed``, ``picture_waiting``, ``device_not_enrolled``; NotFoundError, DeniedError.
    """
    device = inventory.device_by_uid(call, uid)
    require(call.actor, Permission.KIOSK_LOOK, device.where)
    said = clean(reason, REASON_MOST, lines=True)
    if not said:
        raise InvalidError(N_("No picture was asked for: say why."), fields={"reason": N_("Say why.")})
    if not is_kiosk(call, device):
        raise ConflictError(
            N_("This device does not report a kiosk's session. No picture was asked for."), code="kiosk_none"
        )
    window = window_of(call, device)
    if window is None:
        raise ConflictError(
            N_("No maintenance window is set for this kiosk. No picture was asked for; set one in its policy."),
            code="window_none",
        )
    if not holds(window, call.now.astimezone(zone)):
        raise ConflictError(
            N_("It is outside the kiosk's maintenance window (%(from)s to %(to)s). No picture was asked for."),
            code="window_closed",
            **{"from": str(window["from"]), "to": str(window["to"])},
        )
    if waiting(call, device) is not None:
        raise ConflictError(
            N_("A picture of this kiosk is asked for already. Wait until it has answered."), code="picture_waiting"
        )
    return commands.send(call, [uid], Verb.SCREENSHOT, reason=said, by_kiosks=True).commands[0]


def is_kiosk(call: Call, device: Device) -> bool:
    """Whether a device reports a kiosk's session."""
    query = select(FactSection.device_id).where(FactSection.device_id == device.id, FactSection.section == "kiosk")
    return call.session.scalar(query) is not None


def waiting(call: Call, device: Device) -> Command | None:
    """The picture that is asked for and not answered; None where there is none."""
    query = select(Command).where(
        Command.device_id == device.id,
        Command.verb == Verb.SCREENSHOT.value,
        Command.state.in_([State.QUEUED.value, State.SENT.value, State.FETCHED.value]),
        Command.expires_at > call.now,
    )
    return call.session.scalar(query.limit(1))


def last_answer(call: Call, device: Device) -> Command | None:
    """The last picture that was asked for and not given, where nothing newer came; None otherwise."""
    query = select(Command).where(Command.device_id == device.id, Command.verb == Verb.SCREENSHOT.value)
    last = call.session.scalar(query.order_by(Command.created_at.desc(), Command.id.desc()).limit(1))
    failed = (State.REFUSED.value, State.FAILED.value, State.EXPIRED.value)
    return last if last is not None and last.state in failed and last.created_at > call.now - KEPT else None


def take(call: Call, device_id: int, command_id: str, raw: bytes) -> None:
    """Keeps the picture that a kiosk took for a command of its own; a second one for the same command changes nothing.

    Raises NotFoundError for a command that is not this device's, not a picture, or over; InvalidError (``picture_wrong``).
    """
    if call.actor.kind is not ActorKind.DEVICE or call.actor.id != device_id:
        raise DeniedError(N_("Only a kiosk itself can send its picture. Nothing was stored."))
    command = call.session.scalar(
        select(Command).where(
            Command.id == clean(command_id, 32),
            Command.device_id == device_id,
            Command.verb == Verb.SCREENSHOT.value,
            Command.state == State.FETCHED.value,
            Command.created_at > call.now - KEPT,
        )
    )
    if command is None:
        raise NotFoundError(N_("No picture was asked for with this id. Nothing was stored."))
    if call.session.scalar(select(KioskPicture.id).where(KioskPicture.command_id == command.id)) is not None:
        return
    picture = png.bare(raw)
    device = call.session.get_one(Device, device_id)
    call.session.add(
        KioskPicture(
            uid=new_uid(),
            device_id=device_id,
            command_id=command.id,
            asked_by=command.asked_by,
            taken_at=call.now,
            width=picture.width,
            height=picture.height,
            content=picture.content,
        )
    )
    details = {"command": command.id, "width": picture.width, "height": picture.height}
    audit.record(
        call, "kiosk.picture_taken", ("device", device.uid), name=device.label, where=device.where, details=details
    )


def shots(call: Call, device: Device) -> Sequence[Shot]:
    """The pictures of one kiosk that are not a day old, newest first; none without the right to look at them."""
    if not call.actor.may(Permission.KIOSK_LOOK, device.where):
        return []
    query = (
        select(KioskPicture)
        .where(KioskPicture.device_id == device.id, KioskPicture.taken_at > call.now - KEPT)
        .order_by(KioskPicture.taken_at.desc(), KioskPicture.id.desc())
        .limit(20)
    )
    return [
        Shot(row.uid, row.asked_by, row.taken_at, row.width, row.height) for row in call.session.scalars(query).all()
    ]


def look(call: Call, uid: str) -> bytes:
    """The content of one picture, as PNG. Each look stands in the diary. Raises NotFoundError, DeniedError.

    A picture that is a day old is gone at that moment, whenever it is deleted.
    """
    row = call.session.execute(
        select(KioskPicture, Device)
        .join(Device, Device.id == KioskPicture.device_id)
        .where(KioskPicture.uid == uid, KioskPicture.taken_at > call.now - KEPT)
        .options(undefer(KioskPicture.content))
    ).first()
    if row is None or not call.actor.may(Permission.DEVICE_VIEW, row[1].where):
        raise NotFoundError(
            N_("There is no such picture, or it is not of one of your kiosks. They are kept for a day.")
        )
    picture, device = row[0], row[1]
    require(call.actor, Permission.KIOSK_LOOK, device.where)
    details = {"taken_at": picture.taken_at.isoformat(), "asked_by": picture.asked_by}
    audit.record(
        call, "kiosk.picture_seen", ("device", device.uid), name=device.label, where=device.where, details=details
    )
    content: bytes = picture.content
    return content


def forget(session: Session, before: datetime, limit: int = 200) -> int:
    """Deletes up to ``limit`` pictures that came before that; how many."""
    old = session.scalars(select(KioskPicture.id).where(KioskPicture.taken_at < before).limit(limit)).all()
    session.execute(delete(KioskPicture).where(KioskPicture.id.in_(old)))
    return len(old)
