"""The real API on both databases, a small city, and a token for every role at every place."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mdm.access import service as access
from mdm.core.actor import command_line
from mdm.core.permissions import Role
from mdm.org import service as org
from mdm.people import service as people
from mdm.settings import Settings
from tests.conftest import Calling
from web.api.app import make_api
from web.common.database import db

PLACES = ("city", "own", "other")


@dataclass
class City:
    """Row ids of what stands in the small city: everything twice, at our place (``own``) and elsewhere (``other``)."""

    service_point: dict[str, int] = field(default_factory=dict)
    unit: dict[str, int] = field(default_factory=dict)
    person: dict[str, int] = field(default_factory=dict)


def build_city(calling: Calling) -> City:
    """The small city, built by the services."""
    city = City()
    with calling() as call:
        for name in ("own", "other"):
            unit = org.create_unit(call, code=f"U-{name}", name=f"Unit {name}")
            point = org.create_service_point(call, code=f"SP-{name}", name=f"Point {name}")
            person = people.create(
                call, name=f"Person {name}", email=f"{name}@example.org", unit_id=unit.id, service_point_id=point.id
            )
            city.unit[name], city.service_point[name], city.person[name] = unit.id, point.id, person.id
    return city


@pytest.fixture
def city(calling: Calling) -> City:
    """The small city."""
    return build_city(calling)


@dataclass
class Api:
    """A program that speaks to the API."""

    app: APIFlask
    client: FlaskClient
    token: str | None

    def send(self, method: str, path: str, body: Any = None, /, **headers: str) -> TestResponse:
        """One request with this program's token; ``body`` as JSON; headers with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
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

    def by(self, token: str | None) -> "Api":
        """The same API for another program."""
        return Api(self.app, self.app.test_client(), token)


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[APIFlask]:
    """The API on a new database."""
    app = make_api(Settings(home=tmp_path, database_url=database_url))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def api(app: APIFlask, calling: Calling) -> Api:
    """The API, for a program of the fleet admin."""
    with calling(command_line("tests")) as call:
        _, secret = access.create_token(call, name="admin", role=Role.FLEET_ADMIN)
    return Api(app, app.test_client(), secret)
