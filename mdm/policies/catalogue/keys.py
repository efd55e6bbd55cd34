"""The vocabulary of the catalogue: what a setting is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

LANGUAGES = ("nl", "fr", "en")
Version = tuple[int, ...]


class Type(StrEnum):
    """What kind of value a setting or a field of a record has."""

    APPS = "apps"
    BOOL = "bool"
    CERTIFICATE = "certificate"
    CHOICE = "choice"
    INT = "int"
    MULTILINE = "multiline"
    RECORDS = "records"
    TEXT = "text"
    TEXTS = "texts"
    URL = "url"
    URLS = "urls"
    WINDOW = "window"


LISTS = frozenset({Type.APPS, Type.TEXTS, Type.URLS})


class Merge(StrEnum):
    """How the values that several policies give for one key become one value."""

    BY_NAME = "by_name"
    FALSE_WINS = "false_wins"
    INTERSECTION = "intersection"
    PRIORITY = "priority"
    STRICTEST_MAX = "strictest_max"
    STRICTEST_MIN = "strictest_min"
    TRUE_WINS = "true_wins"
    UNION = "union"


MERGES: Mapping[Type, frozenset[Merge]] = {
    Type.APPS: frozenset({Merge.UNION, Merge.INTERSECTION, Merge.PRIORITY}),
    Type.BOOL: frozenset({Merge.TRUE_WINS, Merge.FALSE_WINS, Merge.PRIORITY}),
    Type.CHOICE: frozenset({Merge.STRICTEST_MAX, Merge.STRICTEST_MIN, Merge.PRIORITY}),
    Type.INT: frozenset({Merge.STRICTEST_MAX, Merge.STRICTEST_MIN, Merge.PRIORITY}),
    Type.MULTILINE: frozenset({Merge.PRIORITY}),
    Type.RECORDS: frozenset({Merge.BY_NAME}),
    Type.TEXT: frozenset({Merge.PRIORITY, Merge.STRICTEST_MAX, Merge.STRICTEST_MIN}),
    Type.TEXTS: frozenset({Merge.UNION, Merge.INTERSECTION, Merge.PRIORITY}),
    Type.URL: frozenset({Merge.PRIORITY}),
    Type.URLS: frozenset({Merge.UNION, Merge.INTERSECTION, Merge.PRIORITY}),
    Type.WINDOW: frozenset({Merge.PRIORITY}),
}
"""Which merge rules a type can have; the loader refuses any other. The strictest of texts is that of versions only."""


@dataclass(frozen=True, slots=True)
class Texts:
    """One text in every language of the console."""

    nl: str
    fr: str
    en: str

    def to(self, language: str) -> str:
        """The text in ``language``, English where there is none."""
        return {"nl": self.nl, "fr": self.fr}.get(language[:2], self.en)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values that a choice can have; where the rule is "strictest", later in the list is stricter."""

    value: str
    label: Texts


@dataclass(frozen=True, slots=True)
class Spec:
    """What a value must look like. ``limit`` is characters of a text, or items of a list."""

    type: Type
    min: int | None = None
    max: int | None = None
    unit: str = ""
    limit: int = 255
    format: str = ""
    schemes: tuple[str, ...] = ("https", "http")
    choices: tuple[Choice, ...] = ()
    fields: tuple["Field", ...] = ()
    identity: str = ""

    def choice_order(self, value: object) -> int:
        """The place of a choice in its list, -1 for a value that is none of them."""
        return next((n for n, choice in enumerate(self.choices) if choice.value == value), -1)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record. A secret one is written but never shown."""

    name: str
    label: Texts
    spec: Spec
    help: Texts | None = None
    required: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Support:
    """From which version on a platform knows the setting, whether only on supervised devices, and whether it is only
    checked there (by compliance) because the platform cannot be told to do it."""

    min: Version = ()
    supervised: bool = False
    checked: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the catalogue. ``risk`` names what goes wrong when it is wrong: apps, network, or nothing."""

    key: str
    category: str
    label: Texts
    help: Texts
    spec: Spec
    merge: Merge
    platforms: Mapping[str, Support]
    risk: str = ""
    unset: Texts | None = None
    notes: Mapping[str, Texts] = field(default_factory=dict)
    """By platform: why it cannot do this, or what it does in its place."""

    @property
    def secrets(self) -> frozenset[str]:
        """The names of the fields of its records that are secret."""
        return frozenset(field.name for field in self.spec.fields if field.secret)


@dataclass(frozen=True, slots=True)
class Category:
    """A chapter of the catalogue."""

    key: str
    order: int
    label: Texts
    help: Texts
    settings: tuple[Setting, ...]


def version_of(text: str) -> Version:
    """``"12.4"`` as (12, 4); trailing zeros do not count; whatever is not a number ends it; nothing gives ()."""
    parts: list[int] = []
    for part in text.strip().split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits or len(digits) > 9:
            break
        parts.append(int(digits))
        if digits != part:
            break
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)
