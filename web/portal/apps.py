"""Applications: what one's devices get, what may be asked for, the answers."""

from flask import flash, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import ConflictError, InvalidError
from mdm.portal import apps as own_apps
from mdm.portal import own
from mdm.storage.call import Call
from web.common.failures import failure_of
from web.common.guard import signed_in
from web.portal.helpers import BOTH, GET, POST, Route, page, text
from web.portal.words import APP_STATES


@signed_in()
def apps(call: Call) -> Response:
    """What comes to which device, what was asked for, what may be asked for."""
    return page(
        "apps",
        given=[(one.device, own_apps.given(call, one.device)) for one in own.devices_of(call)],
        asked=own_apps.mine(call),
        offers=own_apps.offers(call),
        states=APP_STATES,
    )


@signed_in(write=None)
def apps_ask(call: Call, uid: str) -> Response:
    """Asks for one, with a sentence why."""
    if request.method == "GET":
        return page("apps_ask", offer=own_apps.offer(call, uid))
    try:
        own_apps.ask(call, uid, text("why"))
    except (ConflictError, InvalidError) as error:
        failure = failure_of(error)
        return failure.stamp(page("apps_ask", offer=own_apps.offer(call, uid), failure=failure))
    flash(gettext("You asked for it. You see the answer here."), "sent")
    return make_response(redirect(url_for("apps"), 303))


@signed_in()
def apps_back(call: Call, uid: str) -> Response:
    """Takes a wish back, or gives an application back."""
    own_apps.take_back(call, uid)
    flash(gettext("It was taken back."), "sent")
    return make_response(redirect(url_for("apps"), 303))


ROUTES: tuple[Route, ...] = (
    ("/apps", "apps", apps, GET),
    ("/apps/ask/<uid>", "apps_ask", apps_ask, BOTH),
    ("/apps/<uid>/back", "apps_back", apps_back, POST),
)
