"""The accessibility statement: for everybody, in their own language, with the day of the last test."""

import html
from collections.abc import Callable

import pytest
from flask import Flask

from mdm.settings import Settings
from tests.console.browser import browsing
from tests.portal.conftest import Employee
from tests.portal.test_readers import _listening
from web.common.accessibility import facts
from web.portal.app import make_portal
from web.portal.language import LANGUAGES


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Accessibility"), ("nl", "Toegankelijkheid"), ("ro", "Accesibilitate")]
)
def test_a_stranger_finds_the_statement_from_every_page(stranger: Employee, language: str, title: str) -> None:
    stranger.get("/in")
    stranger.post("/language", language=language)

    assert 'href="/accessibility"' in stranger.get("/in").text
    answer = stranger.get("/accessibility")
    assert answer.status_code == 200
    assert f"<h1>{title}</h1>" in answer.text
    assert "WCAG 2.2" in answer.text
    assert "Vlaamse Ombudsdienst" in answer.text
    assert all(test.text[language] in html.unescape(answer.text) for test in facts().tests if "portal" in test.doors)
    assert "mailto:" not in answer.text


def test_what_was_tested_and_every_gap_is_told_in_every_language_of_its_doors() -> None:
    wanted = {"portal": set(LANGUAGES), "console": {"nl", "fr", "en"}}

    assert facts().gaps
    assert facts().tests
    for gap in (*facts().tests, *facts().gaps):
        assert set(gap.doors) <= set(wanted)
        assert set(gap.text) >= set().union(*(wanted[door] for door in gap.doors)), gap
        assert all(gap.text.values())
        assert len(set(gap.text.values())) == len(gap.text), gap
    assert facts().prepared_on <= facts().tested_on


def test_an_address_for_reports_is_shown_where_the_city_has_one_and_its_letters_are_no_markup(
    settings: Settings,
) -> None:
    city = settings.model_copy(
        update={"accessibility_contact": "a&b@stad.example", "accessibility_authority": "", "language": "en"}
    )
    text = Employee(make_portal(city)).get("/accessibility").text

    assert '<a href="mailto:a&amp;b@stad.example">a&amp;b@stad.example</a>' in text
    assert "Ombudsdienst" not in text


@pytest.mark.parametrize("language", ["tr", "ar"])
def test_letters_twice_as_large_keep_to_the_width_of_a_phone(
    portal: Flask, settings: Settings, employee: Employee, paper: Callable[[int], str], language: str
) -> None:
    with _listening(portal) as base, browsing(settings, viewport={"width": 360, "height": 740}) as context:
        page = context.new_page()
        page.goto(f"{base}/in")
        page.select_option("#language", language)
        page.locator("form.language button").click()
        page.fill("#code", paper(employee.person))
        page.locator('form[action="/in/code"] button').click()
        page.wait_for_url(f"{base}/")
        for address in ("/", "/panic/", "/help"):
            page.goto(f"{base}{address}")
            page.evaluate("document.documentElement.style.fontSize = '200%'")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
