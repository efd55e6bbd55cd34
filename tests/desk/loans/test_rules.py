"""The pure rules: half hours, opening time over the change of the clock, the ladder; and that nothing is ever overbooked."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.core.errors import InvalidError
from mdm.desk.loans import opening
from mdm.desk.loans.ladder import USUAL, next_step
from mdm.desk.loans.model import LadderStep
from mdm.desk.loans.slots import free_numbers, is_whole, most_at_once, slots_of
from mdm.org.hours import parse

BRUSSELS = ZoneInfo("Europe/Brussels")
WEEK = parse("mon-fri 08:30-17:30")
SPRING, AUTUMN = date(2027, 3, 28), date(2026, 10, 25)
"""Nights in which the clock is put forward and back."""


def here(day: date, hour: float) -> datetime:
    return datetime.combine(day, time(int(hour), int(hour % 1 * 60)), BRUSSELS)


def test_a_reservation_over_the_change_of_the_clock_takes_as_many_half_hours_as_pass() -> None:
    assert len(slots_of(here(date(2027, 3, 26), 9), here(date(2027, 3, 29), 9))) == (72 - 1) * 2
    assert len(slots_of(here(date(2026, 10, 23), 9), here(date(2026, 10, 26), 9))) == (72 + 1) * 2


def test_a_skipped_hour_is_refused_and_of_a_doubled_one_the_first_is_meant() -> None:
    with pytest.raises(InvalidError) as refusal:
        opening.local_moment(SPRING, time(2, 30), BRUSSELS, "begins_at")
    assert refusal.value.code == "time_skipped"
    assert opening.local_moment(AUTUMN, time(2, 30), BRUSSELS, "x") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_opening_hours_stay_at_the_same_hour_of_the_clock() -> None:
    before, after = date(2027, 3, 26), date(2027, 3, 29)
    assert opening.spans_on(WEEK, before, BRUSSELS)[0][0] == datetime(2027, 3, 26, 7, 30, tzinfo=UTC)
    assert opening.spans_on(WEEK, after, BRUSSELS)[0][0] == datetime(2027, 3, 29, 6, 30, tzinfo=UTC)
    # A place that is open all day is open an hour less in spring, and an hour more in autumn.
    always = parse("mon-sun 00:00-24:00")
    assert [end - begin for begin, end in opening.spans_on(always, SPRING, BRUSSELS)] == [timedelta(hours=23)]
    assert [end - begin for begin, end in opening.spans_on(always, AUTUMN, BRUSSELS)] == [timedelta(hours=25)]


@pytest.mark.parametrize(("hour", "is_open"), [(8, False), (8.5, True), (12, True), (17.5, True), (18, False)])
def test_the_minute_of_closing_still_counts(hour: float, is_open: bool) -> None:
    assert opening.is_open(WEEK, here(date(2026, 11, 24), hour), BRUSSELS) is is_open
    assert not opening.is_open(WEEK, here(date(2026, 11, 28), hour), BRUSSELS)
    assert opening.is_open({}, here(date(2026, 11, 28), hour), BRUSSELS)


def test_opening_time_passes_only_while_it_is_open() -> None:
    friday = here(date(2027, 3, 26), 16.5)
    assert opening.after_open_time(WEEK, friday, BRUSSELS, timedelta(hours=2)) == here(date(2027, 3, 29), 9.5)
    closed_all_week = {"sun": [["10:00", "10:00"]]}
    assert opening.after_open_time(closed_all_week, friday, BRUSSELS, timedelta(hours=2)) == friday + timedelta(hours=2)


def test_a_device_lies_ready_at_the_close_of_an_open_day_before() -> None:
    monday, now = here(date(2026, 11, 30), 9), here(date(2026, 11, 23), 9)
    assert opening.prepare_by(WEEK, monday, BRUSSELS, 1, now) == here(date(2026, 11, 27), 17.5)
    assert opening.prepare_by(WEEK, monday, BRUSSELS, 2, now) == here(date(2026, 11, 26), 17.5)
    assert opening.prepare_by(WEEK, monday, BRUSSELS, 0, now) == monday
    assert opening.prepare_by(WEEK, monday, BRUSSELS, 20, now) == now


@pytest.mark.parametrize(
    ("step", "since_due", "since_last", "following"),
    [
        (LadderStep.NONE, 1.9, None, None),
        (LadderStep.NONE, 2, None, LadderStep.REMINDED),
        (LadderStep.NONE, 1000, None, LadderStep.REMINDED),
        (LadderStep.REMINDED, 71, 60, None),
        (LadderStep.REMINDED, 72, 60, LadderStep.LEAD),
        (LadderStep.REMINDED, 500, 23, None),
        (LadderStep.LEAD, 167, 90, None),
        (LadderStep.LEAD, 168, 90, LadderStep.LOCK),
        (LadderStep.LOCK, 9999, 999, None),
    ],
)
def test_the_ladder(step: LadderStep, since_due: float, since_last: float | None, following: LadderStep | None) -> None:
    now = datetime(2026, 12, 24, tzinfo=UTC)
    last = None if since_last is None else now - timedelta(hours=since_last)
    assert next_step(step, last, now - timedelta(hours=since_due), USUAL, now) is following


MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
WINDOWS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=40)


@given(WINDOWS, st.integers(1, 4))
def test_whatever_is_asked_for_nothing_is_overbooked_and_nothing_that_fits_is_refused(
    windows: list[tuple[int, int]], room: int
) -> None:
    half_hour = timedelta(minutes=30)
    taken: dict[int, set[int]] = {}
    kept: list[tuple[datetime, datetime]] = []
    for begin, length in windows:
        window = (MONDAY + begin * half_hour, MONDAY + (begin + length) * half_hour)
        numbers = free_numbers(slots_of(*window), taken, room)
        fits = most_at_once([(max(one[0], window[0]), min(one[1], window[1])) for one in kept
                             if one[0] < window[1] and one[1] > window[0]]) < room  # fmt: skip
        assert isinstance(numbers, int) is not fits
        if not isinstance(numbers, int):
            kept.append(window)
            for slot, number in numbers:
                assert 1 <= number <= room
                assert number not in taken.setdefault(slot, set())
                taken[slot].add(number)
    assert most_at_once(kept) <= room


@given(st.integers(0, 2**31))
def test_only_whole_and_half_hours_are_whole(seconds: int) -> None:
    assert is_whole(datetime.fromtimestamp(seconds, UTC)) is (seconds % 1800 == 0)
