"""Settings: the installation, operators and their roles, API tokens, health."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.access import queries, service
from mdm.access.service import CITY, Place
from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission, Role
from mdm.overview import words
from mdm.overview.devices import places, units_offered
from mdm.overview.health import health
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.identity import settings as configuration
from web.console.pages.helpers import GET, POST, Route, day_field, done, page, refused, text

SECRET = frozenset(
    {
        "oidc_client_secret",
        "smtp_url",
        "sms_token",
        "sms_url",
        "database_url",
        "console_database_url",
        "gateway_database_url",
        "worker_database_url",
    }
)
"""Settings of which only is shown whether they are set."""


@may(Permission.SETTINGS_VIEW)
def settings(call: Call) -> Response:
    """The configuration in force, and how the installation does."""
    configured = configuration()
    shown = [
        (
            key,
            field.description or "",
            gettext("set") if key in SECRET and getattr(configured, key) else getattr(configured, key),
        )
        for key, field in type(configured).model_fields.items()
    ]
    return page("settings/settings.html", shown=shown, health=health(call, configured))


def _operators(call: Call, failure: Failure | None = None, link: tuple[str, str] | None = None) -> Response:
    found = queries.operators(call)
    response = page(
        "settings/operators.html",
        operators=found,
        failure=failure,
        values=request.form,
        link=link,
        roles=[(role.value, gettext(words.ROLES[role.value])) for role in Role],
        places=_places(call),
        names=dict(_places(call)),
    )
    return failure.stamp(response) if failure else response


def _places(call: Call) -> list[tuple[str, str]]:
    return [
        ("city", gettext("the whole city")),
        *((f"point:{key}", name) for key, name in places(call)),
        *((f"unit:{key}", name) for key, name in units_offered(call)),
    ]


def _place() -> Place:
    kind, _, key = text("place").partition(":")
    if kind == "city":
        return CITY
    if not (key.isascii() and key.isdigit()):
        raise InvalidError(N_("Choose a place."), fields={"place": N_("Choose a place.")})
    return Place(service_point_id=int(key)) if kind == "point" else Place(unit_id=int(key))


def _role() -> Role:
    if text("role") not in {role.value for role in Role}:
        raise InvalidError(N_("Choose a role."), fields={"role": N_("Choose a role.")})
    return Role(text("role"))


@may(Permission.OPERATOR_MANAGE)
def operators(call: Call) -> Response:
    """Who signs in here, with which roles."""
    return _operators(call)


@may(Permission.OPERATOR_MANAGE)
def operators_change(call: Call) -> Response:
    """Makes an operator, gives or takes a role, makes a sign-in link, shuts out, lets in again."""
    step, key = text("step"), text("operator")
    number = int(key) if key.isascii() and key.isdigit() else 0
    try:
        if step == "create":
            made = service.add_operator(
                call,
                email=text("email"),
                name=text("name"),
                language=text("language") or "nl",
                role=_role(),
                place=_place(),
            )
            return _operators(call, link=(made.name, _link(service.first_link(call, made.id, life=timedelta(days=1)))))
        if step == "link":
            found, _grants = queries.operator(call, number)
            return _operators(call, link=(found.name, _link(service.create_link(call, number, life=timedelta(days=1)))))
        if step == "grant":
            service.add_grant(call, number, _role(), _place())
        elif step == "take":
            service.remove_grant(call, number)
        elif step == "disable":
            service.disable_operator(call, number)
        elif step == "enable":
            service.enable_operator(call, number)
        elif step == "reset":
            service.reset_totp(call, number)
    except HavenmeesterError as error:
        return _operators(call, refused(call, error))
    return done(gettext("Saved."), url_for("operators"))


def _link(secret: str) -> str:
    return configuration().console_base + url_for("sign_in_link", token=secret)


def _tokens(call: Call, failure: Failure | None = None, secret: str = "") -> Response:
    response = page(
        "settings/tokens.html",
        tokens=queries.tokens(call),
        failure=failure,
        values=request.form,
        secret=secret,
        now=call.now,
        roles=[(role.value, gettext(words.ROLES[role.value])) for role in Role if role is not Role.APPROVER],
        places=_places(call),
        names=dict(_places(call)),
    )
    return failure.stamp(response) if failure else response


@may(Permission.API_TOKEN_MANAGE)
def tokens(call: Call) -> Response:
    """API tokens."""
    return _tokens(call)


@may(Permission.API_TOKEN_MANAGE)
def tokens_change(call: Call) -> Response:
    """Makes or revokes an API token; the secret is shown once, on the answer itself."""
    try:
        if text("step") == "revoke":
            key = text("token")
            service.revoke_token(call, int(key) if key.isascii() and key.isdigit() else 0)
            return done(gettext("The token is refused from now on."), url_for("tokens"))
        day = day_field("expires_on")
        zone = ZoneInfo(configuration().timezone)
        ends = datetime.combine(day + timedelta(days=1), time(), zone) if day else None
        _token, secret = service.create_token(call, name=text("name"), role=_role(), place=_place(), expires_at=ends)
    except HavenmeesterError as error:
        return _tokens(call, refused(call, error))
    return _tokens(call, secret=secret)


ROUTES: tuple[Route, ...] = (
    ("/settings", "settings", settings, GET),
    ("/settings/operators", "operators", operators, GET),
    ("/settings/operators/change", "operators_change", operators_change, POST),
    ("/settings/tokens", "tokens", tokens, GET),
    ("/settings/tokens/change", "tokens_change", tokens_change, POST),
)
