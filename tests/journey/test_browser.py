"""A desk at work in a true browser: in by a link, an invitation by keyboard alone, and the page that turns green."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import chromium
from tests.journey.house import House, Machine

PLACES = "code;name\nWERKHAVEN;Werkhaven\nNOVA;Nova\n"
PATIENCE = 30_000
"""Milliseconds that a page may take on a busy machine."""


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of a headless Chromium."""
    with chromium() as browser:
        opened = browser.new_page(locale="en-GB")
        opened.set_default_timeout(PATIENCE)
        yield opened


def tab_to(page: Page, name: str) -> None:
    """Presses Tab until the field or button with this name has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(
            "name => { const e = document.activeElement;"
            " return e && (e.name === name || (e.innerText || '').trim() === name) && !e.disabled }",
            name,
        ):
            return
    raise AssertionError(f"the keyboard does not reach {name}")


@pytest.mark.browser
def test_a_desk_invites_by_keyboard_and_sees_the_device_come_in(house: House, page: Page, tmp_path: Path) -> None:
    house.run("init")
    (tmp_path / "points.csv").write_text(PLACES)
    house.run("import", "service-points", tmp_path / "points.csv")
    link = house.run(
        "operator", "add", "sarah@stad.example", "--role", "desk-clerk", "--service-point", "WERKHAVEN",
        "--language", "en",
    )  # fmt: skip
    house.start()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))

    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{house.console}/")

    page.goto(f"{house.console}/enrollment/invite")
    tab_to(page, "email")
    page.keyboard.type("an@stad.example")
    tab_to(page, "name")
    page.keyboard.type("An Claes")
    tab_to(page, "Make the invitation")
    page.keyboard.press("Enter")
    url = page.locator("#link").inner_text()
    assert url.startswith(f"{house.console}/e/")
    expect(page.locator(".hm-steps")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".hm-note.hm-good")).to_have_count(0)

    machine = Machine(tmp_path / "laptop", "PF-0043")
    enrolled = machine.enroll(url)
    assert enrolled.returncode == 0, enrolled.stderr
    with machine.resident():
        # Its bell rings when its settings are ready; where the machine is too busy for that, its next check-in comes.
        expect(page.locator(".hm-note.hm-good")).to_be_visible(timeout=4 * PATIENCE)
    page.get_by_role("link", name="To the device").click()
    expect(page.locator("h1")).to_contain_text("kiosk-werkhaven-1")
    assert broken == []
