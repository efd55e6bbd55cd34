"""Rates on both kinds of database: per unit by the organogram of the day, over time, for one's own places only."""

import threading
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from mdm.adoption import listings, queries, rates, sending, service
from mdm.adoption.model import Channel, InvitedState, Invitee, Letter, LetterKind, RunLine
from mdm.adoption.rates import By, Narrowed, Rate
from mdm.core.actor import Actor, ActorKind
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.inventory.model import Device
from mdm.org.model import UnitParent
from mdm.overview.listing import Query, page, read_query
from mdm.storage.call import Call
from tests.adoption.conftest import person, point, unit
from tests.conftest import NOW, Calling, database_url

__all__ = ["database_url"]
ZONE = ZoneInfo("Europe/Brussels")
TODAY = NOW.date()


def stands(call: Call, person_id: int, invited: int | None, active: int | None) -> None:
    """Invited and active so many days ago."""
    call.session.add(
        Invitee(
            person_id=person_id,
            invited_at=None if invited is None else NOW - timedelta(days=invited),
            first_invited_at=None if invited is None else NOW - timedelta(days=invited),
            activated_at=None if active is None else NOW - timedelta(days=active),
        )
    )
    call.session.flush()


def city(call: Call) -> dict[str, int]:
    old = NOW - timedelta(days=100)
    left, right = unit(call, "LEFT"), unit(call, "RIGHT")
    team = unit(call, "TEAM", left)
    for row in call.session.scalars(select(UnitParent)):
        row.from_date = old.date()
    call.session.add(UnitParent(unit_id=team.id, parent_id=right.id, from_date=TODAY + timedelta(days=10)))
    desk, other = point(call, "A"), point(call, "B")
    places = (
        ("An", left, desk, "city"),
        ("Bo", team, desk, "unit"),
        ("Cy", team, other, "unit"),
        ("Dee", right, other, "city"),
    )
    ids = {
        name: person(call, name, unit_id=where.id, service_point_id=at.id, persona=persona, created_at=old).id
        for name, where, at, persona in places
    }
    ids["Eve"] = person(call, "Eve", unit_id=team.id, created_at=old, left_on=TODAY).id
    stands(call, ids["An"], 30, 20)
    stands(call, ids["Bo"], 30, None)
    stands(call, ids["Cy"], None, 3)
    stands(call, ids["Eve"], 30, 29)
    return ids | {"left": left.id, "right": right.id, "team": team.id, "desk": desk.id}


def test_a_unit_counts_all_below_it_and_follows_the_organogram_from_the_date_of_a_move(calling: Calling) -> None:
    with calling() as call:
        city(call)
        now = {line.name: line.rate for line in rates.by(call, ZONE, By.UNIT, Narrowed(), TODAY)}
        then = {
            line.name: (line.rate, line.depth)
            for line in rates.by(call, ZONE, By.UNIT, Narrowed(), TODAY + timedelta(days=10))
        }
    assert now == {"Unit LEFT": Rate(3, 3, 2), "Unit TEAM": Rate(2, 2, 1), "Unit RIGHT": Rate(1, 0, 0)}
    assert then["Unit LEFT"] == (Rate(1, 1, 1), 0)
    assert then["Unit RIGHT"] == (Rate(3, 2, 1), 0)
    assert then["Unit TEAM"] == (Rate(2, 2, 1), 1)


def test_rates_by_group_and_place_and_all_together(calling: Calling) -> None:
    with calling() as call:
        ids = city(call)
        assert rates.overall(call, ZONE, Narrowed(), TODAY) == Rate(4, 3, 2)
        groups = {line.key: line.rate for line in rates.by(call, ZONE, By.PERSONA, Narrowed(), TODAY)}
        assert groups == {"city": Rate(2, 1, 1), "unit": Rate(2, 2, 1)}
        points = {line.name: line.rate for line in rates.by(call, ZONE, By.SERVICE_POINT, Narrowed(), TODAY)}
        assert points == {"Desk A": Rate(2, 2, 1), "Desk B": Rate(2, 1, 1)}
        narrowed = Narrowed(units=[ids["left"]], personas=["unit"], service_points=[ids["desk"]])
        assert rates.overall(call, ZONE, narrowed, TODAY) == Rate(1, 1, 0)


