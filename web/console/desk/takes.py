"""Stock-takes: open one, scan, see the differences while counting, close with a report that stays."""

import tablib
from flask import flash, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.clock import iso
from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission, Where
from mdm.core.text import spreadsheet_safe
from mdm.desk.stock import queries, service
from mdm.desk.stock.model import Shelf, Standing, StockTake
from mdm.desk.stock.takes import differences
from mdm.overview import desk_words
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.desk.frame import desk_page
from web.console.desk.once import once
from web.console.desk.place import desk_place
from web.console.pages.helpers import BOTH, GET, Route, number, refused, text

LATEST = 50


@may(Permission.DESK_VIEW)
def desk_takes(call: Call) -> Response:
    """The counts of the clerk's service point; a form opens another one."""
    if request.method == "GET":
        return _takes(call)

    def begin() -> Response:
        place = desk_place(call)
        try:
            if place is None:
                raise InvalidError(N_("Choose first where you work. Nothing was begun."))
            take = service.open_take(call, place.id, shelf_id=number("shelf"), note=text("note"))
        except HavenmeesterError as error:
            return _takes(call, refused(call, error))
        return make_response(redirect(url_for("desk_take", number=take.id), 303))

    return once(call, begin)


def _takes(call: Call, failure: Failure | None = None) -> Response:
    place = desk_place(call)
    found = queries.takes(call, place.id, limit=100) if place else []
    response = desk_page(
        call,
        "desk/stock/takes.html",
        takes=found,
        shelves=[(str(line.shelf.id), line.shelf.name) for line in queries.shelves(call, place.id)] if place else [],
        names=queries.shelf_names(call, [one.shelf_id for one in found]),
        failure=failure,
        values=request.form,
    )
    return failure.stamp(response) if failure else response


@may(Permission.DESK_VIEW)
def desk_take(call: Call, number: int) -> Response:
    """One count: the field while it is open, the report when it is closed."""
    if request.method == "GET":
        return _take(call, number)
    step, chosen = text("step"), text("shelf")
    try:
        if step == "close":
            service.close_take(call, number, note=text("note"), tidy=bool(text("tidy")))
        elif step == "cancel":
            service.cancel_take(call, number)
        elif step == "undo":
            _undo(call, number)
        else:
            chosen = _scan(call, number, chosen)
    except HavenmeesterError as error:
        return _take(call, number, refused(call, error))
    return make_response(redirect(url_for("desk_take", number=number, shelf=chosen or None), 303))


def _undo(call: Call, key: int) -> None:
    row = service.undo(call, key, number("scan"))
    told = gettext("Taken back. Scan it again when it is here.") if row else gettext("There was nothing to take back.")
    flash(told, "done" if row else "warning")


def _scan(call: Call, key: int, chosen: str) -> str:
    read = service.scan(call, key, text("code"), shelf_id=int(chosen) if chosen.isdigit() else None)
    if read.shelf is not None:
        return str(read.shelf.id)
    name = read.device.label if read.device else text("code")
    if read.again:
        flash(gettext("%(name)s was counted already.", name=name), "warning")
    elif read.scan is not None and read.scan.standing != Standing.RIGHT:
        flash(f"{name}: {gettext(desk_words.STOCK_STANDINGS[read.scan.standing])}", "warning")
    return chosen


def _take(call: Call, key: int, failure: Failure | None = None) -> Response:
    take = queries.take(call, key)
    rows = queries.scans(call, key)
    absent = differences(call, take) if take.state == "open" else []
    shown = request.values.get("shelf", "")
    response = desk_page(
        call,
        "desk/stock/take.html",
        camera=True,
        take=take,
        absent=absent,
        latest=[row for row in rows if row[0].by][:LATEST],
        different=[row for row in rows if row[0].standing != Standing.RIGHT],
        counted=sum(1 for scan, _device in rows if scan.by),
        shelf=next((one for one in _shelves(call, take) if str(one.id) == shown), None),
        names=queries.shelf_names(
            call, [id_ for scan, _device in rows for id_ in (scan.shelf_id, scan.recorded.get("shelf"))]
        ),
        work_here=call.actor.may(Permission.DESK_WORK, Where(take.service_point_id)),
        failure=failure,
    )
    return failure.stamp(response) if failure else response


def _shelves(call: Call, take: StockTake) -> list[Shelf]:
    return [line.shelf for line in queries.shelves(call, take.service_point_id)]


@may(Permission.DESK_VIEW)
def desk_take_file(call: Call, number: int) -> Response:
    """The report as CSV: a line per code, as it was when it was scanned or missed."""
    take = queries.take(call, number)
    heads = [
        gettext(name)
        for name in (
            N_("Result"),
            N_("Device"),
            N_("Code"),
            N_("Shelf"),
            N_("Recorded shelf"),
            N_("Scanned by"),
            N_("Moment"),
        )
    ]
    data = tablib.Dataset(headers=heads)
    rows = queries.scans(call, number, limit=40_000)
    names = queries.shelf_names(
        call, [key for scan, _device in rows for key in (scan.shelf_id, scan.recorded.get("shelf"))]
    )
    for scan, device in reversed(rows):
        cells = (
            gettext(desk_words.STOCK_STANDINGS[scan.standing]),
            device.label if device else "",
            (device.tag or device.serial or device.uid) if device else scan.code,
            names.get(scan.shelf_id or 0, ""),
            names.get(scan.recorded.get("shelf") or 0, ""),
            scan.by,
            iso(scan.at),
        )
        data.append([spreadsheet_safe(str(cell)) for cell in cells])
    # The mark tells spreadsheets that the file is UTF-8.
    response = Response("\ufeff" + data.export("csv"), mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="stock-take-{take.id}.csv"'
    return response


ROUTES: tuple[Route, ...] = (
    ("/desk/stock/takes", "desk_takes", desk_takes, BOTH),
    ("/desk/stock/takes/<int:number>", "desk_take", desk_take, BOTH),
    ("/desk/stock/takes/<int:number>/report.csv", "desk_take_file", desk_take_file, GET),
)
