"""What can be done to a device as an asset: record, correct, hand out, take back, move along its life.

Every verb asks ``device:manage`` at the place of the device (and at the place it goes to), writes the diary and the
device's own time line, and posts ``device.place`` or ``device.judge`` when assignments or verdicts may change.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission, Where
from mdm.core.risk import Risk, gate
from mdm.core.text import clean, fold
from mdm.inventory import fields, lifecycle, queries
from mdm.inventory.fields import AssetData
from mdm.inventory.holder import Holder
from mdm.inventory.model import Device, DeviceEvent, LifeCycle
from mdm.inventory.waiting import add_waiting
from mdm.outbox import service as outbox
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

CHOSEN_BY = frozenset({"platform", "kind", "ownership", "ring", "service_point_id", "unit_id", "persona"})
"""What assignments choose by: when one of these changes, the device may belong to another cohort."""
SEARCHED = frozenset({"name", "tag", "serial", "imei", "phone_number", "holder_search"})
UNIQUE = {"tag": N_("asset tag"), "serial": N_("serial number"), "imei": N_("IMEI")}


def create(call: Call, data: AssetData) -> Device:
    """Records a device in stock. ``platform`` and ``kind`` must be there, and one of tag, serial, IMEI and name.

    Raises InvalidError for wrong fields, ConflictError when tag, serial or IMEI is another device's.
    """
    kept = fields.cleaned(data)
    missing = {key: N_("This is needed.") for key in ("platform", "kind") if not kept.get(key)}
    if not any(kept.get(key) for key in ("tag", "serial", "imei", "name")):
        missing["tag"] = N_("Give at least one of asset tag, serial number, IMEI and name.")
    if missing:
        raise InvalidError(N_("The device was not saved: correct the fields that are marked."), fields=missing)
    device = Device(uid=new_uid(), created_at=call.now, **kept)
    device.unit_id = device.owner_unit_id
    require(call.actor, Permission.DEVICE_MANAGE, device.where)
    _refuse_taken(call, device)
    device.search = searched(device)
    call.session.add(device)
    flush_unique(call.session, _taken())
    note(call, device, "recorded")
    _record(call, "device.created", device, {key: _plain(value) for key, value in kept.items() if value})
    outbox.post(call, "device.place", {"device": device.id})
    outbox.post(call, "device.judge", {"device": device.id})
    return device


def edit(call: Call, uid: str, data: AssetData, *, version: int | None = None) -> Device:
    """Writes the given fields; saving what is there already changes nothing and writes no line.

    Raises as ``create``, and ConflictError when ``version`` is given and somebody else saved meanwhile.
    """
    device = _mine(call, uid)
    if version is not None and version != device.version:
        raise ConflictError(
            N_("Somebody else changed this device meanwhile. Nothing was saved; look at it again and repeat."),
            code="stale",
        )
    kept = fields.cleaned(data)
    if "platform" in kept and kept["platform"] != device.platform and device.enrolled_at is not None:
        raise ConflictError(N_("The platform of an enrolled device cannot be changed. Nothing was saved."))
    _apply(call, device, kept, "device.edited")
    return device


def relocate(
    call: Call, uid: str, service_point_id: int | None, *, owner_unit_id: int | None = None, reason: str = ""
) -> Device:
    """Moves a device to another service point (None: none), and to another owning unit where one is given."""
    device = _mine(call, uid)
    kept: dict[str, object] = {"service_point_id": service_point_id}
    if owner_unit_id is not None:
        kept["owner_unit_id"] = owner_unit_id
    _apply(call, device, kept, "device.relocated", {"reason": clean(reason, 500)} if reason else None)
    return device


def hand_out(
    call: Call, uid: str, holder: Holder, *, loan: bool = False, service_point_id: int | None = None
) -> Device:
    """Gives the device into somebody's hands. Handing it to the one who has it changes nothing.

    Raises ConflictError (``life_cycle``) when it is in a state that cannot be handed out from.
    """
    device = _mine(call, uid)
    state = LifeCycle.ON_LOAN if loan else LifeCycle.HANDED_OUT
    if device.person_id == holder.person_id and device.state == state:
        return device
    lifecycle.check(LifeCycle(device.state), state)
    kept: dict[str, object] = {"state": state.value, **_held_by(holder, device)}
    if service_point_id is not None:
        kept["service_point_id"] = service_point_id
    _apply(call, device, kept, "device.handed_out", {"to": holder.name, "person": holder.person_id})
    return device


def take_back(call: Call, uid: str, service_point_id: int | None = None, *, reason: str = "") -> Device:
    """Takes the device back over the counter of a service point. Taking it back twice is like once."""
    device = _mine(call, uid)
    if device.state == LifeCycle.RETURNED and service_point_id in (None, device.service_point_id):
        return device
    return _move(call, device, LifeCycle.RETURNED, reason, service_point_id)


def move(call: Call, uid: str, state: LifeCycle, *, reason: str = "", holder: Holder | None = None) -> Device:
    """Takes the device one step along its life (``lifecycle.MOVES``); a device that is there already stays as it is.

    Into hands only with a holder: the one who has it, or ``holder``. Raises ConflictError for a step not in the table,
    ApprovalNeededError for retiring: it ends management, so somebody else agrees first.
    """
    device = _mine(call, uid)
    if device.state == state:
        return device
    if state in lifecycle.WITH_HOLDER and holder is not None:
        return hand_out(call, uid, holder, loan=state is LifeCycle.ON_LOAN)
    if state in lifecycle.WITH_HOLDER and device.person_id is None:
        raise InvalidError(N_("Say who gets the device. Nothing was changed."), fields={"person": N_("Who gets it?")})
    if state is LifeCycle.RETIRED:
        lifecycle.check(LifeCycle(device.state), state)
        said = {"reason": clean(reason, 500)}
        gate(call, Risk.DEVICE_RETIRE, ("device", device.uid), said, name=device.label, where=device.where)
    return _move(call, device, state, reason)


def retire(call: Call, uid: str, *, reason: str = "") -> Device:
    """Ends the device's service; its record and history stay. Its certificate is refused from the next request on."""
    return move(call, uid, LifeCycle.RETIRED, reason=reason)


