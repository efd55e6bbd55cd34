"""Discovery: what is on a service point's network, what of it nobody manages, what is missing, and what was lent."""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext, ngettext

from mdm.audit import service as audit
from mdm.core.clock import iso
from mdm.core.errors import N_, ConfigurationError, HavenmeesterError
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean, spreadsheet_safe
from mdm.discovery import listening, networks, queries, service
from mdm.discovery.flex import flex
from mdm.discovery.model import RunState
from mdm.inventory.contact import day_of
from mdm.org.model import ServicePoint
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.identity import settings
from web.console.pages.helpers import GET, POST, Route, done, number, page, refused, text

VIEW, MANAGE = Permission.DISCOVERY_VIEW, Permission.DISCOVERY_MANAGE
TABS: Final = {
    "unmanaged": N_("Not managed"),
    "not_seen": N_("Managed, not seen"),
    "elsewhere": N_("Seen elsewhere"),
    "here": N_("Managed and here"),
    "flex": N_("Loan pool"),
}


@may(VIEW)
def discovery(call: Call) -> Response:
    """The lists of one service point; of the first that somebody looked at, where none is named."""
    return _shown(call)


def _shown(call: Call, failure: Failure | None = None) -> Response:
    places = queries.points(call)
    place = _place(call, places)
    if place is None:
        return page("discovery/discovery.html", places=[], place=None)
    tab = request.args.get("list", "unmanaged")
    tab = tab if tab in TABS else "unmanaged"
    lent = flex(call, place.id)
    if tab == "flex" and lent is None:
        tab = "unmanaged"
    found = queries.counts(call, place.id)
    numbers = {
        "unmanaged": found.unmanaged,
        "not_seen": found.not_seen,
        "elsewhere": found.elsewhere,
        "here": found.here,
        "flex": sum(one.missing for one in lent.devices) if lent else None,
    }
    runs = queries.runs(call, place.id)
    response = page(
        "discovery/discovery.html",
        failure=failure,
        places=[(one.code, one.name) for one in places],
        place=place,
        tab=tab,
        tabs_=[
            {
                "label": gettext(label),
                "url": url_for("discovery", service_point=place.code, list=None if key == "unmanaged" else key),
                "current": key == tab,
                "count": numbers[key],
            }
            for key, label in TABS.items()
            if key != "flex" or lent
        ],
        counts=found,
        lines=queries.by_device(_lines(call, tab, place.id)),
        absent=queries.not_seen(call, place.id) if tab == "not_seen" else [],
        flex=lent,
        runs=runs,
        waiting=any(run.state == RunState.WAITING and not run.listens for run in runs),
        listens=[run for run in runs if run.listens],
        ears=(ears := _ears(place)),
        ears_=[(one, one) for one in ears],
        minutes_=[
            (str(one), ngettext("%(num)s minute", "%(num)s minutes", one) if one < 60 else gettext("one hour"))
            for one in listening.MINUTES
        ],
        may_ask=settings().discovery_networks.strip(),
        manages=call.actor.may(MANAGE, Where(service_point_id=place.id)),
    )
    return failure.stamp(response) if failure else response


def _place(call: Call, places: list[ServicePoint]) -> ServicePoint | None:
    asked = request.args.get("service_point", "").strip()
    if asked:
        return queries.point(call, asked)
    return next((one for one in places if queries.looked_at(call, one.id)), places[0] if places else None)


def _ears(place: ServicePoint) -> tuple[str, ...]:
    """Interfaces of the server that hear this place; none where the configuration names none, or is wrong."""
    try:
        return networks.interfaces(settings().discovery_interfaces).get(place.code, ())
    except ConfigurationError:
        return ()


def _lines(call: Call, tab: str, place: int, limit: int = queries.MOST) -> list[queries.Line]:
    reads = {"unmanaged": queries.unmanaged, "elsewhere": queries.elsewhere, "here": queries.here}
    return reads[tab](call, place, limit) if tab in reads else []


