"""Quiet hours and days: when nobody is written to who need not be. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
LONGEST = 400
"""Days that are looked through for an open moment."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """From ``begins`` to ``ends`` each night (alike: never), on ``weekdays`` (Monday is 0) and on ``dates``."""

    zone: ZoneInfo
    begins: time
    ends: time
    weekdays: frozenset[int] = frozenset()
    dates: frozenset[str] = frozenset()
    """As ``2026-12-25``, or ``12-25`` for every year."""

    @classmethod
    def of(cls, zone: str, hours: str, days: str) -> "Quiet":
        """From ``19:00-08:00`` (empty: none) and ``sat,sun,12-25``. Raises ValueError that says what is wrong."""
        told = _HOURS.fullmatch(hours.strip()) if hours.strip() else None
        if hours.strip() and told is None:
            raise ValueError("hours are written as 19:00-08:00")
        begins = time(int(told[1]), int(told[2])) if told else time.min
        ends = time(int(told[3]), int(told[4])) if told else time.min
        words = [word.strip().lower() for word in days.split(",") if word.strip()]
        weekdays = frozenset(WEEKDAYS.index(word) for word in words if word in WEEKDAYS)
        dates = frozenset(word for word in words if word not in WEEKDAYS)
        for word in dates:
            try:
                # A leap year, so that the 29th of February is a day.
                date.fromisoformat(word if len(word) == len("2026-12-25") else f"2024-{word}")
            except ValueError:
                raise ValueError("days are weekdays (sat) or dates (2026-12-25, 12-25), separated by commas") from None
        if len(weekdays) == len(WEEKDAYS):
            raise ValueError("at least one day of the week must not be quiet")
        return cls(ZoneInfo(zone), begins, ends, weekdays, dates)

    def open_at(self, now: datetime) -> datetime:
        """The first moment from ``now`` on that is not quiet, in UTC; ``now`` itself where that is one."""
        here = now.astimezone(self.zone)
        for _ in range(LONGEST):
            if self._quiet_day(here.date()):
                here = self._at(here.date() + timedelta(days=1), time.min)
            elif (ends := self._ends(here)) is not None:
                here = ends
            else:
                return here.astimezone(UTC)
        return now

    def _quiet_day(self, day: date) -> bool:
        return day.weekday() in self.weekdays or not self.dates.isdisjoint({day.isoformat(), f"{day:%m-%d}"})

    def _ends(self, here: datetime) -> datetime | None:
        """The end of the quiet hours that ``here`` lies in; None outside of them."""
        clock, day = here.time(), here.date()
        if self.begins < self.ends:
            return self._at(day, self.ends) if self.begins <= clock < self.ends else None
        if self.begins > self.ends:
            if clock >= self.begins:
                return self._at(day + timedelta(days=1), self.ends)
            return self._at(day, self.ends) if clock < self.ends else None
        return None

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone)
