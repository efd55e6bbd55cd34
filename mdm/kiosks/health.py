"""How a kiosk is: what it says of itself, what somebody saw who stood before it, and how warm it was lately."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from mdm.core.errors import N_
from mdm.desk.kiosks.model import KioskStop
from mdm.inventory.model import Device, FactChange, FactSection
from mdm.overview.home import Chart, Series
from mdm.storage.call import Call

DAYS: Final = 14
"""Days of the chart."""
SUPPLIES: Final = 16
FULL: Final = 5
"""Per cent of free room below which a disk counts as full, as the rule starts with."""


@dataclass(frozen=True, slots=True)
class Printer:
    """What the printer told the kiosk."""

    state: str
    paper: str
    reasons: tuple[str, ...]
    supplies: tuple[tuple[str, int | None], ...]
    problem: str


@dataclass(frozen=True, slots=True)
class Disk:
    """One file system, in gigabytes."""

    mount: str
    free: float
    size: float

    @property
    def full(self) -> bool:
        """Whether it is almost full."""
        return self.free * 100 < self.size * FULL


@dataclass(frozen=True, slots=True)
class Health:
    """What a kiosk says; None where it did not, or said something that makes no sense."""

    browser: str | None
    restarts: int
    gave_up_at: datetime | None
    last_use: datetime | None
    degrees: int | None
    printer: Printer | None
    disks: tuple[Disk, ...]

    @property
    def given_up(self) -> bool:
        """Whether nothing is tried any more until a person asks."""
        return self.gave_up_at is not None and self.browser in ("silent", "stopped")


def health(call: Call, device: Device) -> Health | None:
    """What this device, which the caller may see, says of itself as a kiosk; None for one that is none."""
    query = select(FactSection.section, FactSection.content).where(
        FactSection.device_id == device.id, FactSection.section.in_(("kiosk", "disks"))
    )
    said: dict[str, Any] = dict(call.session.execute(query).all())
    return read(said["kiosk"], said.get("disks") or {}) if "kiosk" in said else None


def read(kiosk: Mapping[str, Any], disks: Mapping[str, Any]) -> Health:
    """The sections of a report in their types. Pure: nothing that a device says can break a page."""
    restarts = kiosk.get("restarts")
    return Health(
        browser=_text(kiosk.get("browser")) or None,
        restarts=restarts if isinstance(restarts, int) and not isinstance(restarts, bool) else 0,
        gave_up_at=_moment(kiosk.get("gave_up_at")),
        last_use=_moment(kiosk.get("last_use")),
        degrees=_whole(kiosk.get("temperature_c")),
        printer=_printer(kiosk.get("printer")),
        disks=tuple(_disks(disks.get("filesystems"))),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1000 else None


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _rows(value: object) -> Iterable[Mapping[str, Any]]:
    return (row for row in (value if isinstance(value, list) else [])[:SUPPLIES] if isinstance(row, Mapping))


def _printer(said: object) -> Printer | None:
    if not isinstance(said, Mapping):
        return None
    reasons = said.get("reasons")
    return Printer(
        state=_text(said.get("state")),
        paper=_text(said.get("paper")),
        reasons=tuple(_text(one) for one in (reasons if isinstance(reasons, list) else [])[:SUPPLIES]),
        supplies=tuple((_text(row.get("name")), _whole(row.get("level"))) for row in _rows(said.get("supplies"))),
        problem=_text(said.get("problem")),
    )


def _disks(said: object) -> Iterable[Disk]:
    for row in _rows(said):
        size, free = row.get("size_mb"), row.get("free_mb")
        if isinstance(size, int) and isinstance(free, int) and size > 0:
            yield Disk(_text(row.get("mount")), round(free / 1024, 1), round(size / 1024, 1))


def last_seen_by_people(call: Call, device: Device) -> KioskStop | None:
    """What somebody saw who last stood before it; None where nobody looked."""
    query = select(KioskStop).where(KioskStop.device_id == device.id, KioskStop.seen_at.is_not(None))
    return call.session.scalar(query.order_by(KioskStop.seen_at.desc()).limit(1))


def warmth(call: Call, device: Device, zone: ZoneInfo) -> Chart:
    """The warmest of each of the last days, from what changed in its reports; empty where it measures nothing."""
    query = (
        select(FactChange.at, FactChange.before, FactChange.after)
        .where(
            FactChange.device_id == device.id,
            FactChange.section == "kiosk",
            FactChange.path == "temperature_c",
            FactChange.at > call.now - timedelta(days=DAYS),
        )
        .order_by(FactChange.id)
    )
    changes = [
        (row.at.astimezone(zone).date(), _whole(row.before), _whole(row.after)) for row in call.session.execute(query)
    ]
    found = health(call, device)
    today = call.now.astimezone(zone).date()
    return chart(by_day(changes, found.degrees if found else None, today))


def by_day(
    changes: Sequence[tuple[date, int | None, int | None]], now: int | None, today: date
) -> list[tuple[date, int]]:
    """The warmest of each day from the first change on, in order: a value stands until the next one. Pure."""
    if not changes:
        return [] if now is None else [(today, now)]
    found: list[tuple[date, int]] = []
    standing, left = changes[0][1], list(changes)
    day = changes[0][0]
    while day <= today:
        warmest = [] if standing is None else [standing]
        while left and left[0][0] <= day:
            standing = left.pop(0)[2]
            warmest += [] if standing is None else [standing]
        if warmest:
            found.append((day, max(warmest)))
        day += timedelta(days=1)
    return found


def chart(days: Sequence[tuple[date, int]]) -> Chart:
    """The same as bars."""
    return Chart(
        tuple(day.isoformat() for day, _degrees in days),
        (Series(N_("Warmest, in °C"), "main", tuple(degrees for _day, degrees in days)),),
        tuple(() for _ in days),
    )
