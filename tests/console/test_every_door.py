"""What every HTTP door does, whatever is behind it."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import GoneError, InvalidError, LimitedError, NotFoundError
from mdm.core.permissions import Grant, Permission, Role
from mdm.settings import Settings
from mdm.storage.call import Call
from web.common.app import furnish
from web.common.failures import answer_problems
from web.common.guard import check_routes, may, public
from web.common.secret import form_key


def door(settings: Settings, actor: Actor) -> Flask:
    """A small application behind the true door."""
    app = Flask(__name__)

    def identify(_session: Session, _request_id: str) -> Actor:
        return actor

    furnish(app, settings, identify, max_body=1000)
    answer_problems(app)
    failures = {
        "gone": GoneError("This invitation was used. Ask for a new one."),
        "invalid": InvalidError("Wrong.", fields={"name": "A name is missing."}),
        "limited": LimitedError("Too often.", retry_after=7),
        "not_found": NotFoundError("There is no device %(tag)s.", tag="A-1"),
        "crash": RuntimeError("secret detail"),
    }

    def fail(_call: Call, kind: str) -> str:
        raise failures[kind]

    def take(_call: Call) -> str:
        from flask import request

        return str(len(request.get_data()))

    def fleet(_call: Call) -> str:
        return "ok"

    app.add_url_rule("/fail/<kind>", "fail", public("for tests")(fail))
    app.add_url_rule("/take", "take", public("for tests")(take), methods=["POST"])
    app.add_url_rule("/fleet", "fleet", may(Permission.DEVICE_VIEW)(fleet))
    check_routes(app)
    return app


VISITOR = Actor(ActorKind.VISITOR, None, "")


@pytest.fixture
def client(sqlite_url: str, tmp_path: Path) -> FlaskClient:
    return door(Settings(home=tmp_path, database_url=sqlite_url), VISITOR).test_client()


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("gone", 410, "gone"), ("invalid", 422, "invalid"), ("limited", 429, "limited"), ("not_found", 404, "not_found")],
)
def test_each_error_has_its_status_and_a_stable_code(client: FlaskClient, kind: str, status: int, code: str) -> None:
    answer = client.get(f"/fail/{kind}")

    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json["code"] == code


def test_what_is_wrong_in_a_form_is_told_by_place(client: FlaskClient) -> None:
    assert client.get("/fail/invalid").json["fields"] == {"name": "A name is missing."}


def test_who_is_too_fast_is_told_when_to_come_back(client: FlaskClient) -> None:
    assert client.get("/fail/limited").headers["Retry-After"] == "7"


def test_an_unforeseen_error_gives_a_reference_and_no_detail(client: FlaskClient) -> None:
    answer = client.get("/fail/crash")

    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert answer.json["reference"] == answer.headers["X-Request-Id"]


def test_a_body_over_the_limit_is_refused(client: FlaskClient) -> None:
    assert client.post("/take", data=b"x" * 1000).status_code == 200
    assert client.post("/take", data=b"x" * 1001).json["code"] == "too_large"


def test_a_stranger_is_asked_to_sign_in_and_an_employee_is_denied(sqlite_url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=sqlite_url)
    employee = Actor(ActorKind.OPERATOR, 2, "E", (Grant(Role.EMPLOYEE),))
    auditor = Actor(ActorKind.OPERATOR, 3, "A", (Grant(Role.AUDITOR),))

    answers = [door(settings, actor).test_client().get("/fleet").status_code for actor in (VISITOR, employee, auditor)]

    assert answers == [401, 403, 200]


def test_every_answer_forbids_the_browser_what_we_do_not_use(client: FlaskClient) -> None:
    headers = client.get("/healthz").headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "Strict-Transport-Security" not in headers


def test_a_brought_request_id_is_kept_and_a_hostile_one_is_not(client: FlaskClient) -> None:
    kept = client.get("/healthz", headers={"X-Request-Id": "abc-12345"}).headers["X-Request-Id"]
    replaced = client.get("/healthz", headers={"X-Request-Id": "a b<script>"}).headers["X-Request-Id"]

    assert kept == "abc-12345"
    assert "<" not in replaced


def test_a_database_that_is_away_is_told_as_such_and_the_process_stays_alive(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    client = door(settings, VISITOR).test_client()

    away = client.get("/readyz")

    assert (away.status_code, away.headers["Retry-After"]) == (503, "10")
    assert (away.json["status"], away.json["parts"]["database"]) == ("unavailable", "away")
    assert "127.0.0.1" not in away.text, "strangers are told which part, not where it is"
    assert client.get("/healthz").status_code == 200


def test_the_form_key_is_made_once_and_only_for_the_owner(tmp_path: Path) -> None:
    first = form_key(tmp_path)

    assert form_key(tmp_path) == first
    assert len(first) == 32
    assert (tmp_path / "keys" / "forms.key").stat().st_mode & 0o077 == 0