def holder_changed(call: Call, holder: Holder) -> int:
    """Carries a changed person over to the devices they hold; how many there are. For the clock and for imports."""
    require(call.actor, Permission.DEVICE_MANAGE)
    devices = call.session.scalars(select(Device).where(Device.person_id == holder.person_id)).all()
    for device in devices:
        _apply(call, device, _held_by(holder, device), None)
    return len(devices)


def set_waiting(call: Call, device_id: int, delta: int) -> None:
    """Counts up or down what waits for a device; never below nothing. The hot path reads this number."""
    add_waiting(call, (device_id,), delta)


def note(call: Call, device: Device, kind: str, details: dict[str, Any] | None = None) -> None:
    """Writes one line on the device's own time line; ``kind`` is a word for a catalogue, details are data."""
    call.session.add(
        DeviceEvent(
            device_id=device.id, at=call.now, kind=kind, actor_name=call.actor.name[:255], details=details or {}
        )
    )


def searched(device: Device, instead: Mapping[str, object] | None = None) -> str:
    """What a search may hit, kept in ``device.search``; ``instead`` holds values that are about to be written."""
    values = {key: getattr(device, key) for key in ("name", "tag", "serial", "imei", "phone_number", "holder_search")}
    values |= {key: value for key, value in (instead or {}).items() if key in values}
    return fold(" ".join(str(value) for value in values.values() if value))


def apply_fields(call: Call, device: Device, kept: dict[str, object], action: str | None) -> bool:
    """Writes cleaned fields for a use case of an upper room that has asked for its own permission already."""
    return _write(call, device, kept, action, None)


def _mine(call: Call, uid: str) -> Device:
    device = queries.device_by_uid(call, uid)
    require(call.actor, Permission.DEVICE_MANAGE, device.where)
    return device


