"""Every page of console, desk and the employees' door for people who see, hear, move or read otherwise: axe-core finds nothing,
nothing scrolls sideways at 320 pixels, headings are in order, errors are tied to their fields, and the focus is always seen."""

import csv
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from flask import Flask

from mdm.settings import Settings
from tests.a11y.gallery import hung, looked_at
from tests.a11y.houses import console_seen, portal_seen
from tests.a11y.wander import NO_PAGE, Seen, Wanderer
from tests.console.browser import browsing
from tests.console.conftest import console as console
from tests.console.conftest import filled as filled
from tests.console.conftest import settings as settings
from tests.console.conftest import signed_in as signed_in
from tests.console.visiting import Visitor
from tests.portal.conftest import HOST, Employee
from tests.portal.conftest import employee as employee
from tests.portal.conftest import paper as paper
from tests.portal.conftest import portal as portal
from tests.portal.test_guidance import started as started

ELSEWHERE = Path(__file__).with_name("elsewhere.csv")
NARROW, WIDE = {"width": 320, "height": 640}, {"width": 1280, "height": 900}
WAYS: dict[str, tuple[dict[str, object], int]] = {
    "light": ({"viewport": NARROW}, 100),
    "dark": ({"viewport": WIDE, "color_scheme": "dark"}, 100),
    "narrow and dark": ({"viewport": NARROW, "color_scheme": "dark", "reduced_motion": "reduce"}, 100),
    "large text": ({"viewport": WIDE}, 200),
}
SignedIn = Callable[[str], Visitor]


def elsewhere() -> dict[str, str]:
    """Routes that the wanderer does not come to: which test looks at them, or why there is nothing to see."""
    with ELSEWHERE.open(encoding="utf-8", newline="") as file:
        return {row["route"]: row["why"] for row in csv.DictReader(file)}


def each_template(walker: Wanderer) -> list[Seen]:
    """One page of every template."""
    return list({one.template: one for one in walker.seen.values()}.values())


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


def wrong(app: Flask, settings: Settings, pages: Sequence[Seen], way: str, *, focus: bool = True) -> list[str]:
    """What is wrong with the pages, seen in this way; ``focus`` also steps through everything that can have it."""
    options, zoom = WAYS[way]
    with hung(app, pages) as base, browsing(settings, **options) as context:
        return looked_at(context.new_page(), base, pages, zoom=zoom, focus=focus)


def test_every_line_about_another_place_is_about_one_that_exists(console: Flask, portal: Flask) -> None:
    rules = {one.rule for app in (console, portal) for one in app.url_map.iter_rules()}

    assert sorted(set(elsewhere()) - rules) == []
    assert [why for why in elsewhere().values() if why.startswith("tests/") and not Path(why).exists()] == []


@pytest.mark.browser
@pytest.mark.usefixtures("started")
def test_nothing_is_wrong_with_any_template_of_the_console_on_a_narrow_screen(
    console: Flask, settings: Settings, signed_in: SignedIn
) -> None:
    walker = console_seen(console, settings, signed_in)
    pages = each_template(walker)

    assert unnamed(console, walker) == []
    assert same_titles(pages) == {}
    assert wrong(console, settings, pages, "light", focus=False) == []


@pytest.mark.browser
@pytest.mark.usefixtures("started")
def test_nothing_is_wrong_with_any_template_of_the_employees_page_on_a_narrow_screen(
    portal: Flask, settings: Settings, employee: Employee
) -> None:
    walker = portal_seen(portal, employee)
    pages = each_template(walker)

    assert unnamed(portal, walker) == []
    assert same_titles(pages) == {}
    assert wrong(portal, settings, pages, "light") == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.browser
@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.usefixtures("started")
def test_nothing_is_wrong_with_any_page_of_the_console(
    console: Flask, settings: Settings, signed_in: SignedIn, way: str
) -> None:
    pages = list(console_seen(console, settings, signed_in).seen.values())

    assert wrong(console, settings, pages, way) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.browser
@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("language", ["nl", "ar"])
def test_nothing_is_wrong_with_any_page_of_the_employees_in_any_way(
    portal: Flask, settings: Settings, employee: Employee, language: str
) -> None:
    employee.client.set_cookie("hm_mine_language", language, domain=HOST.split("//")[1].split(":")[0])
    pages = list(portal_seen(portal, employee).seen.values())
    inside = [one for one in pages if f'lang="{language}"' in one.html[:200]]

    assert len(inside) > len(pages) // 2
    assert [found for way in WAYS for found in wrong(portal, settings, pages, way)] == []
