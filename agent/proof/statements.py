"""What people sign: statements of six kinds, each with exactly its fields, written in the one canonical way."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any, Final

from agent import wire

MAX_NUMBER: Final = 2**53 - 1
MAX_TEXT: Final = 500
MAX_NAME: Final = 255
_DIRECTION: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Characters that make a line read otherwise than it is."""

_UID = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PERSON = re.compile(r"[a-z_]{1,32}:[A-Za-z0-9-]{1,40}")
_PLACE = re.compile(r"([A-Z0-9][A-Z0-9._-]{0,63})?")
_CODE = re.compile(r"([0-9]{8})?")
_WORD = re.compile(r"[a-z][a-z0-9_.]{0,63}")


class RefusedError(Exception):
    """It is refused; ``rule`` is a stable word for programs, ``str()`` a sentence. Nothing was done."""

    def __init__(self, rule: str, sentence: str) -> None:
        self.rule = rule
        super().__init__(sentence)


def statement_digest(text: str) -> bytes:
    """SHA-256 of a statement's bytes: what a passkey gets as its challenge."""
    return hashlib.sha256(text.encode()).digest()


def like(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    """A check that a value is text of this pattern, from its first to its last character."""
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def said(limit: int) -> Callable[[object], bool]:
    """A check that a value is a line for people: something in it, not too long, nothing that hides or turns around."""

    def check(value: object) -> bool:
        return isinstance(value, str) and len(value.strip()) > 0 and len(value) <= limit and _harmless(value)

    return check


def _harmless(text: str) -> bool:
    return not any(
        character in _DIRECTION or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text
    )


def number(least: int = 0, most: int = MAX_NUMBER) -> Callable[[object], bool]:
    """A check that a value is a whole number in a range; ``True`` is an int in Python, and is not one here."""
    return lambda value: type(value) is int and least <= value <= most


def one_of(*values: object) -> Callable[[object], bool]:
    """A check that a value is one of these, of the same type."""
    return lambda value: any(type(value) is type(one) and value == one for one in values)


def many(check: Callable[[object], bool], least: int, most: int) -> Callable[[object], bool]:
    """A check that a value is a list of so many of these."""
    return lambda value: isinstance(value, list) and least <= len(value) <= most and all(map(check, value))


def _digests(value: object) -> bool:
    return many(like(_DIGEST), 1, wire.MAX_BATCH)(value) and isinstance(value, list) and value == sorted(set(value))


def _arguments(value: object, depth: int = 0) -> bool:
    """Plain data without fractions: what is written in one way only."""
    if isinstance(value, dict):
        return depth < 6 and len(value) <= 1000 and all(_arguments(one, depth + 1) for one in value.values())
    if isinstance(value, list):
        return depth < 6 and len(value) <= 5000 and all(_arguments(one, depth + 1) for one in value)
    return value is None or isinstance(value, str | bool) or number(-MAX_NUMBER)(value)


def _limits(value: object) -> bool:
    return (
        isinstance(value, dict)
        and 0 < len(value) <= 50
        and all(like(_WORD)(name) and number()(limit) for name, limit in value.items())
    )


is_person = like(_PERSON)
is_place = like(_PLACE)
_ASKED: Final = {
    "id": like(_UID),
    "not_after": number(1),
    "reason": said(MAX_TEXT),
    "requested_by": said(MAX_NAME),
    "requester": is_person,
}
_FIELDS: Final[dict[str, dict[str, Callable[[object], bool]]]] = {
    "order": {
        **_ASKED,
        "device": like(_UID),
        "enrollment": like(_DIGEST),
        "epoch": number(1),
        "kind": one_of("order"),
        "lane": one_of(*wire.LANES),
        "not_before": number(1),
        "place": is_place,
        "presence": like(_CODE),
        "v": one_of(2),
        "verb": one_of("wipe"),
    },
    "batch": {
        **_ASKED,
        "kind": one_of("batch"),
        "lane": one_of("ordinary", "mass"),
        "orders": _digests,
        "v": one_of(1),
    },
    "act": {
        **_ASKED,
        "args": lambda value: isinstance(value, dict) and _arguments(value),
        "kind": one_of("act"),
        "not_before": number(1),
        "subject": said(MAX_NAME),
        "v": one_of(1),
        "verb": like(_WORD),
    },
    "thaw": {"freeze": number(1), "issued": number(1), "kind": one_of("thaw"), "v": one_of(1)},
    "budgets": {
        "issued": number(1),
        "kind": one_of("budgets"),
        "limits": _limits,
        "v": one_of(1),
        "version": number(1),
    },
    "roster": {
        "approvers": many(lambda one: isinstance(one, dict), 1, wire.MAX_APPROVERS),
        "ceremony": number(3, wire.MAX_APPROVERS),
        "issued": number(1),
        "kind": one_of("roster"),
        "origins": many(said(MAX_NAME), 1, 10),
        "rp_id": said(MAX_NAME),
        "threshold": number(2, wire.MAX_APPROVERS),
        "v": one_of(1),
        "version": number(1),
    },
}
_SIZES: Final = {
    "order": wire.MAX_ORDER,
    "batch": wire.MAX_BATCH_TEXT,
    "roster": wire.MAX_ROSTER,
    "act": wire.MAX_ACT,
    "thaw": wire.MAX_ORDER,
    "budgets": wire.MAX_ORDER,
}


def read_statement(text: object, kind: str) -> dict[str, Any]:
    """The fields of a statement of this kind. Raises RefusedError for anything that is not exactly one.

    ``size`` too long; ``form`` not text, not JSON, or another spelling of it; ``kind``, ``fields``, ``version``, ``verb``;
    ``types`` a value that cannot stand there; ``window`` an empty or too long time; ``lane`` lane and presence disagree.
    """
    statement = read_canonical(text, _SIZES[kind], kind)
    if not isinstance(statement, dict) or statement.get("kind") != kind:
        raise RefusedError("kind", f"This is not a statement of the kind {kind}.")
    checks = _FIELDS[kind]
    if set(statement) != set(checks):
        raise RefusedError("fields", f"The {kind} has not exactly the fields of one.")
    for name, check in checks.items():
        if not check(statement[name]):
            rule = {"v": "version", "verb": "verb"}.get(name, "types")
            raise RefusedError(rule, f"The field {name} of the {kind} cannot be what it says.")
    _whole(statement, kind)
    return statement


def read_canonical(text: object, limit: int, what: str) -> Any:
    """A value that is written in the one canonical way. Raises RefusedError ``size`` or ``form``."""
    if not isinstance(text, str):
        raise RefusedError("form", f"The {what} is not text.")
    if len(text) > limit:
        raise RefusedError("size", f"The {what} is longer than one may be.")
    try:
        raw = text.encode()
        value = json.loads(text)
        same = wire.canonical(value) == raw
    except (ValueError, RecursionError):
        raise RefusedError("form", f"The {what} is not JSON.") from None
    if len(raw) > limit:
        raise RefusedError("size", f"The {what} is longer than one may be.")
    if not same:
        raise RefusedError("form", f"The {what} is not written in the canonical way.")
    return value


def _whole(statement: dict[str, Any], kind: str) -> None:
    """What several fields say together."""
    if kind in ("order", "act"):
        begin, end = statement["not_before"], statement["not_after"]
        if not begin < end <= begin + wire.MAX_WINDOW:
            raise RefusedError("window", f"The time of the {kind} is empty, or longer than 72 hours.")
    if kind == "order" and (statement["lane"] == "hand_in") != bool(statement["presence"]):
        raise RefusedError("lane", "A code of presence belongs to a hand-in, and to nothing else.")
    if kind == "batch" and statement["lane"] == "ordinary" and len(statement["orders"]) > wire.ORDINARY_BATCH:
        raise RefusedError("lane", f"More than {wire.ORDINARY_BATCH} devices need the lane mass.")
