"""Days of the week as people say them: a run of days by its ends, in the language of the page."""

from collections.abc import Iterable, Mapping
from typing import Final

from flask_babel import get_locale, gettext

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def runs(codes: Iterable[str]) -> list[tuple[int, int]]:
    """The days as runs of neighbours, first and last of each: ``mon tue wed sat`` is ``[(0, 2), (5, 5)]``. Pure.

    Days that nobody knows are left out; a week does not go round, because people begin it on Monday.
    """
    wanted = set(codes)
    found: list[tuple[int, int]] = []
    for number, code in enumerate(_DAYS):
        if code not in wanted:
            continue
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def weekdays(codes: Iterable[str]) -> str:
    """The days in words: "every day", or first and last of a run joined by a dash, runs by commas.

    Empty for none. The names are CLDR's (format, wide).
    """
    found = runs(codes)
    if found == [(0, 6)]:
        return str(gettext("every day"))
    names = get_locale().days["format"]["wide"]
    return ", ".join(_run(names, first, last) for first, last in found)


def _run(names: Mapping[int, str], first: int, last: int) -> str:
    if first == last:
        return names[first]
    return f"{names[first]}, {names[last]}" if last == first + 1 else f"{names[first]}\N{EN DASH}{names[last]}"
