"""Ready-made policies to begin with: data in TOML files, checked against the catalogue when they are first read.

A template is only a beginning: what is made of it is a policy like any other, and knows nothing of where it came from.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from mdm.policies import catalogue
from mdm.policies.catalogue.keys import Texts
from mdm.policies.catalogue.load import CatalogueError, texts


@dataclass(frozen=True, slots=True)
class Template:
    """One of them. ``next`` says what whoever chose it has to fill in, ``chapter`` in which part of the catalogue."""

    key: str
    label: Texts
    help: Texts
    next: Texts
    chapter: str
    settings: Mapping[str, Any]


@cache
def known() -> Mapping[str, Template]:
    """Every template by its key, in the order of their files. Raises CatalogueError when one says what the catalogue refuses."""
    found = {}
    for file in sorted(files(__package__).iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            raw = tomllib.loads(file.read_text("utf-8"))
            checked = catalogue.check(raw["settings"])
            if checked.errors:
                raise CatalogueError(f"{file.name}: {checked.errors}")
            one = Template(
                raw["key"],
                texts(raw["label"]),
                texts(raw["help"]),
                texts(raw["next"]),
                raw["chapter"],
                checked.settings,
            )
            found[one.key] = one
    return found
