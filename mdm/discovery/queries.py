"""Reads of what is on the networks: at the actor's places only, by ``discovery:view``.

Everything here is of the last seven days, because nothing older is kept. A device whose own place is not the actor's is
told without its name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.discovery.model import KEPT, DiscoveryRun, NetworkDevice, RunState
from mdm.inventory.model import Device, LifeCycle
from mdm.org.model import ServicePoint
from mdm.storage.call import Call
from mdm.storage.scoping import Column, within

MOST = 1000
"""Lines of one list on a page or in an answer."""
ALL = 100_000
"""Lines of one list in a file."""
EXPECTED = tuple(
    state.value for state in (LifeCycle.HANDED_OUT, LifeCycle.IN_STOCK, LifeCycle.ON_LOAN, LifeCycle.RETURNED)
)
"""States in which a managed device may be on the network of its place."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing on a network. ``device`` and ``home`` are what it is of ours; ``device`` only where the actor may see it."""

    row: NetworkDevice
    point: ServicePoint
    device: Device | None
    home: ServicePoint | None
    others: list[NetworkDevice] = field(default_factory=list)
    """Its other network cards that were seen at the same place; filled by ``by_device``."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many are in each list of one service point; ``looked_at`` is None where nobody looked in seven days."""

    unmanaged: int
    not_seen: int
    elsewhere: int
    here: int
    random: int
    looked_at: datetime | None


def _mine(call: Call, column: Column) -> ColumnElement[bool]:
    return within(call.actor.scope(Permission.DISCOVERY_VIEW), column, None)


def points(call: Call) -> list[ServicePoint]:
    """Open service points of the actor's, by name."""
    query = select(ServicePoint).where(_mine(call, ServicePoint.id), ServicePoint.closed_on.is_(None))
    return list(call.session.scalars(query.order_by(ServicePoint.name, ServicePoint.id)))


def point(call: Call, code: str) -> ServicePoint:
    """One of them by its code; NotFoundError when it is not there or not the actor's."""
    query = select(ServicePoint).where(_mine(call, ServicePoint.id), ServicePoint.code == code.strip().upper())
    found = call.session.scalar(query)
    if found is None:
        raise NotFoundError(N_("There is no such service point, or it is not yours."))
    return found


def _lines(call: Call) -> Select[NetworkDevice]:
    return (
        select(NetworkDevice)
        .join(ServicePoint, ServicePoint.id == NetworkDevice.service_point_id)
        .where(_mine(call, NetworkDevice.service_point_id))
    )


def _told(call: Call, query: Select[NetworkDevice], limit: int) -> list[Line]:
    home = ServicePoint.__table__.alias("home")
    rows = call.session.execute(
        query.outerjoin(Device, Device.id == NetworkDevice.device_id)
        .outerjoin(home, home.c.id == Device.service_point_id)
        .add_columns(ServicePoint, Device, home.c.id)
        .order_by(NetworkDevice.last_seen_at.desc(), NetworkDevice.id)
        .limit(limit)
    ).all()
    homes = {
        one.id: one
        for one in call.session.scalars(
            select(ServicePoint).where(ServicePoint.id.in_({row[3] for row in rows if row[3]}))
        )
    }
    found = []
    for row, place, device, number in rows:
        allowed = device is not None and call.actor.may(Permission.DEVICE_VIEW, device.where)
        found.append(Line(row, place, device if allowed else None, homes.get(number)))
    return found


def by_device(lines: Sequence[Line]) -> list[Line]:
    """The lines with each of our devices once per place: on the wire and on the air it is one device still."""
    found: list[Line] = []
    first: dict[tuple[int, int], Line] = {}
    for line in lines:
        key = (line.row.device_id or -line.row.id, line.point.id)
        if key in first:
            first[key].others.append(line.row)
        else:
            found.append(first.setdefault(key, line))
    return found


def _at_home(service_point_id: int) -> Select[int]:
    return select(Device.id).where(Device.service_point_id == service_point_id)


def _unmanaged(call: Call, service_point_id: int) -> Select[NetworkDevice]:
    return _lines(call).where(NetworkDevice.service_point_id == service_point_id, NetworkDevice.device_id.is_(None))


def _here(call: Call, service_point_id: int) -> Select[NetworkDevice]:
    return _lines(call).where(
        NetworkDevice.service_point_id == service_point_id, NetworkDevice.device_id.in_(_at_home(service_point_id))
    )


