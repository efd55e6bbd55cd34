"""Asking and deciding: a reason, a place, two people, one open order, and never a private device."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from mdm.access.model import ApiToken, Operator
from mdm.audit.model import AuditEntry
from mdm.core.actor import Actor, ActorKind, command_line, system
from mdm.core.errors import ConflictError, DeniedError, HavenmeesterError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, Role
from mdm.inventory.model import Device
from mdm.orders import kernel, queries, service
from mdm.orders.model import Approval, Order, OrderState
from mdm.outbox.model import OutboxMessage
from mdm.signing.seals import read_order
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.conftest import FLEET_ADMIN, NOW, Calling
from tests.orders.conftest import (
    ADA,
    ADAS,
    BOS,
    BOTH,
    EVAS,
    LONG_AGO,
    PEOPLE,
    DeskClient,
    Fleet,
    at_place,
    person,
    sign,
    speaking,
)
from tests.sim.approvers import Person, roster, text_of

WHY = "Stolen from the van on Tuesday."


def _request(calling: Calling, device: Device, actor: Actor = FLEET_ADMIN) -> str:
    with calling(actor) as call:
        return service.request_wipe(call, device.uid, WHY).id


def _count(call: Call, table: type[Order] | type[Approval] | type[AuditEntry] | type[OutboxMessage]) -> int:
    return call.session.scalar(select(func.count()).select_from(table)) or 0


def test_one_asks_two_others_sign_and_the_signer_is_asked_next(calling: Calling, device: Device, fleet: Fleet) -> None:
    order_id = _request(calling, device)

    assert sign(calling, order_id, ADAS) == 1
    with calling(write=False) as call:
        assert queries.order(call, order_id).state == OrderState.REQUESTED
    assert sign(calling, order_id, EVAS) == 0

    with calling(write=False) as call:
        order = queries.order(call, order_id)
        assert order.state == OrderState.APPROVED
        assert (order.requested_by_id, order.reason) == ("operator:1", WHY)
        assert (order.expires_at - NOW).total_seconds() == 72 * 3600
        given = [(one.approver_id, one.key_id, one.proof is not None) for one in queries.approvals(call, order_id)]
        assert given == [("operator:2", ADAS.keys[0].id, True), ("operator:3", EVAS.keys[0].id, True)]
        topics = call.session.scalars(select(OutboxMessage.topic).where(OutboxMessage.topic != "roster.changed")).all()
        assert sorted(topics) == ["order.release", "order.told"]
        actions = select(AuditEntry.action).where(AuditEntry.action.like("order.%")).order_by(AuditEntry.id)
        assert call.session.scalars(actions).all() == [
            "order.requested",
            "order.proof_taken",
            "order.proof_taken",
            "order.approved",
        ]


def test_the_text_is_fixed_when_it_is_asked_and_is_what_the_device_will_read(
    calling: Calling, device: Device, fleet: Fleet
) -> None:
    order_id = _request(calling, device)

    with calling(write=False) as call:
        text = queries.order(call, order_id).canonical
    said = read_order(text)
    assert said.canonical == text
    assert (said.id, said.device, said.enrollment) == (order_id, device.uid, fleet.keys[device.uid])
    assert (said.lane, said.place, said.presence, said.epoch) == ("ordinary", "WERKHAVEN", "", 1)
    assert (said.requester, said.requested_by) == ("operator:1", FLEET_ADMIN.name)
    assert (said.not_before, said.not_after) == (int(NOW.timestamp()), int(NOW.timestamp()) + 72 * 3600)


@pytest.mark.parametrize("reason", ["", "   ", "\u202e\u0000"])
def test_a_reason_is_needed(calling: Calling, device: Device, reason: str) -> None:
    with pytest.raises(InvalidError) as refused, calling() as call:
        service.request_wipe(call, device.uid, reason)

    assert "reason" in refused.value.fields
    with calling(write=False) as call:
        assert _count(call, Order) == 0
        assert not [line for line in call.session.scalars(select(AuditEntry.action)) if line.startswith("order.")]


def test_nobody_signs_their_own_order_whoever_hands_it_in(calling: Calling, device: Device) -> None:
    order_id = _request(calling, device, BOTH)

    for by in (BOTH, FLEET_ADMIN, ADA):
        with pytest.raises(DeniedError) as refused:
            sign(calling, order_id, BOS, by=by)
        assert refused.value.code == "own_order"
    with pytest.raises(DeniedError) as refused, calling(replace(BOTH, name="Another Name")) as call:
        service.reject(call, order_id, "no")
    assert refused.value.code == "own_order"

    with calling(write=False) as call:
        assert queries.order(call, order_id).state == OrderState.REQUESTED
        assert _count(call, Approval) == 0
    with calling(BOTH, write=False) as call:
        assert queries.to_approve(call) == []
    assert sign(calling, order_id, ADAS, EVAS) == 0


def test_a_signature_counts_once_per_person_and_only_over_this_text(calling: Calling, device: Device) -> None:
    order_id = _request(calling, device)
    assert sign(calling, order_id, ADAS) == 1

    with pytest.raises(ConflictError) as twice:
        sign(calling, order_id, ADAS)
    assert twice.value.code == "decided"
    with pytest.raises(DeniedError) as other:
        sign(calling, order_id, EVAS, text='{"kind":"order"}')
    assert other.value.code in ("passkey_client", "proof_signature")

    with calling(write=False) as call:
        assert queries.order(call, order_id).state == OrderState.REQUESTED
        assert queries.dossier(call, order_id).lacking == 1


def test_a_stranger_a_new_approver_and_one_of_another_place_do_not_count(
    calling: Calling, fleet: Fleet, device: Device, client: DeskClient, tmp_path: Path
) -> None:
    order_id = _request(calling, device)
    waits = int((NOW + timedelta(hours=1)).timestamp())
    cast = {
        "waiting": person(21, "New", since=waits),
        "place": person(22, "Nova only", places=["NOVA"]),
        "person": person(23, "Stranger"),
    }
    with calling() as call:
        text = text_of(roster([ADAS, EVAS, cast["waiting"], cast["place"]], issued=LONG_AGO))
        kernel.locked(call).roster_text = text

    for rule, one in cast.items():
        with pytest.raises(DeniedError) as refused:
            sign(calling, order_id, one)
        assert refused.value.code == rule
    with calling(write=False) as call:
        # What was refused stands in the diary, and nothing else has changed.
        failed = select(AuditEntry.details).where(AuditEntry.action == "order.approval_failed")
        assert [entry["why"] for entry in call.session.scalars(failed)] == list(cast)
        assert _count(call, Approval) == 0


def test_a_disabled_approver_does_not_count(calling: Calling, device: Device, fleet: Fleet) -> None:
    with calling() as call:
        call.session.add(Operator(id=2, email="ada@example.org", name="Ada", created_at=NOW, disabled_at=NOW))
    order_id = _request(calling, device)

    with pytest.raises(DeniedError) as refused:
        sign(calling, order_id, ADAS)

    assert refused.value.code == "approver_disabled"


def test_without_a_roster_nothing_can_be_approved(calling: Calling, device: Device, fleet: Fleet) -> None:
    order_id = _request(calling, device)
    with calling() as call:
        kernel.locked(call).roster_text = ""

    with pytest.raises(ConflictError) as refused:
        sign(calling, order_id, ADAS)

    assert refused.value.code == "no_roster"


def test_an_approver_cannot_ask_and_who_sees_nothing_hands_in_nothing(calling: Calling, device: Device) -> None:
    order_id = _request(calling, device)

    with pytest.raises(DeniedError), calling(ADA) as call:
        service.request_wipe(call, device.uid, WHY)
    with calling(write=False) as call:
        proof = ADAS.proof(queries.order(call, order_id).canonical)
    with pytest.raises(NotFoundError), calling(Actor(ActorKind.OPERATOR, 77, "Nobody")) as call:
        service.take_proof(call, order_id, proof)


@pytest.mark.parametrize(
    "actor",
    [
        Actor(ActorKind.TOKEN, 5, "script", (Grant(Role.APPROVER),)),
        Actor(ActorKind.COMMAND_LINE, None, "root", (Grant(Role.APPROVER),)),
        Actor(ActorKind.SYSTEM, None, "worker", (Grant(Role.APPROVER),)),
    ],
)
def test_a_program_hands_in_what_a_person_signed_and_says_no_to_nothing(
    calling: Calling, device: Device, actor: Actor
) -> None:
    order_id = _request(calling, device)

    assert sign(calling, order_id, ADAS, by=actor) == 1
    with pytest.raises(DeniedError) as refused, calling(actor) as call:
        service.reject(call, order_id, "no")

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
    mine = person(ada.id, "Ada Approver")
    with calling() as call:
        kernel.locked(call).roster_text = text_of(roster([mine, EVAS, BOS], issued=LONG_AGO))
    order_id = _request(calling, device, Actor(ActorKind.TOKEN, token.id, "script", (Grant(Role.FLEET_ADMIN),)))

    with pytest.raises(DeniedError) as refused:
        sign(calling, order_id, mine)
    assert refused.value.code == "own_order"
    assert sign(calling, order_id, EVAS, BOS) == 0
    with calling(write=False) as call:
        order = queries.order(call, order_id)
        assert (order.requested_by, order.token) == ("script", f"token:{token.id}")


def test_another_place_sees_nothing_and_can_do_nothing(calling: Calling, device: Device, fleet: Fleet) -> None:
    order_id = _request(calling, device)
    elsewhere = at_place(Role.APPROVER, fleet.places["nova"])
    unknown = "0" * 32

    with calling(elsewhere, write=False) as call:
        assert queries.orders(call) == queries.to_approve(call) == []
        assert queries.count(call) == 0
    answers = []
    for wanted in (order_id, unknown):
        for act in (service.take_proof, service.reject, service.cancel):
            given: Any = ADAS.proof("{}") if act is service.take_proof else "no"
            with pytest.raises(NotFoundError) as refused, calling(elsewhere) as call:
                act(call, wanted, given)
            answers.append(str(refused.value))
        for read in (
            queries.order,
            queries.receipt,
            queries.approvals,
            queries.dossier,
            queries.envelope,
            queries.batch,
        ):
            with pytest.raises(NotFoundError) as refused, calling(elsewhere, write=False) as call:
                read(call, wanted)
            answers.append(str(refused.value))
    assert len(set(answers)) == 1
    with pytest.raises(NotFoundError), calling(at_place(Role.FLEET_ADMIN, fleet.places["nova"])) as call:
        service.request_wipe(call, device.uid, WHY)


def test_an_approver_of_the_place_approves(calling: Calling, device: Device, fleet: Fleet) -> None:
    order_id = _request(calling, device)
    local = at_place(Role.APPROVER, fleet.places["werkhaven"])
    local_keys = person(local.id or 0, "Local", places=["WERKHAVEN"])
    with calling() as call:
        kernel.locked(call).roster_text = text_of(roster([ADAS, local_keys], issued=LONG_AGO))

    with calling(local, write=False) as call:
        assert [one.id for one in queries.to_approve(call)] == [order_id]
        assert queries.dossier(call, order_id).may_approve
    assert sign(calling, order_id, local_keys, ADAS, by=local) == 0


def test_a_device_that_moved_needs_approvers_of_both_places(calling: Calling, device: Device, fleet: Fleet) -> None:
    order_id = _request(calling, device)
    local = person(9, "Local", places=["WERKHAVEN"])
    with calling() as call:
        kernel.locked(call).roster_text = text_of(roster([ADAS, EVAS, local], issued=LONG_AGO))
        call.session.get_one(Device, device.id).service_point_id = fleet.places["nova"]

    with pytest.raises(DeniedError) as refused:
        sign(calling, order_id, local)
    assert refused.value.code == "place"
    for act in (service.reject, service.cancel):
        with pytest.raises(DeniedError), calling(at_place(Role.AUDITOR, fleet.places["nova"])) as call:
            act(call, order_id, "no")
    assert sign(calling, order_id, ADAS, EVAS) == 0


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
    with pytest.raises(ConflictError) as refused:
        sign(calling, order_id, ADAS)
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
    with pytest.raises(ConflictError):
        sign(calling, order_id, ADAS)


def test_a_rejected_order_is_over(calling: Calling, device: Device) -> None:
    order_id = _request(calling, device)
    with pytest.raises(InvalidError), calling(ADA) as call:
        service.reject(call, order_id, "")
    with calling(ADA) as call:
        service.reject(call, order_id, "It is in the drawer.")

    with pytest.raises(ConflictError) as refused:
        sign(calling, order_id, EVAS)
    assert refused.value.code == "order_state"
    with calling(write=False) as call:
        topics = set(call.session.scalars(select(OutboxMessage.topic)))
        assert "order.release" not in topics
        assert "order.void" in topics


def test_a_request_whose_time_has_passed_cannot_be_approved(calling: Calling, device: Device) -> None:
    order_id = _request(calling, device)

    with pytest.raises(ConflictError) as refused:
        sign(calling, order_id, ADAS, now=NOW + timedelta(hours=service.ORDER_HOURS))

    assert refused.value.code == "order_expired"


def _race(engine: Engine, acts: list[tuple[Actor, Any]], act: "object") -> list[str]:
    """Everybody at once; "ok" or the code of the refusal for each."""
    barrier, outcomes = threading.Barrier(len(acts)), []

    def run(actor: Actor, subject: Any) -> None:
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


def _hand_in(calling: Calling, order_id: str, people: Sequence[Person]) -> list[tuple[Actor, Any]]:
    with calling(write=False) as call:
        text = queries.order(call, order_id).canonical
    return [(FLEET_ADMIN, one.proof(text)) for one in people]


def test_of_many_who_sign_at_once_two_are_enough_and_the_signer_is_asked_once(
    calling: Calling, engine: Engine, device: Device
) -> None:
    order_id = _request(calling, device)
    crowd = _hand_in(calling, order_id, PEOPLE)

    outcomes = _race(engine, crowd, lambda call, proof, _why: service.take_proof(call, order_id, proof))

    assert outcomes == ["ok", "ok", "order_state", "order_state"]
    with calling(write=False) as call:
        assert _count(call, Approval) == 2
        topics = call.session.scalars(select(OutboxMessage.topic)).all()
        assert topics.count("order.release") == 1


def test_a_double_click_signs_once(calling: Calling, engine: Engine, device: Device) -> None:
    order_id = _request(calling, device)
    crowd = _hand_in(calling, order_id, [ADAS]) * 4

    outcomes = _race(engine, crowd, lambda call, proof, _why: service.take_proof(call, order_id, proof))

    assert outcomes == ["decided", "decided", "decided", "ok"]


def test_of_many_who_ask_for_one_device_at_once_one_wins(calling: Calling, engine: Engine, device: Device) -> None:
    crowd = [(replace(FLEET_ADMIN, id=200 + number), device.uid) for number in range(5)]

    outcomes = _race(engine, crowd, lambda call, uid, why: service.request_wipe(call, uid, why))

    assert sorted(outcomes) == ["ok"] + ["order_open"] * 4
