"""When somebody is reminded, and when who leads them is told. Pure: days are days of the city."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

REMIND_AFTER: Final = 7
"""Days without activation after which the person is reminded."""
LEAD_AFTER: Final = 14
"""Days without activation after which who leads them is told."""
LEAD_REST: Final = 7
"""Days between two letters to the same lead, however many people become due meanwhile."""
AGAIN_AFTER: Final = 7
"""Days within which nobody is invited a second time."""
GOAL: Final = 84
"""Per cent of those who were invited: the city wants to be above it."""


def invited_before(now: datetime, zone: ZoneInfo, days: int) -> datetime:
    """The moment before which somebody was invited for whom ``days`` days of the calendar are over at ``now``.

    Who was invited on a Monday, at whatever hour, is due after seven days from the first minute of the next Monday on: all
    who were invited on one day become due together.
    """
    day: date = now.astimezone(zone).date() - timedelta(days=days - 1)
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment after a day of the city."""
    return datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)


def share(part: int, whole: int) -> float:
    """Per cent with one decimal; 0 of nothing."""
    return round(100 * part / whole, 1) if whole else 0.0
