"""Every page in every way: light, dark and in forced colours, at 320 and at 1280 pixels, with text twice as large and letters
further apart, from right to left, in every language, without movement; what forms answer when nothing is in them as well."""

import time

import pytest
from flask import Flask

from mdm.settings import Settings
from tests.a11y.gallery import hung, window
from tests.a11y.houses import console_seen, portal_seen
from tests.a11y.test_pages import SignedIn
from tests.a11y.wander import Seen, Wanderer
from tests.a11y.world import World
from tests.conftest import Figure
from tests.console.browser import browsing
from tests.portal.conftest import Employee
from web.portal.language import LANGUAGES

LONG = pytest.mark.timeout(3600)


def looked_at(app: Flask, settings: Settings, pages: list[Seen], figure: Figure, *, whole: bool = True) -> list[str]:
    """What is wrong with the pages in every way, or only with the room that their words have."""
    began = time.monotonic()
    with hung(app, pages) as base, browsing(settings, reduced_motion="reduce") as context:
        eyes = window(context, base)
        found = eyes.in_every_way(pages) if whole else eyes.stretched(pages)
    figure(
        f"accessibility: {len(pages)} pages {'in every way' if whole else 'for their words'} in {time.monotonic() - began:.0f} s"
    )
    return found


def inside(walker: Wanderer, language: str) -> list[Seen]:
    """All that was seen; nearly everything is in the language that was chosen."""
    pages = list(walker.seen.values())
    assert sum(f'lang="{language}"' in one.html[:200] for one in pages) > 0.9 * len(pages)
    return pages


@pytest.mark.slow
@LONG
@pytest.mark.browser
@pytest.mark.parametrize("language", ["nl", "fr"])
def test_nothing_is_wrong_with_any_page_of_the_console(
    console: Flask, settings: Settings, signed_in: SignedIn, world: World, figure: Figure, language: str
) -> None:
    walker = console_seen(console, settings, signed_in, world, language)
    walker.send_nothing()

    assert looked_at(console, settings, inside(walker, language), figure, whole=language == "nl") == []


@pytest.mark.slow
@LONG
@pytest.mark.browser
@pytest.mark.parametrize("language", list(LANGUAGES))
def test_nothing_is_wrong_with_any_page_of_the_employees(
    portal: Flask, settings: Settings, employee: Employee, world: World, figure: Figure, language: str
) -> None:
    employee.get("/")
    employee.post("/language", language=language)
    walker = portal_seen(portal, employee, world, language)

    assert looked_at(portal, settings, inside(walker, language), figure, whole=language in ("ar", "tr")) == []
