"""The console and the API as one WSGI callable, made in the process that serves it; figures for who stands on the machine."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mdm.operation import logs, metrics
from mdm.operation.parent import die_with_parent
from mdm.settings import load
from web.common.requests import from_this_machine

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

METRICS = "/metrics"


def application() -> "WSGIApplication":
    """Pages below ``/``, the API below ``/api/v1``, figures at ``/metrics``."""
    from web.api.app import make_api, mount
    from web.console.app import make_console

    die_with_parent()
    settings = load()
    logs.configure("console", settings.log_level)
    return with_figures(mount(make_console(settings), make_api(settings)))


def with_figures(inner: "WSGIApplication") -> "WSGIApplication":
    """The callable with the figures of all processes of this home, for programs on this machine only.

    Whoever comes through a proxy looks local too, so whatever was forwarded goes on to ``inner``, which answers 404.
    """

    def outer(environ: dict[str, Any], start: "StartResponse") -> Iterable[bytes]:
        asked = environ.get("PATH_INFO") == METRICS and environ.get("REQUEST_METHOD") == "GET"
        if not asked or not from_this_machine(environ):
            return inner(environ, start)
        body, kind = metrics.exposition()
        start("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")])
        return [body]

    return outer
