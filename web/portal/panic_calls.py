"""Calls for help in one's own name, such as from the computer one holds: how they stand, and "I am safe"."""

from flask import flash, make_response, redirect, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.panic import ending, own
from mdm.storage.call import Call
from web.common.guard import signed_in
from web.portal.helpers import GET, POST, Route, page, text
from web.portal.panic import ENDED, WRONG_CODE


@signed_in()
def panic_calls(call: Call) -> Response:
    """One's own calls for help, wherever they were raised."""
    return page("panic_calls", calls=own.calls(call), needs_code=own.asks_code(call))


@signed_in()
def panic_own_safe(call: Call, uid: str) -> Response:
    """A false alarm. As on the phone nothing here tells the two codes apart."""
    safe = ending.call_off_own(call, uid, text("code", 64))
    flash(gettext(ENDED if safe else WRONG_CODE), "sent" if safe else "error")
    return make_response(redirect(url_for("panic_calls"), 303))


ROUTES: tuple[Route, ...] = (
    ("/panic/calls", "panic_calls", panic_calls, GET),
    ("/panic/calls/<uid>/safe", "panic_own_safe", panic_own_safe, POST),
)
