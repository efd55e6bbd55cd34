"""The accessibility statement: for everybody, in their own language, with the day of the last test."""

import pytest

from tests.portal.conftest import Employee


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
