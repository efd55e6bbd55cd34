"""Budgets: what goes over one is held until the window has moved on, exactly to the second."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.core.errors import InvalidError
from mdm.signer.book import Spent
from mdm.signer.budgets import DAY, HOUR, Asked, Limits, Line, changed, lines, worst

NOW = 1_790_000_000
WIDE = Limits(requester_day=100, fleet_least_hour=100)


def _at(place: str, count: int, ago: int, *, requester: str = "operator:1", lane: str = "ordinary") -> list[Spent]:
    return [Spent(NOW - ago, lane, place, requester, "")] * count


def _held(
    spent: list[Spent],
    limits: Limits = WIDE,
    *,
    place: str = "3",
    requester: str = "x",
    lane: str = "ordinary",
    fleet: int = 0,
    now: int = NOW,
    token: str = "",
) -> Line | None:
    return worst(lines(now, spent, limits, fleet=fleet, asked=Asked(lane, place, requester, token)))


def test_the_tenth_order_of_a_service_point_fits_and_the_eleventh_is_held() -> None:
    assert _held(_at("3", 9, HOUR)) is None

    held = _held(_at("3", 10, HOUR))

    assert held is not None
    assert (held.name, held.retry_after, held.used) == ("place", 23 * 3600, 10)
    assert "10 orders" in held.why


def test_other_service_points_and_requesters_have_budgets_of_their_own() -> None:
    assert _held(_at("3", 10, 2 * HOUR), place="4", requester="operator:1") is None


def test_an_order_of_exactly_24_hours_ago_counts_no_more() -> None:
    assert _held(_at("3", 10, DAY)) is None
    held = _held(_at("3", 10, DAY - 1))
    assert held is not None
    assert held.retry_after == 1


def test_two_percent_of_the_fleet_in_an_hour_but_a_small_fleet_may_do_a_few() -> None:
    limits = Limits(place_day=1000, requester_day=1000)
    hour = [Spent(NOW - 300, "ordinary", str(number), str(number), "") for number in range(20)]

    assert _held(hour[:19], limits, fleet=1000, place="a") is None
    assert _held(hour, limits, fleet=1000, place="a") is not None
    assert _held(hour[:2], limits, fleet=8, place="a") is None
    assert _held(hour[:3], limits, fleet=8, place="a") is not None


def test_a_token_may_do_less_than_the_person_who_made_it() -> None:
    spent = [Spent(NOW - 9, "ordinary", "a", "operator:1", "token:3")] * 2

    held = _held(spent, place="b", requester="operator:1", token="token:3")

    assert held is not None
    assert held.name == "token"
    assert _held(spent, place="b", requester="operator:1", token="token:4") is None
    assert _held(spent, place="b", requester="operator:1") is None


def test_stolen_devices_have_a_tight_budget_and_use_the_usual_ones_too() -> None:
    spent = _at("3", 2, 60, lane="stolen")

    held = _held(spent, place="4", lane="stolen")

    assert held is not None
    assert (held.name, held.retry_after) == ("stolen", HOUR - 60)
    assert _held(spent, place="4") is None
    assert _held(_at("3", 10, 60, lane="stolen")) is not None


def test_what_is_handed_in_at_a_desk_is_counted_apart() -> None:
    spent = _at("3", 39, HOUR, lane="hand_in")

    assert _held(spent) is None
    assert _held(_at("3", 10, 60), lane="hand_in") is None
    assert _held(spent, lane="hand_in") is None
    assert _held([*spent, *_at("3", 1, 5, lane="hand_in")], lane="hand_in") is not None
    fleet = _held([Spent(NOW - 9, "hand_in", str(number), "x", "") for number in range(60)], lane="hand_in")
    assert fleet is not None
    assert fleet.name == "hand_in_fleet"


def test_a_mass_order_uses_no_budget_and_fills_none() -> None:
    spent = _at("3", 500, 60, lane="mass")

    assert lines(NOW, spent, WIDE, fleet=0, asked=Asked("mass", "3", "x")) == []
    assert _held(spent) is None


def test_a_budget_of_nothing_never_has_room() -> None:
    held = _held([], Limits(place_day=0))

    assert held is not None
    assert held.name == "place"


def test_a_clock_that_went_back_frees_no_budget() -> None:
    assert _held(_at("3", 10, -5 * HOUR)) is not None


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"place_day": 101}, "budget_ceiling"), ({"stolen_hour": -1}, "budget_ceiling"), ({"moon": 1}, "budget_name")],
)
def test_budgets_are_changed_by_name_and_never_above_ten_times_the_default(changes: dict[str, int], code: str) -> None:
    with pytest.raises(InvalidError) as refused:
        changed(changes)

    assert refused.value.code == code
    assert changed({"place_day": 100, "fleet_percent_hour": 20}) == Limits(place_day=100, fleet_percent_hour=20)


@given(
    ages=st.lists(
        st.tuples(
            st.integers(0, 100_000),
            st.sampled_from("ab"),
            st.sampled_from("xy"),
            st.sampled_from(("ordinary", "stolen", "hand_in", "mass")),
        ),
        max_size=40,
    ),
    fleet=st.integers(0, 500),
    lane=st.sampled_from(("ordinary", "stolen", "hand_in")),
)
def test_whoever_waits_as_long_as_told_fits_and_never_a_second_sooner(
    ages: list[tuple[int, str, str, str]], fleet: int, lane: str
) -> None:
    spent = [Spent(NOW - age, which, place, requester, "") for age, place, requester, which in ages]

    held = _held(spent, Limits(hand_in_place_day=5, hand_in_fleet_hour=5), place="a", fleet=fleet, lane=lane)

    if held is not None:
        for seconds, fits in ((held.retry_after, True), (held.retry_after - 1, False)):
            found = _held(
                spent,
                Limits(hand_in_place_day=5, hand_in_fleet_hour=5),
                place="a",
                fleet=fleet,
                lane=lane,
                now=NOW + seconds,
            )
            assert (found is None) is fits
