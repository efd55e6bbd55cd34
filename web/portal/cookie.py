"""The employee's cookie: another name than the console's, for this host alone."""

from flask import Response, current_app, request

from mdm.portal.sessions import LIFE
from mdm.settings import Settings
from web.common.app import SETTINGS


def over_tls(settings: Settings) -> bool:
    """Whether employees reach their page over TLS."""
    return settings.portal_base.startswith("https://")


def cookie_name() -> str:
    """``__Host-`` binds the cookie to this host and to TLS; browsers refuse the prefix over plain HTTP."""
    return "__Host-hm_mine" if _tls() else "hm_mine"


def brought_cookie() -> str | None:
    """The secret in the visitor's cookie, or None."""
    return request.cookies.get(cookie_name()) or None


def give_cookie(response: Response, secret: str) -> Response:
    """The response with the session cookie; it outlives the closed browser."""
    response.set_cookie(
        cookie_name(), secret, max_age=int(LIFE.total_seconds()), httponly=True, samesite="Lax", secure=_tls(), path="/"
    )
    return response


def take_cookie(response: Response) -> Response:
    """The response that makes the browser forget the session."""
    response.delete_cookie(cookie_name(), httponly=True, samesite="Lax", secure=_tls(), path="/")
    return response


def _tls() -> bool:
    settings: Settings = current_app.extensions[SETTINGS]
    return over_tls(settings)
