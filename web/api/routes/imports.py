"""CSV files: every row is checked first; a file is written as a whole, or not at all."""

from apiflask import APIBlueprint
from flask import current_app, request
from flask_babel import gettext

from mdm.core.errors import N_
from mdm.core.permissions import Permission
from mdm.imports.plan import More, Outcome, Planned
from mdm.imports.service import IMPORTERS, ImportKind, import_csv
from mdm.imports.service import ImportResult as Result
from mdm.imports.table import MAX_BYTES
from mdm.storage.call import Call
from web.api.errors import MediaTypeError
from web.api.operation import View, operation
from web.api.shapes.imports import ImportQuery, ImportResult, ImportRow
from web.common.sealed import SEAL

api = APIBlueprint("imports", __name__, tag={"name": "Imports", "description": "CSV files, all or nothing."})
CSV = "text/csv"


def _row(plan: Planned[object]) -> ImportRow:
    sentence = gettext(plan.sentence) if plan.sentence else ""
    return ImportRow(
        line=plan.line,
        outcome=plan.outcome,
        subject=plan.subject,
        changes=list(plan.changes),
        column=plan.column,
        message=sentence % plan.params if plan.params else sentence,
    )


def shown(result: Result) -> ImportResult:
    """What came of a file, with a line for every row."""
    return ImportResult(
        kind=result.kind,
        applied=result.applied,
        encoding=result.encoding,
        delimiter=result.delimiter,
        columns=list(result.fields),
        ignored_columns=list(result.ignored_columns),
        counts={outcome: result.count(outcome) for outcome in Outcome},
        rows=[_row(plan) for plan in result.rows],
    )


def is_csv() -> None:
    """Nothing for a body of CSV; raises MediaTypeError for any other."""
    if request.mimetype != CSV:
        raise MediaTypeError(
            N_("The body must be %(wanted)s, not %(given)s. Nothing was changed."),
            wanted=CSV,
            given=request.mimetype[:80] or "of no type",
        )


def more_of(query: ImportQuery) -> More:
    """What an import needs beside the file."""
    return More(current_app.extensions[SEAL], frozenset(query.bring_back or ()))


def _take(call: Call, kind: ImportKind, query: ImportQuery, *, dry_run: bool) -> ImportResult:
    is_csv()
    name = request.headers.get("X-File-Name", "")
    return shown(import_csv(call, kind, request.get_data(), more_of(query), name=name, dry_run=dry_run))


def _importer(kind: ImportKind) -> View:
    def view(call: Call, query: ImportQuery) -> ImportResult:
        return _take(call, kind, query, dry_run=False)

    view.__name__ = f"import_{kind.name.lower()}"
    view.__doc__ = f"""Import {kind.name.lower().replace("_", " ")} from a CSV file.

    UTF-8 or Windows-1252, comma, semicolon or tab. Every row is answered; when one is wrong, nothing is written and
    `applied` is false. Importing the same file again changes nothing. People whose record was erased are `skipped`, unless
    `bring_back` names their line.
    """
    return view


def _dry_run(kind: ImportKind) -> View:
    def view(call: Call, query: ImportQuery) -> ImportResult:
        return _take(call, kind, query, dry_run=True)

    view.__name__ = f"preview_import_{kind.name.lower()}"
    view.__doc__ = f"""Check a CSV file of {kind.name.lower().replace("_", " ")} without writing it.

    Answers what would become of every row.
    """
    return view


def _declare(kind: ImportKind, permission: Permission) -> None:
    takes = (CSV, MAX_BYTES)
    address = f"/imports/{kind.value}"
    operation(api, "POST", address, permission, query=ImportQuery, answer=ImportResult, takes=takes)(_importer(kind))
    operation(
        api, "POST", f"{address}/dry-run", permission, query=ImportQuery, answer=ImportResult, takes=takes, write=False
    )(_dry_run(kind))


for _kind, _one in IMPORTERS.items():
    _declare(_kind, _one.permission)
