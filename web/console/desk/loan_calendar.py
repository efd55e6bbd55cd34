"""The calendar of a place that lends: what lies where on the drawing. Pure, but for the words.

Each day is a column of the same width that shows the hours around its opening; what lasts longer goes on in the next one. A
column is as wide on the day on which the clock is changed, so nothing there is moved by an hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mdm.desk.loans.model import LoanState
from mdm.desk.loans.opening import DAY, Week, spans_on
from mdm.desk.loans.queries import Booked

COLUMN, LANE, HEAD = 132, 34, 28
"""Width of a day, height of a lane and of the line with the days, in pixels."""
EARLIEST, LATEST = time(8), time(18)
"""What a column shows at the least."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One reservation on the drawing."""

    booked: Booked
    x: float
    width: float
    y: int
    cut: str
    """Its name, as far as there is room for it."""


@dataclass(frozen=True, slots=True)
class Column:
    """One day: where it begins, and where the place is closed."""

    day: date
    x: int
    closed: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Calendar:
    """All that the drawing needs. ``now`` is where this moment is, None outside of it."""

    columns: Sequence[Column]
    bars: Sequence[Bar]
    lanes: int
    now: float | None

    @property
    def width(self) -> int:
        """In pixels."""
        return len(self.columns) * COLUMN

    @property
    def height(self) -> int:
        """In pixels."""
        return HEAD + max(1, self.lanes) * LANE


class Scale:
    """Where a moment lies: in the column of its local day, between the first and the last hour that columns show."""

    def __init__(self, first: date, days: int, week: Week, zone: ZoneInfo) -> None:
        self.first, self.days, self.week, self.zone = first, days, week, zone
        spans = [span for number in range(days) for span in spans_on(week, first + number * DAY, zone)]
        hours = [moment.astimezone(zone) for span in spans for moment in span] if week else []
        self.begin = min([EARLIEST, *(one.time() for one in hours if one.time() != time(0))])
        self.end = max([LATEST, *(one.time() for one in hours)])

    def __call__(self, moment: datetime) -> float:
        """Pixels from the left edge; what lies before or after the days lies at their edge."""
        local = moment.astimezone(self.zone)
        number = (local.date() - self.first).days
        if number < 0:
            return 0.0
        if number >= self.days:
            return float(self.days * COLUMN)
        whole = _minutes(self.end) - _minutes(self.begin)
        share = (_minutes(local.time()) - _minutes(self.begin)) / whole
        return (number + min(1.0, max(0.0, share))) * COLUMN

    def closed(self, day: date) -> list[tuple[float, float]]:
        """Where the column of a day shows that nobody is there, as edge and width."""
        left = (day - self.first).days * COLUMN
        edges = [float(left)]
        for begin, end in spans_on(self.week, day, self.zone):
            edges += [self(begin), self(end)]
        edges.append(float(left + COLUMN))
        return [(a, b - a) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 0.5]


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def draw(found: Sequence[Booked], first: date, days: int, week: Week, zone: ZoneInfo, now: datetime) -> Calendar:
    """The drawing of what was found; each lane holds what does not lie over each other, who waits stands below."""
    scale = Scale(first, days, week, zone)
    lanes: list[datetime] = []
    bars = []
    ordered = sorted(found, key=lambda one: (one.row.state == LoanState.WAITING, one.row.begins_at, one.row.id))
    waits_from = 0
    for one in ordered:
        waits = one.row.state == LoanState.WAITING
        if waits and not waits_from:
            waits_from = len(lanes) or 1
            lanes += [datetime.min.replace(tzinfo=UTC)] * (waits_from - len(lanes))
        lane = _lane(lanes, one.row.begins_at, waits_from if waits else 0)
        lanes[lane] = one.row.ends_at
        x = scale(one.row.begins_at)
        width = max(scale(one.row.ends_at) - x, 6.0)
        bars.append(Bar(one, round(x, 1), round(width, 1), HEAD + lane * LANE + 3, _cut(one.person.name, width)))
    columns = [
        Column(first + number * DAY, number * COLUMN, scale.closed(first + number * DAY)) for number in range(days)
    ]
    shown = first <= now.astimezone(zone).date() < first + timedelta(days=days)
    return Calendar(columns, bars, len(lanes), round(scale(now), 1) if shown else None)


def _lane(lanes: list[datetime], begins: datetime, since: int) -> int:
    """The first lane, from ``since`` on, that is free again by then; a new one where none is."""
    for number in range(since, len(lanes)):
        if lanes[number] <= begins:
            return number
    lanes.append(begins)
    return len(lanes) - 1


def _cut(name: str, width: float) -> str:
    room = int((width - 14) / 8)
    return name if len(name) <= room else f"{name[: max(0, room - 1)]}…" if room > 2 else ""
