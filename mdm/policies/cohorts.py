"""Puts devices into cohorts: all devices of one platform and level that match the same assignments share one.

What it costs is the number of distinct placements and of changed devices; a change of settings costs no device at all.

INVARIANT: whoever places, prepares or changes intent holds ``intent_lock`` until its transaction ends. Otherwise a cohort
that is made while a policy is being saved could be prepared with the version before, and nobody would notice.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from mdm.inventory.model import Device, LifeCycle
from mdm.outbox import service as outbox
from mdm.policies.intent import Intent, cohort_key, load_intent
from mdm.policies.model import Cohort
from mdm.policies.placing import Ground, Standing, cached_level, ground, standings
from mdm.storage.call import Call

_LOCK = 7_301_002
"""Number of the PostgreSQL advisory lock over intent; SQLite has one writer anyway."""
CHUNK = 500
"""Ids in one UPDATE."""
RING_EACH = 200
"""Up to this many moved devices are rung for one by one; above it their former cohorts are rung for as a whole."""

Wanted = tuple[str, str, tuple[int, ...]]
"""Platform, level and assignments: what makes a cohort."""


@dataclass(frozen=True, slots=True)
class _Known:
    id: int
    fresh: bool


def intent_lock(session: Session) -> None:
    """Waits for everybody else who places, prepares or changes intent, and keeps them waiting until the end."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})


def place(call: Call, device_ids: Collection[int]) -> int:
    """Puts these devices into their cohorts and rings for those that moved; how many did. Who is gone is left alone."""
    return _place(call, device_ids)


def place_everybody(call: Call) -> int:
    """Puts every device into its cohort; how many moved. Twice is like once."""
    return _place(call, None)


def _place(call: Call, device_ids: Collection[int] | None) -> int:
    session = call.session
    intent_lock(session)
    session.flush()
    intent = load_intent(session)
    base = ground(session, call.now.date(), intent.groups)
    memo: dict[object, tuple[int, ...]] = {}
    moves: dict[Wanted | None, list[tuple[int, int | None]]] = {}
    here: dict[Wanted, int] = _keys(session)
    for device in standings(session, device_ids):
        wanted = _wanted(intent, base, device, memo)
        if (here.get(wanted) if wanted else None) != device.cohort_id or (wanted and wanted not in here):
            moves.setdefault(wanted, []).append((device.id, device.cohort_id))
    cohorts = _find_or_make(session, {wanted for wanted in moves if wanted})
    moved = {
        (cohorts[wanted].id if wanted else None): [device for device, _former in devices]
        for wanted, devices in moves.items()
    }
    _move(call, moved, {former for devices in moves.values() for _device, former in devices})
    if any(not cohort.fresh for cohort in cohorts.values()):
        outbox.post(call, "cohorts.prepare", {})
    return sum(len(devices) for devices in moved.values())


def _wanted(intent: Intent, base: Ground, device: Standing, memo: dict[object, tuple[int, ...]]) -> Wanted | None:
    """The cohort in which a device belongs, None for one that is retired; remembers what each placement matches."""
    if device.state == LifeCycle.RETIRED.value:
        return None
    groups = base.members.get(device.id, frozenset())
    key = (device.row[:-1], groups)
    matching = memo.get(key)
    if matching is None:
        matching = memo[key] = intent.matching(base.placement(device.row, groups))
    return device.row[0], cached_level(device.row[0], device.row[-1]), matching


def _keys(session: Session) -> dict[Wanted, int]:
    rows = session.execute(select(Cohort.id, Cohort.platform, Cohort.os_version, Cohort.assignments))
    return {(row.platform, row.os_version, tuple(row.assignments)): row.id for row in rows}


def _find_or_make(session: Session, wanted: set[Wanted]) -> Mapping[Wanted, _Known]:
    """The cohorts of these kinds, made where there is none. Two who make the same one at once get the same row."""
    by_key = {cohort_key(*one): one for one in wanted}
    if not by_key:
        return {}
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = [
        {
            "key": key,
            "platform": platform,
            "os_version": level,
            "assignments": list(assignments),
            "desired_digest": "-",
            "settings": {},
            "explanation": {},
            "desired": {},
        }
        for key, (platform, level, assignments) in by_key.items()
    ]
    for start in range(0, len(values), CHUNK):
        session.execute(insert(Cohort).on_conflict_do_nothing(index_elements=["key"]), values[start : start + CHUNK])
    found: dict[Wanted, _Known] = {}
    keys = list(by_key)
    for start in range(0, len(keys), CHUNK):
        rows = session.execute(
            select(Cohort.key, Cohort.id, Cohort.computed_at).where(Cohort.key.in_(keys[start : start + CHUNK]))
        )
        found.update({by_key[row.key]: _Known(row.id, row.computed_at is not None) for row in rows})
    return found


def _move(call: Call, moves: Mapping[int | None, list[int]], formers: set[int | None]) -> None:
    """Writes the new cohorts and rings, so that nobody goes on waiting at the bell of a cohort that was left."""
    for cohort_id, devices in moves.items():
        for start in range(0, len(devices), CHUNK):
            call.session.execute(
                update(Device)
                .where(Device.id.in_(devices[start : start + CHUNK]))
                .values(cohort_id=cohort_id)
                .execution_options(synchronize_session=False)
            )
    call.session.expire_all()
    moved = [device for devices in moves.values() for device in devices]
    if len(moved) <= RING_EACH:
        for device in moved:
            outbox.ring(call, device_id=device)
        return
    for former in formers - {None}:
        outbox.ring(call, cohort_id=former)


def mark_stale(session: Session, assignments: Iterable[int]) -> int:
    """Cohorts that these assignments reach must be prepared anew; how many there are."""
    touched = set(assignments)
    rows = session.execute(select(Cohort.id, Cohort.assignments))
    stale = [row.id for row in rows if touched.intersection(row.assignments)]
    for start in range(0, len(stale), CHUNK):
        session.execute(
            update(Cohort)
            .where(Cohort.id.in_(stale[start : start + CHUNK]))
            .values(computed_at=None)
            .execution_options(synchronize_session=False)
        )
    return len(stale)


@dataclass(frozen=True, slots=True)
class Reach:
    """How many devices each cohort has, and by which assignments it is reached."""

    cohorts: Mapping[int, tuple[int, frozenset[int]]]

    @classmethod
    def now(cls, session: Session) -> "Reach":
        """As it is in the database, in two queries."""
        counts = session.execute(
            select(Device.cohort_id, func.count()).where(Device.cohort_id.is_not(None)).group_by(Device.cohort_id)
        )
        devices = {row[0]: row[1] for row in counts}
        rows = session.execute(select(Cohort.id, Cohort.assignments).where(Cohort.id.in_(list(devices))))
        return cls({row.id: (devices[row.id], frozenset(row.assignments)) for row in rows})

    def devices(self, assignments: Iterable[int]) -> int:
        """How many devices are in cohorts that one of these assignments reaches."""
        touched = frozenset(assignments)
        return sum(count for count, reached in self.cohorts.values() if touched & reached)


def reach(session: Session, assignments: Iterable[int]) -> int:
    """How many devices are in cohorts that one of these assignments reaches."""
    return Reach.now(session).devices(assignments)


def reach_of_each(session: Session, assignments: Iterable[int]) -> dict[int, int]:
    """Devices by cohort, of the cohorts that one of these assignments reaches."""
    touched = frozenset(assignments)
    return {id_: count for id_, (count, reached) in Reach.now(session).cohorts.items() if touched & reached}
