"""Importing a file: every row is checked first; it is written as a whole, or not at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mdm.core.actor import require
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.imports import columns, devices, people, service_points, units
from mdm.imports.plan import More, Outcome, Planned, Progress, RowError
from mdm.imports.table import Columns, Row, read
from mdm.inventory import bulk as inventory_bulk
from mdm.org import bulk as org_bulk
from mdm.people import bulk as people_bulk
from mdm.storage.call import Call


class ImportKind(StrEnum):
    """What a file can hold."""

    DEVICES = "devices"
    PEOPLE = "people"
    SERVICE_POINTS = "service-points"
    UNITS = "units"


@dataclass(frozen=True, slots=True)
class _Importer:
    permission: Permission
    columns: Columns
    required: tuple[str, ...]
    plan: Callable[[Call, list[Row], Progress | None], Sequence[Planned[Any]]]
    write: Callable[[Call, Any, dict[str, Any]], object]
    leave_out: Callable[[Call, Sequence[Planned[Any]], More], None] = lambda _call, _plans, _more: None


IMPORTERS: dict[ImportKind, _Importer] = {
    ImportKind.DEVICES: _Importer(Permission.DEVICE_MANAGE, columns.DEVICES, (), devices.plan, inventory_bulk.write),
    ImportKind.PEOPLE: _Importer(
        Permission.PEOPLE_MANAGE, columns.PEOPLE, (), people.plan, people_bulk.write, people.leave_out
    ),
    ImportKind.SERVICE_POINTS: _Importer(
        Permission.ORG_MANAGE, columns.SERVICE_POINTS, ("code",), service_points.plan, org_bulk.write_service_points
    ),
    ImportKind.UNITS: _Importer(Permission.ORG_MANAGE, columns.UNITS, ("code",), units.plan, org_bulk.write_units),
}


@dataclass(slots=True)
class ImportResult:
    """What came of a file. ``applied`` is False after a dry run, and when a row was wrong: nothing was written then."""

    kind: ImportKind
    dry_run: bool
    encoding: str
    delimiter: str
    fields: tuple[str, ...]
    ignored_columns: tuple[str, ...]
    rows: list[Planned[Any]] = field(default_factory=list)
    applied: bool = False

    def count(self, outcome: Outcome) -> int:
        """How many rows have this outcome."""
        return sum(row.outcome is outcome for row in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows were or would be created, updated, unchanged, left out, and how many are wrong."""
        return {outcome.value: self.count(outcome) for outcome in Outcome}

    @property
    def skipped(self) -> list[Planned[Any]]:
        """The rows that are left out, each with its reason."""
        return [row for row in self.rows if row.outcome is Outcome.SKIPPED]

    @property
    def errors(self) -> list[Planned[Any]]:
        """The rows that are wrong, in the order of lines."""
        return [row for row in self.rows if row.outcome is Outcome.ERROR]


def import_csv(
    call: Call,
    kind: ImportKind,
    data: bytes,
    more: More,
    *,
    name: str = "",
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportResult:
    """Checks every row of a CSV file and, unless one is wrong or it is a dry run, writes all of them.

    Raises DeniedError for somebody who manages none of it, InvalidError and TooLargeError for a file that cannot be read
    as a whole (``table.read``). A wrong row raises nothing: it is in the result, with its line, column and sentence. So is one of
    somebody whose record was erased: it is left out, but for the lines that ``more`` names.
    """
    importer = IMPORTERS[kind]
    if not call.actor.may_somewhere(importer.permission):
        require(call.actor, importer.permission)
    table = read(data, importer.columns, importer.required)
    plans = list(importer.plan(call, table.rows, progress))
    importer.leave_out(call, plans, more)
    for bad in table.bad:
        wrong: Planned[Any] = Planned(bad.line, Outcome.ERROR, "")
        wrong.fail(RowError("", bad.sentence))
        plans.append(wrong)
    plans.sort(key=lambda plan: plan.line)
    result = ImportResult(kind, dry_run, table.encoding, table.delimiter, table.fields, table.ignored, plans)
    if not dry_run and not result.errors:
        about = {"file": clean(name, 128), "rows": len(plans)}
        drafts = [plan.draft for plan in plans if plan.outcome in (Outcome.CREATED, Outcome.UPDATED)]
        if drafts:
            importer.write(call, drafts, about)
        result.applied = True
    return result
