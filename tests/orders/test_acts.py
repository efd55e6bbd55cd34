"""Risky acts of the server itself: asked, agreed to by a signature, done once, held, taken back, or over in time."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from mdm.audit.model import AuditEntry
from mdm.core.actor import system
from mdm.core.errors import (
    ConflictError,
    DeniedError,
    InvalidError,
    LimitedError,
    NotFoundError,
)
from mdm.core.ids import new_uid
from mdm.core.permissions import Role
from mdm.core.risk import RISKS, Risk, Way
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.orders import acts, kernel
from mdm.orders.acts import Outcome, asking, queries
from mdm.orders.model import Act
from mdm.outbox.model import OutboxMessage
from mdm.worker.acts import without_handler
from tests.conftest import NOW, Calling
from tests.orders.acting import City, S, agree, lines_of, performed, retire, state_of, wanted
from tests.orders.conftest import ADA, EVA, at_place


def test_every_act_has_somebody_who_performs_it() -> None:
    assert without_handler() == frozenset()
    assert {risk for risk, row in RISKS.items() if row.way is Way.STATEMENT} == {
        Risk.WIPE,
        Risk.ROSTER,
        Risk.BUDGETS,
        Risk.THAW,
    }


def test_an_approved_act_is_done_once_in_the_name_of_whoever_asked(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    assert state_of(calling, city) == "in_stock"
    assert performed(calling, act_id) is None

    agree(calling, act_id, city.ada)

    assert performed(calling, act_id) == Outcome(S.DONE)
    assert state_of(calling, city) == "retired"
    with calling() as call:
        inventory.move(call, city.device, inventory.LifeCycle.IN_STOCK)
    assert performed(calling, act_id) is None
    assert state_of(calling, city) == "in_stock"
    with calling() as call:
        lines = call.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        told = [(line.action, line.actor_name) for line in lines]
        assert ("act.requested", "Mo") in told
        assert ("act.approved", "Ada Approver") in told
        assert ("device.moved", "Mo") in told
        assert ("act.done", "worker") in told


def test_the_same_request_asked_twice_is_one(calling: Calling, city: City) -> None:
    assert wanted(calling, city, retire(city)) == wanted(calling, city, retire(city))
    with calling() as call:
        assert len(call.session.scalars(select(Act)).all()) == 1


def test_what_the_service_refuses_by_then_is_not_done(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    with calling() as call:
        call.session.scalars(select(Device).where(Device.uid == city.device)).one().state = "handed_out"

    assert performed(calling, act_id) == Outcome(S.FAILED)
    assert state_of(calling, city) == "handed_out"
    with calling() as call:
        assert "cannot become retired" in queries.receipt(call, act_id).act.why


def test_the_red_button_holds_what_was_agreed(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    with calling() as call:
        kernel.locked(call).frozen_at = NOW

    assert performed(calling, act_id) == Outcome(S.HELD, 300)
    assert state_of(calling, city) == "in_stock"
    with calling() as call:
        kernel.locked(call).frozen_at = None

    assert performed(calling, act_id) == Outcome(S.DONE)


def test_above_the_budget_it_is_held_and_done_when_there_is_room(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    with calling() as call:
        asked = call.session.get_one(Act, act_id)
        same = {c.key: getattr(asked, c.key) for c in Act.__table__.columns}
        for _ in range(RISKS[Risk.DEVICE_RETIRE].per_day):
            call.session.add(Act(**{**same, "id": new_uid(), "state": "done", "finished_at": NOW - timedelta(hours=1)}))

    assert performed(calling, act_id) == Outcome(S.HELD, 300)
    assert performed(calling, act_id) == Outcome(S.HELD, 300)
    with calling() as call:
        assert len(lines_of(call, "act.held")) == 1

    assert performed(calling, act_id, NOW + timedelta(hours=24)) == Outcome(S.DONE)


def test_a_request_expires_whether_anybody_agreed_or_not(calling: Calling, city: City) -> None:
    late = NOW + asking.LIFETIME
    waiting, agreed = wanted(calling, city, retire(city)), None
    agreed = wanted(calling, city, lambda call: inventory.retire(call, city.device, reason="other"))
    agree(calling, agreed, city.ada)

    with pytest.raises(ConflictError):
        agree(calling, waiting, city.ada, now=late)
    assert performed(calling, agreed, late) == Outcome(S.EXPIRED)
    with calling(now=late) as call:
        assert acts.expire_due(call) == 1
        assert acts.expire_due(call) == 0
    assert state_of(calling, city) == "in_stock"


def test_a_request_is_taken_back_until_it_is_done(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    with calling(EVA) as call:
        acts.cancel(call, act_id, "a mistake")
        acts.cancel(call, act_id, "a mistake")

    assert performed(calling, act_id) is None
    assert state_of(calling, city) == "in_stock"
    with calling(ADA) as call, pytest.raises(ConflictError) as caught:
        acts.reject(call, act_id, "no")
    assert caught.value.code == "act_state"


def test_a_request_that_is_done_cannot_be_taken_back(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    performed(calling, act_id)

    with calling(city.admin) as call, pytest.raises(ConflictError):
        acts.cancel(call, act_id)


def test_no_needs_a_reason_and_ends_it(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    with calling(ADA) as call, pytest.raises(InvalidError):
        acts.reject(call, act_id, " ")
    with calling(ADA) as call:
        acts.reject(call, act_id, "still in use")

    with pytest.raises(ConflictError):
        agree(calling, act_id, city.eva, EVA)
    assert performed(calling, act_id) is None


def test_approvers_of_another_place_neither_see_it_nor_decide(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    stranger = at_place(Role.APPROVER, city.place + 1)

    with calling(stranger) as call:
        assert queries.to_approve(call) == []
        with pytest.raises(NotFoundError):
            queries.act(call, act_id)
        with pytest.raises(NotFoundError):
            acts.cancel(call, act_id)
        with pytest.raises(NotFoundError):
            acts.reject(call, act_id, "no")
    with calling(at_place(Role.APPROVER, city.place)) as call:
        assert [one.id for one in queries.to_approve(call)] == [act_id]
        assert queries.count_to_approve(call) == 1
    with calling(city.admin) as call:
        assert queries.count_to_approve(call) == 0


def test_everybody_concerned_is_written_to(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    performed(calling, act_id)

    with calling() as call:
        mails = [row.payload for row in call.session.scalars(select(OutboxMessage)) if row.topic == "mail"]
    asked = {mail["to"] for mail in mails if "waits for somebody else" in mail["text"]}
    done = {mail["to"] for mail in mails if "It was done." in mail["text"]}
    assert asked == {"mo@stad.example", "ada@stad.example", "eva@stad.example"}
    assert done == {"mo@stad.example", "ada@stad.example"}


def test_fifty_open_requests_of_one_person_are_enough(calling: Calling, city: City) -> None:
    for number in range(asking.MAX_OPEN):
        wanted(calling, city, lambda call, n=number: inventory.retire(call, city.device, reason=f"{n}"))

    with pytest.raises(LimitedError):
        wanted(calling, city, retire(city))


def test_the_clock_and_devices_ask_for_nothing(calling: Calling, city: City) -> None:
    with pytest.raises(DeniedError):
        wanted(calling, city, retire(city), system("tidy"))
