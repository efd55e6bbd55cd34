"""What an import found out about each row, before anything is written."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Generic, TypeVar

from mdm.core.errors import N_, InvalidError
from mdm.core.text import fold
from mdm.imports.table import Row
from mdm.org import queries as org
from mdm.storage.call import Call
from mdm.storage.seal import Seal

Progress = Callable[[int, int], None]
"""Told how many rows were checked, of how many."""
STEP = 1000
"""Rows between two calls of ``Progress``."""
CLEAR = "-"
"""A cell that empties what is kept; an empty cell leaves it as it is."""


@dataclass(frozen=True, slots=True)
class More:
    """What an import needs beside the file."""

    seal: Seal
    """By which somebody is recognised whose record was erased."""
    bring_back: Collection[int] = ()
    """Lines of people whose record was erased and who get a new one all the same."""


class Outcome(StrEnum):
    """What becomes of a row."""

    CREATED = "created"
    ERROR = "error"
    SKIPPED = "skipped"
    """Left out, because the record of this person was erased and nobody has said that they come back."""
    UNCHANGED = "unchanged"
    UPDATED = "updated"


class RowError(Exception):
    """A row that cannot be taken: the column, and a sentence with its parameters."""

    def __init__(self, column: str, sentence: str, **params: object) -> None:
        self.column = column
        self.sentence = sentence
        self.params = params
        super().__init__(sentence % params if params else sentence)


Draft = TypeVar("Draft")


@dataclass(slots=True)
class Planned(Generic[Draft]):
    """One row with what it comes to."""

    line: int
    outcome: Outcome
    subject: str
    """What a reader knows the row by."""
    draft: Draft | None = None
    changes: tuple[str, ...] = ()
    column: str = ""
    sentence: str = ""
    params: dict[str, object] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The filled English sentence; empty when there is nothing to say."""
        return self.sentence % self.params if self.params else self.sentence

    def skip(self, sentence: str, **params: object) -> None:
        """Leaves the row out, and says why."""
        self.outcome, self.draft, self.changes = Outcome.SKIPPED, None, ()
        self.sentence, self.params = sentence, params

    def fail(self, error: RowError) -> None:
        """Marks the row as wrong."""
        self.outcome, self.draft = Outcome.ERROR, None
        self.column, self.sentence, self.params = error.column, error.sentence, error.params


def planned(
    rows: Sequence[Row],
    subject: str,
    one: Callable[[Row], tuple[Draft, bool, Iterable[str]]],
    progress: Progress | None,
) -> list[Planned[Draft]]:
    """Each row with what ``one`` makes of it: a draft, whether it is new, and which fields change."""
    plans: list[Planned[Draft]] = []
    for row in rows:
        plan: Planned[Draft] = Planned(row.line, Outcome.ERROR, row.cells.get(subject, "")[:80])
        try:
            plan.draft, new, changes = one(row)
            plan.changes = tuple(sorted(changes))
            plan.outcome = Outcome.CREATED if new else Outcome.UPDATED if plan.changes else Outcome.UNCHANGED
        except RowError as error:
            plan.fail(error)
        except InvalidError as error:
            column, sentence = next(iter(error.fields.items()), ("", str(error)))
            plan.fail(RowError(column, sentence.replace("%", "%%")))
        plans.append(plan)
        if progress and (len(plans) % STEP == 0 or len(plans) == len(rows)):
            progress(len(plans), len(rows))
    return plans


def day(column: str, cell: str) -> date:
    """A date as ``2026-11-21``, ``21/11/2026``, ``21-11-2026`` or ``21.11.2026``; raises RowError for anything else."""
    parts = cell.replace("/", "-").replace(".", "-").split("-")
    if len(parts) == 3 and len(parts[2]) == 4:
        parts.reverse()
    try:
        year, month, number = (int(part) for part in parts)
        return date(year, month, number) if year >= 1900 else _no_day(column, cell)
    except ValueError:
        return _no_day(column, cell)


def _no_day(column: str, cell: str) -> date:
    raise RowError(column, N_('"%(value)s" is no date. Write it as 2026-11-21 or 21/11/2026.'), value=cell)


class Once:
    """Refuses a key that an earlier row of the same file has."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], int] = {}

    def take(self, column: str, value: str | None, line: int) -> None:
        """Notes the key; raises RowError that names the earlier line."""
        if not value:
            return
        earlier = self._seen.setdefault((column, fold(value)), line)
        if earlier != line:
            raise RowError(column, N_('"%(value)s" stands in line %(line)s already.'), value=value, line=earlier)


class Places:
    """Units and service points by code, or by a name that only one of them has; only those that the actor may see."""

    def __init__(self, call: Call) -> None:
        self._units = _index((line.unit.code, line.unit.name, line.unit.id) for line in org.units(call))
        self._points = _index((p.code, p.name, p.id) for p in org.service_points(call, limit=100_000))

    def unit(self, cell: str) -> int:
        """The id of a unit; raises RowError when there is none."""
        found = self._units.get(fold(cell))
        if found is None:
            raise RowError("unit", N_('There is no open unit "%(value)s", or it is not one of yours.'), value=cell)
        return found

    def service_point(self, cell: str) -> int:
        """The id of a service point; raises RowError when there is none."""
        found = self._points.get(fold(cell))
        if found is None:
            raise RowError(
                "service_point",
                N_('There is no open service point "%(value)s", or it is not one of yours.'),
                value=cell,
            )
        return found


def _index(rows: Iterable[tuple[str, str, int]]) -> dict[str, int]:
    by_code: dict[str, int] = {}
    by_name: dict[str, list[int]] = {}
    for code, name, number in rows:
        by_code[fold(code)] = number
        by_name.setdefault(fold(name), []).append(number)
    return {name: ids[0] for name, ids in by_name.items() if len(ids) == 1} | by_code


def values_of(
    cells: dict[str, str], converters: dict[str, Callable[[str], Any]], empty: dict[str, Any]
) -> dict[str, Any]:
    """The cells that say something, converted; ``-`` gives what ``empty`` holds for the field, or is refused."""
    values: dict[str, Any] = {}
    for name, convert in converters.items():
        cell = cells.get(name, "")
        if cell == CLEAR:
            if name not in empty:
                raise RowError(name, N_("This cannot be emptied."))
            values[name] = empty[name]
        elif cell:
            values[name] = convert(cell)
    return values
