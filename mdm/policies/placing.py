"""Where devices stand, read set-based: distinct placements with their counts, and every device with its cohort."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from mdm.inventory.model import Device, DeviceGroupMember, LifeCycle
from mdm.org import queries as org
from mdm.policies.intent import level_of
from mdm.policies.scope import Placement

COLUMNS = (
    Device.platform,
    Device.kind,
    Device.ownership,
    Device.service_point_id,
    Device.unit_id,
    Device.persona,
    Device.ring,
    Device.os_version,
)
"""What of a device's own row assignments choose by, and what decides which settings it knows."""
BATCH = 2000

cached_level = lru_cache(maxsize=4096)(level_of)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many devices stand at one place. ``row`` are the values of ``COLUMNS``, ``device_id`` is given for one alone."""

    placement: Placement
    level: str
    count: int
    row: tuple[Any, ...]
    device_id: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One placement whose settings would differ: before, after, and the keys."""

    tally: Tally
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """What placements need besides the devices' rows: the tree of units today, and who is in the groups that matter."""

    paths: Mapping[int, tuple[int, ...]]
    members: Mapping[int, frozenset[int]]
    groups: frozenset[int]

    def placement(self, row: tuple[Any, ...], groups: frozenset[int] = frozenset()) -> Placement:
        """Where a device with these values of ``COLUMNS`` stands."""
        platform, kind, ownership, service_point_id, unit_id, persona, ring, _os_version = row
        units = self.paths.get(unit_id, (unit_id,)) if unit_id is not None else ()
        return Placement(platform, kind, ownership, service_point_id, units, persona, ring, groups)


def ground(session: Session, on: date, groups: frozenset[int]) -> Ground:
    """The tree of units on that date and the members of these groups."""
    members: dict[int, set[int]] = {}
    if groups:
        rows = session.execute(
            select(DeviceGroupMember.device_id, DeviceGroupMember.group_id).where(
                DeviceGroupMember.group_id.in_(groups)
            )
        )
        for device_id, group_id in rows:
            members.setdefault(device_id, set()).add(group_id)
    frozen = {device_id: frozenset(found) for device_id, found in members.items()}
    return Ground(org.unit_paths(session, on), frozen, groups)


def in_use() -> ColumnElement[bool]:
    """Devices that get a desired state: all but the retired."""
    return Device.state != LifeCycle.RETIRED.value


def in_no_group(groups: frozenset[int]) -> ColumnElement[bool]:
    """Devices that are in none of the groups."""
    return Device.id.not_in(select(DeviceGroupMember.device_id).where(DeviceGroupMember.group_id.in_(groups)))


def tallies(session: Session, base: Ground) -> Iterator[Tally]:
    """Every distinct placement of devices in use with its count; members of groups one by one."""
    query = select(*COLUMNS, func.count()).where(in_use()).group_by(*COLUMNS)
    if base.groups:
        query = query.where(in_no_group(base.groups))
    for values in session.execute(query):
        row = tuple(values[:-1])
        yield Tally(base.placement(row), cached_level(row[0], row[-1]), values[-1], row)
    ids = sorted(base.members)
    for start in range(0, len(ids), BATCH):
        chunk = ids[start : start + BATCH]
        for device_id, *rest in session.execute(select(Device.id, *COLUMNS).where(in_use(), Device.id.in_(chunk))):
            row = tuple(rest)
            placement = base.placement(row, base.members[device_id])
            yield Tally(placement, cached_level(row[0], row[-1]), 1, row, device_id)


@dataclass(frozen=True, slots=True)
class Standing:
    """One device: which cohort it is in now, and the values of ``COLUMNS``."""

    id: int
    cohort_id: int | None
    state: str
    row: tuple[Any, ...]


def standings(session: Session, device_ids: Collection[int] | None = None) -> Iterator[Standing]:
    """Every device in the order of ids, read in batches; only those asked for, without the ones that are gone."""
    query = select(Device.id, Device.cohort_id, Device.state, *COLUMNS).order_by(Device.id)
    if device_ids is not None:
        query = query.where(Device.id.in_(device_ids))
    for found, cohort_id, state, *row in session.execute(query.execution_options(yield_per=BATCH)):
        yield Standing(found, cohort_id, state, tuple(row))
