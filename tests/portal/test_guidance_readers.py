"""The pages of applications, loans, the quest and help for people who cannot see well: axe-core finds nothing, in light, in dark
and from right to left, and nothing is wider than a phone."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from mdm.settings import Settings
from tests.console.browser import browsing
from tests.portal.conftest import Employee
from tests.portal.test_guidance import started as started
from tests.portal.test_readers import _listening, _looked_at


@pytest.mark.browser
@pytest.mark.usefixtures("started")
def test_axe_finds_nothing_where_people_play_borrow_and_ask(
    employee: Employee, portal: Flask, settings: Settings, paper: Callable[[int], str]
) -> None:
    quest = re.search(r"/quest/(\w+)/join", employee.get("/quest").text)
    guide = re.search(r'"(/guides/\w+)"', employee.get("/help").text)
    assert quest is not None
    assert guide is not None
    employee.post(f"/quest/{quest[1]}/join")
    found: list[str] = []
    with (
        _listening(portal) as base,
        browsing(settings, viewport={"width": 320, "height": 720}, bypass_csp=True) as context,
    ):
        page = context.new_page()
        page.goto(f"{base}/in")
        page.fill("#code", paper(employee.person))
        page.locator('form[action="/in/code"] button').click()
        page.wait_for_url(f"{base}/")
        for scheme, language in (("light", "en"), ("dark", "ar")):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(base)
            page.select_option("#language", language)
            page.locator("form.language button").click()
            page.wait_for_load_state()
            for way in ("/", "/quest", "/apps", "/loans/new") if scheme == "light" else ("/quest", "/help", guide[1]):
                found += _looked_at(page, base + way)

    assert found == []
