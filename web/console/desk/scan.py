"""The counter: one field, one card, the one right next thing."""

from flask import make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import NotFoundError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.inventory import lifecycle, queries
from mdm.inventory.model import Device, LifeCycle
from mdm.people.model import Person
from mdm.storage.call import Call
from web.common.guard import may
from web.console.desk.frame import desk_page
from web.console.desk.keys import Key, pressed
from web.console.pages.helpers import GET, Route

LONGEST = 512


def keys_of(call: Call, device: Device) -> list[Key]:
    """What this person can do with the device in its state, the right next thing first."""
    keys = []
    if call.actor.may(Permission.DEVICE_MANAGE, device.where):
        state = LifeCycle(device.state)
        moves = lifecycle.MOVES[state]
        if state in lifecycle.WITH_HOLDER:
            keys.append(
                Key("", gettext("Take in"), url_for("device_move", uid=device.uid, state="returned"), icon="package")
            )
        elif LifeCycle.HANDED_OUT in moves:
            keys.append(
                Key("", gettext("Hand out"), url_for("device_move", uid=device.uid, state="handed_out"), icon="user")
            )
    keys.append(
        Key("o" if keys else "", gettext("Open the device"), url_for("device", uid=device.uid), icon="file-info")
    )
    return keys


@may(Permission.DESK_VIEW)
def desk(call: Call) -> Response:
    """The field, and the card of what was scanned. Enter in the empty field, or a letter, does what the card offers."""
    code = clean(request.args.get("code", ""), LONGEST).strip()
    shown = clean(request.args.get("card", ""), LONGEST).strip()
    device, wrong = None, ""
    if shown and len(code) <= 1:
        device = _found(call, shown)
        key = pressed(keys_of(call, device), code) if device is not None and "code" in request.args else None
        if key is not None:
            return make_response(redirect(key.url, 303))
    if code:
        device = _found(call, code)
        wrong = "" if device else gettext("Nothing here has the code %(code)s.", code=code)
    holder = call.session.get(Person, device.person_id) if device is not None and device.person_id else None
    return desk_page(
        call,
        "desk/counter.html",
        camera=True,
        device=device,
        holder=holder,
        keys=keys_of(call, device) if device is not None else [],
        others=queries.suggestions(call, code) if wrong else [],
        wrong=wrong,
    )


def _found(call: Call, code: str) -> Device | None:
    try:
        return queries.device(call, code)
    except NotFoundError:
        return None


ROUTES: tuple[Route, ...] = (("/desk", "desk", desk, GET),)