def _elsewhere(call: Call, service_point_id: int) -> Select[NetworkDevice]:
    at_home = _at_home(service_point_id)
    away = (NetworkDevice.service_point_id != service_point_id) & NetworkDevice.device_id.in_(at_home)
    guest = (
        (NetworkDevice.service_point_id == service_point_id)
        & NetworkDevice.device_id.is_not(None)
        & NetworkDevice.device_id.not_in(at_home)
    )
    return _lines(call).where(away | guest)


def unmanaged(call: Call, service_point_id: int, limit: int = MOST) -> list[Line]:
    """What is there and is none of ours, the latest first."""
    return _told(call, _unmanaged(call, service_point_id), limit)


def here(call: Call, service_point_id: int, limit: int = MOST) -> list[Line]:
    """Devices of this place that were seen at it."""
    return _told(call, _here(call, service_point_id), limit)


def elsewhere(call: Call, service_point_id: int, limit: int = MOST) -> list[Line]:
    """Devices of other places (or of none) that were seen here, and devices of this place that were seen at others."""
    return _told(call, _elsewhere(call, service_point_id), limit)


def not_seen(call: Call, service_point_id: int) -> Sequence[Device]:
    """Managed devices of this place that were not seen at it; nothing where nobody looked in seven days."""
    if looked_at(call, service_point_id) is None:
        return []
    return call.session.scalars(_absent(call, service_point_id).order_by(Device.name, Device.id).limit(MOST)).all()


def _absent(call: Call, service_point_id: int) -> Select[Device]:
    seen = select(NetworkDevice.device_id).where(
        NetworkDevice.service_point_id == service_point_id, NetworkDevice.device_id.is_not(None)
    )
    return select(Device).where(
        within(call.actor.scope(Permission.DEVICE_VIEW), Device.service_point_id, Device.unit_id),
        Device.service_point_id == service_point_id,
        Device.enrolled_at.is_not(None),
        Device.state.in_(EXPECTED),
        Device.id.not_in(seen),
    )


def looked_at(call: Call, service_point_id: int) -> datetime | None:
    """When something was last read there, within seven days."""
    found: datetime | None = call.session.scalar(
        select(func.max(DiscoveryRun.finished_at)).where(
            _mine(call, DiscoveryRun.service_point_id),
            DiscoveryRun.service_point_id == service_point_id,
            DiscoveryRun.state == RunState.DONE.value,
            DiscoveryRun.finished_at > call.now - KEPT,
        )
    )
    return found


def counts(call: Call, service_point_id: int) -> Counts:
    """The figures of one service point."""
    looked = looked_at(call, service_point_id)
    absent = _absent(call, service_point_id)
    last = call.session.scalar(
        select(DiscoveryRun.random)
        .where(
            _mine(call, DiscoveryRun.service_point_id),
            DiscoveryRun.service_point_id == service_point_id,
            DiscoveryRun.state == RunState.DONE.value,
        )
        .order_by(DiscoveryRun.id.desc())
        .limit(1)
    )
    return Counts(
        unmanaged=_number(call, _unmanaged(call, service_point_id)),
        not_seen=_number(call, absent) if looked else 0,
        elsewhere=_number(call, _devices(_elsewhere(call, service_point_id))),
        here=_number(call, _devices(_here(call, service_point_id))),
        random=last or 0 if looked else 0,
        looked_at=looked,
    )


def _devices(query: Select[NetworkDevice]) -> Select[int | None, int]:
    return query.with_only_columns(NetworkDevice.device_id, NetworkDevice.service_point_id).distinct()


def _number(call: Call, query: Select[*tuple[Any, ...]]) -> int:
    return call.session.scalar(select(func.count()).select_from(query.subquery())) or 0


def runs(call: Call, service_point_id: int, limit: int = 10) -> Sequence[DiscoveryRun]:
    """Runs at one service point, the newest first."""
    query = select(DiscoveryRun).where(
        _mine(call, DiscoveryRun.service_point_id), DiscoveryRun.service_point_id == service_point_id
    )
    return call.session.scalars(query.order_by(DiscoveryRun.id.desc()).limit(limit)).all()


def place_of(call: Call, found: DiscoveryRun) -> ServicePoint:
    """The service point of a run of the actor's."""
    return call.session.get_one(ServicePoint, found.service_point_id)


def run(call: Call, uid: str) -> DiscoveryRun:
    """One run; NotFoundError when it is not there or not at one of the actor's places."""
    found = call.session.scalar(
        select(DiscoveryRun).where(_mine(call, DiscoveryRun.service_point_id), DiscoveryRun.uid == uid)
    )
    if found is None:
        raise NotFoundError(N_("There is no such look at a network, or it is not at one of your places."))
    return found