def test_over_time_each_week_counts_who_was_here_invited_and_active_then(calling: Calling) -> None:
    with calling() as call:
        city(call)
        line = rates.over_time(call, ZONE, Narrowed(), TODAY, weeks=6)
        before = rates.over_time(call, ZONE, Narrowed(units=[city_unit(call, "RIGHT")]), TODAY + timedelta(days=14), 3)
    assert [day for day, _ in line][-1] == TODAY
    assert [(rate.people, rate.invited, rate.active) for _, rate in line] == [
        (5, 0, 0), (5, 3, 1), (5, 3, 1), (5, 3, 2), (5, 3, 2), (4, 3, 2)
    ]  # fmt: skip
    assert [rate.people for _, rate in before] == [1, 1, 3]


def city_unit(call: Call, code: str) -> int:
    from mdm.org.queries import unit_by_code

    return unit_by_code(call, code).id


def test_a_clerk_sees_the_rates_and_the_missing_of_their_place_only(calling: Calling) -> None:
    with calling() as call:
        ids = city(call)
        place = Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, ids["desk"])
        clerk = call.by(Actor(ActorKind.OPERATOR, 7, "Clerk", (place,)))
        assert rates.overall(clerk, ZONE, Narrowed(), TODAY) == Rate(2, 2, 1)
        assert [row["name"] for row in page(clerk, listings.MISSING, _all()).rows] == ["Bo"]
        missing = page(call, listings.MISSING, _all()).rows
        assert [(row["name"], row["standing"]) for row in missing] == [("Bo", "invited"), ("Dee", "uninvited")]
        wanted = read_query(listings.MISSING, {"standing": ["uninvited"], "unit": ["RIGHT"]})
        assert [row["name"] for row in page(call, listings.MISSING, wanted).rows] == ["Dee"]


def _all() -> Query:
    return read_query(listings.MISSING, {})


def test_who_is_active_is_noticed_since_they_have_a_device_that_is_set_up(calling: Calling) -> None:
    with calling() as call:
        ids = city(call)
        for name, days in (("Bo", 5), ("Dee", 2)):
            call.session.add(
                Device(
                    uid=name, platform="ios", kind="phone", state="handed_out", person_id=ids[name], created_at=NOW,
                    enrolled_at=NOW - timedelta(days=days),
                )
            )  # fmt: skip
        assert sending.notice_active(call) == 2
        assert sending.notice_active(call) == 0
        call.session.expire_all()
        assert call.session.get_one(Invitee, ids["Bo"]).activated_at == NOW - timedelta(days=5)
        assert rates.overall(call, ZONE, Narrowed(), TODAY) == Rate(4, 4, 4)
        assert rates.overall(call, ZONE, Narrowed(), date(2026, 11, 19)).active == 3


def test_nothing_is_zero_per_cent_and_above_the_goal_is_more_than_84() -> None:
    assert (Rate().percent, Rate().reached) == (0.0, False)
    assert not Rate(100, 100, 84).reached
    assert Rate(100, 100, 85).reached


def test_rounds_and_letters_are_forgotten_and_how_far_somebody_is_stays(calling: Calling) -> None:
    with calling() as call:
        an = person(call, "An").id
        run = service.invite_people(call, [an])
        call.session.add(
            Letter(person_id=an, kind=LetterKind.REMINDER.value, channel="mail", at=NOW, off_digest="x" * 64, post_id=1)
        )
        stands(call, an, 3, None)
        call.session.flush()
        assert sending.forget(call.session, NOW) == 0
        assert queries.run(call, run.uid).states == {InvitedState.WAITING.value: 1}
        assert sending.forget(call.session, NOW + timedelta(days=1)) == 2
        assert queries.runs(call) == []
        assert call.session.scalars(select(RunLine)).all() == []
        assert call.session.get(Invitee, an) is not None


@pytest.mark.parametrize("name", ["Bo", "Cy"])
def test_a_person_without_row_or_place_is_counted_once(calling: Calling, name: str) -> None:
    with calling() as call:
        person(call, name)
        lines = rates.by(call, ZONE, By.UNIT, Narrowed(), TODAY)
        assert [(line.key, line.rate) for line in lines] == [("", Rate(1, 0, 0))]


def test_a_first_visit_while_the_worker_writes_to_the_same_person_waits_and_goes_on(calling: Calling) -> None:
    with calling() as call:
        an = person(call, "An").id
    done: list[str] = []

    def visit() -> None:
        with calling() as call:
            service.came_in(call, an)
        done.append("in")

    visitor = threading.Thread(target=visit)
    with calling() as call:
        service.note_invited(call, service.invitee(call, an), Channel.MAIL)
        call.session.flush()
        visitor.start()
        visitor.join(0.2)
        assert done == []
    visitor.join(60)
    with calling(write=False) as call:
        row = call.session.get_one(Invitee, an)
        assert (done, row.channel, row.came_in_at, row.invited_at) == (["in"], "mail", NOW, NOW)
