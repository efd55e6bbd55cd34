"""``/healthz``: the process lives. ``/readyz``: it can also reach its database."""

from flask import Flask, Response, jsonify
from sqlalchemy import text

from web.common.database import db
from web.common.guard import without_database


def add_health(app: Flask) -> None:
    """Adds both addresses; neither says anything that a stranger must not know."""

    @without_database("says that the process lives")
    def healthz() -> Response:
        return jsonify({"status": "ok"})

    @without_database("says that the database answers; 503 by the table of errors when it does not")
    def readyz() -> Response:
        with db.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        return jsonify({"status": "ok"})

    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/readyz", view_func=readyz)
