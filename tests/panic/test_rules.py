"""The pure rules: moves, the ladder, hours of duty."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from mdm.core.errors import ConflictError
from mdm.panic.hours import Turn, on_duty
from mdm.panic.ladder import AGAIN, Rung, climb
from mdm.panic.letters import WORDS, Told, message, subject
from mdm.panic.states import LOUD, Move, State, after, possible
from mdm.people.model import LANGUAGES
from tests.conftest import NOW

BRUSSELS = ZoneInfo("Europe/Brussels")
ALL = frozenset(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))


def test_what_is_closed_stays_closed_and_a_refused_move_says_why() -> None:
    for move in Move:
        with pytest.raises(ConflictError) as refused:
            after(State.CLOSED, move)
        assert refused.value.code == "panic_state"
    with pytest.raises(ConflictError, match="Nobody has answered"):
        after(State.RINGING, Move.CLOSE)


def test_under_duress_no_call_for_help_becomes_silent() -> None:
    for state, move in product(LOUD, (Move.DURESS, Move.PRESS)):
        assert after(state, move).value in LOUD
    assert not possible(State.CALLED_OFF, Move.PRESS)


def test_the_ladder_is_climbed_by_rank_then_the_place_then_the_city_and_again() -> None:
    steps = [climb(step, [1, 2, 2], 3, 1, NOW, 30) for step in range(5)]

    assert [(one.rung, one.who) for one in steps] == [
        (Rung.DUTY, (0,)),
        (Rung.DUTY, (1, 2)),
        (Rung.PLACE, (0, 1, 2)),
        (Rung.CITY, (0,)),
        (Rung.CITY, (0,)),
    ]
    assert [one.next_at - NOW for one in steps] == [timedelta(seconds=30)] * 3 + [AGAIN] * 2


@pytest.mark.parametrize(
    ("place", "city", "rung", "told"), [(2, 1, Rung.PLACE, 2), (0, 1, Rung.CITY, 1), (0, 0, Rung.CITY, 0)]
)
def test_where_nobody_is_on_duty_the_next_circle_is_told_at_once(place: int, city: int, rung: Rung, told: int) -> None:
    first = climb(0, [], place, city, NOW, 30)

    assert (first.rung, len(first.who)) == (rung, told)


@pytest.mark.parametrize(
    ("begins", "ends", "moment", "expected"),
    [
        ("08:00", "17:00", "2026-11-23T07:00Z", True),  # 08:00 in Brussels in winter
        ("08:00", "17:00", "2026-11-23T06:59Z", False),
        ("08:00", "17:00", "2026-11-23T16:00Z", False),
        ("08:00", "17:00", "2026-07-20T06:00Z", True),  # 08:00 in summer
        ("22:00", "06:00", "2026-11-23T21:30Z", True),
        ("22:00", "06:00", "2026-11-24T04:59Z", True),
        ("22:00", "06:00", "2026-11-24T05:00Z", False),
        ("22:00", "06:00", "2026-11-23T04:00Z", False),  # Monday morning belongs to Sunday's turn
        ("00:00", "00:00", "2026-11-23T12:00Z", True),
    ],
)
def test_a_turn_is_by_the_citys_clock_and_may_run_over_midnight(
    begins: str, ends: str, moment: str, expected: bool
) -> None:
    turn = Turn(frozenset({"mon"}), begins, ends, date(2026, 1, 1))

    assert on_duty(turn, datetime.fromisoformat(moment), BRUSSELS) is expected


def test_a_turn_ends_with_its_last_day() -> None:
    turn = Turn(ALL, "22:00", "06:00", date(2026, 11, 20), date(2026, 11, 22))

    assert on_duty(turn, datetime(2026, 11, 23, 3, tzinfo=UTC), BRUSSELS)
    assert not on_duty(turn, datetime(2026, 11, 23, 22, tzinfo=UTC), BRUSSELS)
    assert not on_duty(turn, datetime(2026, 11, 20, 3, tzinfo=UTC), BRUSSELS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_exercise_says_so_first_and_under_duress_no_number_is_told(language: str) -> None:
    told = Told("H-00001", "Fatma Yılmaz", "Loket A", "+32470123456", "https://x.example/panic/come/abc")

    practised = message(language, Told(*_fields(told), exercise=True))
    forced = message(language, Told(*_fields(told), duress=True))

    assert practised.startswith(WORDS[language].exercise)
    assert subject(language, Told(*_fields(told), exercise=True)).startswith(WORDS[language].exercise)
    assert WORDS[language].exercise not in message(language, told)
    assert "+32470123456" in message(language, told)
    assert "+32470123456" not in forced
    assert len(message(language, told)) <= 300


def _fields(told: Told) -> tuple[str, str, str, str, str]:
    return told.number, told.who, told.place, told.phone, told.link
