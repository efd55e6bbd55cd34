"""The console and the API as one WSGI callable, made in the process that serves it; figures for who stands on the machine."""

import multiprocessing
import signal
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import structlog

from mdm.core.clock import utcnow
from mdm.operation import logs, metrics
from mdm.operation.parent import die_with_parent
from mdm.settings import Settings, load
from web.common.requests import from_this_machine

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

METRICS = "/metrics"
log = structlog.get_logger(__name__)


def application() -> "WSGIApplication":
    """Pages below ``/``, the API below ``/api/v1``, figures at ``/metrics``; the employees' page at its own host name."""
    _die_with_server()
    from web.api.app import make_api, mount
    from web.console.app import make_console
    from web.portal.app import beside, make_portal

    settings = load()
    logs.configure("console", settings.log_level)
    _look_at_diary(settings)
    people = mount(make_console(settings), make_api(settings))
    return with_figures(beside(make_portal(settings), people, settings.portal_base))


def _die_with_server() -> None:
    """Ends with the server that forked this process, also where that one was killed while this one still gets ready.

    An orphan would hold the console's port and its connections. KILL, because a process that gets ready has the server's
    own answer to TERM, which is to note it and go on; a server that is stopped in order ends its processes itself.
    """
    server = multiprocessing.parent_process()
    die_with_parent(server.pid if server is not None else None, signal.SIGKILL)


def _look_at_diary(settings: Settings) -> None:
    """A diary that is shorter than witnessed stops privileged acts before the first of them can be asked for."""
    from sqlalchemy.exc import SQLAlchemyError

    from mdm.audit import watch
    from mdm.signing.client import SignerClient
    from mdm.storage.engine import make_engine

    engine = make_engine(settings.database_of("console"), pool_size=1)
    try:
        watch.look(engine, settings, SignerClient(settings.signer_socket, timeout=1.0), utcnow())
    except SQLAlchemyError as error:
        # The console starts without its database too, and says so; the worker looks again every minute.
        log.warning("the diary could not be looked at", why=type(error).__name__)
    finally:
        engine.dispose()


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
