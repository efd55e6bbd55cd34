"""Days of the week on pages: runs by their ends, in the reader's language."""

import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from web.console.calendar_words import runs, weekdays


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ("", []),
        ("sun", [(6, 6)]),
        ("sat mon tue wed", [(0, 2), (5, 5)]),
        ("mon tue wed thu fri sat sun", [(0, 6)]),
        ("mon noday wed", [(0, 0), (2, 2)]),
    ],
)
def test_days_that_are_neighbours_are_one_run(codes: str, said: list[tuple[int, int]]) -> None:
    assert runs(codes.split()) == said


def test_a_run_is_said_by_its_ends_in_the_language_of_the_page() -> None:
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        with force_locale("nl"):
            assert weekdays(["mon", "tue", "wed", "thu", "fri", "sun"]) == "maandag\N{EN DASH}vrijdag, zondag"
        with force_locale("fr"):
            assert weekdays(["sat", "sun"]) == "samedi, dimanche"
        with force_locale("en"):
            assert weekdays(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]) == "every day"
            assert weekdays([]) == ""
