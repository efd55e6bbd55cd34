"""Asking and deciding: a reason, a place, two people, one open order, and never a private device."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import Engine, func, select

from mdm.access.model import ApiToken, Operator
from mdm.audit.model import AuditEntry
from mdm.core.actor import Actor, ActorKind, command_line, system
from mdm.core.errors import ConflictError, DeniedError, HavenmeesterError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, Role
from mdm.inventory.model import Device
from mdm.orders import queries, service
from mdm.orders.model import Approval, Order, OrderState
from mdm.outbox.model import OutboxMessage
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.conftest import FLEET_ADMIN, NOW, Calling
from tests.orders.conftest import ADA, BOTH, EVA, Fleet, at_place, speaking

WHY = "Stolen from the van on Tuesday."


def _request(calling: Calling, device: Device, actor: Actor = FLEET_ADMIN) -> str:
    with calling(actor) as call:
        return service.request_wipe(call, device.uid, WHY).id


def _count(call: Call, table: type[Order] | type[Approval] | type[AuditEntry] | type[OutboxMessage]) -> int:
    return call.session.scalar(select(func.count()).select_from(table)) or 0


def test_one_asks_another_approves_and_the_signer_is_asked_next(calling: Calling, device: Device) -> None:
    order_id = _request(calling, device)
    with calling(ADA) as call:
        service.approve(call, order_id, "Seen the police report.", hours=24)

    with calling(write=False) as call:
        order = queries.order(call, order_id)
        assert order.state == OrderState.APPROVED
        assert (order.requested_by_id, order.reason) == ("operator:1", WHY)
        assert (order.expires_at - NOW).total_seconds() == 24 * 3600
        assert [one.approver_id for one in queries.approvals(call, order_id)] == ["operator:2"]
        assert call.session.scalars(select(OutboxMessage.topic)).all() == ["order.release"]
        assert call.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all() == [
            "order.requested",
            "order.approved",
        ]


@pytest.mark.parametrize("reason", ["", "   ", "\u202e\u0000"])
def test_a_reason_is_needed(calling: Calling, device: Device, reason: str) -> None:
    with pytest.raises(InvalidError) as refused, calling() as call:
        service.request_wipe(call, device.uid, reason)

    assert "reason" in refused.value.fields
    with calling(write=False) as call:
        assert _count(call, Order) == _count(call, AuditEntry) == 0


def test_nobody_approves_their_own_order_whatever_roles_they_hold(calling: Calling, device: Device) -> None:
    order_id = _request(calling, device, BOTH)

    for decide in (service.approve, service.reject):
        with pytest.raises(DeniedError) as refused, calling(replace(BOTH, name="Another Name")) as call:
            decide(call, order_id, "fine")
        assert refused.value.code == "own_order"

    with calling(write=False) as call:
        assert queries.order(call, order_id).state == OrderState.REQUESTED
        assert _count(call, Approval) == 0
    with calling(BOTH, write=False) as call:
        assert queries.to_approve(call) == []


def test_a_fleet_admin_cannot_approve_and_an_approver_cannot_ask(calling: Calling, device: Device) -> None:
    order_id = _request(calling, device)

    with pytest.raises(DeniedError), calling(replace(FLEET_ADMIN, id=77)) as call:
        service.approve(call, order_id)
    with pytest.raises(DeniedError), calling(ADA) as call:
        service.request_wipe(call, device.uid, WHY)


@pytest.mark.parametrize(
    "actor",
    [
        Actor(ActorKind.TOKEN, 5, "script", (Grant(Role.APPROVER),)),
        Actor(ActorKind.COMMAND_LINE, None, "root", (Grant(Role.APPROVER),)),
        Actor(ActorKind.SYSTEM, None, "worker", (Grant(Role.APPROVER),)),
    ],
)
def test_only_a_person_approves(calling: Calling, device: Device, actor: Actor) -> None:
    order_id = _request(calling, device)

    with pytest.raises(DeniedError) as refused, calling(actor) as call:
        service.approve(call, order_id)

    assert refused.value.code == "person_required"


def test_the_clock_and_devices_cannot_ask_but_the_command_line_can(calling: Calling, device: Device) -> None:
    for actor in (system("worker"), replace(speaking(device), grants=(Grant(Role.FLEET_ADMIN),))):
        with pytest.raises(DeniedError) as refused, calling(actor) as call:
            service.request_wipe(call, device.uid, WHY)
        assert refused.value.code == "person_required"

    order_id = _request(calling, device, command_line("root"))

    with calling(write=False) as call:
        assert queries.order(call, order_id).requested_by_id == "command_line:root"


def test_nobody_asks_by_their_own_token_and_approves_by_hand(calling: Calling, device: Device) -> None:
    with calling() as call:
        ada = Operator(email="ada@example.org", name="Ada Approver", created_at=NOW)
        call.session.add(ada)
        call.session.flush()
        token = ApiToken(
            name="script",
            secret_digest="0" * 64,
            role="fleet_admin",
            created_at=NOW,
            created_by="Ada",
            created_by_id=ada.id,
        )
        call.session.add(token)
        call.session.flush()
        approver = replace(ADA, id=ada.id)
    order_id = _request(calling, device, Actor(ActorKind.TOKEN, token.id, "script", (Grant(Role.FLEET_ADMIN),)))

    with pytest.raises(DeniedError) as refused, calling(approver) as call:
        service.approve(call, order_id)
    assert refused.value.code == "own_order"
    with calling(replace(EVA, id=approver.id + 1)) as call:
        assert service.approve(call, order_id).requested_by == "script"


def test_another_place_sees_nothing_and_can_do_nothing(calling: Calling, device: Device, fleet: Fleet) -> None:
    order_id = _request(calling, device)
    elsewhere = at_place(Role.APPROVER, fleet.places["nova"])
    unknown = "0" * 32

    with calling(elsewhere, write=False) as call:
        assert queries.orders(call) == queries.to_approve(call) == []
        assert queries.count(call) == 0
    answers = []
    for wanted in (order_id, unknown):
        for act in (service.approve, service.reject, service.cancel):
            with pytest.raises(NotFoundError) as refused, calling(elsewhere) as call:
                act(call, wanted, "no")
            answers.append(str(refused.value))
        for read in (queries.order, queries.receipt, queries.approvals):
            with pytest.raises(NotFoundError) as refused, calling(elsewhere, write=False) as call:
                read(call, wanted)
            answers.append(str(refused.value))
    assert len(set(answers)) == 1
    with pytest.raises(NotFoundError), calling(at_place(Role.FLEET_ADMIN, fleet.places["nova"])) as call:
        service.request_wipe(call, device.uid, WHY)


def test_an_approver_of_the_place_approves(calling: Calling, device: Device, fleet: Fleet) -> None:
    order_id = _request(calling, device)
    local = at_place(Role.APPROVER, fleet.places["werkhaven"])

    with calling(local, write=False) as call:
        assert [one.id for one in queries.to_approve(call)] == [order_id]
    with calling(local) as call:
        assert service.approve(call, order_id).state == OrderState.APPROVED


def test_a_device_that_moved_needs_the_right_at_both_places(calling: Calling, device: Device, fleet: Fleet) -> None:
    order_id = _request(calling, device)
    with calling() as call:
        call.session.get_one(Device, device.id).service_point_id = fleet.places["nova"]

    for place in ("werkhaven", "nova"):
        with pytest.raises(HavenmeesterError) as refused, calling(at_place(Role.APPROVER, fleet.places[place])) as call:
            service.approve(call, order_id)
        assert isinstance(refused.value, DeniedError)
    with calling(ADA) as call:
        service.approve(call, order_id)


def test_a_private_device_is_never_wiped_also_when_it_became_private_later(
    calling: Calling, device: Device, fleet: Fleet
) -> None:
    with calling() as call:
        private = fleet.add(call, ownership="private")
    with pytest.raises(ConflictError) as refused, calling() as call:
        service.request_wipe(call, private.uid, WHY)
    assert refused.value.code == "device_private"

    order_id = _request(calling, device)
    with calling() as call:
        call.session.get_one(Device, device.id).ownership = "private"
    with pytest.raises(ConflictError) as refused, calling(ADA) as call:
        service.approve(call, order_id)
    assert refused.value.code == "device_private"


def test_a_device_that_is_not_enrolled_gets_no_order(calling: Calling, device: Device) -> None:
    with calling() as call:
        call.session.get_one(Device, device.id).enrolled_at = None

    with pytest.raises(ConflictError) as refused, calling() as call:
        service.request_wipe(call, device.uid, WHY)

    assert refused.value.code == "device_not_enrolled"


def test_there_is_one_open_order_per_device_and_a_new_one_after_it(calling: Calling, device: Device) -> None:
    first = _request(calling, device)
    with pytest.raises(ConflictError) as refused:
        _request(calling, device, BOTH)
    assert refused.value.code == "order_open"

    with calling() as call:
        service.cancel(call, first)
    second = _request(calling, device)

    assert second != first


def test_cancelling_twice_is_like_once(calling: Calling, device: Device) -> None:
    order_id = _request(calling, device)
    for actor in (ADA, FLEET_ADMIN):
        with calling(actor) as call:
            service.cancel(call, order_id, "found it")

    with calling(write=False) as call:
        actions = call.session.scalars(select(AuditEntry.action)).all()
        assert actions.count("order.cancelled") == 1
    with pytest.raises(ConflictError), calling(ADA) as call:
        service.approve(call, order_id)


def test_a_rejected_order_is_over(calling: Calling, device: Device) -> None:
    order_id = _request(calling, device)
    with pytest.raises(InvalidError), calling(ADA) as call:
        service.reject(call, order_id, "")
    with calling(ADA) as call:
        service.reject(call, order_id, "It is in the drawer.")

    with pytest.raises(ConflictError) as refused, calling(EVA) as call:
        service.approve(call, order_id)
    assert refused.value.code == "order_state"
    with calling(write=False) as call:
        assert _count(call, OutboxMessage) == 0


def test_a_request_whose_time_has_passed_cannot_be_approved(calling: Calling, device: Device) -> None:
    order_id = _request(calling, device)

    with pytest.raises(ConflictError) as refused, calling(ADA, NOW + service.REQUEST_LIFETIME) as call:
        service.approve(call, order_id)

    assert refused.value.code == "order_expired"


def _race(engine: Engine, acts: list[tuple[Actor, str]], act: "object") -> list[str]:
    """Everybody at once; "ok" or the code of the refusal for each."""
    barrier, outcomes = threading.Barrier(len(acts)), []

    def run(actor: Actor, subject: str) -> None:
        barrier.wait()
        try:
            with transaction(engine) as session:
                act(Call(actor, session, NOW), subject, "racing")  # type: ignore[operator]
            outcomes.append("ok")
        except HavenmeesterError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=run, args=each) for each in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def test_of_many_who_approve_at_once_one_wins(calling: Calling, engine: Engine, device: Device) -> None:
    order_id = _request(calling, device)
    crowd = [(replace(ADA, id=100 + number), order_id) for number in range(6)]

    assert _race(engine, crowd, service.approve) == ["ok"] + ["order_state"] * 5

    with calling(write=False) as call:
        assert _count(call, Approval) == 1
        assert _count(call, OutboxMessage) == 1


def test_a_double_click_approves_once(calling: Calling, engine: Engine, device: Device) -> None:
    order_id = _request(calling, device)

    assert _race(engine, [(ADA, order_id)] * 4, service.approve) == ["ok"] + ["order_state"] * 3


def test_of_many_who_ask_for_one_device_at_once_one_wins(calling: Calling, engine: Engine, device: Device) -> None:
    crowd = [(replace(FLEET_ADMIN, id=200 + number), device.uid) for number in range(5)]

    outcomes = _race(engine, crowd, service.request_wipe)

    assert sorted(outcomes) == ["ok"] + ["order_open"] * 4
