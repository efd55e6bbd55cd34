"""The console: pages for people, one WSGI application."""

from flask import Flask, flash, g, make_response, redirect, render_template, request, url_for
from flask.wrappers import Response
from flask_wtf import CSRFProtect

from mdm.access.service import PROOF_NEEDED
from mdm.core.permissions import Permission
from mdm.discovery.reading import MOST_UPLOADED
from mdm.platforms.android.apk import MAX_SIZE
from mdm.settings import Settings
from mdm.storage.engine import transaction
from mdm.storage.seal import create_key, load_seal
from web.common.app import furnish, uses_tls
from web.common.database import db
from web.common.failures import Failure, failure_of
from web.common.files import Compressed
from web.common.guard import check_routes
from web.common.places import WEB
from web.common.sealed import SEAL
from web.common.secret import form_key
from web.console.asked import asked
from web.console.frame import furnish_pages
from web.console.identity import brought_cookie, identify, note_use
from web.console.pages import ROUTES
from web.console.pages.androids import UPLOAD
from web.console.pages.helpers import is_ours
from web.console.panic.bar import identify_and_look

TELL_ON_THE_PAGE = frozenset({403, 404, 409, 410, 422, 429})
"""Refusals that a form's own page shows, when the form says which page that is."""


def make_console(settings: Settings) -> Flask:
    """The console of this installation, ready to serve. Raises ConfigurationError where a route declares no permission."""
    app = Compressed("web.console", root_path=str(WEB / "console"), static_folder=str(WEB / "static"))
    app.config.update(
        SECRET_KEY=form_key(settings.home),
        SESSION_COOKIE_NAME="__Host-hm_forms" if uses_tls(settings) else "hm_forms",
        SESSION_COOKIE_SECURE=uses_tls(settings),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        WTF_CSRF_SSL_STRICT=True,
    )
    create_key(settings.home / "keys")
    app.extensions[SEAL] = load_seal(settings.home / "keys")
    furnish(app, settings, identify_and_look, asked)
    app.before_request(_large_files)
    CSRFProtect(app)
    note_use(app)
    furnish_pages(app, settings)
    for rule, endpoint, view, methods in ROUTES:
        app.add_url_rule(rule, endpoint, view, methods=list(methods))
    app.register_error_handler(Exception, tell)
    check_routes(app)
    return app


def tell(error: Exception) -> Response:
    """What a person sees when something was refused or went wrong."""
    failure = failure_of(error)
    if request.accept_mimetypes.best == "application/json":
        # A page's own script asks: it shows the sentence where it is.
        return failure.problem()
    if failure.status == 401 and request.method == "GET" and not request.headers.get("HX-Request"):
        return make_response(redirect(url_for("sign_in", next=request.full_path.rstrip("?")), 303))
    if request.method == "POST" and failure.status in TELL_ON_THE_PAGE and is_ours(request.form.get("next", "")):
        flash(_whole(failure), "error")
        return make_response(redirect(request.form["next"], 303))
    if failure.code == PROOF_NEEDED:
        return make_response(redirect(url_for("prove", next=request.referrer or url_for("home")), 303))
    if failure.status < 500:
        _recognise()
    return failure.stamp(make_response(render_template("errors/failure.html", failure=failure)))


LARGE: dict[str, tuple[Permission, int]] = {
    UPLOAD: (Permission.PHONES_MANAGE, MAX_SIZE),
    "discovery_bring": (Permission.DISCOVERY_MANAGE, MOST_UPLOADED),
}
"""Forms with a file that is larger than any other body may be, and who may send one."""


def _large_files() -> None:
    """Raises the limit of a body for such a form before it is read: only for who may bring the file in."""
    allowed = LARGE.get(request.endpoint or "")
    if allowed is None or request.method != "POST":
        return
    _recognise()
    actor = g.get("actor")
    if actor is not None and actor.may_somewhere(allowed[0]):
        request.max_content_length = allowed[1] + 1024 * 1024


def _recognise() -> None:
    """Who asked for an address that leads to no page: somebody who has signed in is told inside the frame."""
    if "actor" not in g and brought_cookie():
        with transaction(db.engine) as session:
            identify(session, str(request.environ.get("havenmeester.request_id", "-")))


def _whole(failure: Failure) -> str:
    return " ".join((failure.sentence, *failure.fields.values())) if failure.fields else failure.sentence
