"""From the reservation to the hand-over and back: prepared, collected, extended, returned; and the ladder of what is late."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from mdm.commands.model import Command, Verb
from mdm.core.errors import ConflictError, InvalidError
from mdm.desk.custody import service as custody
from mdm.desk.custody.model import Custody
from mdm.desk.loans import overdue, places, queries, service, sweeping
from mdm.desk.loans import pools as pooled
from mdm.desk.loans.model import LadderStep, LoanState, LockDecision, OverdueLoan, Reservation
from mdm.inventory import queries as inventory
from mdm.inventory.model import LifeCycle
from mdm.org import service as org
from mdm.outbox.model import OutboxMessage
from mdm.storage.call import Call
from tests.conftest import Calling
from tests.desk.loans.library import Library, at, lend_out, library, reserve

SIGNED = custody.Signed(typed="Person")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What differs between the databases is in ``test_races``."""
    return sqlite_url


def mails(call: Call) -> list[tuple[str, str]]:
    messages = call.session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "mail").order_by("id"))
    return [(str(one.payload["to"]), str(one.payload["subject"])) for one in messages]


def lent(calling: Calling) -> tuple[Library, str]:
    """A laptop that is out until Tuesday noon."""
    with calling() as call:
        place = library(call)
        row = reserve(call, place, 0, at(24, 9), at(24, 12))
    with calling(now=at(24, 9)) as call:
        service.collect(call, row.uid, place.laptops[0], signed=SIGNED)
    return place, row.uid


def bring_back(call: Call, place: Library, uid: str) -> None:
    custody.take_in(call, custody.TakeIn(device=uid, service_point_id=place.point))


def out(call: Call) -> Custody:
    return call.session.scalars(select(Custody).where(Custody.to_at.is_(None))).one()


def test_what_lies_ready_is_collected_signed_for_and_due_at_the_end(calling: Calling) -> None:
    with calling() as call:
        place = library(call)
        row = reserve(call, place, 0, at(24, 9), at(24, 12))
        service.prepare(call, row.uid, place.laptops[1])
        with pytest.raises(InvalidError) as refusal:
            service.collect(call, row.uid)
        assert refusal.value.code == "signature_missing"
    with calling(now=at(24, 9)) as call:
        row = service.collect(call, row.uid, signed=SIGNED)
        again = service.collect(call, row.uid, signed=SIGNED)
        assert again.id == row.id
        device = inventory.device_by_uid(call, place.laptops[1])
        assert (row.state, row.device_id, device.state) == (LoanState.COLLECTED, device.id, LifeCycle.ON_LOAN)
        assert (out(call).id, out(call).due_at, out(call).loan) == (row.custody_id, at(24, 12), True)
        (line,) = pooled.pools(call)
        assert (line.here, line.kinds[0].ready, line.kinds[0].out, line.free) == (1, 1, 1, 1)


def test_only_a_ready_device_of_that_kind_and_pool_goes_out_and_to_one_person(calling: Calling) -> None:
    with calling() as call:
        place = library(call)
        row, other = (reserve(call, place, who, at(24, 9), at(24, 12)) for who in (0, 1))
        tablet = lend_out(call, place.point, 1, "tablet")
        elsewhere = org.create_service_point(call, code="OTHER", name="Other")
        service.prepare(call, row.uid, place.laptops[0])
        for key, code in (
            (tablet, "loan_kind"),
            (lend_out(call, elsewhere.id, 9), "loan_pool"),
            (place.laptops[0], "loan_promised"),
        ):
            with pytest.raises(ConflictError) as refusal:
                service.prepare(call, other.uid, key)
            assert refusal.value.code == code
        assert [device.uid for device in queries.lendable(call, other)] == [place.laptops[1]]
        assert other.state == LoanState.RESERVED
        service.collect(call, other.uid, place.laptops[1], signed=SIGNED)
        with pytest.raises(ConflictError) as refusal:
            service.prepare(call, row.uid, place.laptops[1])
        assert refusal.value.code == "loan_not_ready"


