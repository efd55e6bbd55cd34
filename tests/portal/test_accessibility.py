"""The accessibility statement: for everybody, in their own language, with the day of the last test."""

import html

import pytest

from mdm.settings import Settings
from tests.portal.conftest import Employee
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
