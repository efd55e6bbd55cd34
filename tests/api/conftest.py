"""The real API on both databases, for programs and for signed-in people."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mdm.access import service as access
from mdm.core.permissions import Role
from mdm.settings import Settings
from tests.api.city import City, boss, build
from tests.conftest import Calling, PrivatePostgres
from web.api.app import make_api
from web.common.database import db


@dataclass
class Api:
    """A program that speaks to the API, or a browser that is signed in (``cookie``)."""

    app: APIFlask
    client: FlaskClient
    token: str | None = None
    cookie: str | None = None

    def send(self, method: str, path: str, body: Any = None, /, **headers: str) -> TestResponse:
        """One request with this speaker's credential; ``body`` as JSON; headers with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if self.cookie is not None:
            sent |= {"Cookie": f"hm_session={self.cookie}"}
            sent.setdefault("X-Havenmeester-Client", "tests")
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        data = body if isinstance(body, bytes | None) else json.dumps(body)
        return self.client.open(path, method=method, data=data, headers=sent)

    def get(self, path: str, /, **headers: str) -> TestResponse:
        """GET."""
        return self.send("GET", path, None, **headers)

    def post(self, path: str, body: Any = None, /, **headers: str) -> TestResponse:
        """POST."""
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any, /, **headers: str) -> TestResponse:
        """PATCH with the ETag of what is there now, unless one is given."""
        headers.setdefault("If_Match", self.get(path).headers["ETag"])
        return self.send("PATCH", path, body, **headers)

    def by(self, token: str | None = None, *, cookie: str | None = None) -> "Api":
        """The same API for somebody else; nobody, when neither is given."""
        return Api(self.app, self.app.test_client(use_cookies=False), token, cookie)


def close(app: Flask) -> None:
    """Gives the connections of the application back."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def city(calling: Calling) -> City:
    """The small city."""
    with calling(boss()) as call:
        return build(call)


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[APIFlask]:
    """The API on a new database."""
    # On PostgreSQL as the console's own user: the whole suite proves that its grants are enough.
    own = PrivatePostgres.by("console", database_url) if database_url.startswith("postgresql") else ""
    app = make_api(Settings(home=tmp_path, database_url=database_url, console_database_url=own))
    yield app
    close(app)


@pytest.fixture
def api(app: APIFlask, calling: Calling) -> Api:
    """The API, for a program of the fleet admin."""
    with calling(boss()) as call:
        _, secret = access.create_token(call, name="admin", role=Role.FLEET_ADMIN)
    return Api(app, app.test_client(use_cookies=False), secret)
