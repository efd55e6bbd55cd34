"""Every page of both doors for whoever has a keyboard and nothing else."""

import time

import pytest
from flask import Flask

from mdm.settings import Settings
from tests.a11y.houses import console_seen, portal_seen
from tests.a11y.test_pages import SignedIn
from tests.a11y.world import World
from tests.conftest import Figure
from tests.keyboard.through import NARROW, WIDE, gone_through
from tests.portal.conftest import Employee

LONG = pytest.mark.timeout(3600)


@pytest.mark.slow
@LONG
@pytest.mark.browser
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_page_of_the_console_can_be_gone_through_by_keyboard(
    console: Flask, settings: Settings, signed_in: SignedIn, world: World, figure: Figure, size: dict[str, int]
) -> None:
    walker = console_seen(console, settings, signed_in, world)
    walker.send_nothing()
    pages = list(walker.seen.values())
    began = time.monotonic()

    assert gone_through(console, settings, pages, size) == []
    figure(f"keyboard: {len(pages)} pages of the console at {size['width']} pixels in {time.monotonic() - began:.0f} s")


@pytest.mark.slow
@LONG
@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_page_of_the_employees_can_be_gone_through_by_keyboard(
    portal: Flask, settings: Settings, employee: Employee, world: World, figure: Figure, language: str
) -> None:
    employee.get("/")
    employee.post("/language", language=language)
    pages = list(portal_seen(portal, employee, world, language).seen.values())
    began = time.monotonic()

    assert gone_through(portal, settings, pages, NARROW, color_scheme="dark") == []
    figure(f"keyboard: {len(pages)} pages of the employees ({language}) in {time.monotonic() - began:.0f} s")
