"""The text of the next roster, from the one in force and from what is wished for. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent.wire import ROSTER_WAIT, canonical

Statement = dict[str, Any]
EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Wish:
    """One person as the next roster shall name them. ``keys`` are ``{"id", "public", "type"}``."""

    person: str
    name: str
    places: tuple[str, ...]
    keys: tuple[dict[str, str], ...]


def next_roster(old: Statement, wishes: Sequence[Wish], *, threshold: int, ceremony: int, now: int) -> str:
    """The canonical text of the roster after ``old``. Whoever is new in it, or gets more places, waits for 72 hours.

    Whether it may be so is judged by ``agent.proof.check_roster_step``, not here.
    """
    known = {one["person"]: one for one in old["approvers"]}
    people = [
        {
            "from": _since(known.get(wish.person), wish, now),
            "keys": sorted(wish.keys, key=lambda key: key["id"]),
            "name": wish.name,
            "person": wish.person,
            "places": sorted(set(wish.places)),
        }
        for wish in sorted(wishes, key=lambda wish: wish.person)
    ]
    fixed = {"approvers": people, "ceremony": ceremony, "issued": now, "threshold": threshold}
    return canonical({**old, **fixed, "version": old["version"] + 1}).decode()


def _since(before: Statement | None, wish: Wish, now: int) -> int:
    waits = now + ROSTER_WAIT
    if before is None:
        return waits
    since: int = before["from"]
    more = EVERYWHERE not in before["places"] and not set(wish.places) <= set(before["places"])
    return max(since, waits) if more else since


@dataclass(frozen=True, slots=True)
class Change:
    """How one person differs between two rosters: ``added``, ``removed``, ``changed`` or ``same``."""

    person: str
    name: str
    kind: str
    places: tuple[str, ...]
    keys: tuple[str, ...]
    since: int
    keys_added: tuple[str, ...] = ()
    keys_removed: tuple[str, ...] = ()
    places_before: tuple[str, ...] = ()


def changes(old: Statement | None, new: Statement) -> list[Change]:
    """Everybody of both rosters with what becomes of them, those who change first."""
    before = {one["person"]: one for one in old["approvers"]} if old else {}
    after = {one["person"]: one for one in new["approvers"]}
    found = [_change(before.get(person), after.get(person)) for person in sorted(before.keys() | after.keys())]
    return sorted(found, key=lambda one: (one.kind == "same", one.name))


def _change(before: Statement | None, after: Statement | None) -> Change:
    shown: Statement = (after if after is not None else before) or {}
    old_keys = {key["id"] for key in before["keys"]} if before else set()
    new_keys = {key["id"] for key in after["keys"]} if after else set()
    kind = _kind(before, after)
    return Change(
        person=shown["person"],
        name=shown["name"],
        kind=kind,
        places=tuple(shown["places"]),
        keys=tuple(sorted(new_keys or old_keys)),
        since=shown["from"],
        keys_added=tuple(sorted(new_keys - old_keys)) if kind == "changed" else (),
        keys_removed=tuple(sorted(old_keys - new_keys)) if kind == "changed" else (),
        places_before=tuple(before["places"])
        if before is not None and kind == "changed" and before["places"] != shown["places"]
        else (),
    )


def _kind(before: Statement | None, after: Statement | None) -> str:
    if before is None:
        return "added"
    if after is None:
        return "removed"
    return "same" if before == after else "changed"
