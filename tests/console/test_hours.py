"""Hours as pages say them: days that are alike stand together, in the reader's language."""

from flask import Flask
from flask_babel import Babel, force_locale

from web.common.hours import TO, open_hours, same_hours


def test_days_with_the_same_hours_are_said_by_their_ends() -> None:
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context(), force_locale("nl"):
        week = same_hours(["mon", "tue", "wed", "sat"], "07:00", "20:00")
        assert week == f"ma{TO}wo 07:00{TO}20:00 · za 07:00{TO}20:00"
        assert same_hours(["mon", "sun"], "00:00", "00:00") == f"ma 00:00{TO}24:00 · zo 00:00{TO}24:00"
        assert same_hours([], "07:00", "20:00") == open_hours({}) == ""
    with app.test_request_context(), force_locale("fr"):
        assert open_hours({"fri": [["09:00", "12:00"], ["13:00", "17:00"]]}) == f"ven. 09:00{TO}12:00, 13:00{TO}17:00"
