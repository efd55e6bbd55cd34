"""Passkeys in a true browser: made, used to come in and to show again who one is, with clear words where they cannot work."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import create_engine, text

from mdm.settings import Settings
from tests.console.browser import add_passkey, browsing, come_by_link, with_authenticator
from tests.console.conftest import Visitor
from tests.console.test_proving import an_hour_passes, laptop

MO = "mo@stad.example"


@pytest.fixture
def page(house: Settings) -> Iterator[Page]:
    """Mo's browser, with an authenticator, signed in by link."""
    with browsing(house) as context:
        page = with_authenticator(context.new_page())
        come_by_link(page, house, MO)
        yield page


@pytest.mark.browser
def test_a_passkey_is_added_signs_in_and_proves_before_a_risky_act(page: Page, house: Settings) -> None:
    add_passkey(page)
    page.context.clear_cookies()

    page.goto("/sign-in?next=/devices")
    page.click("text=Sign in with a passkey")
    page.wait_for_url(f"{house.console_base}/devices")

    an_hour_passes(house)
    uid, _tag = laptop(house)
    page.goto(f"/devices/{uid}/wipe")
    assert page.url.startswith(f"{house.console_base}/prove")
    assert page.locator("#password").count() == 0
    page.click("text=Use a passkey")
    page.wait_for_url(f"{house.console_base}/devices/{uid}/wipe")

    with create_engine(house.database).connect() as connection:
        row = connection.execute(text("SELECT name, sign_count, transports FROM passkey")).one()
        methods = connection.execute(text("SELECT method FROM web_session")).scalars().all()
        left = connection.execute(text("SELECT count(*) FROM passkey_challenge")).scalar()
    assert (row.name, row.sign_count >= 2, row.transports) == ("Laptop", True, '["internal"]')
    assert "passkey" in methods
    assert left == 0


@pytest.mark.browser
def test_the_same_device_is_not_registered_twice_and_says_so(page: Page) -> None:
    add_passkey(page)

    page.fill("#passkey_name", "again")
    page.click("#passkeys form[data-passkey] button[data-passkey-button]")
    page.wait_for_selector("#passkeys [data-passkey-says]:visible")

    assert "has a passkey of yours already" in page.inner_text("#passkeys [data-passkey-says]")
    assert page.is_enabled("#passkeys form[data-passkey] button[data-passkey-button]")


@pytest.mark.browser
def test_a_device_that_does_not_verify_its_owner_does_not_come_in_and_the_page_says_what_happened(
    house: Settings,
) -> None:
    with browsing(house) as context:
        page = with_authenticator(context.new_page(), verifies=False)
        page.goto("/sign-in")
        page.click("text=Sign in with a passkey")
        page.wait_for_selector("[data-passkey-says]:visible")
        assert "No passkey was used" in page.inner_text("[data-passkey-says]")


@pytest.mark.browser
@pytest.mark.parametrize("how", ["without WebAuthn", "without JavaScript"])
def test_a_browser_that_cannot_says_so_and_the_password_still_works(house: Settings, how: str) -> None:
    with browsing(house, java_script_enabled=how != "without JavaScript") as context:
        context.add_init_script("delete window.PublicKeyCredential")
        page = context.new_page()
        page.goto("/sign-in")

        assert page.is_disabled("text=Sign in with a passkey")
        told = "cannot use passkeys here" if how == "without WebAuthn" else "Passkeys need JavaScript"
        # What stands in noscript is a page of its own: it is read as it is drawn.
        assert told in page.inner_text("main")
        assert page.is_enabled("text=Sign in >> nth=0")


def test_at_a_bare_number_no_passkey_is_offered(console: Flask, settings: Settings) -> None:
    from web.console.app import make_console

    visitor = Visitor(make_console(settings.model_copy(update={"console_url": "http://127.0.0.1:8080"})))

    assert "passkey" not in visitor.get("/sign-in").text.lower().replace("passkeys.js", "")


def test_the_challenge_is_told_as_json_and_a_refusal_too(visitor: Visitor) -> None:
    visitor.get("/sign-in")
    json = {"Accept": "application/json"}

    asked = visitor.client.post("/sign-in/passkey/ask", headers={**json, "X-CSRFToken": visitor.token})
    forged = visitor.client.post("/sign-in/passkey/ask", headers=json)
    stranger = visitor.client.post("/account/passkeys/ask", headers={**json, "X-CSRFToken": visitor.token})

    assert asked.json["userVerification"] == "required"
    assert (forged.status_code, forged.mimetype) == (400, "application/problem+json")
    assert (stranger.status_code, stranger.json["code"]) == (401, "not_signed_in")


def test_a_wrong_answer_signs_nobody_in_and_the_page_says_so(visitor: Visitor) -> None:
    visitor.get("/sign-in")

    answer = visitor.post("/sign-in/passkey", credential="{}")

    assert answer.status_code == 422
    assert "not known here" in answer.text
    assert visitor.get("/account").status_code == 303
