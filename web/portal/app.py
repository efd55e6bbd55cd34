"""The employees' page as one WSGI application, and the host name by which it is told from the console."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, flash, g, make_response, redirect, render_template, request, url_for
from flask.wrappers import Response
from flask_babel import format_date, format_datetime, gettext
from flask_wtf import CSRFProtect
from markupsafe import Markup

from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import utcnow
from mdm.core.errors import N_
from mdm.core.ids import new_uid
from mdm.guidance import texts as texts_of
from mdm.portal import sessions
from mdm.settings import Settings
from mdm.storage.engine import transaction
from mdm.storage.seal import create_key, load_seal
from web.common.app import furnish
from web.common.database import db
from web.common.failures import failure_of
from web.common.files import Compressed
from web.common.guard import check_routes
from web.common.hours import open_hours
from web.common.manifest import built
from web.common.places import WEB
from web.common.sealed import SEAL
from web.common.secret import form_key
from web.portal import apps, city, enrol, helping, loans, pages, panic, panic_calls, places, quest
from web.portal.cookie import brought_cookie, over_tls
from web.portal.language import LANGUAGES, RIGHT_TO_LEFT, TRANSLATIONS, chosen_language
from web.portal.words import role, section, span, told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication


KEYLESS = "panic_key"
"""A phone whose button is not set up is told so; signing in would not mend it."""
NOT_IN = N_("You were not in any more. What you wrote was not sent. Come in again.")
NO_COOKIES = N_(
    "Your browser keeps no cookies, so nobody can come in with it. Allow cookies in its settings, and try again."
)


def make_portal(settings: Settings) -> Flask:
    """The employees' page of this installation. Raises ConfigurationError where a route does not say whom it is for."""
    app = Compressed("web.portal", root_path=str(WEB / "portal"), static_folder=str(WEB / "static"))
    tls = over_tls(settings)
    app.config.update(
        SECRET_KEY=form_key(settings.home),
        SESSION_COOKIE_NAME="__Host-hm_mine_forms" if tls else "hm_mine_forms",
        SESSION_COOKIE_SECURE=tls,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        WTF_CSRF_SSL_STRICT=True,
    )
    create_key(settings.home / "keys")
    app.extensions[SEAL] = load_seal(settings.home / "keys")
    furnish(app, settings, identify, selector=chosen_language, translations=TRANSLATIONS)
    forms = CSRFProtect(app)
    for without in panic.WITHOUT_TOKEN:
        forms.exempt(without)
    _note_use(app)
    _furnish_pages(app, settings)
    for rule, endpoint, view, methods in (
        *pages.ROUTES,
        *city.ROUTES,
        *enrol.ROUTES,
        *apps.ROUTES,
        *loans.ROUTES,
        *quest.ROUTES,
        *panic.ROUTES,
        *panic_calls.ROUTES,
        *helping.ROUTES,
    ):
        app.add_url_rule(rule, endpoint, view, methods=list(methods))
    # A mail program presses this button without any cookie; the secret in the address is what it proves.
    forms.exempt(app.view_functions["off"])
    app.register_error_handler(Exception, tell)
    check_routes(app)
    return app


def identify(session: Any, request_id: str) -> Actor:
    """The employee behind the cookie; a visitor when there is none or it is not valid any more."""
    secret = brought_cookie()
    found = sessions.find(session, secret, utcnow()) if secret else None
    if found is None:
        return Actor(ActorKind.VISITOR, None, "", (), request_id, None)
    kept, person = found
    g.person = person
    g.language = request.cookies.get("hm_mine_language") or person.language
    if sessions.needs_touch(kept, utcnow()):
        g.touch = kept.id
    g.actor = sessions.actor_of(person, request_id, chosen_language())
    actor: Actor = g.actor
    return actor


def tell(error: Exception) -> Response:
    """What an employee sees when something was refused or went wrong: one sentence and a next step."""
    failure = failure_of(error)
    if request.accept_mimetypes.best == "application/json":
        return failure.problem()
    if failure.status == 401 and failure.code != KEYLESS:
        if request.method == "POST":
            flash(gettext(NOT_IN), "error")
        return places.keep(make_response(redirect(url_for("come_in"), 303)), places.here())
    if places.without_cookies(error):
        failure = replace(failure, sentence=gettext(NO_COOKIES))
    shown = render_template("portal/failure.html", failure=failure, again=places.once_more(error))
    return failure.stamp(make_response(shown))


def _note_use(app: Flask) -> None:
    @app.after_request
    def _touch(response: Response) -> Response:
        number = g.pop("touch", None)
        if number is not None:
            with transaction(db.engine, write=True) as session:
                sessions.touch(session, number, utcnow())
        return response


def _furnish_pages(app: Flask, settings: Settings) -> None:
    @app.context_processor
    def _everywhere() -> dict[str, Any]:
        language = chosen_language()
        return {
            "icon": _icon,
            "asset": lambda name: url_for("static", filename=f"dist/{built(name)}"),
            "language": language,
            "languages": LANGUAGES,
            "direction": "rtl" if language in RIGHT_TO_LEFT else "ltr",
            "organisation": settings.organisation,
            "portal_base": settings.portal_base,
            "open_hours": open_hours,
            "city_account": bool(settings.oidc_issuer),
            "person": g.get("person"),
            "told": told,
            "new_key": new_uid,
            "tell": lambda texts: texts_of.said(texts, language),
            "lang": lambda texts: _lang(texts_of.spoken(texts, language), language),
            "paragraphs": texts_of.paragraphs,
            "said": lambda text, params: gettext(text) % params,
        }

    app.add_template_filter(lambda moment: format_datetime(moment, "d MMMM, H:mm") if moment else "", "moment")
    app.add_template_filter(span)
    app.add_template_filter(role)
    app.add_template_filter(section)
    app.add_template_filter(lambda day: format_date(day, "EEEE d MMMM") if day else "", "day")


def _lang(spoken: str, language: str) -> Markup:
    """The attributes that say in which language a text is, where it is another one than the page's."""
    if spoken == language:
        return Markup("")
    return Markup(' lang="{}" dir="{}"').format(spoken, "rtl" if spoken in RIGHT_TO_LEFT else "ltr")


def _icon(name: str) -> Markup:
    """A picture beside a word: it says nothing that the word does not say."""
    address = url_for("static", filename=f"dist/{built('icons.svg')}")
    return Markup('<svg aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>').format(address, name)


def beside(portal: "WSGIApplication", console: "WSGIApplication", base: str) -> "WSGIApplication":
    """Both as one callable: whoever asks for the host name of ``base`` gets the employees' page, all others the console."""
    mine = (urlsplit(base).hostname or "").lower()

    def outer(environ: dict[str, Any], start: "StartResponse") -> "Iterable[bytes]":
        host = str(environ.get("HTTP_HOST", "")).rsplit(":", 1)[0].lower().rstrip(".")
        return (portal if host == mine else console)(environ, start)

    return outer
