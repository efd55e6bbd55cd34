"""Amounts as pages say them: with the comma and the unit of the reader's language, and no hours where days are meant."""

import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from web.common.units import gigabytes, lasting


@pytest.mark.parametrize(
    ("language", "size", "hours", "days", "weeks"),
    [
        ("nl", "40,5 GB", "30 uur", "7 dagen", "2 weken"),
        ("fr", "40,5 Go", "30 heures", "7 jours", "2 semaines"),
        ("en", "40.5 GB", "30 hours", "7 days", "2 weeks"),
    ],
)
def test_an_amount_has_the_unit_of_the_language(language: str, size: str, hours: str, days: str, weeks: str) -> None:
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context(), force_locale(language):
        said = (gigabytes(40.49), lasting(30), lasting(168), lasting(336))
    assert tuple(" ".join(one.split()) for one in said) == (size, hours, days, weeks), "French spaces do not break"
