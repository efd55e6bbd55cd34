"""One Android phone: its own tab, and the passcode that it is given."""

from typing import Any

from flask import current_app, g, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.inventory import queries
from mdm.inventory.model import Device
from mdm.platforms.android.headwind import service
from mdm.platforms.android.model import AndroidPhone
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.common.sealed import SEAL
from web.console.pages.helpers import BOTH, Route, done, page, refused, text

REASON_MOST = 500
PASSCODE_MOST = 64


def tab(call: Call, found: Device) -> dict[str, Any]:
    """What the tab of an Android phone shows; ``phone`` None for a device that never enrolled as one."""
    kept = call.session.get(AndroidPhone, found.id)
    if kept is None:
        return {"phone": None}
    row = service.number_of_device(call, found)
    return {
        "phone": kept,
        "number": row,
        "log": service.log_lines(kept),
        "may_ask": call.actor.may(Permission.COMMAND_LOCK, found.where),
        "why": service.why_no_passcode(found, kept, row),
    }


def _form(call: Call, uid: str, failure: Failure | None = None) -> Response:
    found = queries.device_by_uid(call, uid)
    kept, row = service.phone(call, uid)
    response = page(
        "phones/passcode.html",
        device=found,
        why=service.why_no_passcode(found, kept, row),
        waiting=row is not None and row.passcode is not None,
        fresh=g.fresh,
        failure=failure,
        values=request.form,
    )
    return failure.stamp(response) if failure else response


@may(Permission.COMMAND_LOCK)
def android_passcode(call: Call, uid: str) -> Response:
    """Gives a phone another passcode, after a fresh proof of who asks: first says what that does, then asks."""
    if request.method == "GET":
        return _form(call, uid)
    if not g.get("fresh"):
        return make_response(redirect(url_for("prove", next=url_for("android_passcode", uid=uid)), 303))
    try:
        # Not stripped and not cleaned: what the holder is told is what the phone gets, or it is refused.
        passcode = request.form.get("passcode", "")[:PASSCODE_MOST]
        service.reset_passcode(call, current_app.extensions[SEAL], uid, passcode, text("reason")[:REASON_MOST])
    except HavenmeesterError as error:
        return _form(call, uid, refused(call, error))
    told = gettext("Asked. The phone has the passcode at its next visit; what became of it is seen here.")
    return done(told, url_for("device", uid=uid, tab="phone"))


ROUTES: tuple[Route, ...] = (("/devices/<uid>/phone/passcode", "android_passcode", android_passcode, BOTH),)
