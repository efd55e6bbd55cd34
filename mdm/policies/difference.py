"""The readable difference between two sets of settings: labels, old and new in words, secrets masked. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mdm.policies import catalogue
from mdm.policies.catalogue.keys import LISTS, Type


@dataclass(frozen=True, slots=True)
class Change:
    """One key that differs. ``kind`` is added, removed or changed; ``before`` and ``after`` are words, "" for none.

    ``more`` and ``fewer`` name the items of a list that came and went, ``other`` those whose content changed.
    """

    key: str
    label: str
    kind: str
    before: str
    after: str
    more: tuple[str, ...] = ()
    fewer: tuple[str, ...] = ()
    other: tuple[str, ...] = field(default=())


def difference(before: Mapping[str, Any], after: Mapping[str, Any], language: str = "en") -> list[Change]:
    """What differs, in the order of the catalogue, then keys that it no longer has. Empty when nothing does.

    Give it the true settings: a secret that changed is noticed, and masked in what comes out.
    """
    keys = [key for key in catalogue.known() if key in before or key in after]
    keys += sorted((set(before) | set(after)) - set(keys))
    return [_change(key, before, after, language) for key in keys if before.get(key) != after.get(key)]


def _change(key: str, before: Mapping[str, Any], after: Mapping[str, Any], language: str) -> Change:
    kind = "added" if key not in before else "removed" if key not in after else "changed"
    old, new = before.get(key), after.get(key)
    more, fewer, other = _items(key, old, new)
    return Change(
        key=key,
        label=catalogue.label(key, language),
        kind=kind,
        before=catalogue.show(key, old, language) if key in before else "",
        after=catalogue.show(key, new, language) if key in after else "",
        more=more,
        fewer=fewer,
        other=other,
    )


def _items(key: str, old: Any, new: Any) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    setting = catalogue.find(key)
    if setting is None or setting.spec.type not in {*LISTS, Type.RECORDS}:
        return (), (), ()
    identity = setting.spec.identity
    was, now = _named(identity, old or []), _named(identity, new or [])
    return (
        tuple(name for name in now if name not in was),
        tuple(name for name in was if name not in now),
        tuple(name for name in now if name in was and now[name] != was[name]),
    )


def _named(identity: str, items: Sequence[Any]) -> dict[str, Any]:
    return {str(item[identity]) if identity else str(item): item for item in items}
