"""Which language a person reads: their own choice, else the browser's, else the city's."""

from collections.abc import Callable
from pathlib import Path

from flask import Flask, current_app, g, has_request_context, request
from flask_babel import Babel

LANGUAGES = {"nl": "Nederlands", "fr": "Français", "en": "English"}
COOKIE = "hm_language"
TRANSLATIONS = Path(__file__).resolve().parent.parent / "translations"


def chosen_language() -> str:
    """The language of this request, one of ``LANGUAGES``."""
    if not has_request_context():
        return "en"
    own = g.get("language") or request.cookies.get(COOKIE)
    if own in LANGUAGES:
        return str(own)
    city: str = current_app.config["LANGUAGE"]
    return request.accept_languages.best_match(list(LANGUAGES)) or city


def _zone() -> str:
    # The name and not the zone itself: flask-babel makes its own kind of zone from it.
    return str(current_app.config["TIMEZONE"])


def speak(
    app: Flask,
    language: str,
    timezone: str,
    selector: Callable[[], str] = chosen_language,
    translations: Path = TRANSLATIONS,
) -> None:
    """Gives the application its catalogues, its languages and the city's time zone."""
    app.config["LANGUAGE"] = language
    app.config["TIMEZONE"] = timezone
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(translations)
    Babel(app, locale_selector=selector, timezone_selector=_zone)
