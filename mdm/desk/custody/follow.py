"""Custody follows the device: whoever holds it on its row has the one open custody, whichever door wrote that.

The counter writes both at once. Enrolling, importing and the plain operations on devices only write the row; they post
``device.holder``, and the worker has this room follow.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import and_, or_, select

from mdm.core.actor import ActorKind
from mdm.core.ids import new_uid
from mdm.desk.custody.model import Custody
from mdm.inventory.model import Device, LifeCycle
from mdm.people.model import Person
from mdm.storage.call import Call

BATCH: Final = 500


def locked(call: Call, device_id: int) -> Device:
    """The device's row, kept from everybody else until the transaction ends, as it is now."""
    return call.session.scalars(
        select(Device).where(Device.id == device_id).with_for_update().execution_options(populate_existing=True)
    ).one()


def open_custody(call: Call, device_id: int) -> Custody | None:
    """The open custody of a device; None where nobody has it. For the machinery: not scoped."""
    return call.session.scalar(select(Custody).where(Custody.device_id == device_id, Custody.to_at.is_(None)))


def follow(call: Call, device: Device) -> Custody | None:
    """Makes the custody of a (locked) device say what its row says; the open one afterwards. Twice is like once."""
    kept = open_custody(call, device.id)
    if kept is not None and kept.person_id == device.person_id:
        return kept
    if kept is not None:
        kept.to_at, kept.in_by = call.now, _clerk(call)
        # The old one is closed before a new one opens: the database holds that there is one.
        call.session.flush()
    if device.person_id is None:
        return None
    return begin(call, device, call.session.get_one(Person, device.person_id), loan=device.state == LifeCycle.ON_LOAN)


def begin(call: Call, device: Device, person: Person, *, loan: bool) -> Custody:
    """Opens a custody; the database refuses a second one for the same device."""
    made = Custody(
        uid=new_uid(),
        device_id=device.id,
        person_id=person.id,
        person_name=person.name,
        service_point_id=device.service_point_id,
        unit_id=device.unit_id,
        from_at=call.now,
        loan=loan,
        out_by=_clerk(call),
    )
    call.session.add(made)
    call.session.flush()
    return made


def _clerk(call: Call) -> str:
    """Who did it; empty for the worker, who only writes down what is so already."""
    return "" if call.actor.kind is ActorKind.SYSTEM else call.actor.name


def follow_devices(call: Call, device_ids: Collection[int]) -> int:
    """For the topic ``device.holder``: how many devices were not as their custody said. One that is gone is passed over."""
    some = sorted(device_ids)
    rows = call.session.scalars(
        select(Device)
        .where(Device.id.in_(some))
        .order_by(Device.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    held = call.session.execute(
        select(Custody.device_id, Custody.person_id).where(Custody.device_id.in_(some), Custody.to_at.is_(None))
    )
    known = {row.device_id: row.person_id for row in held}
    different = [device for device in rows if known.get(device.id) != device.person_id]
    for device in different:
        follow(call, device)
    return len(different)


def follow_all(call: Call, limit: int = BATCH) -> int:
    """Has up to ``limit`` devices followed whose row and custody say different things; how many there were.

    For the clock: what an import recorded in one statement, and installations from before there was a counter.
    """
    mismatch = or_(
        and_(Device.person_id.is_not(None), Custody.id.is_(None)),
        and_(Custody.id.is_not(None), or_(Device.person_id.is_(None), Device.person_id != Custody.person_id)),
    )
    found = call.session.scalars(
        select(Device.id)
        .outerjoin(Custody, and_(Custody.device_id == Device.id, Custody.to_at.is_(None)))
        .where(mismatch)
        .order_by(Device.id)
        .limit(limit)
    ).all()
    return follow_devices(call, found)
