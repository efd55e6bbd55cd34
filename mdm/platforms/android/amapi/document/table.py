"""The table of Google's facts, read once, and the questions that are asked of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

Node = Mapping[str, Any]

POLICY: Final = "Policy"


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the API: how it is called, and the schemas of what goes in and out (empty: nothing)."""

    name: str
    http: str
    path: str
    """With a place for each part: ``v1/enterprises/{enterprisesId}/policies/{policiesId}``."""
    query: Mapping[str, Node]
    body: str
    answer: str


@cache
def table() -> Mapping[str, Any]:
    """The whole table."""
    found: Mapping[str, Any] = json.loads(
        (Path(__file__).parent / "androidmanagement.json").read_text(encoding="utf-8")
    )
    return found


def revision() -> str:
    """Google's own number of the document: a day, ``YYYYMMDD``."""
    return str(table()["revision"])


def schema(name: str) -> Mapping[str, Node]:
    """The properties of a schema. Raises KeyError for an unknown one."""
    found: Mapping[str, Node] = table()["schemas"][name]
    return found


def method(name: str) -> Method:
    """One method by its name, such as ``enterprises.policies.patch``. Raises KeyError for an unknown one."""
    one = table()["methods"][name]
    return Method(name, one["h"], one["p"], one.get("q", {}), one.get("i", ""), one.get("o", ""))


def methods() -> Sequence[str]:
    """The names of all methods, sorted."""
    return sorted(table()["methods"])


def choices(name: str, key: str) -> Sequence[str]:
    """The words that a property of a schema may have; empty where it is no choice."""
    found: Sequence[str] = schema(name)[key].get("e", ())
    return found