@may(MANAGE)
def discovery_bring(call: Call) -> Response:
    """Takes a capture; the worker has it read by a process of its own."""
    place = queries.point(call, request.args.get("service_point", ""))
    file = request.files.get("file")
    name, content = (clean(file.filename), file.stream) if file else ("", io.BytesIO())
    try:
        service.bring(call, settings().home, place.id, name, cast(BinaryIO, content))
    except HavenmeesterError as error:
        return _shown(call, refused(call, error))
    return done(
        gettext("The capture was taken and is being read. Load this page again in a moment."),
        url_for("discovery", service_point=place.code),
    )


@may(MANAGE)
def discovery_listen(call: Call) -> Response:
    """Has the server listen to the network of this place; the worker begins within seconds."""
    place = queries.point(call, request.args.get("service_point", ""))
    try:
        run = listening.begin(
            call,
            place,
            text("interface"),
            number("minutes") or 0,
            asks=bool(text("asks")),
            interfaces=networks.interfaces(settings().discovery_interfaces),
            allowed=networks.read(settings().discovery_networks),
        )
    except HavenmeesterError as error:
        return _shown(call, refused(call, error))
    return done(
        gettext("%(name)s is being listened to.", name=run.name), url_for("discovery", service_point=place.code)
    )


@may(MANAGE)
def discovery_stop(call: Call, uid: str) -> Response:
    """Ends listening before its time."""
    run = listening.stop(call, uid)
    place = queries.place_of(call, run)
    return done(
        gettext("It ends in a moment. What was heard until now counts."),
        url_for("discovery", service_point=place.code),
    )


HEADER: Final = (
    "list", "kind", "name", "vendor", "model", "serial", "mac", "random", "addresses", "services",
    "device", "home", "matched_by", "service_point", "first_seen_at", "last_seen_at",
)  # fmt: skip


@may(VIEW, write=True)
def discovery_file(call: Call) -> Response:
    """The three lists of one service point as CSV; the diary says that they were taken."""
    place = queries.point(call, request.args.get("service_point", ""))
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(HEADER)
    count = 0
    for row in _rows(call, place):
        writer.writerow([spreadsheet_safe(cell) for cell in row])
        count += 1
    where = Where(service_point_id=place.id)
    audit.record(
        call, "discovery.exported", ("discovery", place.code), name=place.name, where=where, details={"rows": count}
    )
    response = Response("\ufeff" + written.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="discovery-{call.now:%Y-%m-%d}.csv"'
    return response


def _rows(call: Call, place: ServicePoint) -> Iterator[list[object]]:
    for name in ("unmanaged", "elsewhere", "here"):
        for line in _lines(call, name, place.id, queries.ALL):
            row = line.row
            yield [
                name, row.kind, row.name, row.vendor, row.model, row.serial, row.mac, "yes" if row.random else "",
                " ".join(row.addresses), " ".join(row.services), line.device.label if line.device else "",
                line.home.code if line.home else "", row.matched_by, line.point.code,
                iso(day_of(row.first_seen_at)), iso(day_of(row.last_seen_at)),
            ]  # fmt: skip
    for device in queries.not_seen(call, place.id):
        seen = iso(device.contact_at) if device.contact_at else ""
        yield ["not_seen", device.kind, device.name, device.manufacturer, device.model, device.serial or "",
               "", "", "", "", device.label, place.code, "", place.code, "", seen]  # fmt: skip


ROUTES: tuple[Route, ...] = (
    ("/discovery", "discovery", discovery, GET),
    ("/discovery/captures", "discovery_bring", discovery_bring, POST),
    ("/discovery/listen", "discovery_listen", discovery_listen, POST),
    ("/discovery/<uid>/stop", "discovery_stop", discovery_stop, POST),
    ("/discovery/file", "discovery_file", discovery_file, GET),
)
