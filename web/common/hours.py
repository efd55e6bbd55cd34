"""Opening hours as people write them: days that are alike stand together."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from flask_babel import get_locale

TO = "\u2013"
"""The dash between a beginning and an end."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def open_hours(week: Mapping[str, Sequence[Sequence[str]]]) -> str:
    """The week in the person's language, "Mon-Thu 09:00-12:00, 13:00-16:30 · Fri 09:00-12:00"; empty when always closed."""
    locale = get_locale()
    names = locale.days["stand-alone"]["abbreviated"] if locale else dict(enumerate(DAYS))
    parts = []
    for spans, alike in groupby(range(len(DAYS)), key=lambda number: tuple(map(tuple, week.get(DAYS[number], ())))):
        days = list(alike)
        if spans:
            first, last = names[days[0]], names[days[-1]]
            when = first if len(days) == 1 else f"{first}{TO}{last}"
            parts.append(f"{when} " + ", ".join(f"{begin}{TO}{end}" for begin, end in spans))
    return " · ".join(parts)


def same_hours(days: Iterable[str], begin: str, end: str) -> str:
    """The same hours on each of these days, as ``open_hours`` writes them; from midnight to midnight is the whole day."""
    hours = (begin, "24:00" if begin == end == "00:00" else end)
    return open_hours({day: [hours] for day in days})
