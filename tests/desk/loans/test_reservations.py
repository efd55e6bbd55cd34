"""Reserving: within the limit, in opening hours, onto the wait list and off it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.desk.loans import places, queries, service, sweeping
from mdm.desk.loans import pools as pooled
from mdm.desk.loans.model import LoanState
from mdm.inventory import service as inventory
from mdm.inventory.model import LifeCycle
from mdm.org import service as org
from mdm.outbox.model import OutboxMessage
from mdm.people import service as people
from mdm.storage.call import Call
from tests.conftest import NOW, Calling
from tests.desk.loans.library import at, lend_out, library, reserve


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What differs between the databases is in ``test_races``."""
    return sqlite_url


def clerk(point: int, role: Role = Role.DESK_CLERK) -> Actor:
    return Actor(ActorKind.OPERATOR, 2, "Clerk", (Grant(role, PlaceKind.SERVICE_POINT, point),), "req-2")


def letters(call: Call, to: str = "") -> list[str]:
    messages = call.session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "mail").order_by("id"))
    return [str(one.payload["subject"]) for one in messages if to in ("", one.payload["to"])]


def test_two_at_a_time_and_the_third_is_refused_with_the_next_free_hour(calling: Calling) -> None:
    with calling() as call:
        place = library(call, laptops=5)
        for who in (0, 1):
            assert reserve(call, place, who, at(24, 9), at(24, 12)).state == LoanState.RESERVED
        with pytest.raises(ConflictError) as refusal:
            reserve(call, place, 2, at(24, 11), at(24, 13))
        assert refusal.value.code == "loan_full"
        assert refusal.value.params["free"] == "2026-11-24 12:00"
        # What ends when the other begins does not lie over it.
        assert reserve(call, place, 2, at(24, 12), at(24, 13)).state == LoanState.RESERVED
        assert queries.overbooked(call, place.point, at(24, 0), at(25, 0)) == 2


def test_there_is_no_room_for_more_than_the_pool_has_whatever_the_limit_says(calling: Calling) -> None:
    with calling() as call:
        place = library(call, laptops=2, at_most=10)
        inventory.move(call, place.laptops[0], LifeCycle.IN_REPAIR)
        reserve(call, place, 0, at(24, 9), at(24, 12))
        with pytest.raises(ConflictError):
            reserve(call, place, 1, at(24, 9), at(24, 12))
        with pytest.raises(ConflictError, match="No device of this kind"):
            reserve(call, place, 1, at(24, 9), at(24, 12), kind="tablet")


def test_a_window_fits_wherever_there_is_room_all_along_it(calling: Calling) -> None:
    """One seat on Tuesday, the other on Wednesday: whoever wants both days gets them, on no seat in particular."""
    with calling() as call:
        place = library(call)
        reserve(call, place, 0, at(24, 9), at(24, 17))
        reserve(call, place, 1, at(24, 9), at(24, 17))
        service.cancel(call, queries.of_person(call, place.people[0])[0].uid)
        reserve(call, place, 0, at(25, 9), at(25, 17))
        assert reserve(call, place, 2, at(24, 9), at(25, 17)).state == LoanState.RESERVED


