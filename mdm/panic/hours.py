"""Who is on duty at a moment, by the city's clock. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Turn:
    """One line of the roster, as far as time goes: days of the week, from when to when, between which dates."""

    days: frozenset[str]
    begins: str
    ends: str
    from_day: date
    until_day: date | None = None


def on_duty(turn: Turn, now: datetime, zone: ZoneInfo) -> bool:
    """Whether the turn covers this moment. One that ends after midnight belongs to the day on which it began."""
    local = now.astimezone(zone)
    time, today = local.strftime("%H:%M"), local.date()
    if turn.begins < turn.ends:
        return _begins_on(turn, today) and turn.begins <= time < turn.ends
    before = _begins_on(turn, today - timedelta(days=1)) and time < turn.ends
    return before or (_begins_on(turn, today) and time >= turn.begins)


def _begins_on(turn: Turn, day: date) -> bool:
    until = turn.until_day
    return DAYS[day.weekday()] in turn.days and turn.from_day <= day and (until is None or day <= until)
