"""Home, and the search that jumps."""

import json
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import g, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import format_date, gettext

from mdm.core.permissions import Permission
from mdm.overview import home as figures
from mdm.overview.devices import exact
from mdm.overview.home import Chart
from mdm.storage.call import Call
from web.common.guard import signed_in
from web.console.identity import settings
from web.console.pages.helpers import GET, Route, page


def named(name: str) -> str:
    """What a bar is called: a week by the day that it begins, anything else in the person's language."""
    try:
        return str(format_date(date.fromisoformat(name), "d MMM"))
    except ValueError:
        return str(gettext(name))


def drawn(chart: Chart, *, share: bool = False, across: bool = False) -> str:
    """What the script draws, as JSON."""
    return json.dumps(
        {
            "names": [named(name) for name in chart.names],
            "share": share,
            "across": across,
            "series": [{"name": gettext(one.name), "colour": one.colour, "values": one.values} for one in chart.series],
        }
    )


def address(parameters: tuple[tuple[str, str], ...], endpoint: str = "devices") -> str:
    """The list that shows exactly these."""
    return f"{url_for(endpoint)}?{urlencode(parameters)}" if parameters else url_for(endpoint)


@signed_in()
def home(call: Call) -> Response:
    """What needs somebody, how the fleet is, what happened."""
    sees = call.actor.may_somewhere(Permission.DEVICE_VIEW)
    values: dict[str, Any] = {"needs": figures.needs(call), "sees": sees, "operator": g.operator}
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


ROUTES: tuple[Route, ...] = (("/", "home", home, GET), ("/search", "search", search, GET))