def test_a_loan_that_comes_back_early_makes_room_for_who_waits(calling: Calling) -> None:
    with calling() as call:
        place = library(call, at_most=1)
        row = reserve(call, place, 0, at(24, 9), at(24, 17))
        waiting = reserve(call, place, 1, at(24, 13), at(24, 17), wait=True)
    with calling(now=at(24, 9)) as call:
        service.collect(call, row.uid, place.laptops[0], signed=SIGNED)
    with calling(now=at(24, 11)) as call:
        bring_back(call, place, place.laptops[0])
    with calling(now=at(24, 11.5)) as call:
        assert sweeping.sweep(call, place.point) == 2
        assert sweeping.sweep(call, place.point) == 0
        back = queries.reservation(call, row.uid)
        assert (back.state, back.finished_at) == (LoanState.RETURNED, at(24, 11))
        assert queries.reservation(call, waiting.uid).state == LoanState.RESERVED


def test_a_loan_handed_out_at_the_counter_is_found_to_be_the_reserved_one(calling: Calling) -> None:
    with calling() as call:
        place = library(call)
        row = reserve(call, place, 0, at(24, 9), at(24, 12))
        reserve(call, place, 1, at(24, 9), at(24, 12))
    with calling(now=at(24, 9)) as call:
        custody.hand_out(
            call,
            custody.HandOut(
                person_id=place.people[0],
                devices=(place.laptops[0],),
                service_point_id=place.point,
                loan=True,
                unsigned="at the door",
            ),
        )
        assert sweeping.sweep(call, place.point) == 1
        row = queries.reservation(call, row.uid)
        assert (row.state, row.custody_id, out(call).due_at) == (LoanState.COLLECTED, out(call).id, at(24, 12))
        assert sweeping.sweep(call, place.point) == 0


def test_a_loan_over_the_counter_takes_room_from_reservations_until_it_is_due(calling: Calling) -> None:
    with calling() as call:
        place = library(call, at_most=10)
        custody.hand_out(
            call,
            custody.HandOut(
                person_id=place.people[0],
                devices=(place.laptops[0],),
                service_point_id=place.point,
                loan=True,
                due_at=at(24, 12),
                unsigned="at the door",
            ),
        )
        reserve(call, place, 1, at(24, 9), at(24, 12))
        with pytest.raises(ConflictError):
            reserve(call, place, 2, at(24, 9), at(24, 12))
        assert reserve(call, place, 2, at(24, 12), at(24, 17)).state == LoanState.RESERVED


def test_an_extension_is_for_when_nobody_waits(calling: Calling) -> None:
    place, uid = lent(calling)
    with calling(now=at(24, 10)) as call:
        row = service.extend(call, uid, at(24, 15))
        assert (row.ends_at, out(call).due_at) == (at(24, 15), at(24, 15))
        # Two others take both places after that; a third one waits for one of them.
        for who in (1, 2):
            reserve(call, place, who, at(24, 15), at(24, 17))
        with pytest.raises(ConflictError) as refusal:
            service.extend(call, uid, at(24, 16))
        assert refusal.value.code == "loan_full"
        reserve(call, place, 3, at(24, 15.5), at(24, 17), wait=True)
        with pytest.raises(ConflictError) as refusal:
            service.extend(call, uid, at(24, 16))
        assert refusal.value.code == "loan_waited_for"
        with pytest.raises(InvalidError):
            service.extend(call, uid, at(24, 11))
        assert out(call).due_at == at(24, 15)


def climb(calling: Calling, now: datetime) -> list[tuple[str, str]]:
    """What the clock sends at that hour."""
    with calling(now=now) as call:
        before = len(mails(call))
        overdue.climb(call)
        return mails(call)[before:]


def test_the_ladder_reminds_tells_the_lead_and_proposes_but_never_locks(calling: Calling) -> None:
    _place, _uid = lent(calling)
    assert climb(calling, at(24, 13)) == []
    assert climb(calling, at(24, 14)) == [("p0@example.org", "Please bring it back: Flex 0 L-laptop-0")]
    assert climb(calling, at(24, 14.5)) == []
    # Their own unit has no lead: the one above has.
    assert climb(calling, at(27, 13)) == [("boss@example.org", "Niet teruggebracht: Flex 0 L-laptop-0")]
    assert climb(calling, at(30, 12)) == []
    assert climb(calling, at(1, 13, month=12))[0][0] == "library@example.org"
    assert climb(calling, at(20, 13, month=12)) == []
    with calling(now=at(20, 13, month=12)) as call:
        (row,) = call.session.scalars(select(OverdueLoan)).all()
        assert (row.step, row.decision, row.lead_email) == (LadderStep.LOCK, LockDecision.OPEN, "boss@example.org")
        assert queries.due(call) == 1
        assert call.session.scalars(select(Command)).all() == []


