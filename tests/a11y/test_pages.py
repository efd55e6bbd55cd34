"""Every page of console, desk and the employees' door for people who see, hear, move or read otherwise, as it comes to a narrow
screen: axe-core finds nothing, nothing scrolls sideways or is cut, headings are in order, tables and charts say what they are,
errors are tied to their fields. ``test_matrix`` looks in every other way."""

import csv
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from flask import Flask

from mdm.settings import Settings
from tests.a11y.gallery import hung, window
from tests.a11y.houses import console_seen, portal_seen
from tests.a11y.newer import forgotten, wrong_as_written
from tests.a11y.wander import NO_PAGE, Seen, Wanderer
from tests.a11y.world import World
from tests.conftest import Figure
from tests.console.browser import browsing
from tests.console.visiting import Visitor
from tests.portal.conftest import Employee

ELSEWHERE = Path(__file__).with_name("elsewhere.csv")
SignedIn = Callable[[str], Visitor]


def elsewhere() -> dict[str, str]:
    """Routes that are no pages, and why."""
    with ELSEWHERE.open(encoding="utf-8", newline="") as file:
        return {row["route"]: row["why"] for row in csv.DictReader(file)}


def each_template(walker: Wanderer) -> list[Seen]:
    """The first page of every template."""
    found: dict[str, Seen] = {}
    for one in walker.seen.values():
        found.setdefault(one.template, one)
    return list(found.values())


def unnamed(app: Flask, walker: Wanderer) -> list[str]:
    """Routes that nobody came to and no list names."""
    seen = {one.rule for one in walker.seen.values()} | set(elsewhere())
    return sorted(
        one.rule
        for one in app.url_map.iter_rules()
        if "GET" in (one.methods or ())
        and not one.endpoint.endswith("static")
        and not one.rule.endswith(NO_PAGE)
        and one.rule not in seen
    )


def same_titles(pages: Sequence[Seen]) -> dict[str, list[str]]:
    """Titles that different pages share: who goes through the windows by their titles cannot tell them apart."""
    titles = defaultdict(set)
    for one in pages:
        # What a form answers may be called like the form.
        if one.rule.startswith("POST"):
            continue
        titles[one.html.partition("<title>")[2].partition("</title>")[0]].add(one.template)
    return {title: sorted(names) for title, names in titles.items() if len(names) > 1}


def wrong(app: Flask, settings: Settings, pages: Sequence[Seen], *, rings: bool = False) -> list[str]:
    """What is wrong with the pages as they come to a narrow screen."""
    with hung(app, pages) as base, browsing(settings, reduced_motion="reduce") as context:
        return window(context, base).as_it_came(pages, rings=rings)


def test_every_line_about_another_place_is_about_one_that_exists(console: Flask, portal: Flask) -> None:
    rules = {one.rule for app in (console, portal) for one in app.url_map.iter_rules()}

    assert sorted(set(elsewhere()) - rules) == []


@pytest.mark.browser
def test_nothing_is_wrong_with_any_template_of_the_console_on_a_narrow_screen(
    console: Flask, settings: Settings, signed_in: SignedIn, world: World, figure: Figure
) -> None:
    began = time.monotonic()
    walker = console_seen(console, settings, signed_in, world)
    pages = each_template(walker)

    assert unnamed(console, walker) == []
    assert sorted(set(elsewhere()) & {one.rule for one in walker.seen.values()}) == []
    assert same_titles(pages) == {}
    assert wrong_as_written([*walker.seen.values()], ["/accessibility"]) == []
    assert forgotten(walker) == []
    assert wrong(console, settings, pages) == []
    figure(f"accessibility: {len(pages)} templates of the console in {time.monotonic() - began:.0f} s")


@pytest.mark.browser
def test_nothing_is_wrong_with_any_template_of_the_employees_page_on_a_narrow_screen(
    portal: Flask, settings: Settings, employee: Employee, world: World, figure: Figure
) -> None:
    began = time.monotonic()
    walker = portal_seen(portal, employee, world)
    pages = each_template(walker)

    assert unnamed(portal, walker) == []
    assert same_titles(pages) == {}
    assert wrong_as_written([*walker.seen.values()], ["/accessibility"], ["/help", "/accessibility"]) == []
    assert forgotten(walker) == []
    assert wrong(portal, settings, pages, rings=True) == []
    figure(f"accessibility: {len(pages)} templates of the employees' page in {time.monotonic() - began:.0f} s")
