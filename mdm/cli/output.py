"""What the command line writes: results on standard output, notes and errors on standard error."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from mdm.core.clock import iso


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def as_json(value: object) -> None:
    """The value as one JSON document on standard output."""
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, dict | list):
        return json.dumps(value, default=_plain, ensure_ascii=False)
    return str(value)


def rows(records: Iterable[Mapping[str, Any]], columns: Sequence[str], *, json_wanted: bool) -> None:
    """Records as a table with these columns, or every field of them as a JSON list."""
    found = [dict(record) for record in records]
    if json_wanted:
        as_json(found)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for record in found:
        table.add_row(*(Text(_cell(record.get(column))) for column in columns))
    console = Console(width=None if sys.stdout.isatty() else 220, soft_wrap=False)
    console.print(table)
    note(f"{len(found)} {'row' if len(found) == 1 else 'rows'}.")


def record(fields: Mapping[str, Any], *, json_wanted: bool) -> None:
    """One record as lines ``name: value``, or as a JSON object."""
    if json_wanted:
        as_json(dict(fields))
        return
    width = max((len(name) for name in fields), default=0)
    for name, value in fields.items():
        sys.stdout.write(f"{name.replace('_', ' '):{width}}  {_cell(value)}\n")


def say(line: str) -> None:
    """One line of result on standard output."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def note(line: str) -> None:
    """One line about what is happening, on standard error, so that a result can be piped."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
