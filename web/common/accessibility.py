"""What the accessibility statements say that changes, from a file: the day of the last test, what was tested, and what does not
work yet."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from mdm.settings import Settings


@dataclass(frozen=True, slots=True)
class Told:
    """Something that was tested, or that does not work yet, by language, and at which doors."""

    doors: tuple[str, ...]
    text: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands in ``accessibility.toml``."""

    tested_on: date
    prepared_on: date
    tests: tuple[Told, ...]
    gaps: tuple[Told, ...]


@cache
def facts() -> Facts:
    """The file beside this one, read once."""
    read = tomllib.loads((files(__package__) / "accessibility.toml").read_text("utf-8"))
    tests, gaps = (tuple(Told(tuple(one["doors"]), one["text"]) for one in read[name]) for name in ("tests", "gaps"))
    return Facts(read["tested_on"], read["prepared_on"], tests, gaps)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a door's page says, in one language."""

    tested_on: date
    prepared_on: date
    tests: tuple[str, ...]
    gaps: tuple[str, ...]
    contact: str
    """E-mail address for reports; empty where people tell their service point."""
    authority: str
    authority_url: str


def statement(door: str, language: str, settings: Settings) -> Statement:
    """The statement of a door ("portal", "console") in a language that it speaks."""
    known = facts()
    return Statement(
        known.tested_on,
        known.prepared_on,
        tuple(test.text[language] for test in known.tests if door in test.doors),
        tuple(gap.text[language] for gap in known.gaps if door in gap.doors),
        settings.accessibility_contact,
        settings.accessibility_authority,
        settings.accessibility_authority_url,
    )
