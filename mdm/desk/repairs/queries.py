"""Reads of repairs. All take the ``Call`` and give only repairs of devices at the actor's places (``desk:view``)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select

from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.desk.repairs.model import Repair, RepairFault, RepairState
from mdm.inventory.model import Device
from mdm.storage.call import Call
from mdm.storage.scoping import within

REPEATED = 2
"""From so many repairs on a fault counts as repeated."""


@dataclass(frozen=True, slots=True)
class ProductFaults:
    """How often one fault was repaired on one product, on how many of its devices, and how many there are."""

    product: str
    fault: str
    repairs: int
    devices: int
    fleet: int


def mine(call: Call) -> ColumnElement[bool]:
    """Devices at the actor's places, as the desk sees them."""
    return within(call.actor.scope(Permission.DESK_VIEW), Device.service_point_id, Device.unit_id)


def repairs_select(call: Call) -> Select[Repair]:
    """Repairs of the actor's devices."""
    return select(Repair).join(Device, Device.id == Repair.device_id).where(mine(call))


def repair(call: Call, uid: str) -> Repair:
    """One repair; NotFoundError when it is not there or of no device of the actor's."""
    found = call.session.scalar(repairs_select(call).where(Repair.uid == uid))
    if found is None:
        raise NotFoundError(N_("There is no such repair, or it is not one of yours."))
    return found


def by_id(call: Call, ids: Sequence[int]) -> list[Repair]:
    """The repairs with these row ids in this order; what is not the actor's is left out."""
    found = {one.id: one for one in call.session.scalars(repairs_select(call).where(Repair.id.in_(ids)))}
    return [found[number] for number in ids if number in found]


def open_for(call: Call, device: Device) -> Repair | None:
    """The repair of a device that is not closed; None when there is none or it is not the actor's."""
    return call.session.scalar(repairs_select(call).where(Repair.device_id == device.id, Repair.closed_at.is_(None)))


def of_device(call: Call, device: Device) -> Sequence[Repair]:
    """Every repair of a device, newest first."""
    return call.session.scalars(
        repairs_select(call).where(Repair.device_id == device.id).order_by(Repair.id.desc())
    ).all()


def of_person(call: Call, person_id: int) -> Sequence[Repair]:
    """Every repair of a device that this person had when it broke, newest first."""
    return call.session.scalars(
        repairs_select(call).where(Repair.person_id == person_id).order_by(Repair.id.desc())
    ).all()


def faults(call: Call, ids: Sequence[int]) -> dict[int, list[str]]:
    """What is wrong, by row id of the repair. For repairs that were shown already."""
    found: dict[int, list[str]] = {}
    rows = call.session.execute(
        select(RepairFault.repair_id, RepairFault.fault)
        .where(RepairFault.repair_id.in_(ids))
        .order_by(RepairFault.repair_id, RepairFault.fault)
    )
    for repair_id, fault in rows:
        found.setdefault(repair_id, []).append(fault)
    return found


def overdue(today: date) -> ColumnElement[bool]:
    """Repairs that should be back and are not."""
    return and_(Repair.due_on < today, Repair.state.in_([RepairState.OPEN.value, RepairState.AT_SUPPLIER.value]))


def overdue_count(call: Call) -> int:
    """How many of the actor's repairs are overdue."""
    query = repairs_select(call).where(overdue(call.now.date())).with_only_columns(func.count())
    return call.session.scalar(query) or 0


def by_product(call: Call, *, since: datetime | None = None) -> list[ProductFaults]:
    """Repairs by product and fault, the most frequent first; ``since`` counts those opened from then on."""
    query = (
        select(
            Device.manufacturer,
            Device.model,
            RepairFault.fault,
            func.count(Repair.id),
            func.count(Repair.device_id.distinct()),
        )
        .join(Repair, Repair.device_id == Device.id)
        .join(RepairFault, RepairFault.repair_id == Repair.id)
        .where(mine(call))
        .group_by(Device.manufacturer, Device.model, RepairFault.fault)
    )
    if since is not None:
        query = query.where(Repair.opened_at >= since)
    fleet: dict[tuple[str, str], int] = {
        (row[0], row[1]): row[2]
        for row in call.session.execute(
            select(Device.manufacturer, Device.model, func.count())
            .where(mine(call))
            .group_by(Device.manufacturer, Device.model)
        )
    }
    rows: Sequence[Any] = call.session.execute(query).all()
    found = [
        ProductFaults(_product(row[0], row[1]), row[2], row[3], row[4], fleet.get((row[0], row[1]), 0)) for row in rows
    ]
    return sorted(found, key=lambda one: (-one.repairs, one.product, one.fault))


def _product(maker: str, model: str) -> str:
    return Device(manufacturer=maker, model=model).product
