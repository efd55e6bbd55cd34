"""The employees' page as a screen reader is given it: Chromium's own tree of what is there, in Dutch and in Arabic."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page

from mdm.settings import Settings
from tests.console.browser import browsing
from tests.portal.conftest import Employee
from tests.portal.test_enrolling import Home, home, shared_signer, waiting
from tests.portal.test_readers import _listening

__all__ = ["home", "shared_signer", "waiting"]
ACTIVE = ("link", "button", "textbox", "radio", "checkbox", "combobox", "DisclosureTriangle", "Date", "progressbar")
ARABIC = re.compile(r"[\u0600-\u06ff]")


@dataclass(frozen=True)
class Node:
    """One thing as it is read out."""

    role: str
    name: str
    told: str
    live: str
    level: int
    value: str


def tree(page: Page) -> list[Node]:
    """Everything that is read out, in the order in which it is read."""
    tools = page.context.new_cdp_session(page)
    nodes = tools.send("Accessibility.getFullAXTree")["nodes"]
    tools.detach()
    return [_node(one) for one in nodes if not one.get("ignored")]


def _node(one: dict[str, Any]) -> Node:
    def of(name: str) -> str:
        return str(one.get(name, {}).get("value", ""))

    more = {each["name"]: each["value"].get("value") for each in one.get("properties", ())}
    return Node(
        of("role"), of("name"), of("description"), str(more.get("live", "")), int(more.get("level") or 0), of("value")
    )


@pytest.fixture(params=["nl", "ar"])
def reader(
    request: pytest.FixtureRequest, portal: Flask, settings: Settings, employee: Employee
) -> Iterator[tuple[Page, str, str]]:
    """A page of somebody who is in, its address, and the language."""
    with _listening(portal) as base, browsing(settings, viewport={"width": 360, "height": 640}) as context:
        jar = {one.key: one.value for one in employee.client._cookies.values()}  # type: ignore[union-attr]
        jar["hm_mine_language"] = request.param
        context.add_cookies([{"name": name, "value": value, "url": base} for name, value in jar.items()])
        yield context.new_page(), base, request.param


def said(nodes: list[Node], *roles: str) -> list[str]:
    """The names of what has one of the roles."""
    return [one.name for one in nodes if one.role in roles]


def well_told(nodes: list[Node], language: str) -> None:
    """What holds for every page."""
    assert [len(said(nodes, role)) for role in ("banner", "main", "contentinfo")] == [1, 1, 1], "each landmark once"
    headings = [one for one in nodes if one.role == "heading"]
    assert [one.level for one in headings].count(1) == 1, "one heading says what the page is"
    assert headings[0].level == 1, "it is the first"
    assert [one for one in nodes if one.role in ACTIVE and not one.name.strip()] == [], (
        "whatever can be used has a name"
    )
    assert len(said(nodes, "combobox")) == 1, "the language is a choice with a name"
    pictures = [one for one in nodes if one.role in ("image", "img") and not one.name.strip()]
    assert pictures == [], "a picture that is read out says what it is; one that says nothing is not read out"
    if language == "ar":
        # The name of a device is what its maker calls it, and stands in headings of level 3.
        told = [one.name for one in nodes if one.role == "button" or (one.role == "heading" and one.level < 3)]
        # What the browser puts into a field of a date speaks the browser's own language.
        silent = [name for name in told if not ARABIC.search(name) and not name.startswith("Show date picker")]
        assert silent == [], "an Arabic page is read in Arabic"


@pytest.mark.browser
def test_each_page_says_what_it_is_what_it_has_and_how_it_stands(
    reader: tuple[Page, str, str], home: Home, waiting: str
) -> None:
    page, base, language = reader
    for address in ("/", "/seen", "/leaving", "/accessibility"):
        page.goto(base + address)
        well_told(tree(page), language)

    # The way to green: how far it is has a name and a number, and news is read out when there is time for it.
    page.goto(f"{base}/enrol/begin?device={waiting}")
    well_told(tree(page), language)
    page.locator("main button.main").click()
    page.wait_for_url(f"{base}/enrol/*")
    page.goto(f"{page.url}?step=4")
    nodes = tree(page)
    well_told(nodes, language)
    (bar,) = (one for one in nodes if one.role == "progressbar")
    assert (bool(bar.name), bar.value) == (True, "4")
    assert [one.live for one in nodes if one.live == "polite"], "news is read out"
    assert {"nl": "Komt nog", "ar": "لم يتم بعد"}[language] in said(nodes, "StaticText"), "a step is open in words too"

    # The button: it says how it is pressed, and what becomes of a call interrupts whatever is being read.
    page.goto(f"{base}/panic/")
    page.locator("form[action$='/panic/on'] button").click()
    page.wait_for_selector(".panic-button")
    nodes = tree(page)
    well_told(nodes, language)
    button = next(one for one in nodes if one.role == "button" and one.told)
    assert button.name
    assert [one.role for one in nodes if one.live == "assertive"] == ["status"]
