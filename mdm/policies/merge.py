"""The merge rules: how the values that several policies give for one key become one. Pure.

Every rule is given the contributions in the order of rank (lowest number first, then the oldest assignment) and says what
comes out, who wins, and for each of the others why it does not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mdm.policies.catalogue.keys import Merge, Setting, Type, version_of

KEPT = frozenset({"same", "merged", "narrowed"})
"""Reasons that are no loss: what the policy says is in the value."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one policy says for the key."""

    priority: int
    value: Any


@dataclass(frozen=True, slots=True)
class Why:
    """The reason why a contribution is not the winner: a key of the chapter ``reason``, and what it is filled with."""

    reason: str
    items: tuple[str, ...] = ()


@dataclass(slots=True)
class Merged:
    """The value, the number of the winner, and a reason for everybody else. ``clash`` names what contradicts itself."""

    value: Any
    winner: int
    why: dict[int, Why] = field(default_factory=dict)
    clash: str = ""


def merge(setting: Setting, contributions: Sequence[Contribution]) -> Merged:
    """One value out of at least one contribution, by the setting's own rule."""
    return RULES[setting.merge](setting, contributions)


def _priority(_setting: Setting, given: Sequence[Contribution]) -> Merged:
    merged = Merged(given[0].value, 0)
    for number, other in enumerate(given[1:], 1):
        if other.value == merged.value:
            merged.why[number] = Why("same")
        elif other.priority == given[0].priority:
            merged.why[number] = Why("tie")
            merged.clash = "tie"
        else:
            merged.why[number] = Why("rank")
    return merged


def _switch(wins: bool, reason: str) -> Callable[[Setting, Sequence[Contribution]], Merged]:
    def rule(_setting: Setting, given: Sequence[Contribution]) -> Merged:
        winner = next((number for number, one in enumerate(given) if one.value is wins), 0)
        return _others(given, winner, reason)

    return rule


def _strictest(choose: Callable[..., int]) -> Callable[[Setting, Sequence[Contribution]], Merged]:
    def rule(setting: Setting, given: Sequence[Contribution]) -> Merged:
        def strictness(number: int) -> Any:
            value = given[number].value
            if setting.spec.type is Type.CHOICE:
                return setting.spec.choice_order(value)
            return version_of(value) if setting.spec.type is Type.TEXT else value

        # min() and max() keep the first of equals, which is the one of the lowest rank.
        return _others(given, choose(range(len(given)), key=strictness), "less_strict")

    return rule


def _others(given: Sequence[Contribution], winner: int, reason: str) -> Merged:
    value = given[winner].value
    merged = Merged(value, winner)
    for number, other in enumerate(given):
        if number != winner:
            merged.why[number] = Why("same" if other.value == value else reason)
    return merged


def _union(_setting: Setting, given: Sequence[Contribution]) -> Merged:
    value = list(dict.fromkeys(item for one in given for item in one.value))
    merged = Merged(value, 0)
    seen = set(given[0].value)
    for number, other in enumerate(given[1:], 1):
        merged.why[number] = Why("same" if seen.issuperset(other.value) else "merged")
        seen.update(other.value)
    return merged


def _intersection(_setting: Setting, given: Sequence[Contribution]) -> Merged:
    value = [item for item in given[0].value if all(item in one.value for one in given)]
    merged = Merged(value, 0, clash="" if value else "nothing_left")
    for number, other in enumerate(given[1:], 1):
        merged.why[number] = Why("same" if set(other.value) == set(value) else "narrowed")
    return merged


def _by_name(setting: Setting, given: Sequence[Contribution]) -> Merged:
    identity = setting.spec.identity
    chosen: dict[Any, tuple[int, dict[str, Any]]] = {}
    merged = Merged([], 0)
    for number, one in enumerate(given):
        lost, added = [], False
        for record in one.value:
            name = record[identity]
            holder, winning = chosen.setdefault(name, (number, record))
            added = added or holder == number
            if winning != record:
                lost.append(str(name))
                if given[holder].priority == one.priority:
                    merged.clash = "tie"
        if number:
            merged.why[number] = Why("partly", tuple(lost)) if lost else Why("merged" if added else "same")
    merged.value = [record for _holder, record in chosen.values()]
    return merged


RULES: Mapping[Merge, Callable[[Setting, Sequence[Contribution]], Merged]] = {
    Merge.BY_NAME: _by_name,
    Merge.FALSE_WINS: _switch(False, "allows"),
    Merge.INTERSECTION: _intersection,
    Merge.PRIORITY: _priority,
    Merge.STRICTEST_MAX: _strictest(max),
    Merge.STRICTEST_MIN: _strictest(min),
    Merge.TRUE_WINS: _switch(True, "waives"),
    Merge.UNION: _union,
}


def for_platform(setting: Setting, value: Any, platform: str) -> Any:
    """The value without what is marked for another platform: ``linux:chromium`` is ``chromium`` there, nothing elsewhere.

    Everything but lists of applications is given back as it is.
    """
    if setting.spec.type is not Type.APPS:
        return value
    kept = []
    for item in value:
        prefix, colon, name = item.partition(":")
        if not colon:
            kept.append(item)
        elif prefix == platform:
            kept.append(name)
    return list(dict.fromkeys(kept))
