"""Status reports of declarative management: read within limits, and merged into what is known. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from agent.wire import canonical
from mdm.core.errors import N_, InvalidError
from mdm.core.text import clean

MAX_DEPTH: Final = 24
MAX_VALUES: Final = 20_000
MAX_STATUS: Final = 512 * 1024
"""Bytes of everything that is kept of one phone's status."""
MAX_TEXT: Final = 1024
MAX_ERRORS: Final = 20
Status = dict[str, Any]


def read(data: bytes) -> Status:
    """The report as data. Raises InvalidError (``status_wrong``) for what is none, too deep, too large, or ambiguous."""
    try:
        found = json.loads(data, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _wrong("it cannot be read") from error
    if not isinstance(found, dict) or not isinstance(found.get("StatusItems", {}), dict):
        raise _wrong("it is no status report")
    if not isinstance(found.get("Errors", []), list) or not isinstance(found.get("FullReport", False), bool):
        raise _wrong("it is no status report")
    budget = [MAX_VALUES]
    return {key: _cleaned(value, 1, budget) for key, value in found.items() if key in _KEYS}


_KEYS: Final = ("StatusItems", "Errors", "FullReport")


def merged(known: Mapping[str, Any], report: Mapping[str, Any]) -> Status:
    """What is known after this report: it adds, replaces and removes, or stands for everything where it is full."""
    before = {} if report.get("FullReport") else dict(known.get("items", {}))
    after = {"items": _merge(before, report.get("StatusItems", {})), "errors": report.get("Errors", [])[:MAX_ERRORS]}
    if len(canonical(after)) > MAX_STATUS:
        raise _wrong("it is too large")
    return after


def item(status: Mapping[str, Any], name: str) -> Any:
    """The value of a status item by its name in dots; None where it was not told."""
    found: Any = status.get("items", {})
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def declared(status: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the phone says of its declarations, by identifier: token, active, valid and the first reasons in words."""
    found = {}
    lists = item(status, "management.declarations")
    for entries in lists.values() if isinstance(lists, Mapping) else ():
        for one in entries if isinstance(entries, list) else ():
            if isinstance(one, Mapping) and isinstance(one.get("identifier"), str):
                found[one["identifier"]] = {
                    "token": one.get("server-token"),
                    "active": one.get("active") is True,
                    "valid": one.get("valid"),
                    "reasons": list(_reasons(one.get("reasons"))),
                }
    return found


def _reasons(reasons: object) -> Iterator[str]:
    for reason in reasons[:5] if isinstance(reasons, list) else ():
        if isinstance(reason, Mapping):
            yield clean(f"{reason.get('code', '')} {reason.get('description', '')}", 300)


def _merge(before: Any, after: Any) -> Any:
    if isinstance(after, dict):
        kept = dict(before) if isinstance(before, dict) else {}
        for key, value in after.items():
            kept[key] = _merge(kept.get(key), value)
        return kept
    if isinstance(after, list) and all(isinstance(one, dict) and "identifier" in one for one in after):
        known = {one["identifier"]: one for one in before} if _entries(before) else {}
        for one in after:
            if one.get("_removed") is True:
                known.pop(one["identifier"], None)
            else:
                known[one["identifier"]] = one
        return list(known.values())
    return after


def _entries(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) and "identifier" in one for one in value)


def _cleaned(value: Any, depth: int, budget: list[int]) -> Any:
    budget[0] -= 1
    if depth > MAX_DEPTH or budget[0] < 0:
        raise _wrong("it is too deep or too large")
    if isinstance(value, dict):
        return {clean(key, 255): _cleaned(one, depth + 1, budget) for key, one in value.items()}
    if isinstance(value, list):
        return [_cleaned(one, depth + 1, budget) for one in value]
    if isinstance(value, str):
        return clean(value, MAX_TEXT, lines=True)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return str(value)[:40]
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _wrong(why: str) -> InvalidError:
    return InvalidError(
        N_("The status report was refused: %(why)s. Nothing of it was stored."), code="status_wrong", why=why
    )
