"""Coming in with the city account: there, and back.

INVARIANT: no transaction of ours is open while the provider is asked; a slow provider must not hold the database.
"""

import structlog
from flask import make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.access import oidc
from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import utcnow
from mdm.core.errors import N_, HavenmeesterError
from mdm.portal import sessions
from mdm.portal.city import person_for
from mdm.portal.model import Way
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from web.common.city import Trip, provider
from web.common.database import db
from web.common.failures import failure_of
from web.common.guard import without_database
from web.portal import places
from web.portal.cookie import brought_cookie, give_cookie, over_tls
from web.portal.helpers import GET, Route, page, settings

log = structlog.get_logger(__name__)
COOKIE = "hm_mine_city"
PLACE = "/in/city"
FAILED = N_("Your city account did not work now. You are not in. Try again, or come in with your e-mail address.")
UNKNOWN = N_("The city knows you, but this page does not know that account. Ask your service point for a code.")


@without_database("sends the browser to the city's identity provider; asks the provider first")
def city() -> Response:
    """Off to the provider."""
    try:
        begun = oidc.begin(_provider(), utcnow())
    except HavenmeesterError as error:
        return _refused(error)
    return _trip().leave(begun)


@without_database("the provider sends the browser back here; opens its own transaction after the provider was asked")
def city_back() -> Response:
    """Back from the provider: lets in the employee whom it proved, or says what to do instead."""
    try:
        begun, _kept = _trip().back()
        identity = oidc.finish(_provider(), begun, request.args, utcnow())
    except HavenmeesterError as error:
        return _trip().forget(_refused(error))
    secret = _come_in(identity)
    if secret is None:
        return _trip().forget(page("come_in", 403, sentence=gettext(UNKNOWN)))
    return _trip().forget(places.forget(give_cookie(make_response(redirect(places.kept(), 303)), secret)))


def _provider() -> oidc.Provider:
    return provider(settings(), settings().portal_base + url_for("city_back"))


def _trip() -> Trip:
    return Trip(COOKIE, PLACE, "employees with the city account", over_tls(settings()))


def _come_in(identity: oidc.Identity) -> str | None:
    number = str(request.environ.get("havenmeester.request_id", "-"))
    visitor = Actor(ActorKind.VISITOR, None, "", (), number, None)
    with transaction(db.engine, write=True) as session:
        call = Call(visitor, session, utcnow())
        person = person_for(call, identity, settings().oidc_number_claim)
        return sessions.start(call, person, Way.CITY, brought_cookie()) if person is not None else None


def _refused(error: HavenmeesterError) -> Response:
    """The ways in, with a sentence: the other two still work. What is wrong in detail is for the log."""
    failure = failure_of(error)
    log.warning("an employee's city account was refused", code=failure.code, why=str(error))
    return failure.stamp(page("come_in", sentence=gettext(FAILED)))


ROUTES: tuple[Route, ...] = (
    (PLACE, "city", city, GET),
    (f"{PLACE}/back", "city_back", city_back, GET),
)
