"""The employees' page on a slow line: few bytes on the first load, and nobody else is asked for anything."""

from collections.abc import Callable

import pytest
from flask import Flask

from mdm.settings import Settings
from tests.console.browser import browsing
from tests.portal.conftest import Employee
from tests.portal.loading import Load, first_load
from tests.portal.test_readers import _listening

MOST = 100_000
"""Bytes of a first load without fonts."""
ADDRESSES = (
    "/",
    "/seen",
    "/apps",
    "/panic/",
    "/leaving",
    "/help",
    "/loans",
    "/enrol",
    "/enrol/begin",
    "/accessibility",
)


def cold(settings: Settings, base: str, cookies: list[dict[str, str]], addresses: list[str]) -> list[Load]:
    """Each address in a browser that takes nothing from its cache."""
    with browsing(settings, viewport={"width": 360, "height": 760}, service_workers="block") as context:
        context.add_cookies(cookies)  # type: ignore[arg-type]
        page = context.new_page()
        return [first_load(page, base + address) for address in addresses]


@pytest.mark.browser
def test_every_page_comes_with_less_than_100_kb_and_asks_nobody_else(
    portal: Flask, settings: Settings, employee: Employee, paper: Callable[[int], str]
) -> None:
    employee.get("/panic/")
    device = employee.get("/").text.split('href="/d/')[1].split('"')[0]
    with _listening(portal) as base:
        host = base.split("//")[1]
        cookies = [
            {"name": one.key, "value": one.value, "url": base}
            for one in employee.client._cookies.values()  # type: ignore[union-attr]
        ]
        inside = [*ADDRESSES, f"/d/{device}", f"/d/{device}/lost", f"/d/{device}/broken"]
        loads = cold(settings, base, cookies, inside)
        loads += cold(settings, base, [], ["/in", "/in/link/nothing"])

    assert [one.address for one in loads if one.bytes >= MOST] == []
    assert [one.address for one in loads if one.hosts != {host}] == []
    # The page itself, its style, its pictures of words, its mark: more requests would be more times 400 ms.
    assert [one.address for one in loads if len(one.requests) > 6] == []
    assert all(one.bytes > 3_000 and len(one.requests) >= 3 for one in loads), "nothing was counted"
