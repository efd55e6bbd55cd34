"""Amounts with their unit as people write them: "40,5 GB" and "40,5 Go", "7 days" rather than "168 hours"."""

from datetime import timedelta

from babel.units import format_unit
from flask_babel import format_timedelta, get_locale


def gigabytes(amount: float) -> str:
    """The amount to one decimal, in the person's language."""
    return str(format_unit(round(amount, 1), "digital-gigabyte", "short", locale=get_locale() or "en"))


def lasting(hours: int) -> str:
    """How long that is, in the largest unit of which there are at least two: "30 hours", "7 days", "2 weeks"."""
    return str(format_timedelta(timedelta(hours=hours), threshold=2))