def test_after_a_week_in_which_nothing_ran_the_steps_still_come_a_day_apart(calling: Calling) -> None:
    lent(calling)
    late = at(10, 9, month=12)
    assert [to for to, _ in climb(calling, late)] == ["p0@example.org"]
    assert climb(calling, late + timedelta(hours=23)) == []
    assert [to for to, _ in climb(calling, late + timedelta(hours=24))] == ["boss@example.org"]
    assert [to for to, _ in climb(calling, late + timedelta(hours=48))] == ["library@example.org"]


def test_a_unit_without_any_lead_has_the_keeper_told_so(calling: Calling) -> None:
    place, _ = lent(calling)
    with calling() as call:
        org.edit_unit(call, place.units[0], lead_email="p0@example.org")
        places.change_place(call, place.point, keeper_email="keeper@example.org")
    # The lead is the person themselves: nobody is told of their own lateness as if they led it.
    climb(calling, at(24, 14))
    assert climb(calling, at(27, 14)) == [("keeper@example.org", "Niet teruggebracht: Flex 0 L-laptop-0")]


def proposed(calling: Calling) -> tuple[Library, str, int]:
    place, uid = lent(calling)
    for moment in (at(24, 14), at(27, 14), at(1, 14, month=12)):
        climb(calling, moment)
    with calling() as call:
        return place, uid, call.session.scalars(select(OverdueLoan.id)).one()


DECEMBER = at(2, 9, month=12)


def test_a_person_confirms_the_lock_and_twice_is_like_once(calling: Calling) -> None:
    place, _uid, number = proposed(calling)
    with calling(now=DECEMBER) as call:
        with pytest.raises(ConflictError), call.session.begin_nested():
            overdue.lock(call, number)
        inventory.device_by_uid(call, place.laptops[0]).enrolled_at = DECEMBER
    with calling(now=DECEMBER) as call:
        assert overdue.lock(call, number, "called twice").decision == LockDecision.LOCKED
        assert overdue.lock(call, number).why == "called twice"
        (sent,) = call.session.scalars(select(Command)).all()
        assert (sent.verb, sent.reason) == (Verb.LOCK, "called twice")
        with pytest.raises(ConflictError):
            overdue.spare(call, number, "changed my mind")


def test_a_proposal_that_is_turned_down_needs_a_reason_and_is_not_made_again(calling: Calling) -> None:
    _place, _uid, number = proposed(calling)
    with calling(now=DECEMBER) as call:
        with pytest.raises(InvalidError):
            overdue.spare(call, number, " ")
        assert overdue.spare(call, number, "in hospital").decision == LockDecision.SPARED
        assert queries.due(call) == 0
    assert climb(calling, at(20, 9, month=12)) == []


def test_what_comes_back_or_may_stay_longer_leaves_the_ladder(calling: Calling) -> None:
    place, uid, number = proposed(calling)
    with calling(now=DECEMBER) as call:
        service.extend(call, uid, at(4, 12, month=12))
        overdue.climb(call)
        assert call.session.get_one(OverdueLoan, number).closed_at == DECEMBER
        assert queries.due(call) == 0
    # Late again, the ladder begins at its first step.
    assert climb(calling, at(4, 14, month=12)) == [("p0@example.org", "Please bring it back: Flex 0 L-laptop-0")]
    with calling(now=at(7, 9, month=12)) as call:
        bring_back(call, place, place.laptops[0])
        overdue.climb(call)
        assert call.session.scalars(select(OverdueLoan.id).where(OverdueLoan.closed_at.is_(None))).all() == []
        sweeping.sweep(call, place.point)
        assert call.session.scalars(select(Reservation.state)).all() == [LoanState.RETURNED]
    assert climb(calling, at(20, 9, month=12)) == []


def test_a_late_device_is_not_counted_upon_for_the_next_day(calling: Calling) -> None:
    place, _uid = lent(calling)
    with calling(now=at(24, 16)) as call:
        # Two places, two laptops, but one of them is late.
        reserve(call, place, 1, at(25, 9), at(25, 12))
        with pytest.raises(ConflictError):
            reserve(call, place, 2, at(25, 9), at(25, 12))
        assert reserve(call, place, 2, at(26, 9), at(26, 12)).state == LoanState.RESERVED
