"""What every use case of a call for help does: find and lock one, write its line and the diary, let every console know."""

from typing import Any

from sqlalchemy import select, text

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.panic.model import PanicAlarm, PanicLine
from mdm.storage.call import Call


def locked(call: Call, uid: str, permission: Permission) -> PanicAlarm:
    """The call for help, locked until the transaction ends. NotFoundError for one that is not there or not the actor's."""
    found = call.session.scalar(select(PanicAlarm).where(PanicAlarm.uid == uid).with_for_update())
    if found is None or not (
        call.actor.may(Permission.PANIC_VIEW, found.where) or call.actor.may(permission, found.where)
    ):
        raise NotFoundError(N_("There is no such call for help, or it is not one of yours."))
    require(call.actor, permission, found.where)
    return found


def line(call: Call, alarm: PanicAlarm, kind: str, text: str = "", *, by: str | None = None) -> None:
    """Adds to what happened with this call for help."""
    who = clean(call.actor.name) if by is None else by
    call.session.add(PanicLine(alarm_id=alarm.id, at=call.now, by=who, kind=kind, text=clean(text)))


def record(call: Call, alarm: PanicAlarm, action: str, details: dict[str, Any] | None = None) -> None:
    """Writes into the diary."""
    told = dict(details or {}) | ({"exercise": True} if alarm.exercise else {})
    audit.record(call, action, ("panic", alarm.uid), name=alarm.number, where=alarm.where, details=told)


def beat(call: Call) -> None:
    """Makes every console look again, when this transaction is committed."""
    call.session.flush()
    call.session.execute(
        text(
            "INSERT INTO panic_pulse (id, number) VALUES (1, 1)"
            " ON CONFLICT (id) DO UPDATE SET number = panic_pulse.number + 1"
        )
    )
