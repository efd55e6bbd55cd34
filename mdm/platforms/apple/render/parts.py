"""What the parts of the interpreter for phones share: how a resource is made, and what Apple's facts say about a key."""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from mdm.platforms.apple.schema.table import PROFILE, entries

Settings = Mapping[str, Any]
Resources = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the interpreter: the keys it makes something of, and the pure function that does."""

    keys: tuple[str, ...]
    render: Callable[[Settings], Resources]


def given(settings: Settings, keys: Iterable[str]) -> list[str]:
    """Those of the keys for which there is a setting, in the order given."""
    return [key for key in keys if key in settings]


def configuration(
    id_: str, keys: Iterable[str], type_: str, payload: Mapping[str, Any], **limits: Any
) -> dict[str, Any]:
    """A resource that is a declaration."""
    return {
        "id": id_,
        "kind": "declaration",
        "keys": list(keys),
        "declares": "configuration",
        "type": type_,
        "payload": dict(payload),
        **limits,
    }


def profile(
    id_: str, keys: Iterable[str], name: str, payloads: Sequence[Mapping[str, Any]], **limits: Any
) -> dict[str, Any]:
    """A resource that is a profile. Supervision and the kind of enrollment follow from what its payloads are."""
    facts = [_facts(str(one["PayloadType"])) for one in payloads]
    found: dict[str, Any] = {"id": id_, "kind": "profile", "keys": list(keys), "name": name, "payloads": list(payloads)}
    if any(one.get("S") for one in facts):
        found["supervised"] = True
    if any(one.get("U") == "forbidden" for one in facts):
        found["city"] = True
    return {**found, **limits}


def settings_command(
    id_: str, keys: Iterable[str], items: Sequence[Mapping[str, Any]], **limits: Any
) -> dict[str, Any]:
    """A resource that is set by a command and stays as it is until somebody changes it."""
    return {"id": id_, "kind": "settings", "keys": list(keys), "items": list(items), **limits}


@cache
def _facts(kind: str) -> Mapping[str, Any]:
    found = entries(PROFILE, kind)
    return found[0]["o"] if found else {}


@cache
def key_facts(kind: str, key: str) -> Mapping[str, Any]:
    """What Apple's facts say about one key of a payload; empty where they say nothing."""
    for entry in entries(PROFILE, kind):
        for node in entry["s"]:
            if node["k"] == key:
                facts: Mapping[str, Any] = node.get("o", {})
                return facts
    return {}


def data(content: bytes) -> dict[str, str]:
    """Bytes as they stand in a resource."""
    return {"$data": base64.b64encode(content).decode()}


def bundle(item: str) -> str | None:
    """The bundle identifier in an application of the catalogue; None for one of another platform."""
    platform, colon, name = item.partition(":")
    if not colon:
        return item
    return name if platform == "ios" else None
