"""The pages of setting up a device for people who cannot see well: axe-core finds nothing, in light, in dark and from right to
left, and nothing is wider than a phone."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import make_server

from mdm.settings import Settings
from tests.console.browser import browsing
from tests.console.test_readers import AXE, RULES
from tests.portal.conftest import Employee
from tests.portal.test_enrolling import Home, home, shared_signer, waiting

__all__ = ["home", "shared_signer", "waiting"]
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@contextmanager
def _listening(portal: Flask) -> Iterator[str]:
    server = make_server("localhost", 0, portal, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://mijn.localhost:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _looked_at(page: Page, address: str) -> list[str]:
    page.goto(address)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = [f"{address}: {one['id']} ({one['nodes'][0]['html'][:160]})" for one in page.evaluate(RULES)["violations"]]
    wider = page.evaluate(WIDER)
    return [*found, *([f"{address}: {wider} pixels too wide"] if wider > 0 else [])]


@pytest.mark.slow
@pytest.mark.browser
def test_axe_finds_nothing_where_a_device_is_set_up(
    employee: Employee, portal: Flask, settings: Settings, home: Home, waiting: str, paper: Callable[[int], str]
) -> None:
    found: list[str] = []
    with (
        _listening(portal) as base,
        browsing(settings, viewport={"width": 360, "height": 760}, bypass_csp=True) as context,
    ):
        page = context.new_page()
        page.goto(f"{base}/in")
        page.fill("#code", paper(employee.person))
        page.locator('form[action="/in/code"] button').click()
        page.wait_for_url(f"{base}/")
        page.goto(f"{base}/enrol/begin?device={waiting}")
        page.locator("button.main").click()
        page.wait_for_url(f"{base}/enrol/*")
        step = page.url
        ways = ("/enrol", f"/enrol/begin?device={waiting}")
        pages = [*(base + way for way in ways), *(f"{step}?step={number}" for number in range(1, 5)), f"{step}/stuck"]
        for scheme, language in (("light", "en"), ("dark", "ar")):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(base)
            page.select_option("#language", language)
            page.locator("form.language button").click()
            page.wait_for_load_state()
            assert page.locator("html").get_attribute("lang") == language
            for address in pages:
                found += _looked_at(page, address)

    assert found == []
