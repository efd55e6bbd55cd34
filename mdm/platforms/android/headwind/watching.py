"""What is strange about a phone, and how a wipe ended: noted on its time line, in the diary, and as an alarm."""

from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import select

from agent.wire import Result
from mdm.audit import service as audit
from mdm.core.clock import iso
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, DeviceEvent
from mdm.orders import delivery as orders
from mdm.platforms.android.model import AndroidNumber, AndroidPhone, PhoneState
from mdm.storage.call import Call

log = structlog.get_logger(__name__)
QUIET: Final = timedelta(hours=1)
"""How often the same strangeness of one phone is told of."""
GRACE: Final = timedelta(seconds=90)
"""How long an agent that wipes its phone may still be heard: it ends in the middle of what it does."""


def contested(call: Call, row: AndroidNumber, details: dict[str, object]) -> None:
    """Another phone came with this number, or this one has changed: an alarm, at most once an hour."""
    if row.device_id is None:
        return
    device = call.session.get_one(Device, row.device_id)
    again = row.contested_at is not None and row.contested_at > call.now - QUIET
    log.warning("a device number is contested", device=device.uid)
    if again:
        return
    row.contested_at = call.now
    inventory.note(call, device, "android_contested", details)
    audit.record(
        call, "phone.contested", ("device", device.uid), name=device.label, where=device.where, details=details
    )


def strange(call: Call, device_id: int, kind: str, details: dict[str, object]) -> None:
    """Writes something suspicious on the phone's time line, the same at most once an hour."""
    recent = call.session.scalar(
        select(DeviceEvent.id)
        .where(DeviceEvent.device_id == device_id, DeviceEvent.kind == kind, DeviceEvent.at > call.now - QUIET)
        .limit(1)
    )
    log.warning("a phone is strange", kind=kind, device=device_id)
    if recent is None:
        inventory.note(call, call.session.get_one(Device, device_id), kind, details)


def here_again(call: Call, row: AndroidNumber) -> None:
    """A phone that said that it wipes itself is here. Within a moment of that it is only ending; later the wipe has failed."""
    if row.wipe_said_at is None or call.now <= row.wipe_said_at + GRACE or row.device_id is None:
        return
    device = call.session.get_one(Device, row.device_id)
    details: dict[str, object] = {"order": row.wipe_order, "said": iso(row.wipe_said_at)}
    _answer(call, row, "failed", "The phone said that it wipes itself, and came back as it was.")
    row.wipe_said_at = row.wipe_given_at = None
    row.wipe_order = ""
    row.over_why = "came back" if row.over_at is not None else ""
    _stands(call, row, PhoneState.ENROLLED if row.over_at is None else PhoneState.GONE)
    inventory.note(call, device, "android_wipe_failed", details)
    audit.record(
        call, "phone.wipe_failed", ("device", device.uid), name=device.label, where=device.where, details=details
    )


def set_up_anew(call: Call, row: AndroidNumber) -> None:
    """A phone that said that it wipes itself was set up again: it was wiped. What asked for the wipe is cleared."""
    if row.over_at is None:
        wiped(call, row, "The phone said that it wipes itself, and was set up anew.")


def wiped(call: Call, row: AndroidNumber, why: str) -> None:
    """The wipe is over; the number has ended, and its order is answered. Twice is like once."""
    _answer(call, row, "done", why)
    row.over_at, row.over_why = call.now, "wiped"
    _stands(call, row, PhoneState.GONE)


def _answer(call: Call, row: AndroidNumber, state: str, why: str) -> None:
    if row.device_id is None or not row.wipe_order:
        return
    data = {
        "acknowledged": iso(row.wipe_said_at) if row.wipe_said_at else None,
        "contested": row.contested_at is not None,
    }
    result: Result = {"id": row.wipe_order, "state": state, "detail": why, "data": data}
    orders.take_answer(call, row.device_id, result)


def _stands(call: Call, row: AndroidNumber, state: PhoneState) -> None:
    phone = call.session.get(AndroidPhone, row.device_id)
    if phone is not None:
        phone.state = state.value


def presume(call: Call, silence: timedelta, limit: int = 200) -> int:
    """Phones that said that they wipe themselves and have been silent since count as wiped; how many."""
    rows = call.session.scalars(
        select(AndroidNumber)
        .where(
            AndroidNumber.wipe_said_at.is_not(None),
            AndroidNumber.wipe_said_at <= call.now - silence,
            AndroidNumber.over_at.is_(None),
        )
        .order_by(AndroidNumber.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        wiped(call, row, "The phone said that it wipes itself, and has been silent since.")
    return len(rows)