def _move(call: Call, device: Device, state: LifeCycle, reason: str, service_point_id: int | None = None) -> Device:
    lifecycle.check(LifeCycle(device.state), state)
    kept: dict[str, object] = {"state": state.value}
    if state not in lifecycle.HELD and device.person_id is not None:
        kept |= {"person_id": None, "persona": "", "holder_search": "", "unit_id": device.owner_unit_id}
    if service_point_id is not None:
        kept["service_point_id"] = service_point_id
    _apply(call, device, kept, "device.moved", {"reason": clean(reason, 500)} if reason else None)
    return device


def _held_by(holder: Holder, device: Device) -> dict[str, object]:
    return {
        "person_id": holder.person_id,
        "persona": holder.persona,
        "unit_id": holder.unit_id if holder.unit_id is not None else device.owner_unit_id,
        "holder_search": holder.searched,
    }


def _apply(
    call: Call, device: Device, kept: dict[str, object], action: str | None, more: dict[str, Any] | None = None
) -> None:
    """Writes what differs, after asking for the right over the place that the device goes to."""
    goes_to = Where(
        _number(kept.get("service_point_id", device.service_point_id)), _number(kept.get("unit_id", device.unit_id))
    )
    if goes_to.service_point_id != device.service_point_id:
        require(call.actor, Permission.DEVICE_MANAGE, goes_to)
    _write(call, device, kept, action, more)


def _write(
    call: Call, device: Device, kept: dict[str, object], action: str | None, more: dict[str, Any] | None
) -> bool:
    if "owner_unit_id" in kept and device.person_id is None and "unit_id" not in kept:
        kept = {**kept, "unit_id": kept["owner_unit_id"]}
    if "shelf_id" not in kept and lifecycle.leaves_shelf(device, kept):
        kept = {**kept, "shelf_id": None}
    before = {key: getattr(device, key) for key, value in kept.items() if getattr(device, key) != value}
    if not before:
        return False
    for key in before:
        setattr(device, key, kept[key])
    if UNIQUE.keys() & before.keys():
        _refuse_taken(call, device)
    if SEARCHED & before.keys():
        device.search = searched(device)
    flush_unique(call.session, _taken())
    shown = {key: [_plain(value), _plain(kept[key])] for key, value in before.items() if key != "holder_search"}
    details = {"changed": shown, **(more or {})}
    if action is not None:
        note(call, device, action.partition(".")[2], details)
        _record(call, action, device, details)
    if CHOSEN_BY & before.keys():
        outbox.post(call, "device.place", {"device": device.id})
    if "state" in before or "platform" in before:
        outbox.post(call, "device.judge", {"device": device.id})
    if "person_id" in before:
        outbox.post(call, "device.holder", {"device": device.id})
    return True


def _refuse_taken(call: Call, device: Device) -> None:
    """Raises ConflictError that names the field and the value when another device has the same tag, serial or IMEI."""
    for key, label in UNIQUE.items():
        value = getattr(device, key)
        if not value:
            continue
        with call.session.no_autoflush:
            other = call.session.scalar(
                select(Device.id).where(getattr(Device, key) == value, Device.uid != device.uid).limit(1)
            )
        if other is not None:
            raise ConflictError(
                N_("Another device has the %(label)s %(value)s already. Nothing was saved."),
                code=f"{key}_taken",
                label=label,
                value=value,
            )


def _taken() -> ConflictError:
    return ConflictError(
        N_("Another device got the same asset tag, serial number or IMEI at this moment. Nothing was saved."),
        code="device_taken",
    )


def _record(call: Call, action: str, device: Device, details: dict[str, Any]) -> None:
    audit.record(call, action, ("device", device.uid), name=device.label, where=device.where, details=details)


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | bool | None) else str(value)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def forget_events(session: Session, before: datetime, limit: int = 2000) -> int:
    """Forgets up to ``limit`` lines of the devices' own time lines that are older than ``before``; how many."""
    old = session.scalars(select(DeviceEvent.id).where(DeviceEvent.at < before).limit(limit)).all()
    session.execute(delete(DeviceEvent).where(DeviceEvent.id.in_(old)))
    return len(old)
