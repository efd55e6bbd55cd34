"""A CSV file as rows of clean text: encoding, delimiter and header names are found out, a bad line spoils no other.

Nothing in a cell is ever executed: a formula is text. The apostrophe that our own exports put before one is taken off.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mdm.core.errors import N_, InvalidError, TooLargeError
from mdm.core.text import clean, fold

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 100_000
MAX_CELL = 4000
"""Characters of one cell."""
MAX_COLUMNS = 200
DELIMITERS = (";", ",", "\t")

Columns = Mapping[str, tuple[str, ...]]
"""From a field to the header names that mean it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file: its number, and its cells by field. Only fields that the header names are there."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that is no row: its number and why."""

    line: int
    sentence: str


@dataclass(slots=True)
class Table:
    """What was read."""

    encoding: str
    delimiter: str
    fields: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    """Header names that mean nothing to us."""
    rows: list[Row] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def read(data: bytes, columns: Columns, required: tuple[str, ...], *, rest: str = "") -> Table:
    """The rows of a file. Empty lines are left out. With ``rest``, a column that means nothing to us is a field as well:
    ``rest`` and its title.

    Raises TooLargeError beyond 20 MB or 100,000 rows; InvalidError when it is no CSV text, has no row, misses a required
    column or names one twice.
    """
    if len(data) > MAX_BYTES:
        raise TooLargeError(N_("The file is larger than 20 MB. Nothing was imported; split it."))
    text, encoding = _decoded(data)
    text, delimiter = _delimiter(text)
    lines = _lines(text, delimiter)
    header = next((cells for _, cells in lines if isinstance(cells, list) and any(cells)), None)
    if header is None:
        raise InvalidError(N_("The file is empty. Nothing was imported; its first line must name the columns."))
    names, ignored = _fields(header, columns, required, rest)
    table = Table(encoding, delimiter, tuple(name for name in names if name), ignored)
    for number, cells in lines:
        if isinstance(cells, str):
            table.bad.append(BadRow(number, cells))
        elif any(cells):
            _take(table, number, cells, names)
        if len(table.rows) + len(table.bad) > MAX_ROWS:
            raise TooLargeError(N_("The file has more than 100,000 rows. Nothing was imported; split it."))
    if not table.rows and not table.bad:
        raise InvalidError(N_("The file has no row below its header. Nothing was imported."))
    return table


def _decoded(data: bytes) -> tuple[str, str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:4096]:
        raise InvalidError(
            N_('This is no CSV text. Nothing was imported; save the list as "CSV UTF-8".'), code="not_csv"
        )
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise InvalidError(
        N_('The file is neither UTF-8 nor Windows-1252. Nothing was imported; save the list as "CSV UTF-8".'),
        code="not_csv",
    )


def _delimiter(text: str) -> tuple[str, str]:
    """The text without a ``sep=`` line, and the delimiter: of that line, else the most frequent one in the header."""
    told = re.match(r"sep=(.)\r?\n", text)
    if told:
        return text[told.end() :], told[1]
    header = re.sub(r'"[^"]*"', "", text.lstrip().split("\n", 1)[0])
    return text, max(DELIMITERS, key=header.count)


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Each record with the number of its first line; a sentence instead of its cells where it cannot be read."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            yield number, [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            yield number, N_("A quotation mark is not closed, or stands where none may be.")


def _fields(
    header: list[str], columns: Columns, required: tuple[str, ...], rest: str = ""
) -> tuple[list[str], tuple[str, ...]]:
    if len(header) > MAX_COLUMNS:
        raise InvalidError(N_("The file has more than 200 columns. Nothing was imported."))
    meaning = {_plain(alias): name for name, aliases in columns.items() for alias in (name, *aliases)}
    further = [rest + clean(title, 64) if rest and clean(title, 64) else "" for title in header]
    names = [meaning.get(_plain(title), other) for title, other in zip(header, further, strict=True)]
    ignored = tuple(clean(title, 64) for title, name in zip(header, names, strict=True) if not name and title)
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise InvalidError(
            N_("Two columns mean the same: %(column)s. Nothing was imported; remove one."),
            code="column_twice",
            column=twice[0],
        )
    missing = [name for name in required if name not in names]
    if missing:
        raise InvalidError(
            N_("The column %(column)s is missing (it may also be called: %(names)s). Nothing was imported."),
            code="column_missing",
            column=missing[0],
            names=", ".join(columns[missing[0]]),
        )
    return names, ignored


def _plain(title: str) -> str:
    return "".join(character for character in fold(title) if character.isalnum())


def _take(table: Table, number: int, cells: list[str], names: list[str]) -> None:
    if len(cells) > len(names) and any(cells[len(names) :]):
        table.bad.append(BadRow(number, N_("The row has more cells than the header has columns.")))
    elif any(len(cell) > MAX_CELL for cell in cells):
        table.bad.append(BadRow(number, N_("A cell has more than 4000 characters.")))
    else:
        # A row that ends early leaves its last cells empty, as spreadsheets write them.
        padded = cells + [""] * (len(names) - len(cells))
        table.rows.append(Row(number, {name: _cell(cell) for name, cell in zip(names, padded, strict=False) if name}))


def _cell(cell: str) -> str:
    written = clean(cell.replace("\r\n", "\n"), MAX_CELL, lines=True)
    return written[1:] if re.match(r"'[=+\-@\uff1d\uff0b\uff0d\uff20]", written) else written
