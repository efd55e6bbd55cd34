"""Home, and the search that jumps."""

from typing import Any

from flask import g, make_response, redirect, request, url_for
from flask.wrappers import Response

from mdm.access.queries import has_passkey
from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.orders.roster.founding import Founding, founding
from mdm.overview import home as figures
from mdm.overview.devices import exact
from mdm.platforms.apple import pushing
from mdm.storage.call import Call
from web.common.guard import may, signed_in
from web.console.charts import address, as_file, drawn, named
from web.console.identity import settings
from web.console.pages.helpers import GET, Route, page


@signed_in()
def home(call: Call) -> Response:
    """What needs somebody, how the fleet is, what happened."""
    sees = call.actor.may_somewhere(Permission.DEVICE_VIEW)
    operator = g.operator
    values: dict[str, Any] = {
        "needs": figures.needs(call),
        "sees": sees,
        "operator": operator,
        "no_way_back": not (operator.password_hash or operator.oidc_subject or has_passkey(call, operator.id)),
        "standing": pushing.standing(call) if call.actor.may(Permission.SETTINGS_VIEW) else None,
        "founding": _founding(call),
        "may_found": call.actor.may(Permission.OPERATOR_MANAGE),
    }
    if sees:
        tiles = figures.counts(call)
        values |= {
            "tiles": tiles,
            "places": figures.compliance_by_place(call),
            "seen": figures.last_seen(tiles),
            "systems": figures.systems(call),
            "weeks": figures.enrolments(call, settings().timezone),
            "activity": figures.activity(call),
        }
    return page("home.html", drawn=drawn, named=named, address=address, **values)


def _founding(call: Call) -> Founding | None:
    """How far the first roster is, for those who have something to do for it."""
    concerned = (Permission.OPERATOR_MANAGE, Permission.ORDER_APPROVE)
    return founding(call) if any(call.actor.may_somewhere(one) for one in concerned) else None


@may(Permission.DEVICE_VIEW)
def chart_file(call: Call, name: str) -> Response:
    """The figures of one chart as CSV; 404 for a chart that there is not."""
    made = {
        "places": lambda: figures.compliance_by_place(call),
        "seen": lambda: figures.last_seen(figures.counts(call)),
        "systems": lambda: figures.systems(call),
        "weeks": lambda: figures.enrolments(call, settings().timezone),
    }.get(name)
    if made is None:
        raise NotFoundError(N_("There is no such chart."))
    return as_file(made(), name)


@signed_in()
def search(call: Call) -> Response:
    """Straight to the device whose tag, serial or IMEI it is; else to the list of devices, or of people, that match."""
    wanted = request.args.get("q", "").strip()[:100]
    if call.actor.may_somewhere(Permission.DEVICE_VIEW):
        uid = exact(call, wanted)
        if uid is not None:
            return make_response(redirect(url_for("device", uid=uid), 303))
        return make_response(redirect(url_for("devices", q=wanted or None), 303))
    return make_response(redirect(url_for("people", q=wanted or None), 303))


ROUTES: tuple[Route, ...] = (
    ("/", "home", home, GET),
    ("/search", "search", search, GET),
    ("/charts/<name>.csv", "chart_file", chart_file, GET),
)
