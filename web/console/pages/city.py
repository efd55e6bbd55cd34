"""Signing in with the city's identity provider: there, and back.

INVARIANT: no transaction of ours is open while the provider is asked; a slow provider must not hold the database.
"""

from dataclasses import asdict
from typing import Any

import structlog
from flask import current_app, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext
from itsdangerous import BadData, URLSafeTimedSerializer

from mdm.access import oidc
from mdm.access import service as access
from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import utcnow
from mdm.core.errors import N_, DeniedError, HavenmeesterError, NotFoundError, NotSignedInError
from mdm.platforms.apple import account
from mdm.platforms.apple.addresses import SIGN_IN
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from web.common.app import uses_tls
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
LIFE = 600
"""Seconds that a sign-in may take at the provider."""


@without_database("sends the browser to the city's identity provider; asks the provider first")
def sign_in_city() -> Response:
    """Off to the provider. What must come back with the browser is kept in a signed cookie for ten minutes."""
    wanted = request.args.get("next", "")
    goal = wanted if is_ours(wanted) else url_for("home")
    try:
        begun = oidc.begin(_provider(), utcnow(), again=request.args.get("again") == "yes")
    except HavenmeesterError as error:
        return _refused(error, goal)
    response = make_response(redirect(begun.url, 303))
    response.set_cookie(
        COOKIE,
        _signer().dumps({**asdict(begun), "next": goal}),
        max_age=LIFE,
        path=PLACE,
        httponly=True,
        samesite="Lax",
        secure=uses_tls(settings()),
    )
    return response


@without_database("sends a private phone's owner to the city's identity provider; asks the provider first")
def sign_in_phone() -> Response:
    """The same for a phone that enrols by its owner's account: what comes back goes to the phone, and signs nobody in here."""
    begun = oidc.begin(_provider(), utcnow(), again=False)
    response = make_response(redirect(begun.url, 303))
    response.set_cookie(
        COOKIE,
        _signer().dumps({**asdict(begun), "next": "/", "phone": request.args.get("user-identifier", "")[:255]}),
        max_age=LIFE,
        path=PLACE,
        httponly=True,
        samesite="Lax",
        secure=uses_tls(settings()),
    )
    return response


@without_database("the provider sends the browser back here; opens its own transaction after the provider was asked")
def sign_in_city_back() -> Response:
    """Back from the provider: signs in the operator whom it proved, or says why nobody was signed in."""
    goal = url_for("home")
    try:
        begun, goal, phone = _kept()
        identity = oidc.finish(_provider(), begun, request.args, utcnow())
        if phone is not None:
            return _forget(_to_phone(identity, phone))
        secret = _come_in(identity)
    except HavenmeesterError as error:
        return _forget(_refused(error, goal))
    return _forget(give_cookie(make_response(redirect(goal, 303)), secret))


def _provider() -> oidc.Provider:
    configured = settings()
    if not configured.oidc_issuer:
        raise NotFoundError(N_("No city account can be used here: no identity provider is configured."))
    return oidc.Provider(
        configured.oidc_issuer,
        configured.oidc_client_id,
        configured.oidc_client_secret,
        configured.console_base + url_for("sign_in_city_back"),
    )


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="sign-in with the city account")


def _to_phone(identity: oidc.Identity, user: str) -> Response:
    """Hands the phone what shows that its owner has signed in."""
    visitor = Actor(
        ActorKind.VISITOR, None, "", (), str(request.environ.get("havenmeester.request_id", "-")), request.remote_addr
    )
    with transaction(db.engine, write=True) as session:
        token = account.admit(Call(visitor, session, utcnow()), identity.email, user)
    address = f"apple-remotemanagement-user-login://authentication-results?access-token={token}"
    return make_response("", 308, {"Location": address, "Cache-Control": "no-store"})


def _kept() -> tuple[oidc.Begun, str, str | None]:
    """The sign-in that this browser began, where it wanted to go, and for whose phone it is, if for one.

    Raises NotSignedInError when there is none.
    """
    try:
        kept: dict[str, Any] = _signer().loads(request.cookies.get(COOKIE, ""), max_age=LIFE)
    except BadData as error:
        raise NotSignedInError(
            N_("This sign-in was not begun in this browser, or it took longer than ten minutes. Nobody was signed in.")
        ) from error
    goal, phone = kept.pop("next"), kept.pop("phone", None)
    return oidc.Begun(**kept), goal, phone


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


def _forget(response: Response) -> Response:
    response.delete_cookie(COOKIE, path=PLACE, httponly=True, samesite="Lax", secure=uses_tls(settings()))
    return response


ROUTES: tuple[Route, ...] = (
    (PLACE, "sign_in_city", sign_in_city, GET),
    (SIGN_IN, "sign_in_phone", sign_in_phone, GET),
    (f"{PLACE}/back", "sign_in_city_back", sign_in_city_back, GET),
)
