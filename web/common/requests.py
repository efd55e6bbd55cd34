"""Each request's number, its line in the log, and its place in the figures."""

import re
import time
from collections.abc import Mapping

import structlog
from flask import Flask, Response, g, request

from mdm.core.ids import new_uid
from mdm.operation import metrics

log = structlog.get_logger("access")
_ACCEPTABLE = re.compile(r"[A-Za-z0-9_-]{8,64}")
QUIET = frozenset({"static", "healthz", "readyz"})
LOCAL = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_VIA", "HTTP_CLIENT_CERT")


def from_this_machine(environ: Mapping[str, object]) -> bool:
    """Whether a program on this machine asks. Whoever comes through a proxy looks local too, and is not."""
    return environ.get("REMOTE_ADDR") in LOCAL and not any(environ.get(name) for name in FORWARDED)


def number_requests(app: Flask) -> None:
    """Gives every request an id (a caller may bring one), binds it to the log, writes one access line, and counts it.

    In the figures the door is the last word of the application's name.
    """
    door = app.name.rpartition(".")[2]

    @app.before_request
    def _begin() -> None:
        brought = request.headers.get("X-Request-Id", "")
        number = brought if _ACCEPTABLE.fullmatch(brought) else new_uid()[:16]
        request.environ["havenmeester.request_id"] = number
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=number)
        g.started = time.perf_counter()

    @app.after_request
    def _line(response: Response) -> Response:
        # The route and never the path: a link that signs somebody in is a secret in the path.
        route = request.url_rule.rule if request.url_rule else "-"
        seconds = time.perf_counter() - g.get("started", time.perf_counter())
        metrics.answered(door, route, response.status_code, seconds)
        if request.endpoint not in QUIET:
            actor = g.get("actor")
            log.info(
                "request",
                method=request.method,
                route=route,
                status=response.status_code,
                milliseconds=round(seconds * 1000, 1),
                actor=f"{actor.kind.value}:{actor.id}" if actor else "-",
            )
        return response
