"""The session cookie, as every door of people reads it."""

from datetime import timedelta

from flask import request

from mdm.access import service as access
from mdm.settings import Settings
from web.common.app import uses_tls


def cookie_name(settings: Settings) -> str:
    """``__Host-`` binds the cookie to this host and to TLS; browsers refuse the prefix over plain HTTP."""
    return "__Host-hm_session" if uses_tls(settings) else "hm_session"


def brought_cookie(settings: Settings) -> str | None:
    """The secret in the visitor's session cookie, or None."""
    return request.cookies.get(cookie_name(settings)) or None


def session_limits(settings: Settings) -> access.Limits:
    """How long sessions last here."""
    return access.Limits(timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours))
