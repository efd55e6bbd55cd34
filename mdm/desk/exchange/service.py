"""Moving in from Snipe-IT: its files are checked line by line in the words of our own import, then taken as a whole.

What Snipe-IT knows in several lists is brought together here: a model's category says what kind of device it is, a status
label's type says where the device is in its life, and whom it is checked out to is found among our own people.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import or_

from mdm.core.actor import require
from mdm.core.errors import N_, InvalidError
from mdm.core.text import clean, fold
from mdm.desk.exchange import assets, columns, others
from mdm.desk.exchange.assets import Known
from mdm.imports import devices
from mdm.imports.plan import More, Outcome, Planned, Progress, RowError
from mdm.imports.service import IMPORTERS, ImportKind, ImportResult
from mdm.imports.table import Columns, Row, Table, read
from mdm.inventory.fields import CUSTOM_MOST
from mdm.inventory.fields import cleaned as cleaned_fields
from mdm.people.model import Person
from mdm.people.queries import people_select
from mdm.storage.call import Call


class SnipeKind(StrEnum):
    """Which of Snipe-IT's lists a file is."""

    ASSETS = "assets"
    LOCATIONS = "locations"
    USERS = "users"


@dataclass(frozen=True, slots=True)
class _List:
    ours: ImportKind
    columns: Columns
    needed: tuple[str, ...] = ()


LISTS: Mapping[SnipeKind, _List] = {
    SnipeKind.ASSETS: _List(ImportKind.DEVICES, columns.ASSETS, ()),
    SnipeKind.LOCATIONS: _List(ImportKind.SERVICE_POINTS, columns.LOCATIONS, ("name",)),
    SnipeKind.USERS: _List(ImportKind.PEOPLE, columns.USERS, ()),
}


@dataclass(frozen=True, slots=True)
class Files:
    """What somebody brought: the list itself, and for assets the lists of models and of status labels where there are."""

    main: bytes
    models: bytes = b""
    statuses: bytes = b""


@dataclass(slots=True)
class SnipeResult(ImportResult):
    """What came of a file; ``left_out`` lines are of categories that we do not manage."""

    left_out: int = 0
    custom: tuple[str, ...] = field(default=())
    """The custom fields that are kept."""


def import_snipe(
    call: Call,
    kind: SnipeKind,
    files: Files,
    more: More,
    *,
    name: str = "",
    dry_run: bool = False,
    only_ours: bool = False,
    progress: Progress | None = None,
) -> SnipeResult:
    """Checks every line of one of Snipe-IT's lists and, unless one is wrong or it is a dry run, takes all of them.

    Locations come first, then users, then assets: each finds what was taken before. ``only_ours`` leaves out assets of
    categories that we do not manage; else each of them is a wrong line. Taking the same file again changes nothing. Raises as
    ``imports.service.import_csv``: a wrong line raises nothing, it is in the result with its column and sentence.
    """
    of = LISTS[kind]
    importer = IMPORTERS[of.ours]
    if not call.actor.may_somewhere(importer.permission):
        require(call.actor, importer.permission)
    table = read(files.main, of.columns, of.needed, rest=columns.FURTHER if kind is SnipeKind.ASSETS else "")
    further = tuple(name.removeprefix(columns.FURTHER) for name in table.fields if name.startswith(columns.FURTHER))
    if len(further) > CUSTOM_MOST:
        raise InvalidError(N_("The file has more than 60 custom fields. Nothing was imported; leave some columns out."))
    left_out = 0
    if kind is SnipeKind.ASSETS:
        known = _known(call, files, table.rows)
        if only_ours:
            before = len(table.rows)
            table.rows = [row for row in table.rows if assets.kind(row.cells, known)]
            left_out = before - len(table.rows)
        plans = _assets(call, table.rows, known, progress)
    else:
        convert = others.user(call) if kind is SnipeKind.USERS else others.location(call)
        plans = _planned(call, table.rows, convert, importer.plan, progress)
        importer.leave_out(call, plans, more)
    _bad(table, plans)
    result = SnipeResult(
        of.ours,
        dry_run,
        table.encoding,
        table.delimiter,
        table.fields,
        table.ignored,
        plans,
        left_out=left_out,
        custom=further,
    )
    if not dry_run and not result.errors:
        drafts = [plan.draft for plan in plans if plan.outcome in (Outcome.CREATED, Outcome.UPDATED)]
        if drafts:
            importer.write(call, drafts, {"file": clean(name, 128), "rows": len(plans), "from": "Snipe-IT"})
        result.applied = True
    return result


