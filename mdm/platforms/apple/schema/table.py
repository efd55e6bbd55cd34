"""The table of Apple's facts, read once, and the questions that are asked of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

Node = Mapping[str, Any]
Version = tuple[int, ...]

COMMAND: Final = "command"
PROFILE: Final = "profile"
DECLARATION: Final = "declaration"
STATUS: Final = "status"


@dataclass(frozen=True, slots=True)
class Target:
    """The device that something is meant for. What is None is not known, and nothing is refused because of it."""

    version: Version | None = None
    supervised: bool | None = None
    user_enrollment: bool | None = None
    automated: bool | None = None


@cache
def table() -> Mapping[str, Any]:
    """The whole table."""
    found: Mapping[str, Any] = json.loads((Path(__file__).parent / "ios.json").read_text(encoding="utf-8"))
    return found


def entries(kind: str, name: str) -> Sequence[Node]:
    """What is known under this name, more than one where Apple publishes variants; empty where nothing is."""
    found: Sequence[Node] = table()[kind].get(name, ())
    return found


def names(kind: str) -> Sequence[str]:
    """Every name of one kind, sorted."""
    return sorted(table()[kind])


def answer_keys(request_type: str) -> frozenset[str]:
    """The keys that the answer to this command may carry beside the envelope; empty for an unknown command."""
    return frozenset(key for entry in entries(COMMAND, request_type) for key in entry.get("r", ()))


def version(text: str | None) -> Version | None:
    """``17.4.1`` as numbers, None for what is no version."""
    parts = (text or "").split(".")[:4]
    try:
        return tuple(int(part) for part in parts if len(part) <= 6) or None
    except ValueError:
        return None
