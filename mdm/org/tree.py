"""The tree of units through time: pure functions over dated hangings."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple


class Hanging(NamedTuple):
    """From this date on ``unit`` hangs below ``parent``; None: it is a root."""

    unit: int
    parent: int | None
    from_date: date


def parents_on(hangings: Iterable[Hanging], on: date) -> dict[int, int | None]:
    """Each unit's parent on that date: of its latest hanging that had come. A unit without one is a root, left out."""
    latest: dict[int, Hanging] = {}
    for hanging in hangings:
        before = latest.get(hanging.unit)
        if hanging.from_date <= on and (before is None or before.from_date < hanging.from_date):
            latest[hanging.unit] = hanging
    return {unit: hanging.parent for unit, hanging in latest.items()}


def path(parents: Mapping[int, int | None], unit: int) -> tuple[int, ...]:
    """The unit and its ancestors, nearest first. Ends where a unit would come twice, so that it always ends."""
    steps = [unit]
    seen = {unit}
    above = parents.get(unit)
    while above is not None and above not in seen:
        steps.append(above)
        seen.add(above)
        above = parents.get(above)
    return tuple(steps)


def below(parents: Mapping[int, int | None], unit: int) -> frozenset[int]:
    """The unit and everything below it."""
    children: dict[int, list[int]] = {}
    for child, parent in parents.items():
        if parent is not None:
            children.setdefault(parent, []).append(child)
    found = {unit}
    waiting = [unit]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return frozenset(found)


def first_circle(hangings: Iterable[Hanging], move: Hanging) -> date | None:
    """The first date on which this move would hang the unit below itself; None when that never happens.

    Every later date on which any unit moves is looked at, because a move that is planned already can close the circle.
    """
    others = [h for h in hangings if (h.unit, h.from_date) != (move.unit, move.from_date)]
    until = min((h.from_date for h in others if h.unit == move.unit and h.from_date > move.from_date), default=None)
    after = [*others, move]
    dates = {move.from_date, *(h.from_date for h in others if h.from_date > move.from_date)}
    for day in sorted(dates):
        if until is not None and day >= until:
            return None
        if move.parent is not None and move.unit in path(parents_on(after, day), move.parent):
            return day
    return None


def circles(hangings: Iterable[Hanging], from_date: date) -> dict[int, date]:
    """Units that hang below themselves on some date from ``from_date`` on, each with the first such date. Linear per date."""
    known = list(hangings)
    found: dict[int, date] = {}
    for day in sorted({from_date, *(h.from_date for h in known if h.from_date > from_date)}):
        for unit in _in_circles(parents_on(known, day)):
            found.setdefault(unit, day)
    return found


def _in_circles(parents: Mapping[int, int | None]) -> set[int]:
    done: set[int] = set()
    caught: set[int] = set()
    for start in parents:
        trail: list[int] = []
        position: dict[int, int] = {}
        at: int | None = start
        while at is not None and at not in done and at not in position:
            position[at] = len(trail)
            trail.append(at)
            at = parents.get(at)
        if at is not None and at in position:
            caught.update(trail[position[at] :])
        done.update(trail)
    return caught
