"""``/healthz``: the process lives. ``/readyz``: which of the parts that it works with do their work."""

from collections.abc import Callable

from flask import Flask, Response, jsonify

from mdm.operation import health
from mdm.settings import Settings
from web.common.database import db
from web.common.guard import without_database

RETRY = 10
"""Seconds after which somebody who was told 503 shall ask again."""


def add_health(app: Flask, settings: Settings, ask: Callable[[], object] | None = None) -> None:
    """Adds both addresses; neither says anything that a stranger must not know.

    ``ask`` asks the door's database something and raises when it is away; without it the console's own is asked.
    """

    @without_database("says that the process lives")
    def healthz() -> Response:
        """The process lives."""
        return jsonify({"status": "ok"})

    @without_database("says which parts do their work; 503 only without the database, which no door can do without")
    def readyz() -> Response:
        """The parts, each ``ok``, ``degraded`` or ``away``."""
        found = health.readiness(settings, ask or _ask)
        response = jsonify(found.as_dict())
        if not found.ready:
            response.status_code = 503
            response.headers["Retry-After"] = str(RETRY)
        return response

    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/readyz", view_func=readyz)


def _ask() -> None:
    health.ping(db.engine)
