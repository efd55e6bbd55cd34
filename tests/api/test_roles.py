"""Every route for every role at every place, against a table that was written by hand: ``roles.csv``.

A cell says what a signed-in person of that role may do with something that stands at our place:

all      yes, whatever the role's place (lists, which show less)
place    yes for the city and for our place; not there (404) for another place
own      yes for the city and for our place; denied (403) for another place
city     yes for the city; denied for a place
hidden   yes for the city; not there for a place
never    denied, except that it is not there for another place
no       denied everywhere
absent   not there for anybody

``token`` says what a program of the same role may do: ``same``, or ``no`` for what only people do.
"""

import csv
import json
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask

from mdm.access import service as access
from mdm.access.model import ApiToken
from mdm.core.clock import utcnow
from mdm.core.permissions import Role
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.api.city import HOOKS, LINKS, PLACES, City, boss, build, settle
from tests.api.conftest import Api, close
from tests.api.samples import QUERIES, body_of
from tests.conftest import alone
from web.api.app import make_api
from web.api.links import LINKS_KEY
from web.api.openapi import document
from web.common.database import db

OUTCOMES = {
    "all": ("yes", "yes", "yes"),
    "place": ("yes", "yes", "404"),
    "own": ("yes", "yes", "403"),
    "city": ("yes", "403", "403"),
    "hidden": ("yes", "404", "404"),
    "never": ("403", "403", "404"),
    "no": ("403", "403", "403"),
    "absent": ("404", "404", "404"),
}
TABLE = Path(__file__).with_name("roles.csv")


def table() -> dict[str, dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["operation"]: row for row in csv.DictReader(file)}


class Stage:
    """The API on a city that can be put back as it was."""

    def __init__(self, template: Path, home: Path) -> None:
        self.file, self.kept = home / "city.db", home / "kept.db"
        shutil.copy(template, self.file)
        url = f"sqlite:///{self.file}"
        engine = make_engine(url)
        with transaction(engine) as session:
            call = Call(boss(), session, utcnow(), alone())
            self.city = build(call)
            settle(call, self.city)
            _, self.revoked = access.create_token(call, name="revoked", role=Role.FLEET_ADMIN)
            _, self.expired = access.create_token(
                call, name="expired", role=Role.FLEET_ADMIN, expires_at=call.now + timedelta(hours=1)
            )
            for token in session.query(ApiToken):
                if token.name == "revoked":
                    token.revoked_at = call.now
                if token.name == "expired":
                    token.expires_at = call.now - timedelta(seconds=1)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        shutil.copy(self.file, self.kept)
        self.app: APIFlask = make_api(Settings(home=home, database_url=url, webhook_hosts=HOOKS))
        # The signer does not run here: what it would say of its authority is known already.
        self.app.extensions[LINKS_KEY] = LINKS
        self.api = Api(self.app, self.app.test_client(use_cookies=False))
        found: dict[str, Any] = json.loads(document(self.app))
        self.operations = {
            item["operationId"]: (method.upper(), path)
            for path, items in found["paths"].items()
            for method, item in items.items()
        }

    def reset(self) -> None:
        """The city as it was."""
        with self.app.app_context():
            db.engine.dispose()
        for tail in ("-wal", "-shm"):
            self.file.with_name(self.file.name + tail).unlink(missing_ok=True)
        shutil.copy(self.kept, self.file)

    def ask(self, operation: str, who: Api) -> str:
        """``yes``, or the status of the refusal."""
        city: City = self.city
        method, path = self.operations[operation]
        address = re.sub(r"{(\w+)}", lambda match: str(city.ids[match[1]]), path)
        headers: dict[str, str] = {}
        if method == "PATCH":
            reader = who if operation == "edit_me" else self.api.by(cookie=city.cookies[Role.FLEET_ADMIN, "city"])
            headers["If_Match"] = reader.get(address).headers.get("ETag", "-")
        if "import_" in operation:
            headers["Content_Type"] = "text/csv"
        answer = who.send(method, address + QUERIES.get(operation, ""), body_of(operation, city), **headers)
        if method != "GET" and answer.status_code < 400:
            self.reset()
        assert answer.status_code < 500 or answer.status_code == 503, answer.text
        assert answer.status_code not in (400, 405, 412, 413, 415, 422, 428), answer.text
        return str(answer.status_code) if answer.status_code in (401, 403, 404) else "yes"


@pytest.fixture(scope="module")
def stage(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(sqlite_template, tmp_path_factory.mktemp("stage"))
    yield stage
    close(stage.app)


def test_every_operation_has_its_line_in_the_table(stage: Stage) -> None:
    assert set(table()) == set(stage.operations)


@pytest.mark.parametrize("operation", sorted(table()))
def test_each_role_may_what_the_table_says_and_no_more(stage: Stage, operation: str) -> None:
    line, city = table()[operation], stage.city
    found, expected = {}, {}
    for role in Role:
        for place, outcome in zip(PLACES, OUTCOMES[line[role.value]], strict=True):
            found[role.value, place] = stage.ask(operation, stage.api.by(cookie=city.cookies[role, place]))
            expected[role.value, place] = outcome

    assert found == expected


@pytest.mark.parametrize("operation", sorted(table()))
def test_a_program_may_what_a_person_of_its_role_may_unless_it_is_for_people(stage: Stage, operation: str) -> None:
    line, city = table()[operation], stage.city
    for role in (Role.DESK_CLERK, Role.FLEET_ADMIN):
        for place, outcome in zip(PLACES, OUTCOMES[line[role.value]], strict=True):
            wanted = outcome if line["token"] == "same" else "403"
            assert stage.ask(operation, stage.api.by(city.tokens[role, place])) == wanted, (role, place)


@pytest.mark.parametrize("operation", sorted(table()))
def test_nobody_and_ended_credentials_are_asked_to_sign_in(stage: Stage, operation: str) -> None:
    wanted = "yes" if table()[operation]["employee"] == "all" and operation == "get_openapi" else "401"
    for who in (
        stage.api.by(),
        stage.api.by(""),
        stage.api.by("hvm_nonsense"),
        stage.api.by(stage.expired),
        stage.api.by(stage.revoked),
        stage.api.by(cookie="nonsense"),
    ):
        assert stage.ask(operation, who) == wanted


def test_an_edit_by_cookie_needs_the_header_that_other_sites_cannot_send(stage: Stage) -> None:
    cookie = {"Cookie": f"hm_session={stage.city.cookies[Role.FLEET_ADMIN, 'city']}"}
    send = {"headers": cookie, "json": {"name": "New"}}
    client = stage.app.test_client(use_cookies=False)

    without = client.post("/groups", **send)
    elsewhere = client.post(
        "/groups",
        json={"name": "New"},
        headers={**cookie, "X-Havenmeester-Client": "x", "Sec-Fetch-Site": "cross-site"},
    )

    assert (without.status_code, without.json["code"]) == (403, "client_header")
    assert (elsewhere.status_code, elsewhere.json["code"]) == (403, "client_header")
    assert "New" not in {item["name"] for item in client.get("/groups", headers=cookie).json["items"]}
