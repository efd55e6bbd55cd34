"""The stock page: what is ready, the shelves, the levels, and putting devices on a shelf."""

from typing import Any

from flask import flash, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import N_, HavenmeesterError, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.paper import codes
from mdm.desk.stock import levels, look, queries, service
from mdm.inventory.queries import device_by_uid
from mdm.org.queries import service_point_names
from mdm.overview import stock as figures
from mdm.overview import words
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.charts import address, as_file, drawn, named
from web.console.desk.frame import desk_page
from web.console.desk.once import once
from web.console.desk.place import desk_place
from web.console.frame import translated
from web.console.pages.helpers import BOTH, GET, POST, Route, done, number, refused, text

OPEN = ("open", "sent")


@may(Permission.DESK_VIEW)
def desk_stock(call: Call) -> Response:
    """What stands at the clerk's service point, and whether it is enough."""
    return _stock(call)


def _stock(call: Call, failure: Failure | None = None) -> Response:
    place = desk_place(call)
    chart = figures.against_minimum(call)
    values: dict[str, Any] = {
        "levels": levels.levels(call, place.id) if place else [],
        "shelves": queries.shelves(call, place.id, closed=True) if place else [],
        "loose": queries.without_shelf(call, place.id) if place else [],
        "transfers": queries.transfers(call, service_point_id=place.id, states=OPEN) if place else [],
        "takes": queries.takes(call, place.id, limit=5) if place else [],
        "low": levels.low(call) if not place else [],
    }
    ends = {end for one in values["transfers"] for end in (one.from_id, one.to_id)}
    response = desk_page(
        call,
        "desk/stock/stock.html",
        place_names=service_point_names(call.session, ends | {level.service_point_id for level in levels.low(call)}),
        kinds=translated(words.KINDS),
        chart=chart,
        drawn=drawn,
        named=named,
        address=address,
        failure=failure,
        values=request.form,
        **values,
    )
    return failure.stamp(response) if failure else response


@may(Permission.DESK_VIEW)
def desk_stock_chart(call: Call) -> Response:
    """The chart of stock against minimum as CSV."""
    return as_file(figures.against_minimum(call), "stock")


@may(Permission.DESK_WORK)
def desk_stock_minimum(call: Call) -> Response:
    """Sets how many of a kind, or of one product, there must be."""
    try:
        place = _place(call)
        least = number("least")
        if least is None:
            raise InvalidError(
                N_("Nothing was saved: say how many."), fields={"least": N_("A number; 0 keeps no level.")}
            )
        service.set_minimum(call, place, text("kind"), least, product_name=text("product"))
    except HavenmeesterError as error:
        return _stock(call, refused(call, error))
    return done(gettext("The level was saved."), url_for("desk_stock") + "#levels")


@may(Permission.DESK_WORK)
def desk_shelf_new(call: Call) -> Response:
    """Makes a shelf, or several at once: one name per line."""

    def make() -> Response:
        try:
            place = _place(call)
            names = [name for name in text("name").replace(",", "\n").splitlines() if name.strip()][:50]
            made = [service.create_shelf(call, place, name) for name in names or [""]]
        except HavenmeesterError as error:
            return _stock(call, refused(call, error))
        flash(gettext("Shelves made: %(count)s. Print their labels and stick them on.", count=len(made)), "done")
        return make_response(redirect(url_for("desk_stock") + "#shelves", 303))

    return once(call, make)


def _place(call: Call) -> int:
    place = desk_place(call)
    if place is None:
        raise InvalidError(N_("Choose first where you work. Nothing was saved."))
    return place.id


@may(Permission.DESK_VIEW)
def desk_shelf(call: Call, number: int) -> Response:
    """One shelf, what stands on it, and a field that puts what is scanned on it."""
    if request.method == "GET":
        return _shelf(call, number)
    shelf = queries.shelf(call, number)
    step = text("step")
    try:
        if step == "save":
            service.edit_shelf(call, number, name=text("name"), note=text("note"))
        elif step == "close":
            service.close_shelf(call, number)
        elif step == "reopen":
            service.reopen_shelf(call, number)
        elif step == "off":
            service.unshelve(call, device_by_uid(call, text("device")))
        else:
            device = service.shelve(call, look.device(call, text("code")), shelf)
            flash(gettext("%(device)s stands on %(shelf)s.", device=device.label, shelf=shelf.name), "done")
    except HavenmeesterError as error:
        return _shelf(call, number, refused(call, error))
    return make_response(redirect(url_for("desk_shelf", number=number), 303))


def _shelf(call: Call, key: int, failure: Failure | None = None) -> Response:
    shelf = queries.shelf(call, key)
    response = desk_page(
        call,
        "desk/stock/shelf.html",
        camera=True,
        shelf=shelf,
        devices=queries.on_shelf(call, key),
        failure=failure,
        values=request.form if failure and text("step") == "save" else None,
        work_here=call.actor.may(Permission.DESK_WORK, shelf.where),
    )
    return failure.stamp(response) if failure else response


@may(Permission.DESK_WORK)
def desk_shelve(call: Call) -> Response:
    """One device, and the question on which shelf it goes: scanned, or chosen from the list."""
    uid = (request.form if request.method == "POST" else request.args).get("device", "")
    device = device_by_uid(call, clean(uid, 32))
    failure = None
    if request.method == "POST":
        try:
            chosen = number("shelf")
            shelf = queries.shelf(call, chosen) if chosen is not None else look.shelf(call, text("code"))
            if shelf is None:
                raise NotFoundError(N_("There is no such shelf, or it is not at one of your service points."))
            service.shelve(call, device, shelf)
        except HavenmeesterError as error:
            failure = refused(call, error)
        else:
            told = gettext("%(device)s stands on %(shelf)s.", device=device.label, shelf=shelf.name)
            return done(told, url_for("desk", code=device.uid))
        device = device_by_uid(call, clean(uid, 32))
    offered = queries.shelves(call, device.service_point_id) if device.service_point_id is not None else []
    names = queries.shelf_names(call, [device.shelf_id])
    response = desk_page(
        call, "desk/stock/shelve.html", camera=True, device=device, shelves=offered, names=names, failure=failure
    )
    return failure.stamp(response) if failure else response


@may(Permission.DESK_VIEW)
def desk_scan(_call: Call, code: str) -> Response:
    """What the QR code of a label leads to: the counter, with the code in its field."""
    return make_response(redirect(url_for("desk", code=codes.read(code).text[:128]), 303))


ROUTES: tuple[Route, ...] = (
    ("/desk/stock", "desk_stock", desk_stock, GET),
    ("/desk/stock/chart.csv", "desk_stock_chart", desk_stock_chart, GET),
    ("/desk/stock/minimum", "desk_stock_minimum", desk_stock_minimum, POST),
    ("/desk/stock/shelves", "desk_shelf_new", desk_shelf_new, POST),
    ("/desk/stock/shelves/<int:number>", "desk_shelf", desk_shelf, BOTH),
    ("/desk/stock/shelve", "desk_shelve", desk_shelve, BOTH),
    ("/desk/scan/<path:code>", "desk_scan", desk_scan, GET),
)
