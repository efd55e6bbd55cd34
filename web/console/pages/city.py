"""Signing in with the city's identity provider: there, and back.

INVARIANT: no transaction of ours is open while the provider is asked; a slow provider must not hold the database.
"""

import structlog
from flask import make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.access import oidc
from mdm.access import service as access
from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import utcnow
from mdm.core.errors import N_, DeniedError, HavenmeesterError
from mdm.platforms.apple import account
from mdm.platforms.apple.addresses import SIGN_IN
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from web.common.app import uses_tls
from web.common.city import Trip, provider
from web.common.database import db
from web.common.failures import failure_of
from web.common.guard import without_database
from web.console.identity import give_cookie, limits, settings, visit
from web.console.pages.helpers import GET, Route, is_ours
from web.console.pages.sign_in import sign_in_form

log = structlog.get_logger(__name__)

COOKIE = "hm_city"
PLACE = "/sign-in/oidc"
"""The cookie is sent to these two addresses and to no other."""


@without_database("sends the browser to the city's identity provider; asks the provider first")
def sign_in_city() -> Response:
    """Off to the provider. What must come back with the browser is kept in a signed cookie for ten minutes."""
    wanted = request.args.get("next", "")
    goal = wanted if is_ours(wanted) else url_for("home")
    try:
        begun = oidc.begin(_provider(), utcnow(), again=request.args.get("again") == "yes")
    except HavenmeesterError as error:
        return _refused(error, goal)
    return _trip().leave(begun, next=goal)


@without_database("sends a private phone's owner to the city's identity provider; asks the provider first")
def sign_in_phone() -> Response:
    """The same for a phone that enrols by its owner's account: what comes back goes to the phone, and signs nobody in here."""
    begun = oidc.begin(_provider(), utcnow(), again=False)
    return _trip().leave(begun, next="/", phone=request.args.get("user-identifier", "")[:255])


@without_database("the provider sends the browser back here; opens its own transaction after the provider was asked")
def sign_in_city_back() -> Response:
    """Back from the provider: signs in the operator whom it proved, or says why nobody was signed in."""
    goal = url_for("home")
    try:
        begun, kept = _trip().back()
        goal = kept["next"]
        identity = oidc.finish(_provider(), begun, request.args, utcnow())
        if "phone" in kept:
            return _trip().forget(_to_phone(identity, kept["phone"]))
        secret = _come_in(identity)
    except HavenmeesterError as error:
        return _trip().forget(_refused(error, goal))
    return _trip().forget(give_cookie(make_response(redirect(goal, 303)), secret))


def _provider() -> oidc.Provider:
    return provider(settings(), settings().console_base + url_for("sign_in_city_back"))


def _trip() -> Trip:
    return Trip(COOKIE, PLACE, "sign-in with the city account", uses_tls(settings()))


def _to_phone(identity: oidc.Identity, user: str) -> Response:
    """Hands the phone what shows that its owner has signed in."""
    visitor = Actor(
        ActorKind.VISITOR, None, "", (), str(request.environ.get("havenmeester.request_id", "-")), request.remote_addr
    )
    with transaction(db.engine, write=True) as session:
        token = account.admit(Call(visitor, session, utcnow()), identity.email, user)
    address = f"apple-remotemanagement-user-login://authentication-results?access-token={token}"
    return make_response("", 308, {"Location": address, "Cache-Control": "no-store"})


def _come_in(identity: oidc.Identity) -> str:
    visitor = Actor(
        ActorKind.VISITOR, None, "", (), str(request.environ.get("havenmeester.request_id", "-")), request.remote_addr
    )
    with transaction(db.engine, write=True) as session:
        call = Call(visitor, session, utcnow())
        operator = oidc.operator_for(call, identity)
        outcome = (
            access.as_operator(call, operator, "oidc", visit(), limits(), proved_at=identity.proved_at)
            if operator
            else None
        )
    if outcome is None or outcome.secret is None:
        raise DeniedError(
            N_(
                "The city knows you as %(who)s, but nobody with that address may sign in here. Nobody was signed in; ask a"
                " fleet admin to add you."
            ),
            who=identity.email or identity.name or identity.subject,
        )
    return outcome.secret


def _refused(error: HavenmeesterError, goal: str) -> Response:
    """The sign-in page with what went wrong: the password still works there."""
    failure = failure_of(error)
    log.warning("sign-in with the city account was refused", code=failure.code, why=str(error))
    sentence = failure.sentence
    if failure.status == 500:
        sentence = gettext(
            "The identity provider is not set up rightly here. Nobody was signed in; tell a fleet admin."
        )
    return failure.stamp(sign_in_form(sentence, goal=goal))


ROUTES: tuple[Route, ...] = (
    (PLACE, "sign_in_city", sign_in_city, GET),
    (SIGN_IN, "sign_in_phone", sign_in_phone, GET),
    (f"{PLACE}/back", "sign_in_city_back", sign_in_city_back, GET),
)
