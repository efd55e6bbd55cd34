"""Where a lost device is: asked only while its case is open, kept sealed, shown only in the case.

To look needs a reason and somebody else who agrees (``Risk.LOCATE``). Whoever may look, may for an hour; each time the place is
shown stands in the diary and is told to the holder by letter. When the case has been closed for so many days, it is forgotten.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mdm.commands import service as commands
from mdm.commands.model import Command, Verb
from mdm.commands.states import OPEN as WAITING
from mdm.commands.verbs import RULES
from mdm.core.clock import iso
from mdm.core.errors import N_, ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.risk import Risk, gate
from mdm.core.text import clean
from mdm.desk.cases import keeping, letters
from mdm.desk.cases.model import GONE, Case, CaseFix, CaseLook, CaseState
from mdm.inventory.model import Device, Ownership, Platform
from mdm.storage.call import Call
from mdm.storage.seal import Seal

LOOKS_FOR: Final = timedelta(hours=1)
MOST: Final = 100
"""Places that are kept of one case; older ones go."""
MAX_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device said it was: degrees, metres, and the moment it says so of."""

    latitude: float
    longitude: float
    accuracy: float | None
    at: str
    taken_at: datetime


def look(call: Call, uid: str, reason: str) -> CaseLook:
    """Lets this person look for an hour where the lost device is, and asks the device once more.

    Raises InvalidError without a reason, ConflictError for a case that is closed or about nothing lost, or a device that is
    private or cannot tell; ApprovalNeededError, every time: somebody else must agree.
    """
    case = keeping.still_open(keeping.locked(call, uid, Permission.CASE_LOCATE))
    device = _may_be_asked(call, case)
    said = clean(reason, MAX_REASON)
    if not said:
        raise InvalidError(
            N_("Say why you must know where it is. Nothing was shown."), fields={"reason": N_("Say why.")}
        )
    gate(
        call, Risk.LOCATE, ("case", case.uid), {"reason": said}, name=f"{case.number} {device.label}", where=case.where
    )
    opened = CaseLook(
        case_id=case.id,
        actor_kind=call.actor.kind.value,
        actor_id=call.actor.id,
        by=clean(call.actor.name) or call.actor.kind.value,
        reason=said,
        opened_at=call.now,
        until=call.now + LOOKS_FOR,
    )
    call.session.add(opened)
    keeping.line(call, case, "may_look", text=said)
    keeping.record(call, case, "case.located", {"reason": said})
    ask(call, case, device)
    call.session.flush()
    return opened


def ask(call: Call, case: Case, device: Device) -> None:
    """Asks the device where it is, unless it is being asked already."""
    waits = select(Command.id).where(
        Command.device_id == device.id,
        Command.verb == Verb.LOCATE.value,
        Command.state.in_([state.value for state in WAITING]),
        Command.expires_at > call.now,
    )
    if device.enrolled_at is None or call.session.scalar(waits.limit(1)) is not None:
        return
    commands.send(call, [device.uid], Verb.LOCATE, reason=case.number, by_case=True)
    keeping.line(call, case, "asked", about=Verb.LOCATE.value)


def show(call: Call, seal: Seal, uid: str) -> Place:
    """The last place that is known, for whoever may look now. Written down in the diary and told to the holder, each time.

    Raises DeniedError (``no_look``) without leave to look, ConflictError for a closed case, NotFoundError where nothing is
    known yet.
    """
    case = keeping.still_open(keeping.locked(call, uid, Permission.CASE_LOCATE))
    leave = current(call, case)
    if leave is None:
        raise DeniedError(
            N_("You may not look where it is now. Nothing was shown; ask for it with a reason."), code="no_look"
        )
    fix = call.session.scalar(select(CaseFix).where(CaseFix.case_id == case.id).order_by(CaseFix.id.desc()).limit(1))
    if fix is None:
        raise NotFoundError(N_("The device has not said where it is. It was asked; look again later."))
    leave.shown += 1
    keeping.line(call, case, "looked", text=leave.reason)
    keeping.record(call, case, "case.looked", {"reason": leave.reason, "known_at": iso(fix.taken_at)})
    letters.to_holder(
        call, "looked", case.person_id, keeping.device_of(call, case), by=clean(call.actor.name), reason=leave.reason
    )
    return _opened(seal, fix)


