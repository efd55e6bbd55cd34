"""The API as one WSGI callable, and its place beside the console: everything below ``/api/v1``."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from apiflask import APIFlask
from flask import Response, current_app, g, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from mdm.core.errors import N_, NotSignedInError, TooLargeError
from mdm.settings import Settings
from mdm.storage.seal import create_key, load_seal
from web.api import openapi, problems
from web.api.asked import asked
from web.api.converters import CONVERTERS
from web.api.identify import credential, identify, note_use
from web.api.operation import BODY_LIMIT
from web.api.paging import CURSOR
from web.api.routes import BLUEPRINTS
from web.api.strict import MAX_BODY
from web.common.app import furnish
from web.common.guard import SAFE_METHODS, check_routes
from web.common.language import LANGUAGES
from web.common.sealed import SEAL
from web.common.secret import form_key

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PREFIX = "/api/v1"


def make_api(settings: Settings) -> APIFlask:
    """The API application. Raises ConfigurationError when a route declares no permission."""
    app = APIFlask(
        "web.api",
        title="Havenmeester",
        version="1.0.0",
        spec_path=None,
        docs_path=None,
        json_errors=False,
        enable_openapi=False,
        static_folder=None,  # type: ignore[arg-type]  # Flask takes None for "no files"; the library's hint does not say so.
    )
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    app.url_map.converters.update(CONVERTERS)
    furnish(app, settings, identify, asked)
    problems.install(app)
    create_key(settings.home / "keys")
    app.extensions[SEAL] = load_seal(settings.home / "keys")
    app.extensions[CURSOR] = form_key(settings.home)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.before_request(_before)
    app.after_request(_after)
    app.after_request(note_use)
    check_routes(app)
    openapi.install(app, PREFIX)
    return app


def mount(console: "WSGIApplication", api: "WSGIApplication") -> "WSGIApplication":
    """Both as one callable: the API answers below ``/api/v1``, the console everywhere else."""
    return DispatcherMiddleware(console, {PREFIX: api})


def _before() -> None:
    """Before any transaction: nobody edits without a credential, and the whole body is here, within its limit.

    The body is read now, so that a slow sender never holds a transaction open; it is parsed after the guard.
    """
    g.language = request.accept_languages.best_match(list(LANGUAGES)) or "en"
    g.credential = credential()
    if request.method in SAFE_METHODS or request.url_rule is None:
        return
    if not g.credential:
        raise NotSignedInError(N_("You are not signed in. Nothing was changed. Send an API token."))
    limit = int(getattr(current_app.view_functions[request.url_rule.endpoint], BODY_LIMIT, MAX_BODY))
    request.max_content_length = limit
    if request.content_length is not None and request.content_length > limit:
        raise TooLargeError(
            N_("The body is larger than %(limit)s bytes. Nothing was read and nothing was changed."), limit=limit
        )
    request.get_data()


def _after(response: Response) -> Response:
    """The ETag and the address of the next page, on the answers that have them."""
    if response.status_code < 300 and "etag" in g:
        response.headers["ETag"] = g.etag
    if response.status_code < 300 and "next_cursor" in g:
        parameters = [(key, value) for key, value in request.args.items(multi=True) if key != "cursor"]
        query = urlencode([*parameters, ("cursor", g.next_cursor)])
        response.headers["Link"] = f'<{request.script_root}{request.path}?{query}>; rel="next"'
    return response
