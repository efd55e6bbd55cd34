"""Groups of devices, chosen by hand: make, rename, fill, empty, read. They belong to the whole city, as policies do."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.risk import Risk, gate
from mdm.core.text import clean
from mdm.inventory import queries
from mdm.inventory.model import Device, DeviceGroup, DeviceGroupMember
from mdm.outbox import service as outbox
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique


def groups(call: Call) -> list[tuple[DeviceGroup, int]]:
    """Every group with the number of its devices, by name."""
    require(call.actor, Permission.POLICY_VIEW)
    rows = call.session.execute(
        select(DeviceGroup, func.count(DeviceGroupMember.device_id))
        .outerjoin(DeviceGroupMember, DeviceGroupMember.group_id == DeviceGroup.id)
        .group_by(DeviceGroup.id)
        .order_by(DeviceGroup.name)
    )
    return [(row[0], row[1]) for row in rows]


def group(call: Call, group_id: int) -> DeviceGroup:
    """One group; NotFoundError when it is not there."""
    require(call.actor, Permission.POLICY_VIEW)
    found = call.session.get(DeviceGroup, group_id)
    if found is None:
        raise NotFoundError(N_("There is no such group of devices."))
    return found


def members(call: Call, group_id: int) -> Sequence[Device]:
    """The devices of a group that the actor may see, by name."""
    found = group(call, group_id)
    query = queries.devices_select(call).join(DeviceGroupMember, DeviceGroupMember.device_id == Device.id)
    return call.session.scalars(
        query.where(DeviceGroupMember.group_id == found.id).order_by(Device.name, Device.id)
    ).all()


def create(call: Call, name: str, note: str = "") -> DeviceGroup:
    """Makes an empty group. Raises InvalidError without a name, ConflictError when the name is taken."""
    require(call.actor, Permission.POLICY_EDIT)
    made = DeviceGroup(name=_name(name), note=clean(note, 2000, lines=True), created_at=call.now)
    call.session.add(made)
    flush_unique(call.session, _taken(made.name))
    _record(call, "device_group.created", made, {})
    return made


def edit(call: Call, group_id: int, *, name: str, note: str) -> DeviceGroup:
    """Renames a group. Raises as ``create``."""
    require(call.actor, Permission.POLICY_EDIT)
    found = group(call, group_id)
    before = [found.name, found.note]
    found.name, found.note = _name(name), clean(note, 2000, lines=True)
    flush_unique(call.session, _taken(found.name))
    if before != [found.name, found.note]:
        _record(call, "device_group.edited", found, {"before": before, "after": [found.name, found.note]})
    return found


def add(call: Call, group_id: int, uids: Collection[str]) -> int:
    """Puts devices into a group; how many were not in it before."""
    return _change(call, group_id, uids, joins=True)


def remove(call: Call, group_id: int, uids: Collection[str]) -> int:
    """Takes devices out of a group; how many were in it."""
    return _change(call, group_id, uids, joins=False)


def copy_memberships(call: Call, source: Device, target: Device) -> list[int]:
    """Has one device join the groups that another one is in; the groups that it was not in before.

    For a device that stands in for another over the counter: who may do that has been asked by the upper room.
    """
    mine = set(_of(call, target))
    joined = [number for number in _of(call, source) if number not in mine]
    for number in joined:
        _one(call, number, target, joins=True)
    return joined


def join_groups(call: Call, device: Device, group_ids: Collection[int]) -> None:
    """Puts one device into these groups, as far as they are still there and it is not in them; undoes ``leave_groups``."""
    there = set(call.session.scalars(select(DeviceGroup.id).where(DeviceGroup.id.in_(group_ids))))
    for number in sorted(there - set(_of(call, device))):
        _one(call, number, device, joins=True)


def leave_groups(call: Call, device: Device, group_ids: Collection[int]) -> None:
    """Takes one device out of these groups, as far as it is still in them; the other half of ``copy_memberships``."""
    for number in _of(call, device):
        if number in group_ids:
            _one(call, number, device, joins=False)


def _of(call: Call, device: Device) -> list[int]:
    return list(
        call.session.scalars(
            select(DeviceGroupMember.group_id)
            .where(DeviceGroupMember.device_id == device.id)
            .order_by(DeviceGroupMember.group_id)
        )
    )


def _one(call: Call, group_id: int, device: Device, *, joins: bool) -> None:
    found = call.session.get_one(DeviceGroup, group_id)
    said = {"joins": joins, "devices": [device.uid]}
    gate(call, Risk.GROUP_MANY, ("device_group", found.id), said, name=found.name, facts={"devices": 1})
    if joins:
        call.session.add(DeviceGroupMember(group_id=found.id, device_id=device.id))
    else:
        call.session.execute(
            delete_rows(DeviceGroupMember).where(
                DeviceGroupMember.group_id == found.id, DeviceGroupMember.device_id == device.id
            )
        )
    outbox.post(call, "device.place", {"device": device.id})
    _record(call, "device_group.joined" if joins else "device_group.left", found, {"devices": [device.uid]})


def delete(call: Call, group_id: int) -> None:
    """Removes a group that nothing chooses by; who may need it is asked by ``policies.assigning.delete_group``.

    Raises NotFoundError when it is not there.
    """
    require(call.actor, Permission.POLICY_EDIT)
    found = group(call, group_id)
    size = call.session.scalar(select(func.count()).where(DeviceGroupMember.group_id == found.id))
    call.session.execute(delete_rows(DeviceGroupMember).where(DeviceGroupMember.group_id == found.id))
    _record(call, "device_group.deleted", found, {"devices": size})
    call.session.delete(found)
    call.session.flush()


def _change(call: Call, group_id: int, uids: Collection[str], *, joins: bool) -> int:
    require(call.actor, Permission.POLICY_EDIT)
    found = group(call, group_id)
    devices = [queries.device_by_uid(call, uid) for uid in dict.fromkeys(uids)]
    present = set(
        call.session.scalars(select(DeviceGroupMember.device_id).where(DeviceGroupMember.group_id == found.id))
    )
    changing = [device for device in devices if (device.id in present) != joins]
    said = {"joins": joins, "devices": sorted(device.uid for device in changing)}
    facts = {"devices": len(changing)}
    gate(call, Risk.GROUP_MANY, ("device_group", found.id), said, name=found.name, facts=facts)
    for device in changing:
        if joins:
            call.session.add(DeviceGroupMember(group_id=found.id, device_id=device.id))
        else:
            call.session.execute(
                delete_rows(DeviceGroupMember).where(
                    DeviceGroupMember.group_id == found.id, DeviceGroupMember.device_id == device.id
                )
            )
        outbox.post(call, "device.place", {"device": device.id})
    if changing:
        action = "device_group.joined" if joins else "device_group.left"
        _record(call, action, found, {"devices": [device.uid for device in changing]})
    return len(changing)


def _name(name: str) -> str:
    text = clean(name, 128)
    if not text:
        raise InvalidError(N_("A group needs a name."), fields={"name": N_("Give a name.")})
    return text


def _taken(name: str) -> ConflictError:
    return ConflictError(N_("There is a group named %(name)s already. Nothing was changed."), name=name)


def _record(call: Call, action: str, found: DeviceGroup, details: dict[str, object]) -> None:
    audit.record(call, action, ("device_group", found.id), name=found.name, details=details)
