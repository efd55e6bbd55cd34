"""A witness of the diary: signed heads, one per line, kept where whoever writes the database cannot reach them.

Pure: text in, heads out. A line is one JSON object; what a log daemon writes before it is passed over, so that a file of
syslog is a witness as it is. Whoever restores a backup leaves a mark, and heads of lines that the restore lost stop
counting from there: the mark says so for ever.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from agent.wire import canonical
from mdm.core.errors import N_, InvalidError
from mdm.core.text import clean
from mdm.signing.seals import Head

MAX_LINE: Final = 4096
"""Characters of a line that are looked at; a longer one is no head."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The word of whoever restored a backup: from here the diary ends at line ``number``, and goes on from there."""

    number: int
    at: int
    by: str


@dataclass(slots=True)
class Witness:
    """What a witness says: heads that count, by whom they were signed, and which restores it knows of."""

    heads: list[Head] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    marks: list[Mark] = field(default_factory=list)
    lost: int = 0
    """Heads of lines that a marked restore lost."""
    unreadable: int = 0
    """Lines that begin like a head and are none: a write that was cut, or somebody's hand."""

    @property
    def last(self) -> Head | None:
        """The head of the greatest line that counts."""
        return max(self.heads, key=lambda head: head.number, default=None)


def head_line(head: Head, key: str) -> str:
    """The line for one head; ``key`` is the signer's public key (Base64) that proves it."""
    told = {
        "at": head.at,
        "hash": head.hash,
        "key": key,
        "number": head.number,
        "signature": head.signature,
        "v": 1,
    }
    return canonical(told).decode() + "\n"


def mark_line(mark: Mark) -> str:
    """The line that a restore leaves."""
    return canonical({"at": mark.at, "by": mark.by, "restored": mark.number, "v": 1}).decode() + "\n"


def read(lines: Iterable[str]) -> Witness:
    """What the lines of a witness say, in their order; lines that are about something else are passed over."""
    found = Witness()
    for value in _values(lines, found):
        head, key, mark = _head(value), value.get("key"), _mark(value)
        if head is not None and isinstance(key, str):
            found.heads.append(head)
            found.keys.add(key)
        elif mark is not None:
            kept = [one for one in found.heads if one.number <= mark.number]
            found.lost += len(found.heads) - len(kept)
            found.heads = kept
            found.marks.append(mark)
        else:
            found.unreadable += 1
    return found


def together(witnesses: Iterable[Witness]) -> Witness:
    """Several witnesses as one; the marks of each count for its own heads."""
    whole = Witness()
    for one in witnesses:
        whole.heads += one.heads
        whole.keys |= one.keys
        whole.marks += one.marks
        whole.lost += one.lost
        whole.unreadable += one.unreadable
    return whole


def only_key(witness: Witness) -> str:
    """The one key that signed this witness; raises InvalidError for a witness of nobody, or of two signers."""
    if not witness.keys:
        raise InvalidError(N_("There is no signed head in this witness. Nothing can be compared with it."))
    if len(witness.keys) > 1:
        raise InvalidError(
            N_("This witness holds heads of %(count)s different signers. Give the file of one, or name its key."),
            count=len(witness.keys),
        )
    return next(iter(witness.keys))


def _values(lines: Iterable[str], found: Witness) -> Iterator[dict[str, Any]]:
    for line in lines:
        start = line.find("{")
        if start < 0:
            continue
        try:
            value = json.loads(line[start:]) if len(line) <= MAX_LINE else None
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict) and value.get("v") == 1 and ("number" in value or "restored" in value):
            yield value
        elif start == 0:
            found.unreadable += 1


def _head(value: dict[str, Any]) -> Head | None:
    number, line_hash, at, signature = (value.get(name) for name in ("number", "hash", "at", "signature"))
    whole = type(number) is int and type(at) is int and number > 0
    if not whole or not isinstance(line_hash, str) or not isinstance(signature, str):
        return None
    return Head(int(number or 0), line_hash, int(at or 0), signature)


def _mark(value: dict[str, Any]) -> Mark | None:
    number, at = value.get("restored"), value.get("at")
    if type(number) is not int or type(at) is not int or number < 0:
        return None
    return Mark(number, at, clean(value.get("by"), 255))
