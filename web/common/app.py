"""Furnishing an application: what the console, the API and the gateway share."""

from collections.abc import Callable
from pathlib import Path

from flask import Flask
from flask.typing import ResponseReturnValue

from mdm.core.errors import ApprovalNeededError
from mdm.settings import LOOPBACK, Settings
from mdm.storage.call import Call
from web.common.database import connect
from web.common.guard import ASKED, IDENTIFY, Asked, Identify
from web.common.headers import furnish_headers
from web.common.health import add_health
from web.common.language import TRANSLATIONS, chosen_language, speak
from web.common.requests import number_requests

MAX_BODY = 8 * 1024 * 1024
"""Bytes of one request of a person: the largest import file. Refused with 413 before it is read."""
MAX_FIELDS = 2000
SETTINGS = "havenmeester_settings"


def furnish(
    app: Flask,
    settings: Settings,
    identify: Identify,
    asked: Asked | None = None,
    *,
    max_body: int = MAX_BODY,
    selector: Callable[[], str] = chosen_language,
    translations: Path = TRANSLATIONS,
) -> Flask:
    """The application with database, languages, request numbers, headers, limits and health.

    ``asked`` makes a request of what somebody else must agree to; a door without one refuses it. The caller adds its
    views and its way to tell errors (``answer_problems`` or pages), then ``check_routes``.
    """
    app.config["MAX_CONTENT_LENGTH"] = max_body
    app.config["MAX_FORM_MEMORY_SIZE"] = 1024 * 1024
    app.config["MAX_FORM_PARTS"] = MAX_FIELDS
    app.extensions[SETTINGS] = settings
    app.extensions[IDENTIFY] = identify
    app.extensions[ASKED] = asked or _refused
    number_requests(app)
    connect(app, settings.database_of("console"))
    speak(app, settings.language, settings.timezone, selector, translations)
    furnish_headers(app, tls=uses_tls(settings))
    add_health(app, settings)
    return app


def _refused(_call: Call, needed: ApprovalNeededError) -> ResponseReturnValue:
    raise needed


def uses_tls(settings: Settings) -> bool:
    """Whether people reach the console over TLS: by its public address, or because it listens beyond loopback."""
    if settings.console_url:
        return settings.console_url.startswith("https://")
    return settings.console_host not in LOOPBACK
