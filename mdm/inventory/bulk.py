"""Many devices at once, for imports: the same rules, one line in the diary, cohorts placed once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission, Where
from mdm.inventory.holder import Holder
from mdm.inventory.lifecycle import HELD, leaves_shelf
from mdm.inventory.model import Device, DeviceEvent, LifeCycle
from mdm.inventory.service import CHOSEN_BY, SEARCHED, UNIQUE, searched
from mdm.outbox import service as outbox
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique


@dataclass(slots=True)
class Draft:
    """What one device shall be: ``values`` from ``fields.cleaned``; ``device`` is None for a new one.

    State and holder count for a new device only: an import records how things stand, it does not move what is known.
    """

    values: dict[str, Any]
    device: Device | None = None
    state: LifeCycle = LifeCycle.IN_STOCK
    holder: Holder | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """The values that differ from what is kept."""
        if self.device is None:
            return dict(self.values)
        return {key: value for key, value in self.values.items() if getattr(self.device, key) != value}

    def allowed(self, call: Call) -> bool:
        """Whether the actor may manage devices where this one stands and where it is to stand."""
        if self.device is None:
            unit = self.holder.unit_id if self.holder and self.holder.unit_id else self.values.get("owner_unit_id")
            return call.actor.may(Permission.DEVICE_MANAGE, Where(self.values.get("service_point_id"), unit))
        after = Where(self.values.get("service_point_id", self.device.service_point_id), self.device.unit_id)
        return all(call.actor.may(Permission.DEVICE_MANAGE, where) for where in (self.device.where, after))


def by_key(call: Call, key: str, values: Sequence[str]) -> dict[str, Device]:
    """Devices by tag, serial or IMEI, also those that the actor may not see: ``allowed`` refuses them."""
    column = getattr(Device, key)
    found: dict[str, Device] = {}
    for begin in range(0, len(values), 500):
        for device in call.session.scalars(select(Device).where(column.in_(values[begin : begin + 500]))):
            found[getattr(device, key)] = device
    return found


def write(call: Call, drafts: Sequence[Draft], about: dict[str, Any]) -> list[Device]:
    """Makes and changes devices. Nothing at all is written when one is not allowed.

    Raises DeniedError, and ConflictError when a tag, serial or IMEI is taken meanwhile.
    """
    for draft in drafts:
        if not draft.allowed(call):
            require(call.actor, Permission.DEVICE_MANAGE)
    created: list[Device] = []
    updated: dict[Device, list[str]] = {}
    touched: set[str] = set()
    for draft in drafts:
        changes = draft.changes
        if draft.device is None:
            draft.device = _new(call, draft)
            created.append(draft.device)
        elif changes:
            _change(draft.device, changes)
            updated[draft.device] = sorted(changes)
        touched |= changes.keys()
    flush_unique(call.session, _taken())
    _note(call, created, updated)
    if created or CHOSEN_BY & touched:
        outbox.post(call, "cohorts.place", {})
    if created or updated:
        details = {**about, "created": [device.uid for device in created]}
        details["updated"] = {device.uid: names for device, names in updated.items()}
        audit.record(call, "devices.imported", ("import", new_uid()), name=str(about.get("file", "")), details=details)
    return [draft.device for draft in drafts if draft.device is not None]


def _new(call: Call, draft: Draft) -> Device:
    blank = {"name": "", "phone_number": "", "persona": "", "holder_search": "", **draft.values}
    device = Device(uid=new_uid(), created_at=call.now, **{"tag": None, "serial": None, "imei": None, **blank})
    device.state = draft.state.value
    device.unit_id = device.owner_unit_id
    if draft.holder is not None and draft.state in HELD:
        device.person_id = draft.holder.person_id
        device.persona = draft.holder.persona
        device.holder_search = draft.holder.searched
        device.unit_id = draft.holder.unit_id if draft.holder.unit_id is not None else device.owner_unit_id
    device.search = searched(device)
    call.session.add(device)
    return device


def _change(device: Device, changes: dict[str, Any]) -> None:
    if leaves_shelf(device, changes):
        device.shelf_id = None
    for key, value in changes.items():
        setattr(device, key, value)
    if "owner_unit_id" in changes and device.person_id is None:
        device.unit_id = changes["owner_unit_id"]
    if (SEARCHED | UNIQUE.keys()) & changes.keys():
        device.search = searched(device)


def _note(call: Call, created: Sequence[Device], updated: dict[Device, list[str]]) -> None:
    lines: list[tuple[int, str, dict[str, Any]]] = [(device.id, "recorded", {"imported": True}) for device in created]
    lines += [(device.id, "edited", {"imported": True, "fields": names}) for device, names in updated.items()]
    call.session.add_all(
        DeviceEvent(device_id=number, at=call.now, kind=kind, actor_name=call.actor.name[:255], details=details)
        for number, kind, details in lines
    )


def _taken() -> ConflictError:
    return ConflictError(
        N_("Another device got the same asset tag, serial number or IMEI at this moment. Nothing was saved."),
        code="device_taken",
    )
