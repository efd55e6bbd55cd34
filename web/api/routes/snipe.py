"""Moving in from Snipe-IT and out again, for programs."""

from apiflask import APIBlueprint
from flask import Response, request

from mdm.core.permissions import Permission
from mdm.desk.exchange.export import export_assets
from mdm.desk.exchange.service import LISTS, Files, SnipeKind, import_snipe
from mdm.imports.service import IMPORTERS
from mdm.imports.table import MAX_BYTES
from mdm.storage.call import Call
from web.api.operation import View, operation
from web.api.routes.imports import CSV, is_csv, more_of, shown
from web.api.shapes.imports import ImportResult
from web.api.shapes.stock import SnipeQuery

api = APIBlueprint("snipe", __name__, tag={"name": "Imports", "description": "CSV files, all or nothing."})


def _take(call: Call, kind: SnipeKind, query: SnipeQuery, *, dry_run: bool) -> ImportResult:
    is_csv()
    name = request.headers.get("X-File-Name", "")
    files = Files(request.get_data())
    return shown(import_snipe(call, kind, files, more_of(query), name=name, dry_run=dry_run, only_ours=query.only_ours))


def _importer(kind: SnipeKind) -> View:
    def view(call: Call, query: SnipeQuery) -> ImportResult:
        return _take(call, kind, query, dry_run=False)

    view.__name__ = f"import_snipe_{kind.value}"
    view.__doc__ = f"""Import {kind.value} from a CSV file of Snipe-IT.

    Locations first, then users, then assets. Every row is answered; when one is wrong, nothing is written and `applied` is
    false. Importing the same file again changes nothing.
    """
    return view


def _dry_run(kind: SnipeKind) -> View:
    def view(call: Call, query: SnipeQuery) -> ImportResult:
        return _take(call, kind, query, dry_run=True)

    view.__name__ = f"preview_import_snipe_{kind.value}"
    view.__doc__ = f"""Check a CSV file of {kind.value} of Snipe-IT without writing it.

    Answers what would become of every row.
    """
    return view


def _declare(kind: SnipeKind) -> None:
    takes = (CSV, MAX_BYTES)
    address = f"/imports/snipe-{kind.value}"
    permission = IMPORTERS[LISTS[kind].ours].permission
    operation(api, "POST", address, permission, query=SnipeQuery, answer=ImportResult, takes=takes)(_importer(kind))
    operation(
        api, "POST", f"{address}/dry-run", permission, query=SnipeQuery, answer=ImportResult, takes=takes, write=False
    )(_dry_run(kind))


for _kind in SnipeKind:
    _declare(_kind)


@operation(
    api,
    "GET",
    "/exports/snipe-assets",
    Permission.DEVICE_EXPORT,
    answer=None,
    media=(f"{CSV}; charset=utf-8",),
    write=True,
)
def export_snipe_assets(call: Call) -> Response:
    """Export devices for Snipe-IT.

    CSV in the columns that its importer takes, every device at your places, noted in the diary.
    """
    response = Response(export_assets(call), content_type=f"{CSV}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="snipe-it-{call.now:%Y-%m-%d}.csv"'
    return response
