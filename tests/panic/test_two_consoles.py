"""From a phone to two consoles: it rings at the desk at once, and falls silent everywhere when somebody comes."""

import re
import time

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from mdm.org.model import ServicePoint
from mdm.panic.model import PanicAlarm
from mdm.settings import Settings
from tests.console.browser import browsing, come_by_link, listening
from tests.console.conftest import console as console
from tests.console.conftest import filled as filled
from tests.console.conftest import settings as settings
from tests.panic.test_console import CLERK, House, house
from tests.portal.conftest import portal as portal
from tests.portal.test_readers import _listening

__all__ = ["house"]
SECONDS = 60_000
"""How long the test waits for a busy machine; how long it took is looked at where the machine was idle."""


def _played(page: Page) -> str | None:
    return page.evaluate("document.documentElement.dataset.panicPlayed || null")


def _listens(context: BrowserContext, settings: Settings, email: str, *, sound: bool) -> Page:
    page = context.new_page()
    come_by_link(page, settings, email)
    if sound:
        page.goto("/panic/sound")
        page.click("[data-panic-allow]")
        expect(page.locator("[data-panic-forbid]")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("data-panic-played", "true")
    page.goto("/devices")
    page.locator("h1").click()
    return page


@pytest.mark.browser
def test_a_press_on_a_phone_rings_at_the_desk_and_falls_silent_everywhere_when_somebody_comes(
    house: House, portal: Flask, settings: Settings
) -> None:
    with (
        listening(settings) as configured,
        _listening(portal) as mine,
        browsing(configured) as desk,
        desk.browser.new_context(base_url=configured.console_base) as other,  # type: ignore[union-attr]
        desk.browser.new_context(viewport={"width": 360, "height": 760}) as pocket,  # type: ignore[union-attr]
    ):
        loud, mute = _listens(desk, configured, CLERK, sound=True), _listens(other, configured, CLERK, sound=False)
        pocket.add_cookies([{"name": "hm_panic", "value": house.secret, "url": f"{mine}/panic/"}])
        phone = pocket.new_page()
        phone.goto(f"{mine}/panic/")
        loud.wait_for_timeout(2_500)  # Pages are drawn first, and listen two seconds later.

        box = phone.locator(".panic-button").bounding_box()
        assert box is not None
        phone.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        phone.mouse.down()
        expect(phone.locator("#panic")).to_have_attribute("data-stage", "rung", timeout=SECONDS)
        phone.mouse.up()
        began = time.monotonic()
        bars = [page.locator("[data-panic-call]") for page in (loud, mute)]
        for bar in bars:
            expect(bar).to_be_visible(timeout=SECONDS)
            expect(bar).to_contain_text(house.person)
            expect(bar).to_contain_text("Counter <3>")
        print(f"seen on both consoles after {time.monotonic() - began:.1f} s")
        with house.call() as call:
            place = call.session.get_one(ServicePoint, house.point).name
        expect(bars[0]).to_contain_text(place)
        house.climb()
        expect(loud.locator("html")).to_have_attribute("data-panic-played", "true", timeout=SECONDS)
        expect(loud.locator("[data-panic-says]")).to_contain_text(house.person)
        expect(loud).to_have_title(re.compile("^\u26a0"), timeout=SECONDS)

        assert _played(mute) is None
        expect(mute.locator("[data-panic-silent]")).to_have_text("No sound on this computer")
        expect(mute.locator("[data-panic-allow]").first).to_be_visible()
        expect(loud.locator("[data-panic-silent]")).to_be_hidden()

        mute.locator(".hm-panic-come").click()
        mute.wait_for_url("**/devices")
        expect(loud.locator("[data-panic-loud]")).to_have_count(0, timeout=SECONDS)
        expect(bars[0]).to_contain_text("is coming", timeout=SECONDS)
        expect(loud).not_to_have_title(re.compile("^\u26a0"), timeout=SECONDS)
        loud.evaluate("delete document.documentElement.dataset.panicPlayed")
        loud.wait_for_timeout(4_500)  # One round of ringing is four seconds.
        assert _played(loud) is None
        expect(phone.locator("#panic")).to_have_attribute("data-stage", "coming", timeout=SECONDS)
    with house.call() as call:
        assert [one.state for one in call.session.scalars(select(PanicAlarm))] == ["acknowledged"]
