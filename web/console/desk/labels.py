"""Labels: which things, on which paper, from which place of the sheet on."""

from collections.abc import Sequence

from flask import request, url_for
from flask.wrappers import Response

from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.paper import labels
from mdm.desk.paper.labels import SHEETS, Label
from mdm.desk.stock import look, queries
from mdm.inventory.model import Device
from mdm.org.queries import service_point_names
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.desk.frame import desk_page
from web.console.desk.place import desk_place
from web.console.identity import settings
from web.console.pages.helpers import GET, Route, number, refused

WHAT = ("codes", "devices", "shelf", "shelves")


@may(Permission.DESK_VIEW)
def desk_labels(call: Call) -> Response:
    """The form for labels."""
    return _form(call)


def _form(call: Call, failure: Failure | None = None) -> Response:
    place = desk_place(call)
    shelves = queries.shelves(call, place.id) if place else []
    given = request.args
    what = given.get("what", "") or ("shelf" if given.get("shelf") else "shelves" if shelves else "codes")
    response = desk_page(
        call,
        "desk/stock/labels.html",
        sheets=[(sheet.key, sheet.name) for sheet in SHEETS.values()],
        shelves=[(str(line.shelf.id), f"{line.shelf.name} ({line.devices})") for line in shelves],
        what=what,
        values=given,
        failure=failure,
        link=url_for("desk_labels_file"),
    )
    return failure.stamp(response) if failure else response


@may(Permission.DESK_VIEW)
def desk_labels_file(call: Call) -> Response:
    """The labels as PDF; what is wrong is told in the form."""
    try:
        made = labels.pdf(
            _chosen(call), _sheet(), base=settings().console_base, skip=(number("first", request.args) or 1) - 1
        )
    except HavenmeesterError as error:
        return _form(call, refused(call, error))
    response = Response(made, mimetype="application/pdf")
    response.headers["Content-Disposition"] = 'attachment; filename="labels.pdf"'
    return response


def _sheet() -> labels.Sheet:
    found = SHEETS.get(request.args.get("sheet", ""))
    if found is None:
        raise InvalidError(N_("No labels were made: choose a paper."), fields={"sheet": N_("Choose one.")})
    return found


def _chosen(call: Call) -> list[Label]:
    what = request.args.get("what", "")
    place = desk_place(call)
    if what == "codes":
        written = clean(request.args.get("codes", ""), 4000, lines=True).replace(",", "\n").splitlines()
        return [_coded(call, code.strip()) for code in written if code.strip()]
    if what == "shelf":
        chosen = number("shelf", request.args)
        return _devices(call, queries.on_shelf(call, chosen)) if chosen is not None else []
    if place is None:
        raise InvalidError(N_("Choose first where you work. No labels were made."))
    if what == "shelves":
        return [Label(line.shelf.code, line.shelf.name, place.name) for line in queries.shelves(call, place.id)]
    return _devices(call, [*queries.ready_devices(call, place.id), *queries.without_shelf(call, place.id)])


def _coded(call: Call, code: str) -> Label:
    shelf = look.shelf(call, code)
    if shelf is not None:
        return Label(
            shelf.code, shelf.name, service_point_names(call.session, {shelf.service_point_id})[shelf.service_point_id]
        )
    return _devices(call, [look.device(call, code)])[0]


def _devices(call: Call, devices: Sequence[Device]) -> list[Label]:
    once = {device.id: device for device in devices}
    names = service_point_names(call.session, {one.service_point_id for one in once.values() if one.service_point_id})
    return [
        Label(
            one.tag or one.serial or one.imei or one.uid,
            one.label,
            one.product or names.get(one.service_point_id or 0, ""),
        )
        for one in once.values()
    ]


ROUTES: tuple[Route, ...] = (
    ("/desk/stock/labels", "desk_labels", desk_labels, GET),
    ("/desk/stock/labels.pdf", "desk_labels_file", desk_labels_file, GET),
)