Convert = Callable[[Row], Row]
Plan = Callable[[Call, list[Row], Progress | None], Sequence[Planned[Any]]]


def _planned(
    call: Call, rows: Sequence[Row], convert: Convert, plan: Plan, progress: Progress | None
) -> list[Planned[Any]]:
    """What each line comes to, in the order of lines: those that cannot be converted are wrong."""
    ours: list[Row] = []
    wrong: list[Planned[Any]] = []
    for row in rows:
        try:
            ours.append(convert(row))
        except RowError as error:
            bad: Planned[Any] = Planned(
                row.line, Outcome.ERROR, (row.cells.get("tag") or row.cells.get("name") or "")[:80]
            )
            bad.fail(error)
            wrong.append(bad)
    return sorted([*plan(call, ours, progress), *wrong], key=lambda one: one.line)


def _assets(call: Call, rows: Sequence[Row], known: Known, progress: Progress | None) -> list[Planned[Any]]:
    plans = _planned(call, rows, lambda row: assets.converted(row, known), devices.plan, progress)
    further = {row.line: assets.custom(row) for row in rows}
    for plan in plans:
        if plan.draft is None:
            continue
        kept = {} if plan.draft.device is None else plan.draft.device.custom
        wanted = kept | cleaned_fields({"custom": further[plan.line]})["custom"]  # type: ignore[operator]
        if wanted != kept:
            plan.draft.values["custom"] = wanted
            plan.changes = tuple(sorted({*plan.changes, "custom"}))
            if plan.outcome is Outcome.UNCHANGED:
                plan.outcome = Outcome.UPDATED
    return plans


def _known(call: Call, files: Files, rows: Sequence[Row]) -> Known:
    models, statuses = {}, {}
    if files.models:
        table = read(files.models, columns.MODELS, ("name", "category"))
        models = {fold(row.cells["name"]): row.cells["category"] for row in table.rows if row.cells.get("name")}
    if files.statuses:
        table = read(files.statuses, columns.STATUSES, ("name", "type"))
        statuses = {fold(row.cells["name"]): row.cells["type"] for row in table.rows if row.cells.get("name")}
    return Known(models, statuses, _holders(call, rows))


def _holders(call: Call, rows: Sequence[Row]) -> Callable[[Mapping[str, str]], str]:
    """How a person is found: by address, number, user name, else by a name that only one person here has."""
    if not any(_named(row.cells) for row in rows):
        return lambda _cells: ""
    keys: set[str] = set()
    by_name: dict[str, set[str]] = {}
    here = or_(Person.left_on.is_(None), Person.left_on > call.now.date())
    for person in call.session.scalars(people_select(call).where(here)):
        keys |= {key for key in (person.email, person.number) if key}
        by_name.setdefault(fold(person.name), set()).add(person.email or person.number or "")

    def find(cells: Mapping[str, str]) -> str:
        given = [cell for cell in (cells.get(name, "") for name in ("email", "employee_number", "username")) if cell]
        for key in given:
            if key in keys or key.lower() in keys:
                return key
        name = _name(cells)
        found = by_name.get(fold(name), set()) if name else set()
        if len(found) == 1 and "" not in found:
            return next(iter(found))
        return given[0] if given else name

    return find


def _named(cells: Mapping[str, str]) -> bool:
    return any(cells.get(name) for name in ("email", "username", "full_name", "first_name", "employee_number"))


def _name(cells: Mapping[str, str]) -> str:
    return cells.get("full_name") or " ".join(cells.get(one, "") for one in ("first_name", "last_name")).strip()


def _bad(table: Table, plans: list[Planned[Any]]) -> None:
    for bad in table.bad:
        wrong: Planned[Any] = Planned(bad.line, Outcome.ERROR, "")
        wrong.fail(RowError("", bad.sentence))
        plans.append(wrong)
    plans.sort(key=lambda plan: plan.line)
