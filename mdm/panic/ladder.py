"""Who is told when: the ladder of a call for help. Pure.

| rung | who | when |
| --- | --- | --- |
| ``duty`` | the next on the list of those on duty | at once, then after each ``N`` seconds without an answer |
| ``place`` | everybody who may answer at that place | when the list is at its end; at once where nobody is on duty |
| ``city`` | everybody who may answer for the whole city | ``N`` seconds later; at once where the place has nobody |

After the last rung the city is told again every five minutes, until somebody answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

AGAIN: Final = timedelta(minutes=5)


class Rung(StrEnum):
    """Which circle of people is told."""

    CITY = "city"
    DUTY = "duty"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class Telling:
    """What one rung does: who is told, by number in the given circle, and when the next rung is due."""

    rung: Rung
    who: tuple[int, ...]
    next_at: datetime


def climb(step: int, ranks: Sequence[int], place: int, city: int, now: datetime, seconds: int) -> Telling:
    """What happens at the ``step``-th rung, the first being 0.

    ``ranks`` are the ranks of those on duty, sorted; ``place`` and ``city`` how many others may answer there. Circles with
    nobody in them are left out; with nobody at all the city's is told of, empty, so that somebody looks again.
    """
    groups = _by_rank(ranks)
    later = now + timedelta(seconds=seconds)
    if step < len(groups):
        return Telling(Rung.DUTY, groups[step], later)
    wider = [(Rung.PLACE, place)] * (place > 0) + [(Rung.CITY, city)]
    left = step - len(groups)
    rung, count = wider[min(left, len(wider) - 1)]
    return Telling(rung, tuple(range(count)), later if left < len(wider) - 1 else now + AGAIN)


def _by_rank(ranks: Sequence[int]) -> list[tuple[int, ...]]:
    """Numbers of those who are told together, in the order of their rank."""
    return [tuple(number for number, rank in enumerate(ranks) if rank == wanted) for wanted in sorted(set(ranks))]
