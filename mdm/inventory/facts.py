"""Rules about what a device says of itself, as pure functions: cleaned, bounded, and what changed in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from agent.wire import canonical, digest
from mdm.core.errors import N_, InvalidError
from mdm.core.text import clean
from mdm.inventory.model import Platform

MAX_DEPTH: Final = 6
MAX_ITEMS: Final = 20_000
"""Values in one report, all sections together: a Debian with every desktop has some 5,000 packages."""
MAX_TEXT: Final = 1024
MAX_KEY: Final = 255
MAX_INTEGER: Final = 2**53
MAX_CHANGES: Final = 64
"""Changes that are kept of one section of one report; the rest is counted in one line."""
MAX_VALUE: Final = 512
"""Bytes of one value in the history; a longer one is told by its beginning."""

DONE: Final = frozenset({"applied", "staged"})
"""States of a resource after which nothing is to come."""
_NAMED_BY: Final = ("mount", "name")
"""What an entry of a list is known by, so that a change is of that entry and not of its place in the list."""
_UNSTEADY: Final = frozenset({"free_mb", "last_use", "level", "pending_updates", "pending_security"})
"""Fields that change by themselves all day: their present value counts, their history says nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field with its value before and after; None where there was or is none."""

    path: str
    before: Any
    after: Any


@dataclass(slots=True)
class _Budget:
    left: int


def cleaned(sections: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The sections with every string made harmless. Raises InvalidError when they are too deep or hold too much."""
    budget = _Budget(MAX_ITEMS)
    return {name: _clean_dict(content, 1, budget, name) for name, content in sections.items()}


def _clean_dict(content: dict[str, Any], depth: int, budget: _Budget, place: str) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise InvalidError(
            N_("The report was refused: %(place)s is nested more than %(limit)s deep."),
            code="report_too_deep",
            place=place,
            limit=MAX_DEPTH,
        )
    kept = {clean(key, MAX_KEY): _clean_value(value, depth, budget, place) for key, value in content.items()}
    kept.pop("", None)
    return kept


def _clean_value(value: Any, depth: int, budget: _Budget, place: str) -> Any:
    budget.left -= 1
    if budget.left < 0:
        raise InvalidError(
            N_("The report was refused: it holds more than %(limit)s values."),
            code="report_too_large",
            limit=MAX_ITEMS,
        )
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean(value, MAX_TEXT, lines=True)
    if isinstance(value, int):
        return max(-MAX_INTEGER, min(MAX_INTEGER, value))
    if isinstance(value, float):
        return value if abs(value) < MAX_INTEGER else None
    if isinstance(value, dict):
        return _clean_dict(value, depth + 1, budget, place)
    if isinstance(value, list):
        if depth >= MAX_DEPTH:
            return _clean_dict({}, depth + 1, budget, place)
        return [_clean_value(entry, depth + 1, budget, place) for entry in value]
    return None


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """What changed from one content of a section to the next, by path, at most ``MAX_CHANGES`` and one that counts."""
    old, new = dict(fields_of(before)), dict(fields_of(after))
    found = [
        Change(path[:128], _shown(old.get(path)), _shown(new.get(path)))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path) and path.rpartition(".")[2] not in _UNSTEADY
    ]
    if len(found) > MAX_CHANGES:
        return [*found[:MAX_CHANGES], Change("…", None, len(found) - MAX_CHANGES)]
    return found


def fields_of(content: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every field of a section with its path: an entry of a list by what it is known by, else by its place."""
    for key, value in content.items():
        path = prefix + key
        if isinstance(value, dict):
            yield from fields_of(value, path + ".")
        elif isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
            for number, entry in enumerate(value):
                name = next((str(entry[word]) for word in _NAMED_BY if entry.get(word)), str(number))
                yield from fields_of(entry, f"{path}.{name}.")
        else:
            yield path, value


def _shown(value: Any) -> Any:
    try:
        text = canonical(value)
    except ValueError:
        return None
    return value if len(text) <= MAX_VALUE else text[:MAX_VALUE].decode(errors="ignore") + " …"


def packages(content: dict[str, Any]) -> dict[str, str]:
    """Identifier to version of what the section ``packages`` lists; what is not text is left out."""
    items = content.get("items")
    if not isinstance(items, dict):
        return {}
    return {str(name)[:MAX_KEY]: version[:128] for name, version in items.items() if isinstance(version, str)}


def set_digest(platform: str, items: dict[str, str]) -> str:
    """The digest under which a distinct set of applications is stored once."""
    return digest([platform, items])


def applied_in_full(content: dict[str, Any], platform: str) -> bool:
    """Whether every resource of the desired state is applied, or staged where the agent works below a folder.

    What a phone cannot have (``unsupported``: its system is too old, or it is not supervised) holds nothing up: it was told
    of before the policy was saved, and waiting changes nothing. On a computer it is an agent that is too old, and counts.
    """
    resources = content.get("resources")
    if not isinstance(resources, dict):
        return False
    states = [entry.get("state") if isinstance(entry, dict) else None for entry in resources.values()]
    return all(state in done(platform) for state in states)


def done(platform: str) -> frozenset[str]:
    """The states of a resource in which nothing is left to wait for on such a device."""
    return DONE if platform == Platform.LINUX else DONE | {"unsupported"}