@pytest.mark.parametrize(
    ("begins", "ends", "field", "code"),
    [
        (at(24, 12), at(24, 9), "ends_at", "loan_order"),
        (at(23, 9), at(24, 9), "begins_at", "loan_past"),
        (at(24, 9.25), at(24, 12), "begins_at", "loan_half"),
        (at(24, 7), at(24, 12), "begins_at", "loan_closed"),
        (at(24, 9), at(28, 12), "ends_at", "loan_closed"),
        (at(24, 9), at(29, 12, month=12), "ends_at", "loan_long"),
        (at(25, 9, year=2027), at(25, 12, year=2027), "begins_at", "loan_far"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_window_that_makes_no_sense_is_refused_at_its_field(
    calling: Calling, begins: datetime, ends: datetime, field: str, code: str
) -> None:
    with calling() as call:
        place = library(call)
        with pytest.raises(InvalidError) as refusal:
            reserve(call, place, 0, begins, ends)
        assert (refusal.value.code, set(refusal.value.fields)) == (code, {field})
        assert queries.of_person(call, place.people[0]) == []


def test_who_waits_moves_up_in_order_when_somebody_cancels_and_is_told(calling: Calling) -> None:
    with calling() as call:
        place = library(call, at_most=1)
        first = reserve(call, place, 0, at(24, 9), at(24, 12))
        second = reserve(call, place, 1, at(24, 9), at(24, 12), wait=True)
        third = reserve(call, place, 2, at(24, 9), at(24, 12), wait=True)
        assert [second.state, third.state] == [LoanState.WAITING] * 2
        assert [queries.position(call, row) for row in (first, second, third)] == [None, 1, 2]

        service.cancel(call, first.uid)

        assert [second.state, third.state] == [LoanState.RESERVED, LoanState.WAITING]
        assert letters(call, "p1@example.org")[-1].startswith("A place came free: Laptop, Tue 24 Nov 2026 09:00")
        assert service.cancel(call, first.uid).state == LoanState.CANCELLED
        assert [second.state, third.state] == [LoanState.RESERVED, LoanState.WAITING]


def test_a_new_device_in_the_pool_lets_those_who_wait_move_up_by_the_clock(calling: Calling) -> None:
    with calling() as call:
        place = library(call, laptops=1)
        reserve(call, place, 0, at(24, 9), at(24, 12))
        waiting = reserve(call, place, 1, at(24, 9), at(24, 12), wait=True)
        assert sweeping.sweep(call, place.point) == 0
        lend_out(call, place.point, 7)
        assert sweeping.sweep(call, place.point) == 1
        assert waiting.state == LoanState.RESERVED
        assert sweeping.sweep(call, place.point) == 0


def test_waiting_ends_when_its_time_has_come(calling: Calling) -> None:
    with calling() as call:
        place = library(call, at_most=1)
        reserve(call, place, 0, at(24, 9), at(24, 12))
        row = reserve(call, place, 1, at(24, 10), at(24, 12), wait=True)
    with calling(now=at(24, 10)) as call:
        sweeping.sweep(call, place.point)
        assert queries.reservation(call, row.uid).state == LoanState.EXPIRED
        assert letters(call, "p1@example.org")[-1].startswith("No place came free")


def test_nobody_comes_and_the_place_is_released_after_two_hours_of_opening_time(calling: Calling) -> None:
    with calling() as call:
        place = library(call, at_most=1)
        row = reserve(call, place, 0, at(24, 16.5), at(26, 12))
        waiting = reserve(call, place, 1, at(25, 14), at(26, 12), wait=True)
    # An hour on Tuesday and an hour on Wednesday: the night does not count.
    for moment, state in ((at(25, 9), LoanState.RESERVED), (at(25, 9.5), LoanState.NO_SHOW)):
        with calling(now=moment) as call:
            sweeping.sweep(call, place.point)
            assert queries.reservation(call, row.uid).state == state
    with calling(now=at(25, 10)) as call:
        assert queries.reservation(call, waiting.uid).state == LoanState.RESERVED
        assert any(subject.startswith("Your reservation was released") for subject in letters(call))


def test_a_person_cannot_have_two_at_once_nor_a_dozen(calling: Calling) -> None:
    with calling() as call:
        place = library(call)
        reserve(call, place, 0, at(24, 9), at(24, 12))
        with pytest.raises(ConflictError, match="already") as refusal:
            reserve(call, place, 0, at(24, 11), at(24, 13))
        assert refusal.value.code == "loan_twice"
        for number in range(9):
            reserve(call, place, 0, at(25, 9 + number / 2), at(25, 9.5 + number / 2))
        with pytest.raises(ConflictError) as refusal:
            reserve(call, place, 0, at(26, 9), at(26, 10))
        assert refusal.value.code == "loan_many"


def test_nothing_is_reserved_for_somebody_who_left_or_at_a_place_that_closed(calling: Calling) -> None:
    with calling() as call:
        place = library(call)
        people.leave(call, place.people[0])
        with pytest.raises(ConflictError) as refusal:
            reserve(call, place, 0, at(24, 9), at(24, 12))
        assert refusal.value.code == "person_left"
        places.change_place(call, place.point, closed=True)
        with pytest.raises(ConflictError) as refusal:
            reserve(call, place, 1, at(24, 9), at(24, 12))
        assert refusal.value.code == "loan_place_closed"


def test_a_clerk_of_another_place_sees_and_moves_nothing(calling: Calling) -> None:
    with calling() as call:
        place = library(call)
        row = reserve(call, place, 0, at(24, 9), at(24, 12))
        other = org.create_service_point(call, code="OTHER", name="Other")
        person = people.create(call, name="Elsewhere", service_point_id=other.id)
        there, here = call.by(clerk(other.id)), call.by(clerk(place.point))
        assert pooled.pools(there) == []
        assert queries.offered(there) == []
        assert queries.of_person(there, place.people[0]) == []
        for attempt in (
            lambda: queries.booked(there, row.uid),
            lambda: queries.between(there, place.point, at(24, 0), at(25, 0)),
            lambda: pooled.pool(there, place.point),
            lambda: service.cancel(there, row.uid),
            lambda: service.extend(there, row.uid, at(24, 13)),
            lambda: reserve(there, place, 1, at(24, 9), at(24, 12)),
            # A person who is not theirs cannot be reserved for, at a place that is.
            lambda: service.reserve(
                here, person.id, service_point_id=place.point, kind="laptop", begins=at(24, 9), ends=at(24, 12)
            ),
        ):
            with pytest.raises(NotFoundError):
                attempt()
        assert row.state == LoanState.RESERVED
        assert [line.point.id for line in pooled.pools(here)] == [place.point]
        with pytest.raises(DeniedError):
            service.cancel(call.by(clerk(place.point, Role.AUDITOR)), row.uid)


def test_the_keeper_is_told_once_what_to_prepare_by_the_close_of_the_day_before(calling: Calling) -> None:
    with calling() as call:
        place = library(call)
        row = reserve(call, place, 0, at(30, 9), at(30, 12))
        # The open day before that Monday is a Friday.
        assert row.prepare_by == at(27, 17.5)
        assert queries.to_prepare(call, NOW + timedelta(days=2)) == []
        sweeping.sweep(call, place.point)
        assert letters(call, "library@example.org") == []
    with calling(now=at(26, 18)) as call:
        sweeping.sweep(call, place.point)
        sweeping.sweep(call, place.point)
        assert letters(call, "library@example.org") == ["Klaar te leggen: Laptop voor ma 30 nov 2026 09:00"]
        assert [one.row.uid for one in queries.to_prepare(call, at(27, 18))] == [row.uid]


def test_fewer_places_leave_what_is_reserved_as_it_is_and_let_nobody_in(calling: Calling) -> None:
    with calling() as call:
        place = library(call)
        rows = [reserve(call, place, who, at(24, 9), at(24, 12)) for who in (0, 1)]
        waiting = reserve(call, place, 2, at(24, 9), at(24, 12), wait=True)
        places.change_place(call, place.point, at_most=1)
        assert [row.state for row in rows] == [LoanState.RESERVED] * 2
        service.cancel(call, rows[0].uid)
        assert waiting.state == LoanState.WAITING
        places.change_place(call, place.point, at_most=2)
        assert waiting.state == LoanState.RESERVED


def test_rules_that_make_no_sense_are_refused_at_their_field(calling: Calling) -> None:
    with calling() as call:
        place = library(call)
        for rules, field in (
            ({"at_most": 0}, "at_most"),
            ({"longest_days": 1000}, "longest_days"),
            ({"lock_days": 2}, "lock_days"),
            ({"keeper_email": "nobody"}, "keeper_email"),
        ):
            with pytest.raises(InvalidError) as refusal, call.session.begin_nested():
                places.change_place(call, place.point, **rules)  # type: ignore[arg-type]
            assert set(refusal.value.fields) == {field}


def test_what_ended_a_year_ago_is_forgotten_and_what_is_open_never(calling: Calling) -> None:
    with calling() as call:
        place = library(call)
        ended, kept = (reserve(call, place, who, at(24, 9), at(24, 12)) for who in (0, 1))
        service.cancel(call, ended.uid)
        assert sweeping.forget(call.session, NOW) == 0
        assert sweeping.forget(call.session, NOW + timedelta(seconds=1)) == 1
        assert [row.uid for row in queries.reservations(call)] == [kept.uid]
