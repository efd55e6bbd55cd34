"""The accessibility statement of the console: for who has signed in, and for who cannot."""

from collections.abc import Callable

import pytest

from tests.console.visiting import Visitor
from web.common.accessibility import facts


def test_a_stranger_finds_the_statement_beneath_the_sign_in(visitor: Visitor) -> None:
    assert 'href="/accessibility"' in visitor.get("/sign-in").text

    text = visitor.get("/accessibility").text

    assert "2016/2102" in text
    assert "EN 301 549" in text
    assert "Vlaamse Ombudsdienst" in text
    assert 'class="hm-side"' not in text


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_the_statement_tells_what_was_tested_and_every_gap_of_the_console_in_each_language(
    visitor: Visitor, language: str
) -> None:
    visitor.get("/sign-in")
    visitor.post("/preferences", language=language)
    text = visitor.get("/accessibility").text

    gaps = [told.text[language] for told in (*facts().tests, *facts().gaps) if "console" in told.doors]
    assert len(gaps) >= 6
    for gap in gaps:
        assert gap.replace("'", "&#39;") in text
    assert str(facts().tested_on.year) in text


@pytest.mark.parametrize("page", ["/", "/devices", "/desk", "/policies", "/no-such-page"])
def test_it_is_linked_beneath_every_page_inside(signed_in: Callable[[str], Visitor], page: str) -> None:
    inside = signed_in("mo@stad.example")

    assert 'class="hm-end"><a href="/accessibility"' in inside.get(page).text
    assert 'class="hm-side"' in inside.get("/accessibility").text
