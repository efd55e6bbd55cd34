"""Places that lend: what of the pool is there, what is missing, and whether it is enough for who has reserved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from mdm.core.permissions import Permission
from mdm.desk.loans.model import AHEAD, LoanPlace, LoanState, Reservation
from mdm.discovery import queries
from mdm.discovery.model import NetworkDevice
from mdm.inventory.model import Device, DeviceKind, LifeCycle, Ownership
from mdm.storage.call import Call
from mdm.storage.scoping import within

AHEAD_OF = timedelta(hours=24)
"""Reservations that begin within so long count as those that are to be fulfilled."""


RECENT = timedelta(hours=24)
"""What was last noted longer than this before the latest look is not there any more, though it is still remembered."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """One device of the pool. ``lent`` is the reservation with which it went along; ``there``: it was seen of late."""

    device: Device
    seen: NetworkDevice | None
    lent: Reservation | None
    there: bool

    @property
    def out(self) -> bool:
        """It is in somebody's hands, with a reservation or without."""
        return self.lent is not None or self.device.state == LifeCycle.ON_LOAN

    @property
    def missing(self) -> bool:
        """It should be there, and was not seen."""
        return not self.there and not self.out


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
    short: int
    """How many of them would find no device: what was seen, and what comes back before they begin."""


Span = tuple[datetime, datetime]


def shortage(there: int, back: Sequence[datetime], wanted: Sequence[Span]) -> int:
    """How many devices are too few at the worst moment: ``back`` says when lent ones return, ``wanted`` from when until when."""
    short = 0
    for moment, _ in wanted:
        needed = sum(begins <= moment < ends for begins, ends in wanted)
        short = max(short, needed - there - sum(one <= moment for one in back))
    return short


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
    at = queries.looked_at(call, service_point_id)
    looked = at is not None
    devices = _pool(call, service_point_id, at) if at is not None else []
    reserved = _reserved(call, service_point_id)
    kinds = []
    for kind in DeviceKind:
        of_kind = [one for one in devices if one.device.kind == kind]
        wanted = reserved.get(kind.value, [])
        # What is lent and seen is in somebody's hands: a flexible worker sits there with it.
        there = sum(one.there and not one.out for one in of_kind)
        back = [one.lent.ends_at for one in of_kind if one.lent is not None and one.lent.ends_at > call.now]
        if of_kind or (wanted and looked):
            kinds.append(
                KindLine(
                    kind.value,
                    pool=len(of_kind),
                    there=there,
                    lent=sum(one.out for one in of_kind),
                    missing=sum(one.missing for one in of_kind),
                    reserved=len(wanted),
                    short=shortage(there, back, wanted),
                )
            )
    return Flex(place, looked, kinds, devices)


def _pool(call: Call, service_point_id: int, looked_at: datetime) -> list[Pooled]:
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
    found = []
    for one in pool:
        row = seen.get(one.id)
        found.append(Pooled(one, row, lent.get(one.id), row is not None and row.noted_at > looked_at - RECENT))
    return found


def _reserved(call: Call, service_point_id: int) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    rows = call.session.execute(
        select(Reservation.kind, Reservation.begins_at, Reservation.ends_at).where(
            Reservation.service_point_id == service_point_id,
            Reservation.state.in_([state.value for state in AHEAD]),
            Reservation.begins_at < call.now + AHEAD_OF,
            Reservation.ends_at > call.now,
        )
    )
    for kind, begins, ends in rows:
        # Who has not come yet may come now.
        found.setdefault(kind, []).append((max(begins, call.now), ends))
    return found
