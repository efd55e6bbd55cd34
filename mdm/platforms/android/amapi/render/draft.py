"""A policy while it is made: fields by their place, and which settings each of them comes from."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

Settings = Mapping[str, Any]


class Mode(StrEnum):
    """How a phone is managed. A dedicated device is managed, and shows one application."""

    MANAGED = "managed"
    """A device of the city, managed as a whole."""
    WORK_PROFILE = "work_profile"
    """A private phone: only what is in its work profile."""


@dataclass(slots=True)
class Draft:
    """The policy so far. ``sources`` says for each field at its top which settings of the catalogue made it."""

    mode: Mode
    policy: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, list[str]] = field(default_factory=dict)

    @property
    def managed(self) -> bool:
        """Whether the whole device is managed."""
        return self.mode is Mode.MANAGED

    def put(self, path: str, value: Any, *keys: str) -> None:
        """Writes a value at a path such as ``systemUpdate.type``; the keys are the settings that it comes from."""
        *above, last = path.split(".")
        place = self.policy
        for name in above:
            place = place.setdefault(name, {})
        place[last] = value
        self.from_keys(path.partition(".")[0], keys)

    def from_keys(self, top: str, keys: Iterable[str]) -> None:
        """Notes that a field at the top comes from these settings too."""
        known = self.sources.setdefault(top, [])
        known += [key for key in keys if key not in known]


_PACKAGE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+\Z", re.ASCII)


def package(item: str) -> str | None:
    """The package in an application of the catalogue; None for one of another platform.

    A name without ``android:`` that cannot be a package, such as ``chromium``, is one of another platform too.
    """
    platform, colon, name = item.partition(":")
    if colon:
        return name if platform == "android" else None
    return item if _PACKAGE.match(item) else None
