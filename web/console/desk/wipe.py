"""A device that came back holds somebody's data until it is wiped: by the code that it shows, or by hand where it shows none."""

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.actor import require
from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.custody import returning, service
from mdm.desk.custody.next_step import ERASE
from mdm.inventory.model import Device
from mdm.inventory.queries import device_by_uid
from mdm.orders import service as orders
from mdm.orders.model import Lane
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.desk.frame import desk_page
from web.console.desk.once import once
from web.console.pages.helpers import BOTH, Route, done, refused, text


def _device(call: Call) -> Device:
    written = (request.form if request.method == "POST" else request.args).get("device", "")
    found = device_by_uid(call, clean(written, 64))
    require(call.actor, Permission.DESK_WORK, found.where)
    return found


@may(Permission.ORDER_HAND_IN)
def desk_wipe(call: Call) -> Response:
    """Asks for the wipe in the desk's own lane: the device on the counter shows eight digits, and they are typed."""
    device = _device(call)
    if request.method == "GET":
        return _wipe_page(call, device)
    return once(call, lambda: _wipe(call, device))


def _wipe(call: Call, device: Device) -> Response:
    try:
        orders.request_wipe(call, device.uid, returning.REASON, lane=Lane.HAND_IN, presence=text("code"))
    except HavenmeesterError as error:
        return _wipe_page(call, device, refused(call, error))
    return done(gettext("The wipe of %(device)s was asked for.", device=device.label), url_for("desk", code=device.uid))


def _wipe_page(call: Call, device: Device, failure: Failure | None = None) -> Response:
    wrong = " ".join(dict.fromkeys((failure.sentence, *failure.fields.values()))) if failure else ""
    response = desk_page(call, "desk/wipe.html", camera=True, device=device_by_uid(call, device.uid), wrong=wrong)
    return failure.stamp(response) if failure else response


@may(Permission.DEVICE_MANAGE)
def desk_erase(call: Call) -> Response:
    """Somebody erased it by hand, and looked: from then on it can go on a shelf."""
    device = _device(call)
    return once(call, lambda: _erased(call, device)) if request.method == "POST" else _erase_page(call, device)


def _erased(call: Call, device: Device) -> Response:
    try:
        service.erased_by_hand(call, device.uid, text("how"))
    except HavenmeesterError as error:
        return _erase_page(call, device_by_uid(call, device.uid), refused(call, error))
    return done(gettext("%(device)s is empty now.", device=device.label), url_for("desk", code=device.uid))


def _erase_page(call: Call, device: Device, failure: Failure | None = None) -> Response:
    response = desk_page(
        call,
        "desk/erase.html",
        device=device,
        todo=ERASE[device.platform],
        wrong=failure.sentence if failure else "",
        values=request.form,
    )
    return failure.stamp(response) if failure else response


ROUTES: tuple[Route, ...] = (
    ("/desk/wipe", "desk_wipe", desk_wipe, BOTH),
    ("/desk/erase", "desk_erase", desk_erase, BOTH),
)
