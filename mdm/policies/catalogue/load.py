"""Reads the catalogue's TOML files and refuses, with the place, whatever is not right in them."""

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from mdm.policies.catalogue.formats import FORMATS
from mdm.policies.catalogue.keys import (
    LANGUAGES,
    MERGES,
    Category,
    Choice,
    Field,
    Merge,
    Setting,
    Spec,
    Support,
    Texts,
    Type,
    version_of,
)

PLATFORMS = ("linux", "ios", "android")
_KEY = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\Z")
_SETTING = {"key", "type", "merge", "label", "help", "unset", "platforms", "risk", "notes"}
_SPEC = {"min", "max", "unit", "limit", "format", "schemes", "choices", "fields", "identity"}
_FIELD = {"name", "type", "label", "help", "required", "secret"}


class CatalogueError(Exception):
    """The catalogue itself is wrong: a mistake of whoever wrote it, found when it is loaded."""


def load_folder(folder: Traversable | None = None) -> tuple[Category, ...]:
    """Every category of a folder of TOML files, in their order. Raises CatalogueError that names file and key."""
    categories = []
    for file in sorted((folder or files(__package__)).iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            try:
                categories.append(read_category(tomllib.loads(file.read_text("utf-8"))))
            except (CatalogueError, tomllib.TOMLDecodeError, KeyError, ValueError, TypeError) as error:
                raise CatalogueError(f"{file.name}: {error}") from error
    keys = [setting.key for category in categories for setting in category.settings]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise CatalogueError(f"defined twice: {', '.join(twice)}")
    return tuple(sorted(categories, key=lambda category: category.order))


def read_category(document: Mapping[str, Any]) -> Category:
    """One category with its settings. Raises CatalogueError."""
    head = document["category"]
    settings = tuple(_setting(head["key"], raw) for raw in document["setting"])
    return Category(head["key"], head["order"], texts(head["label"]), texts(head["help"]), settings)


def texts(raw: Mapping[str, str]) -> Texts:
    """One text in all languages, none of them empty. Raises CatalogueError."""
    if set(raw) != set(LANGUAGES) or not all(isinstance(text, str) and text.strip() for text in raw.values()):
        raise CatalogueError(f"a text needs exactly the languages {', '.join(LANGUAGES)}: {dict(raw)}")
    return Texts(**raw)


def _only(place: str, raw: Mapping[str, Any], allowed: set[str]) -> None:
    strange = sorted(set(raw) - allowed)
    if strange:
        raise CatalogueError(f"{place}: unknown {', '.join(strange)}")


def _setting(category: str, raw: Mapping[str, Any]) -> Setting:
    key = raw["key"]
    if not _KEY.match(key):
        raise CatalogueError(f"{key}: not a key")
    _only(key, raw, _SETTING | _SPEC)
    spec = _spec(key, raw)
    merge = Merge(raw["merge"])
    if merge not in MERGES[spec.type]:
        raise CatalogueError(f"{key}: {merge} does not go with {spec.type}")
    if spec.type is Type.TEXT and merge is not Merge.PRIORITY and spec.format != "version":
        raise CatalogueError(f"{key}: only versions have a strictest text")
    return Setting(
        key=key,
        category=category,
        label=texts(raw["label"]),
        help=texts(raw["help"]),
        spec=spec,
        merge=merge,
        platforms={name: _support(key, name, support) for name, support in raw["platforms"].items()},
        risk=raw.get("risk", ""),
        unset=texts(raw["unset"]) if "unset" in raw else None,
        notes=_notes(key, raw.get("notes", {})),
    )


def _notes(key: str, raw: Mapping[str, Any]) -> dict[str, Texts]:
    strange = sorted(set(raw) - set(PLATFORMS))
    if strange:
        raise CatalogueError(f"{key}: unknown platform {', '.join(strange)}")
    return {platform: texts(note) for platform, note in raw.items()}


def _support(key: str, platform: str, raw: Mapping[str, Any]) -> Support:
    if platform not in PLATFORMS:
        raise CatalogueError(f"{key}: unknown platform {platform}")
    _only(f"{key} on {platform}", raw, {"min", "supervised", "checked"})
    return Support(version_of(raw.get("min", "")), raw.get("supervised", False), raw.get("checked", False))


def _spec(place: str, raw: Mapping[str, Any]) -> Spec:
    kind = Type(raw["type"])
    if raw.get("format", "") not in {"", *FORMATS}:
        raise CatalogueError(f"{place}: unknown format {raw['format']}")
    if kind is Type.INT and not raw["min"] <= raw["max"]:
        raise CatalogueError(f"{place}: min is above max")
    if (kind is Type.CHOICE) != bool(raw.get("choices")) or (kind is Type.RECORDS) != bool(raw.get("fields")):
        raise CatalogueError(f"{place}: choices belong to a choice, fields to records")
    fields = tuple(_field(place, field) for field in raw.get("fields", ()))
    identity = raw.get("identity", "")
    if kind is Type.RECORDS and not any(field.name == identity and field.required for field in fields):
        raise CatalogueError(f"{place}: identity must be a required field")
    return Spec(
        type=kind,
        min=raw.get("min"),
        max=raw.get("max"),
        unit=raw.get("unit", ""),
        limit=raw.get("limit", {Type.MULTILINE: 2000, Type.CERTIFICATE: 20_000, Type.RECORDS: 100}.get(kind, 255)),
        format=raw.get("format", ""),
        schemes=tuple(raw.get("schemes", ("https", "http"))),
        choices=tuple(Choice(choice["value"], texts(choice["label"])) for choice in raw.get("choices", ())),
        fields=fields,
        identity=identity,
    )


def _field(place: str, raw: Mapping[str, Any]) -> Field:
    place = f"{place}.{raw['name']}"
    _only(place, raw, _FIELD | _SPEC)
    spec = _spec(place, raw)
    if spec.type in (Type.RECORDS, Type.WINDOW, Type.APPS, Type.URLS):
        raise CatalogueError(f"{place}: a field cannot be {spec.type}")
    return Field(
        raw["name"],
        texts(raw["label"]),
        spec,
        texts(raw["help"]) if "help" in raw else None,
        raw.get("required", False),
        raw.get("secret", False),
    )
