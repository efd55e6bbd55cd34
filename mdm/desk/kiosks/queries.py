"""Reads of rounds: at the actor's places only, by ``desk:view``."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select

from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.desk.kiosks.model import KioskRound, KioskStop, Seen
from mdm.desk.repairs.model import Repair
from mdm.inventory.model import Device, DeviceKind, LifeCycle
from mdm.org.model import ServicePoint
from mdm.storage.call import Call
from mdm.storage.scoping import within

STANDING = (LifeCycle.IN_STOCK.value, LifeCycle.IN_REPAIR.value, LifeCycle.HANDED_OUT.value, LifeCycle.WIPED.value)
"""States of a kiosk that is worth a walk."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One kiosk of a round with the names that people know."""

    row: KioskStop
    device: Device
    point: ServicePoint
    repair: Repair | None


@dataclass(frozen=True, slots=True)
class RoundLine:
    """One round as a list shows it: of the stops at the actor's places."""

    row: KioskRound
    stops: int
    seen: int
    wrong: int


def kiosks_select(call: Call, permission: Permission = Permission.DESK_VIEW) -> Select[Device]:
    """Kiosks at the actor's places that are in use."""
    return select(Device).where(
        within(call.actor.scope(permission), Device.service_point_id, Device.unit_id),
        Device.kind == DeviceKind.KIOSK.value,
        Device.state.in_(STANDING),
    )


def places_with_kiosks(call: Call) -> list[tuple[ServicePoint, int]]:
    """Where the actor can walk round, with how many kiosks stand there, by name."""
    found = kiosks_select(call, Permission.DESK_WORK).subquery()
    numbers = (
        select(found.c.service_point_id, func.count().label("kiosks")).group_by(found.c.service_point_id).subquery()
    )
    query = (
        select(ServicePoint, numbers.c.kiosks)
        .join(numbers, numbers.c.service_point_id == ServicePoint.id)
        .order_by(ServicePoint.name, ServicePoint.id)
    )
    return [(row[0], row[1]) for row in call.session.execute(query)]


def round_(call: Call, uid: str) -> KioskRound:
    """One round with a stop at one of the actor's places; NotFoundError otherwise."""
    here = within(call.actor.scope(Permission.DESK_VIEW), KioskStop.service_point_id, None)
    visible = select(KioskStop.round_id).where(here)
    found = call.session.scalar(select(KioskRound).where(KioskRound.uid == uid, KioskRound.id.in_(visible)))
    if found is None:
        raise NotFoundError(N_("There is no such round, or it was not at one of your places."))
    return found


def stops(call: Call, row: KioskRound) -> list[Stop]:
    """The stops of a round at the actor's places, in the order in which they are walked."""
    scope = call.actor.scope(Permission.DESK_VIEW)
    query = (
        select(KioskStop, Device, ServicePoint, Repair)
        .join(Device, Device.id == KioskStop.device_id)
        .join(ServicePoint, ServicePoint.id == KioskStop.service_point_id)
        .outerjoin(Repair, Repair.id == KioskStop.repair_id)
        .where(KioskStop.round_id == row.id, within(scope, KioskStop.service_point_id, None))
        .order_by(KioskStop.position)
    )
    return [Stop(found[0], found[1], found[2], found[3]) for found in call.session.execute(query)]


def rounds(call: Call, limit: int = 20) -> Sequence[RoundLine]:
    """The last rounds at the actor's places, newest first."""
    scope = call.actor.scope(Permission.DESK_VIEW)
    wrong = KioskStop.seen.in_((Seen.WRONG.value, Seen.ABSENT.value))
    query = (
        select(
            KioskRound,
            func.count(KioskStop.id),
            func.count(KioskStop.seen_at),
            func.count(KioskStop.id).filter(wrong),
        )
        .join(KioskStop, KioskStop.round_id == KioskRound.id)
        .where(within(scope, KioskStop.service_point_id, None))
        .group_by(KioskRound.id)
        .order_by(KioskRound.id.desc())
        .limit(limit)
    )
    return [RoundLine(row[0], row[1], row[2], row[3]) for row in call.session.execute(query)]
