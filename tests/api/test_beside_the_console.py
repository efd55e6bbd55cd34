"""The API and the console are one callable, and a person who is signed in to one speaks to the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

from mdm.access import service as access
from mdm.core.clock import utcnow
from mdm.core.permissions import Role
from mdm.settings import Settings
from tests.api.city import boss, sign_in
from tests.api.conftest import close
from tests.conftest import Calling
from web.api.app import make_api, mount
from web.console.app import make_console


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[Client]:
    """Whoever speaks to both."""
    settings = Settings(home=tmp_path, database_url=database_url)
    console, api = make_console(settings), make_api(settings)
    yield Client(mount(console, api), use_cookies=False)
    close(console)
    close(api)


def test_one_session_opens_pages_and_api_and_each_has_its_own_refusals(calling: Calling, client: Client) -> None:
    with calling(boss(), now=utcnow()) as call:
        operator = access.create_operator(call, email="mo@example.org", name="Mo")
        access.add_grant(call, operator.id, Role.FLEET_ADMIN)
        signed_in = {"Cookie": f"hm_session={sign_in(call, operator)}"}

    page = client.get("/", headers=signed_in)
    me = client.get("/api/v1/me", headers=signed_in)
    absent_page, absent_address = client.get("/nothing", headers=signed_in), client.get("/api/v1/nothing")

    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert (me.json["name"], me.json["roles"]) == ("Mo", ["fleet_admin"])
    assert absent_page.mimetype == "text/html"
    assert (absent_address.status_code, absent_address.mimetype) == (404, "application/problem+json")
    assert client.get("/api/v1/me").status_code == 401
    assert client.get("/api/v1x/me").status_code in (302, 303, 404)
    pages = client.get("/api/v1/tokens?limit=1", headers=signed_in)
    assert "Link" not in pages.headers


def test_the_address_of_the_next_page_is_one_that_a_program_can_follow(calling: Calling, client: Client) -> None:
    with calling(boss(), now=utcnow()) as call:
        for name in "abc":
            access.create_token(call, name=name, role=Role.AUDITOR)
        _, secret = access.create_token(call, name="reader", role=Role.FLEET_ADMIN)
    headers = {"Authorization": f"Bearer {secret}"}

    names, address = [], "/api/v1/tokens?limit=2"
    while address:
        answer = client.get(address, headers=headers)
        names += [item["name"] for item in answer.json["items"]]
        address = answer.headers.get("Link", "").split(">")[0][1:]

    assert names == ["reader", "c", "b", "a"]
