"""The hash chain of the diary, as pure functions: how a line is hashed, and where a chain breaks."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agent.wire import canonical

GENESIS = "0" * 64
"""What the first line names as the hash of the line before it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the diary as it is hashed: ``content`` is everything but ``previous`` and ``hash``.

    None: what was hashed is not there any more, because text was taken out of a line of the first version. ``wrong`` says
    what is wrong with the line's text, empty when nothing is.
    """

    id: int
    content: dict[str, Any] | None
    previous: str
    hash: str
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain is broken, and how."""

    id: int
    why: str


def line_hash(previous: str, content: dict[str, Any]) -> str:
    """The SHA-256 (hexadecimal) that ties ``content`` to the line before it."""
    return hashlib.sha256(previous.encode() + b"\n" + canonical(content)).hexdigest()


def text_digest(salt: str, text: dict[str, Any]) -> str:
    """The SHA-256 (hexadecimal) of a line's text with its salt: says nothing of the text once the salt is gone."""
    return hashlib.sha256(salt.encode() + b"\n" + canonical(text)).hexdigest()


def find_break(lines: Iterable[Line], previous: str = GENESIS, last_id: int = 0) -> Break | tuple[int, str]:
    """The first break in ``lines`` (in order of id), or the number of the last line and its hash when there is none."""
    for line in lines:
        if line.id != last_id + 1:
            return Break(line.id, f"line {last_id + 1} is missing")
        if line.previous != previous:
            return Break(line.id, "it does not follow from the line before it")
        if line.content is not None and line.hash != line_hash(previous, line.content):
            return Break(line.id, "its content was changed")
        if line.wrong:
            return Break(line.id, line.wrong)
        previous, last_id = line.hash, line.id
    return last_id, previous
