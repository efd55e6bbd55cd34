"""The list of devices, recording one, and saved views."""

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.access import service as access
from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.inventory import queries
from mdm.inventory import service as inventory
from mdm.inventory.fields import AssetData
from mdm.overview import words
from mdm.overview.commands import COMMANDS
from mdm.overview.devices import DEVICES, places, units_offered
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may, signed_in
from web.console.lists import export, show
from web.console.pages.helpers import BOTH, GET, POST, Route, amount, back, done, number, page, refused, text

FIELDS = (
    "name", "tag", "serial", "imei", "platform", "kind", "ownership", "manufacturer", "model", "phone_number", "ring",
    "purchased_on", "warranty_until", "currency", "supplier", "order_number", "contract", "contract_until", "measure", "note",
)  # fmt: skip


@may(Permission.DEVICE_VIEW)
def devices(call: Call) -> Response:
    """The list."""
    return page("devices/list.html", list=show(call, DEVICES, "devices"))


@may(Permission.DEVICE_EXPORT, write=True)
def devices_file(call: Call) -> Response:
    """Exactly what the list shows, as a file; noted in the diary."""
    return export(call, DEVICES)


@may(Permission.DEVICE_VIEW)
def commands(call: Call) -> Response:
    """Commands over all devices."""
    return page("devices/commands.html", list=show(call, COMMANDS, "commands"))


@may(Permission.DEVICE_EXPORT, write=True)
def commands_file(call: Call) -> Response:
    """The list of commands as a file."""
    return export(call, COMMANDS)


def asset_data() -> AssetData:
    """What the form says of a device."""
    data: AssetData = {}
    for key in FIELDS:
        if key in request.form:
            data[key] = text(key)  # type: ignore[literal-required]
    for key in ("service_point_id", "owner_unit_id"):
        if key in request.form:
            data[key] = number(key)  # type: ignore[literal-required]
    if "cost" in request.form:
        data["cost_cents"] = amount("cost")
    return data


def asset_form(call: Call, uid: str | None, failure: Failure | None = None) -> Response:
    """The form of a device, new or known."""
    device = queries.device_by_uid(call, uid) if uid else None
    response = page(
        "devices/form.html",
        device=device,
        failure=failure,
        values=request.form if failure else device,
        words=words,
        places=places(call),
        units=units_offered(call),
    )
    return failure.stamp(response) if failure else response


@may(Permission.DEVICE_MANAGE)
def device_new(call: Call) -> Response:
    """Records a device."""
    if request.method == "GET":
        return asset_form(call, None)
    try:
        device = inventory.create(call, asset_data())
    except HavenmeesterError as error:
        return asset_form(call, None, refused(call, error))
    return done(gettext("%(name)s was recorded.", name=device.label), url_for("device", uid=device.uid))


@signed_in()
def save_view(call: Call) -> Response:
    """Keeps the filters and columns of a list under a name."""
    access.save_view(
        call, list_name=text("list"), name=text("name"), query=text("query"), shared=text("shared") == "yes"
    )
    return back(url_for("home"))


@signed_in()
def delete_view(call: Call, number: int) -> Response:
    """Deletes a view."""
    access.delete_view(call, number)
    return back(url_for("home"))


ROUTES: tuple[Route, ...] = (
    ("/devices", "devices", devices, GET),
    ("/devices/file", "devices_file", devices_file, GET),
    ("/devices/new", "device_new", device_new, BOTH),
    ("/commands", "commands", commands, GET),
    ("/commands/file", "commands_file", commands_file, GET),
    ("/views", "save_view", save_view, POST),
    ("/views/<int:number>/delete", "delete_view", delete_view, POST),
)
