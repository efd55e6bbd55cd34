"""The rooms in which computers stand that can call for help: the record of a device knows its service point, not its room."""

from collections.abc import Sequence

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, InvalidError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.inventory.model import Device
from mdm.panic.keys import MAX_SPOT
from mdm.panic.model import PanicSpot
from mdm.storage.call import Call
from mdm.storage.scoping import within


def put(call: Call, device: str, spot: str) -> Device:
    """Writes down in which room a device stands; without a room, forgets it. ``device``: its tag, serial number or name.

    Asks ``panic:manage`` at the device's place. Raises InvalidError for a device that nobody knows or whose name several have.
    """
    written = clean(device, 128)
    here = within(call.actor.scope(Permission.PANIC_MANAGE), Device.service_point_id, Device.unit_id)
    named = (Device.tag == written) | (Device.serial == written) | (Device.name == written)
    found = call.session.scalars(select(Device).where(here, named).limit(2)).all() if written else []
    if len(found) != 1:
        sentence = N_("There is no one device with this tag, serial number or name at your places.")
        raise InvalidError(N_("The room was not saved."), fields={"device": sentence})
    one = found[0]
    require(call.actor, Permission.PANIC_MANAGE, one.where)
    room = clean(spot, MAX_SPOT)
    kept = call.session.scalar(select(PanicSpot).where(PanicSpot.device_id == one.id))
    if kept is None:
        kept = PanicSpot(device_id=one.id, spot=room, set_at=call.now, set_by=clean(call.actor.name))
        call.session.add(kept)
    kept.spot, kept.set_at, kept.set_by = room, call.now, clean(call.actor.name)
    if not room:
        call.session.flush()
        call.session.delete(kept)
    audit.record(call, "panic.spot_set", ("device", one.uid), name=one.label, where=one.where, details={"spot": room})
    return one


def all_of(call: Call, limit: int = 500) -> Sequence[tuple[Device, str]]:
    """Devices at the actor's places whose room is known, by room."""
    here = within(call.actor.scope(Permission.PANIC_VIEW), Device.service_point_id, Device.unit_id)
    rows = call.session.execute(
        select(Device, PanicSpot.spot)
        .join(PanicSpot, PanicSpot.device_id == Device.id)
        .where(here)
        .order_by(PanicSpot.spot, Device.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]
