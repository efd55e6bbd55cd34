"""At which service point a clerk works: chosen once, kept in a cookie of this browser."""

from flask import flash, make_response, request
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.org.model import ServicePoint
from mdm.org.queries import service_points
from mdm.storage.call import Call
from web.common.app import uses_tls
from web.common.guard import may
from web.console.identity import settings
from web.console.pages.helpers import POST, Route, back, number

COOKIE = "hm_desk"
KEPT = 400 * 86_400
"""Seconds; browsers keep no cookie longer."""


def desk_places(call: Call) -> list[ServicePoint]:
    """The open service points at which this person may look at the desk, by name; those of a unit's grant have none."""
    scope = call.actor.scope(Permission.DESK_VIEW)
    return [point for point in service_points(call) if scope.city or point.id in scope.service_points]


def desk_place(call: Call) -> ServicePoint | None:
    """Where this person works: what they chose, or the only place they have; None while several wait for a choice.

    A cookie is a wish and no right: a place that this person does not have is taken as not chosen.
    """
    places = desk_places(call)
    if len(places) == 1:
        return places[0]
    wanted = request.cookies.get(COOKIE, "")
    return next((point for point in places if str(point.id) == wanted), None)


@may(Permission.DESK_VIEW)
def desk_place_choose(call: Call) -> Response:
    """Keeps the choice. A place that is not this person's is answered as if it were not there."""
    wanted = number("service_point")
    point = next((one for one in desk_places(call) if one.id == wanted), None)
    if point is None:
        raise NotFoundError(N_("There is no such service point, or it is not one of yours."))
    flash(gettext("You work at %(place)s now.", place=point.name), "done")
    response = make_response(back("/desk"))
    response.set_cookie(
        COOKIE, str(point.id), max_age=KEPT, path="/desk", httponly=True, samesite="Lax", secure=uses_tls(settings())
    )
    return response


ROUTES: tuple[Route, ...] = (("/desk/place", "desk_place_choose", desk_place_choose, POST),)
