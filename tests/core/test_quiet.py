"""Quiet hours and days in the city's own time, over midnight, weekends, holidays and the change of the clocks."""

from datetime import UTC, datetime

import pytest

from mdm.core.quiet import Quiet

CITY = Quiet.of("Europe/Brussels", "19:00-08:00", "sat,sun,12-25,2026-12-28")


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-23T09:00", "2026-11-23T09:00"),
        ("2026-11-23T18:00", "2026-11-24T07:00"),
        ("2026-11-24T06:59", "2026-11-24T07:00"),
        ("2026-11-23T17:59", "2026-11-23T17:59"),
        ("2026-11-27T18:00", "2026-11-30T07:00"),
        ("2026-11-28T12:00", "2026-11-30T07:00"),
        ("2026-12-24T20:00", "2026-12-29T07:00"),
        ("2026-07-13T05:30", "2026-07-13T06:00"),
        ("2027-03-27T23:30", "2027-03-29T06:00"),
    ],
)
def test_the_next_moment_that_is_not_quiet(now: str, opens: str) -> None:
    assert CITY.open_at(_utc(now)) == _utc(opens)


def test_quiet_within_one_day_or_never() -> None:
    noon = Quiet.of("UTC", "12:00-13:00", "")
    assert noon.open_at(_utc("2026-11-23T12:30")) == _utc("2026-11-23T13:00")
    assert noon.open_at(_utc("2026-11-23T23:30")) == _utc("2026-11-23T23:30")
    assert Quiet.of("UTC", "", "").open_at(_utc("2026-11-28T03:00")) == _utc("2026-11-28T03:00")


@pytest.mark.parametrize(
    ("hours", "days"),
    [("25:00-08:00", ""), ("7-8", ""), ("", "someday"), ("", "13-45"), ("", "mon,tue,wed,thu,fri,sat,sun")],
)
def test_what_makes_no_sense_is_refused(hours: str, days: str) -> None:
    with pytest.raises(ValueError, match=r"written|weekdays|at least"):
        Quiet.of("UTC", hours, days)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
