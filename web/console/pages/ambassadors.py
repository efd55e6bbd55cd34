"""Ambassadors: who they are, how much they are asked, naming one, and when one stops."""

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.guidance import ambassadors as service
from mdm.org import queries as org
from mdm.overview.words import LANGUAGES
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.pages.helpers import GET, POST, Route, done, number, page, refused, text


def _list(call: Call, failure: Failure | None = None) -> Response:
    found = service.ambassadors(call)
    # An ambassador of this place may help another one, whose name is not this actor's.
    points, units = org.names_seen(
        call,
        {one.ambassador.service_point_id for one in found if one.ambassador.service_point_id},
        {one.ambassador.unit_id for one in found if one.ambassador.unit_id},
    )
    response = page(
        "guidance/ambassadors.html",
        lines=found,
        offered=list(LANGUAGES.items()),
        units=[(line.unit.id, "\u2013 " * line.depth + line.unit.name) for line in org.units(call)],
        points=[(point.id, point.name) for point in org.service_points(call)],
        unit_names=units,
        point_names=points,
        values=request.form,
        chosen=request.form.getlist("languages"),
        failure=failure,
    )
    return failure.stamp(response) if failure else response


@may(Permission.GUIDANCE_VIEW)
def ambassadors(call: Call) -> Response:
    """The list."""
    return _list(call)


@may(Permission.GUIDANCE_MANAGE)
def ambassador_new(call: Call) -> Response:
    """Names one."""
    try:
        service.name(
            call,
            text("who"),
            languages=request.form.getlist("languages"),
            about=text("about"),
            service_point_id=number("service_point"),
            unit_id=number("unit"),
        )
    except HavenmeesterError as error:
        return _list(call, refused(call, error))
    return done(
        gettext("Saved. Colleagues see the ambassador as soon as they agree on their own page."), url_for("ambassadors")
    )


@may(Permission.GUIDANCE_MANAGE)
def ambassador_end(call: Call, uid: str) -> Response:
    """Somebody stops."""
    service.end(call, uid)
    return done(gettext("Saved. What waited for them went to the desk."), url_for("ambassadors"))


ROUTES: tuple[Route, ...] = (
    ("/guidance/ambassadors", "ambassadors", ambassadors, GET),
    ("/guidance/ambassadors/new", "ambassador_new", ambassador_new, POST),
    ("/guidance/ambassadors/<uid>/end", "ambassador_end", ambassador_end, POST),
)
