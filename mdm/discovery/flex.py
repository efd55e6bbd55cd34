"""Places that lend: what of the pool is there, what is missing, and whether it is enough for who has reserved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from mdm.core.permissions import Permission
from mdm.desk.loans.model import AHEAD, LoanPlace, LoanState, Reservation
from mdm.discovery import queries
from mdm.discovery.model import NetworkDevice
from mdm.inventory.model import Device, DeviceKind, Ownership
from mdm.storage.call import Call
from mdm.storage.scoping import within

AHEAD_OF = timedelta(hours=24)
"""Reservations that begin within so long count as those that are to be fulfilled."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """One device of the pool. ``lent`` is the reservation with which it went along."""

    device: Device
    seen: NetworkDevice | None
    lent: Reservation | None

    @property
    def missing(self) -> bool:
        """It should be there, and was not seen."""
        return self.seen is None and self.lent is None


@dataclass(frozen=True, slots=True)
class KindLine:
    """One kind of device at a place."""

    kind: str
    pool: int
    there: int
    lent: int
    missing: int
    reserved: int
    """Reservations of the next day for which somebody is still to come."""

    @property
    def short(self) -> int:
        """How many reservations would find no device that was seen."""
        return max(0, self.reserved - self.there)


@dataclass(frozen=True, slots=True)
class Flex:
    """One place that lends."""

    place: LoanPlace
    looked: bool
    kinds: Sequence[KindLine]
    devices: Sequence[Pooled]


def flex(call: Call, service_point_id: int) -> Flex | None:
    """What is there and what is missing at a place that lends; None where nothing is lent, or not to this actor's eyes."""
    scope = call.actor.scope(Permission.DISCOVERY_VIEW)
    place = call.session.scalar(
        select(LoanPlace).where(
            within(scope, LoanPlace.service_point_id, None),
            LoanPlace.service_point_id == service_point_id,
            LoanPlace.closed_at.is_(None),
        )
    )
    if place is None:
        return None
    looked = queries.looked_at(call, service_point_id) is not None
    devices = _pool(call, service_point_id) if looked else []
    reserved = _reserved(call, service_point_id)
    kinds = []
    for kind in DeviceKind:
        of_kind = [one for one in devices if one.device.kind == kind]
        wanted = reserved.get(kind.value, 0)
        if of_kind or (wanted and looked):
            kinds.append(
                KindLine(
                    kind.value,
                    pool=len(of_kind),
                    # What is lent and seen is in somebody's hands: a flexible worker sits there with it.
                    there=sum(one.seen is not None and one.lent is None for one in of_kind),
                    lent=sum(one.lent is not None for one in of_kind),
                    missing=sum(one.missing for one in of_kind),
                    reserved=wanted,
                )
            )
    return Flex(place, looked, kinds, devices)


def _pool(call: Call, service_point_id: int) -> list[Pooled]:
    lent = {
        row.device_id: row
        for row in call.session.scalars(
            select(Reservation).where(
                Reservation.service_point_id == service_point_id, Reservation.state == LoanState.COLLECTED.value
            )
        )
    }
    seen = {
        row.device_id: row
        for row in call.session.scalars(
            select(NetworkDevice)
            .where(NetworkDevice.service_point_id == service_point_id, NetworkDevice.device_id.is_not(None))
            .order_by(NetworkDevice.last_seen_at)
        )
    }
    pool = call.session.scalars(
        select(Device)
        .where(
            within(call.actor.scope(Permission.DEVICE_VIEW), Device.service_point_id, Device.unit_id),
            Device.service_point_id == service_point_id,
            Device.ownership == Ownership.LOAN_POOL.value,
            Device.state.in_(queries.EXPECTED),
        )
        .order_by(Device.kind, Device.name, Device.id)
        .limit(queries.MOST)
    )
    return [Pooled(one, seen.get(one.id), lent.get(one.id)) for one in pool]


def _reserved(call: Call, service_point_id: int) -> dict[str, int]:
    found: dict[str, int] = {}
    rows = call.session.scalars(
        select(Reservation.kind).where(
            Reservation.service_point_id == service_point_id,
            Reservation.state.in_([state.value for state in AHEAD]),
            Reservation.begins_at < call.now + AHEAD_OF,
            Reservation.ends_at > call.now,
        )
    )
    for kind in rows:
        found[kind] = found.get(kind, 0) + 1
    return found
