"""Pools as they stand now: what is ready, what is out, what is free. At the actor's places only, by ``desk:view``."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select

from mdm.core.permissions import Permission
from mdm.desk.custody.model import Custody
from mdm.desk.loans.model import AHEAD, LoanPlace, LoanState, Reservation
from mdm.desk.loans.queries import place, places_select
from mdm.inventory.model import Device, LifeCycle, Ownership
from mdm.org.model import ServicePoint
from mdm.storage.call import Call
from mdm.storage.scoping import within


@dataclass(frozen=True, slots=True)
class PoolLine:
    """One kind of device in one pool, as it stands now."""

    kind: str
    devices: int
    ready: int
    out: int
    aside: int
    """In repair, lost, returned and not ready yet."""
    waiting: int


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """One place that lends, as it stands now."""

    place: LoanPlace
    point: ServicePoint
    kinds: Sequence[PoolLine]
    here: int
    """Loans and reservations whose time is now."""
    waiting: int
    overdue: int

    @property
    def free(self) -> int:
        """How many more could be lent this minute: devices that are ready, within the limit of the place."""
        ready = sum(line.ready for line in self.kinds)
        return ready if self.place.at_most is None else max(0, min(ready, self.place.at_most - self.here))


def pool(call: Call, service_point_id: int) -> list[Device]:
    """Every device of the pool of a place, by name; NotFoundError as ``place``."""
    place(call, service_point_id)
    query = select(Device).where(
        within(call.actor.scope(Permission.DEVICE_VIEW), Device.service_point_id, Device.unit_id),
        Device.service_point_id == service_point_id,
        Device.ownership == Ownership.LOAN_POOL.value,
        Device.state != LifeCycle.RETIRED.value,
    )
    return list(call.session.scalars(query.order_by(Device.kind, Device.name, Device.id).limit(500)))


def pools(call: Call, *, only: int | None = None) -> list[PlaceLine]:
    """Every place of the actor that lends, with what is free now, by name; ``only`` one of them."""
    query = (
        places_select(call)
        .join(ServicePoint, ServicePoint.id == LoanPlace.service_point_id)
        .add_columns(ServicePoint)
        .order_by(ServicePoint.name, ServicePoint.id)
    )
    if only is not None:
        query = query.where(LoanPlace.service_point_id == only)
    found = [(row[0], row[1]) for row in call.session.execute(query)]
    numbers = [one.service_point_id for one, _ in found]
    states, waits, here, late = (
        _states(call, numbers),
        _waits(call, numbers),
        _here(call, numbers),
        _late(call, numbers),
    )
    return [
        PlaceLine(
            one,
            point,
            [
                _pool_line(kind, by_state, waits.get((point.id, kind), 0))
                for kind, by_state in sorted(states[point.id].items())
            ],
            here.get(point.id, 0),
            sum(number for (where, _), number in waits.items() if where == point.id),
            late.get(point.id, 0),
        )
        for one, point in found
    ]


def _pool_line(kind: str, by_state: Mapping[str, int], waiting: int) -> PoolLine:
    ready = by_state.get(LifeCycle.IN_STOCK, 0) + by_state.get(LifeCycle.WIPED, 0)
    out = by_state.get(LifeCycle.ON_LOAN, 0) + by_state.get(LifeCycle.HANDED_OUT, 0)
    devices = sum(by_state.values())
    return PoolLine(kind, devices, ready, out, devices - ready - out, waiting)


def _states(call: Call, places: Sequence[int]) -> dict[int, dict[str, dict[str, int]]]:
    found: dict[int, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    query = (
        select(Device.service_point_id, Device.kind, Device.state, func.count(Device.id))
        .where(
            Device.service_point_id.in_(places),
            Device.ownership == Ownership.LOAN_POOL.value,
            Device.state != LifeCycle.RETIRED.value,
        )
        .group_by(Device.service_point_id, Device.kind, Device.state)
    )
    for where, kind, state, number in call.session.execute(query):
        if where is not None:
            found[where][kind][state] = number
    return found


def _waits(call: Call, places: Sequence[int]) -> dict[tuple[int, str], int]:
    query = (
        select(Reservation.service_point_id, Reservation.kind, func.count(Reservation.id))
        .where(Reservation.service_point_id.in_(places), Reservation.state == LoanState.WAITING.value)
        .group_by(Reservation.service_point_id, Reservation.kind)
    )
    return {(row[0], row[1]): row[2] for row in call.session.execute(query)}


def _here(call: Call, places: Sequence[int]) -> dict[int, int]:
    query = (
        select(Reservation.service_point_id, func.count(Reservation.id))
        .where(
            Reservation.service_point_id.in_(places),
            or_(
                Reservation.state == LoanState.COLLECTED.value,
                and_(
                    Reservation.state.in_([state.value for state in AHEAD]),
                    Reservation.begins_at <= call.now,
                    Reservation.ends_at > call.now,
                ),
            ),
        )
        .group_by(Reservation.service_point_id)
    )
    return {row[0]: row[1] for row in call.session.execute(query)}


def _late(call: Call, places: Sequence[int]) -> dict[int, int]:
    query = (
        select(Custody.service_point_id, func.count(Custody.id))
        .where(
            Custody.service_point_id.in_(places),
            Custody.to_at.is_(None),
            Custody.loan.is_(True),
            Custody.due_at < call.now,
        )
        .group_by(Custody.service_point_id)
    )
    return {row[0]: row[1] for row in call.session.execute(query) if row[0] is not None}
