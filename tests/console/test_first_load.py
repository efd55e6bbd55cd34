"""The console and the desk ask nobody but themselves for anything: the requests that the browser makes are looked at."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from mdm.settings import Settings
from tests.console.browser import browsing, come_by_link

ADDRESSES = ("/", "/policies/1", "/compliance", "/panic", "/desk", "/accessibility")
ELSEWHERE = "<img src='http://elsewhere.localhost:9/x.png'>"


@contextmanager
def asked(page: Page) -> Iterator[set[str]]:
    """Whom a page asks for anything meanwhile; what stands in the page itself (data:) asks nobody."""
    hosts: set[str] = set()
    page.on("request", lambda one: one.url.startswith(("http", "ws")) and hosts.add(urlsplit(one.url).netloc))
    yield hosts


@pytest.mark.browser
def test_no_page_of_console_or_desk_asks_anybody_else(house: Settings) -> None:
    with browsing(house) as context, asked(context.new_page()) as hosts:
        (page,) = context.pages
        page.goto("/sign-in")
        come_by_link(page, house, "mo@stad.example")
        for address in ADDRESSES:
            page.goto(address)

        assert hosts == {house.console_base.split("//")[1]}

        page.route("**/sign-in", lambda route: route.fulfill(content_type="text/html", body=ELSEWHERE))
        page.goto("/sign-in")
        assert "elsewhere.localhost:9" in hosts, "a request to somebody else is not noticed"
