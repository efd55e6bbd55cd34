"""Half hours, and what is free in them. Pure: the numbers that are taken come in, the numbers to take go out."""

from collections.abc import Mapping, Set
from datetime import UTC, datetime, timedelta

HALF_HOUR = timedelta(minutes=30)
_SECONDS = 1800

Taken = Mapping[int, Set[int]]
"""Half hour to the numbers that are taken in it."""


def slot_of(moment: datetime) -> int:
    """The half hour in which a moment lies."""
    return int(moment.timestamp()) // _SECONDS


def begin_of(slot: int) -> datetime:
    """When a half hour begins, in UTC."""
    return datetime.fromtimestamp(slot * _SECONDS, UTC)


def is_whole(moment: datetime) -> bool:
    """Whether a moment is the beginning of a half hour."""
    return begin_of(slot_of(moment)) == moment


def slots_of(begins: datetime, ends: datetime) -> range:
    """Every half hour of a window; its end belongs to the next one."""
    return range(slot_of(begins), -(-int(ends.timestamp()) // _SECONDS))


def free_numbers(wanted: range, taken: Taken, room: Mapping[int, int] | int) -> list[tuple[int, int]] | int:
    """A number for every half hour, as (half hour, number); or the first half hour in which there is no room.

    ``room`` is how many there may be at a time: one number for all half hours, or one for each. A number need not be the
    same from one half hour to the next: it is nobody's chair, so a window fits wherever there is room all along it.
    """
    numbers = []
    for slot in wanted:
        here = taken.get(slot, frozenset())
        most = room if isinstance(room, int) else room[slot]
        if len(here) >= most:
            return slot
        numbers.append((slot, next(number for number in range(1, most + len(here) + 1) if number not in here)))
    return numbers


def most_at_once(windows: list[tuple[datetime, datetime]]) -> int:
    """How many of these windows lie over each other at the most; one that ends when another begins does not."""
    edges = sorted([(begins, 1) for begins, _ in windows] + [(ends, -1) for _, ends in windows])
    at_once = most = 0
    for _, change in edges:
        at_once += change
        most = max(most, at_once)
    return most