def current(call: Call, case: Case) -> CaseLook | None:
    """The leave to look that this actor has now."""
    return call.session.scalar(
        select(CaseLook)
        .where(
            CaseLook.case_id == case.id,
            CaseLook.actor_kind == call.actor.kind.value,
            CaseLook.actor_id == call.actor.id,
            CaseLook.until > call.now,
        )
        .order_by(CaseLook.id.desc())
        .limit(1)
    )


def can_tell(device: Device) -> bool:
    """Whether a device of this platform can be asked where it is at all."""
    return device.enrolled_at is not None and Platform(device.platform) in RULES[Verb.LOCATE].platforms


def take(call: Call, seal: Seal, device_id: int, found: Mapping[str, object]) -> bool:
    """Keeps where a device says it is, sealed; False, and nothing is kept, where no case of it is open.

    ``found``: ``latitude``, ``longitude`` in degrees, ``accuracy`` in metres, ``at`` as text. For interpreters of platforms.
    """
    case = call.session.scalar(select(Case).where(Case.slot == f"gone:{device_id}"))
    read = _read(found)
    if case is None or read is None:
        return False
    uid = new_uid()
    sealed = seal.seal(json.dumps(read).encode(), _bound(uid))
    call.session.add(CaseFix(uid=uid, case_id=case.id, sealed=sealed, taken_at=call.now))
    keeping.line(call, case, "place_known")
    call.session.flush()
    old = select(CaseFix.id).where(CaseFix.case_id == case.id).order_by(CaseFix.id.desc()).offset(MOST)
    ids = call.session.scalars(old).all()
    call.session.execute(delete(CaseFix).where(CaseFix.id.in_(ids)))
    return True


def lost_mode_is_on(call: Call, device_id: int) -> None:
    """Asks a device that has just gone into lost mode where it is, while a case of it is open. For interpreters."""
    case = call.session.scalar(select(Case).where(Case.slot == f"gone:{device_id}"))
    device = call.session.get(Device, device_id)
    if case is not None and device is not None and device.ownership != Ownership.PRIVATE and can_tell(device):
        ask(call, case, device)


def forget_due(session: Session, before: datetime, limit: int = 500) -> int:
    """Forgets where devices were whose case was closed before this moment; how many places."""
    old = session.scalars(
        select(CaseFix.id)
        .join(Case, Case.id == CaseFix.case_id)
        .where(Case.state == CaseState.CLOSED.value, Case.closed_at < before)
        .limit(limit)
    ).all()
    session.execute(delete(CaseFix).where(CaseFix.id.in_(old)))
    return len(old)


def _may_be_asked(call: Call, case: Case) -> Device:
    device = keeping.device_of(call, case)
    if case.kind not in GONE or device is None:
        raise ConflictError(
            N_("Only a device that is lost or stolen is asked where it is. Nothing was asked."), code="case_kind"
        )
    if device.ownership == Ownership.PRIVATE:
        raise ConflictError(
            N_("This is somebody's private device: where it is, is not the city's to know. Nothing was asked."),
            code="device_private",
        )
    if not can_tell(device):
        raise ConflictError(
            N_(
                "%(device)s cannot say where it is: its platform does not know it, or it is not enrolled. Nothing was asked."
            ),
            code="verb_unsupported",
            device=device.label,
        )
    return device


def _read(found: Mapping[str, object]) -> dict[str, object] | None:
    latitude, longitude, accuracy = (found.get(key) for key in ("latitude", "longitude", "accuracy"))
    if not (isinstance(latitude, int | float) and isinstance(longitude, int | float)):
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    metres = float(accuracy) if isinstance(accuracy, int | float) and 0 <= accuracy < 1e7 else None
    return {
        "latitude": float(latitude),
        "longitude": float(longitude),
        "accuracy": metres,
        "at": clean(found.get("at"), 40),
    }


def _opened(seal: Seal, fix: CaseFix) -> Place:
    said = json.loads(seal.open(fix.sealed, _bound(fix.uid)))
    return Place(said["latitude"], said["longitude"], said["accuracy"], said["at"], fix.taken_at)


def _bound(uid: str) -> str:
    return f"desk_case_fix:{uid}"
