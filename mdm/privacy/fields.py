"""The map of what is kept: every column of the database with its purpose, its time, whose it is and what erasing does.

It is read from ``map/columns.csv`` and ``map/purposes.toml``. A line ``table.*`` says what holds for a whole table; a line
``table.column`` refines it, and where it is empty the table's line counts.

``keep``    ``90 days from COLUMN``, ``location_days days from case`` (a setting), or ``as long as WORD`` of ``[keep]``
``person``  how a row leads to a person: ``self``; ``COLUMN`` with the person's number; ``via COLUMN``, a foreign key to a
            row that leads to one; ``held COLUMN at COLUMN``, a device that the person held at that moment; ``held COLUMN``,
            one they hold, or held last; ``operator COLUMN``, an account of the console with their address; ``diary``; ``-``
``erase``   ``delete`` the row; ``empty`` the column; ``name`` becomes a pseudonym; ``words``: whatever names the person is
            taken out; ``diary``: see ``mdm/audit/erasing.py``; ``keep WHY`` of ``[because]``; ``-``: nothing personal in it
``seen``    the permission that shows it; ``nobody``: only the machine
``plain``   on a table's line: its columns of text that somebody has looked at and that can name nobody
"""

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

from mdm.core.permissions import ROLE_PERMISSIONS, Permission, Role

FOLDER: Final = Path(__file__).parent / "map"
COLUMNS: Final = ("column", "purpose", "keep", "person", "erase", "seen", "plain")
NOBODY: Final = "nobody"
_SPAN = re.compile(r"(?:(\d+)|(\w+)) (minutes?|hours?|days?) from (\w+)")
_LONG = re.compile(r"as long as (\w+)")
_PATH = re.compile(r"(via|operator) (\w+)|held (\w+)(?: at (\w+))?|(self|diary|-)|(\w+)")


class Erase(StrEnum):
    """What erasing a person does to a column."""

    DELETE = "delete"
    DIARY = "diary"
    EMPTY = "empty"
    KEEP = "keep"
    NAME = "name"
    NOTHING = "-"
    WORDS = "words"


class Way(StrEnum):
    """How a row leads to a person."""

    DIARY = "diary"
    HELD = "held"
    NOBODY = "-"
    OPERATOR = "operator"
    PERSON = "person"
    SELF = "self"
    VIA = "via"


@dataclass(frozen=True, slots=True)
class Keep:
    """How long: a span from a moment, or as long as something else is there."""

    span: timedelta | None
    setting: str
    """The setting that says how many days; empty where the map does."""
    start: str
    """The column from which the span counts, or ``case``; empty for a word."""
    word: str

    @property
    def counted(self) -> bool:
        """Whether the clock alone ends it."""
        return self.span is not None or bool(self.setting)


@dataclass(frozen=True, slots=True)
class Path_:  # noqa: N801 -- the word of the map; the other one is Python's
    """How a row leads to a person: by which column and, for a device in somebody's hands, at which moment."""

    way: Way
    column: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """What holds for one column."""

    table: str
    column: str
    purpose: str
    keep: Keep
    person: Path_
    erase: Erase
    because: str
    """For what is kept: the key of its reason."""
    seen: str

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that see it, by name; none where only the machine does."""
        if self.seen == NOBODY:
            return ()
        return tuple(role for role in Role if Permission(self.seen) in ROLE_PERMISSIONS[role])


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why something is kept, on which basis in law, and how it is looked after."""

    key: str
    title: str
    why: str
    whose: str
    basis: str
    measures: tuple[str, ...]
    recipients: str
    transfers: str
    """To whom outside the European Union; empty for nobody."""


@dataclass(frozen=True, slots=True)
class Place:
    """Something that is kept outside the tables of the database, and may hold personal data."""

    where: str
    what: str
    purpose: str
    keep: str
    """The setting that says how many days, or a sentence."""
    seen: str


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of the map, English, by key."""

    purposes: Mapping[str, Purpose]
    keep: Mapping[str, str]
    because: Mapping[str, str]
    places: tuple[Place, ...]


class MapError(ValueError):
    """A line of the map says nothing that can be understood."""


@cache
def words() -> Words:
    """Purposes, periods and reasons, as people read them."""
    read: dict[str, Any] = tomllib.loads((FOLDER / "purposes.toml").read_text(encoding="utf-8"))
    purposes = {
        key: Purpose(
            key,
            said["title"],
            said["why"],
            said["whose"],
            read["basis"][said["basis"]],
            tuple(read["measures"][name] for name in said["measures"]),
            said["recipients"],
            said.get("transfers", ""),
        )
        for key, said in read["purpose"].items()
    }
    return Words(purposes, read["keep"], read["because"], tuple(Place(**said) for said in read["place"]))


@cache
def lines() -> Mapping[str, Mapping[str, str]]:
    """The lines of the table as they stand there, by ``table.column``. Raises MapError for one that is there twice."""
    found: dict[str, Mapping[str, str]] = {}
    with (FOLDER / "columns.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if tuple(row) != COLUMNS or None in row.values():
                raise MapError(f"a line has other columns than {', '.join(COLUMNS)}: {row}")
            if row["column"] in found:
                raise MapError(f"{row['column']} stands there twice")
            found[row["column"]] = row
    return found


def plain(table: str) -> frozenset[str]:
    """Columns of text of a table in which nobody can be named, as somebody has said who looked at them."""
    return frozenset(lines().get(f"{table}.*", {}).get("plain", "").split())


@cache
def field(table: str, column: str) -> Field | None:
    """What holds for a column; None when no line names it. Raises MapError for a line that cannot be understood."""
    whole, own = lines().get(f"{table}.*"), lines().get(f"{table}.{column}")
    if whole is None and own is None:
        return None
    said = {key: (own or {}).get(key) or (whole or {}).get(key) or "" for key in COLUMNS}
    erase, _space, because = said["erase"].partition(" ")
    try:
        return Field(
            table,
            column,
            said["purpose"],
            _keep(said["keep"]),
            _path(said["person"]),
            Erase(erase),
            because,
            said["seen"],
        )
    except ValueError as error:
        raise MapError(f"{table}.{column}: {error}") from error


def fields(tables: Mapping[str, tuple[str, ...]]) -> Iterator[Field]:
    """What holds for every column of these tables; what no line names is left out."""
    for table, columns in tables.items():
        for column in columns:
            found = field(table, column)
            if found is not None:
                yield found


def _keep(text: str) -> Keep:
    long = _LONG.fullmatch(text)
    if long:
        return Keep(None, "", "", long[1])
    span = _SPAN.fullmatch(text)
    if span is None:
        raise MapError(f"“{text}” is no time: write “90 days from COLUMN” or “as long as WORD”")
    number, setting, unit, start = span.groups()
    if number is None:
        return Keep(None, setting, start, "")
    return Keep(timedelta(**{unit.rstrip("s") + "s": int(number)}), "", start, "")


def _path(text: str) -> Path_:
    found = _PATH.fullmatch(text)
    if found is None:
        raise MapError(f"“{text}” is no way to a person")
    way, column, held, at, word, own = found.groups()
    if way:
        return Path_(Way(way), column)
    if held:
        return Path_(Way.HELD, held, at or "")
    return Path_(Way(word)) if word else Path_(Way.PERSON, own)
