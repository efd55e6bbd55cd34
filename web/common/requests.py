"""Each request's number and its line in the log."""

import re
import time

import structlog
from flask import Flask, Response, g, request

from mdm.core.ids import new_uid

log = structlog.get_logger("access")
_ACCEPTABLE = re.compile(r"[A-Za-z0-9_-]{8,64}")
QUIET = frozenset({"static", "healthz", "readyz"})


def number_requests(app: Flask) -> None:
    """Gives every request an id (a caller may bring one), binds it to the log, and writes one access line."""

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
        if request.endpoint not in QUIET:
            actor = g.get("actor")
            log.info(
                "request",
                # The route and never the path: a link that signs somebody in is a secret in the path.
                method=request.method,
                route=request.url_rule.rule if request.url_rule else "-",
                status=response.status_code,
                milliseconds=round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
                actor=f"{actor.kind.value}:{actor.id}" if actor else "-",
            )
        return response
