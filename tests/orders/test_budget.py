"""Budgets: what goes over one is held until the window has moved on, exactly to the second."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mdm.orders.budget import DAY, HOUR, Held, Limits, Spent, judge

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WIDE = Limits(place_per_day=10, requester_per_day=100, fleet_share_per_hour=0.02, fleet_least_per_hour=100)


def _at(place: str, count: int, ago: timedelta, requester: str = "operator:1") -> list[Spent]:
    return [Spent(NOW - ago, place, requester)] * count


def test_the_tenth_order_of_a_service_point_fits_and_the_eleventh_is_held() -> None:
    assert judge(NOW, _at("3", 9, HOUR), WIDE, fleet=0, place="3", requester="operator:2") is None

    held = judge(NOW, _at("3", 10, HOUR), WIDE, fleet=0, place="3", requester="operator:2")

    assert isinstance(held, Held)
    assert held.retry_after == 23 * 3600
    assert "10 orders" in held.why


def test_other_service_points_and_requesters_have_budgets_of_their_own() -> None:
    spent = _at("3", 10, timedelta(hours=2))

    assert judge(NOW, spent, WIDE, fleet=0, place="4", requester="operator:1") is None


def test_an_order_of_exactly_24_hours_ago_counts_no_more() -> None:
    assert judge(NOW, _at("3", 10, DAY), WIDE, fleet=0, place="3", requester="x") is None
    held = judge(NOW, _at("3", 10, DAY - timedelta(seconds=1)), WIDE, fleet=0, place="3", requester="x")
    assert held is not None
    assert held.retry_after == 1


def test_two_percent_of_the_fleet_in_an_hour_but_a_small_fleet_may_do_a_few() -> None:
    limits = Limits(place_per_day=1000, requester_per_day=1000)
    hour = [Spent(NOW - timedelta(minutes=5), str(number), str(number)) for number in range(20)]

    assert judge(NOW, hour[:19], limits, fleet=1000, place="a", requester="a") is None
    assert judge(NOW, hour, limits, fleet=1000, place="a", requester="a") is not None
    assert judge(NOW, hour[:2], limits, fleet=8, place="a", requester="a") is None
    assert judge(NOW, hour[:3], limits, fleet=8, place="a", requester="a") is not None


def test_a_clock_that_went_back_frees_no_budget() -> None:
    spent = _at("3", 10, -timedelta(hours=5))

    assert judge(NOW, spent, WIDE, fleet=0, place="3", requester="x") is not None


@given(
    ages=st.lists(st.tuples(st.integers(0, 100_000), st.sampled_from("ab"), st.sampled_from("xy")), max_size=40),
    fleet=st.integers(0, 500),
)
def test_whoever_waits_as_long_as_told_fits_and_never_a_second_sooner(
    ages: list[tuple[int, str, str]], fleet: int
) -> None:
    spent = [Spent(NOW - timedelta(seconds=age), place, requester) for age, place, requester in ages]

    held = judge(NOW, spent, Limits(), fleet=fleet, place="a", requester="x")

    if held is not None:
        then = NOW + timedelta(seconds=held.retry_after)
        assert judge(then, spent, Limits(), fleet=fleet, place="a", requester="x") is None
        sooner = then - timedelta(seconds=1)
        assert judge(sooner, spent, Limits(), fleet=fleet, place="a", requester="x") is not None
