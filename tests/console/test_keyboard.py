"""Who uses no mouse gets from the sign-in link to an invitation and a lock with Tab, Enter and Space, and sees where they are."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import create_engine, text
from werkzeug.serving import make_server

from mdm.settings import Settings
from tests.chromium import chromium
from tests.console.house import sign_in_link
from tests.signer.neighbour import RunningSigner

TABS_MOST = 150
SEEN = """() => { const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0; }"""
WHERE = (
    "() => { const e = document.activeElement; return [e.id, e.getAttribute('href'), e.value, e.innerText].join('|'); }"
)


@pytest.fixture(params=["no-preference", "reduce"])
def page(request: pytest.FixtureRequest, console: Flask, settings: Settings) -> Iterator[Page]:
    """A browser without a mouse, with and without motion, at the console with its signer."""
    signer = RunningSigner(settings.home)
    signer.start()
    server = make_server("127.0.0.1", 0, console, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with chromium() as browser:
            base = f"http://127.0.0.1:{server.port}"
            yield browser.new_context(base_url=base, reduced_motion=request.param).new_page()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        signer.stop()


def tab_to(page: Page, goal: str) -> None:
    """Presses Tab until the element is reached; every stop on the way must be visible."""
    for _ in range(TABS_MOST):
        page.keyboard.press("Tab")
        where = page.evaluate(WHERE)
        if where.startswith("|||") and page.evaluate("document.activeElement === document.body"):
            continue
        assert page.evaluate(SEEN), f"no ring around {where}"
        if page.evaluate("goal => document.activeElement.matches(goal)", goal):
            return
    raise AssertionError(f"{goal} is not reached")


@pytest.mark.browser
def test_from_the_link_to_an_invitation_and_a_lock_without_a_mouse(page: Page, settings: Settings) -> None:
    page.goto(f"/sign-in/link/{sign_in_link(settings.database, 'mo@stad.example')}")
    tab_to(page, "main button.btn-primary")
    page.keyboard.press("Enter")
    page.wait_for_url("**/")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "hm-skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    tab_to(page, "a[href='/enrollment/invite']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/enrollment/invite")
    tab_to(page, "#email")
    page.keyboard.type("nieuw@stad.example")
    tab_to(page, "main form button.btn-primary")
    page.keyboard.press("Enter")
    page.wait_for_selector("#link")

    page.goto("/devices?enrolled=yes")
    tab_to(page, "input[data-row]")
    page.keyboard.press("Space")
    tab_to(page, "button[value=lock]")
    page.keyboard.press("Enter")
    page.wait_for_selector("input[name=sure]", state="attached")
    tab_to(page, "main form button.btn-primary")
    page.keyboard.press("Enter")
    page.wait_for_url("**tab=commands")

    with create_engine(settings.database).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM command WHERE verb = 'lock'")).scalar() == 1
        made = "SELECT count(*) FROM invitation JOIN person ON person.id = person_id WHERE email = 'nieuw@stad.example'"
        assert connection.execute(text(made)).scalar() == 1
