"""From an approved order to its receipt: signed, held, proved right before delivery, answered once, kept for good."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, func, select, update

from agent.wire import Command, Result
from mdm.audit import service as audit
from mdm.audit.model import AuditEntry
from mdm.core.errors import ConflictError, DeniedError
from mdm.inventory.model import Device
from mdm.orders import delivery, queries, service
from mdm.orders.model import Approval, Order, OrderState, Release
from mdm.orders.release import release
from mdm.outbox.model import Bell, OutboxMessage
from mdm.signing.seals import open_order
from mdm.signing.seals import read_order as open_text
from tests.conftest import NOW, Calling
from tests.orders.conftest import ADAS, EVAS, DeskClient, Fleet, person, sign, speaking

WHY = "Stolen from the van on Tuesday."


def _approved(calling: Calling, device: Device) -> str:
    with calling() as call:
        order_id = service.request_wipe(call, device.uid, WHY).id
    assert sign(calling, order_id, ADAS, EVAS) == 0
    return order_id


def _released(calling: Calling, engine: Engine, client: DeskClient, device: Device) -> str:
    order_id = _approved(calling, device)
    assert release(engine, client, order_id, clock=lambda: NOW) is OrderState.RELEASED
    return order_id


def _given(calling: Calling, client: DeskClient, fleet: Fleet, device: Device, now: datetime = NOW) -> Command | None:
    with calling(speaking(device), now) as call:
        return delivery.released_for(
            call, device.id, order_key=client.ca().order_key, key_digest=fleet.keys[device.uid]
        )


def _state(calling: Calling, order_id: str) -> str:
    with calling(write=False) as call:
        return call.session.get_one(Order, order_id).state


def _waiting(calling: Calling, device: Device) -> int:
    with calling(write=False) as call:
        return call.session.get_one(Device, device.id).waiting


def test_the_whole_way_from_request_to_receipt(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device
) -> None:
    order_id = _released(calling, engine, client, device)
    assert _waiting(calling, device) == 1

    with calling(speaking(device)) as call:
        command = delivery.released_for(
            call, device.id, order_key=client.ca().order_key, key_digest=fleet.keys[device.uid]
        )
    assert command is not None
    assert (command["id"], command["verb"]) == (order_id, "wipe")
    said = open_order(client.ca().order_key, command["args"]["order"], command["args"]["signature"])
    assert (said.device, said.enrollment) == (device.uid, fleet.keys[device.uid])
    assert (said.requested_by, said.requester, said.reason) == ("Mo Admin", "operator:1", WHY)
    assert [one["person"] for one in command["args"]["approvals"]] == ["operator:2", "operator:3"]
    assert [json.loads(one["roster"])["version"] for one in command["args"]["rosters"]] == [1]
    assert "batch" not in command["args"]
    assert _state(calling, order_id) == OrderState.FETCHED

    answer: Result = {"id": order_id, "state": "done", "detail": "keys\x00 destroyed", "data": {"method": "luksErase"}}
    with calling(speaking(device)) as call:
        assert delivery.take_answer(call, device.id, answer)
    assert _waiting(calling, device) == 0

    with calling() as call:
        assert call.session.get_one(Device, device.id).state == "wiped"
        call.session.execute(delete(Device).where(Device.id == device.id))
    with calling(write=False) as call:
        receipt = queries.receipt(call, order_id).as_dict()
        assert audit.verify(call.session).sound
    assert receipt["state"] == "done"
    assert receipt["answer"]["detail"] == "keys destroyed"
    assert receipt["answer"]["data"] == {"method": "luksErase"}
    assert receipt["signed"]["signature"] == command["args"]["signature"]
    assert [one["id"] for one in receipt["decisions"]] == ["operator:2", "operator:3"]
    assert receipt["decisions"][0]["key"] == ADAS.keys[0].id
    assert receipt["method"] == "luksErase"
    assert [line["action"] for line in reversed(receipt["history"])] == [
        "order.requested",
        "order.proof_taken",
        "order.proof_taken",
        "order.approved",
        "order.released",
        "order.fetched",
        "order.done",
    ]
    json.dumps(receipt)


def test_releasing_twice_is_like_once(calling: Calling, engine: Engine, client: DeskClient, device: Device) -> None:
    order_id = _released(calling, engine, client, device)

    assert release(engine, client, order_id, clock=lambda: NOW) is None

    assert _waiting(calling, device) == 1
    with calling(write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(Release)) == 1
        assert call.session.scalar(select(func.count()).select_from(Bell)) == 1


def test_a_crash_between_signing_and_storing_is_repaired_by_the_next_try(
    calling: Calling, engine: Engine, client: DeskClient, device: Device
) -> None:
    order_id = _approved(calling, device)

    def crash() -> datetime:
        raise RuntimeError("kill -9")

    with pytest.raises(RuntimeError):
        release(engine, client, order_id, clock=crash)
    assert client.health().orders_in_24_hours == 1
    assert _state(calling, order_id) == OrderState.APPROVED

    assert release(engine, client, order_id, clock=lambda: NOW) is OrderState.RELEASED
    assert client.health().orders_in_24_hours == 1


def test_an_order_is_given_again_until_it_is_answered(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device
) -> None:
    order_id = _released(calling, engine, client, device)

    first = _given(calling, client, fleet, device)

    assert first is not None
    assert _given(calling, client, fleet, device) == first
    with calling(write=False) as call:
        actions = call.session.scalars(select(AuditEntry.action)).all()
        assert actions.count("order.fetched") == 1
    with calling(speaking(device)) as call:
        assert delivery.take_answer(call, device.id, {"id": order_id, "state": "busy"})
    assert _given(calling, client, fleet, device) == first


def test_a_fetched_order_cannot_be_cancelled_and_a_cancelled_one_is_not_fetched(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device
) -> None:
    order_id = _released(calling, engine, client, device)
    with calling() as call:
        service.cancel(call, order_id, "found")
    assert _given(calling, client, fleet, device) is None
    assert _waiting(calling, device) == 0

    again = _released(calling, engine, client, device)
    _given(calling, client, fleet, device)
    with pytest.raises(ConflictError) as refused, calling() as call:
        service.cancel(call, again)
    assert refused.value.code == "order_state"


def test_what_is_cancelled_while_the_signer_is_asked_is_not_stored(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device
) -> None:
    order_id = _approved(calling, device)

    def clock() -> datetime:
        # Read when the signer has answered and nothing is written yet: the moment of the race.
        with calling() as call:
            service.cancel(call, order_id)
        return NOW

    assert release(engine, client, order_id, clock=clock) is OrderState.CANCELLED

    with calling(write=False) as call:
        assert call.session.get(Release, order_id) is None
    assert _given(calling, client, fleet, device) is None


def test_what_the_budget_does_not_allow_is_held_and_released_when_there_is_room(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, moment: list[datetime]
) -> None:
    with calling() as call:
        devices = [fleet.add(call) for _ in range(4)]
    for one in devices[:3]:
        _released(calling, engine, client, one)

    held = _approved(calling, devices[3])
    assert release(engine, client, held, clock=lambda: NOW) is OrderState.HELD
    assert release(engine, client, held, clock=lambda: NOW) is OrderState.HELD

    with calling(write=False) as call:
        assert "one hour" in call.session.get_one(Order, held).held_why
        again = select(OutboxMessage.due_at).where(OutboxMessage.topic == "order.release")
        due = call.session.scalars(again.order_by(OutboxMessage.due_at.desc())).first()
        actions = call.session.scalars(select(AuditEntry.action).where(AuditEntry.subject_id == held)).all()
    assert actions.count("order.held") == 1
    assert due == NOW + timedelta(hours=1)
    assert _waiting(calling, devices[3]) == 0

    moment[0] = due
    assert release(engine, client, held, clock=lambda: moment[0]) is OrderState.RELEASED
    with calling(write=False) as call:
        assert call.session.get_one(Order, held).held_why == ""


def test_a_signer_that_is_down_holds_the_order_and_says_so(
    calling: Calling, engine: Engine, client: DeskClient, device: Device
) -> None:
    order_id = _approved(calling, device)
    client.down = True
    assert release(engine, client, order_id, clock=lambda: NOW) is OrderState.HELD
    with calling(write=False) as call:
        assert "does not answer" in call.session.get_one(Order, order_id).held_why

    client.down = False
    assert release(engine, client, order_id, clock=lambda: NOW) is OrderState.RELEASED


def test_a_device_without_a_certificate_is_refused_for_good(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device
) -> None:
    order_id = _approved(calling, device)
    with calling() as call:
        stranger = Device(
            uid="a" * 32, platform="linux", kind="kiosk", state="lost", enrolled_at=NOW, created_at=NOW,
            key_digest="f" * 64,
            service_point_id=fleet.places["nova"],
        )  # fmt: skip
        call.session.add(stranger)
    unknown = _approved(calling, stranger)

    assert release(engine, client, unknown, clock=lambda: NOW) is OrderState.REFUSED
    assert _state(calling, order_id) == OrderState.APPROVED


def test_the_signer_refuses_a_device_that_came_as_private_though_the_database_says_otherwise(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet
) -> None:
    with calling() as call:
        device = fleet.add(call, ownership="private")
        device.ownership = "city"
    order_id = _approved(calling, device)

    assert release(engine, client, order_id, clock=lambda: NOW) is OrderState.REFUSED
    with calling(write=False) as call:
        assert "private" in call.session.get_one(Order, order_id).held_why


def test_approvals_written_straight_into_the_database_sign_nothing(
    calling: Calling, engine: Engine, client: DeskClient, device: Device
) -> None:
    order_id = _approved(calling, device)
    stranger = person(3, "Eva Approver")
    with calling() as call:
        text = call.session.get_one(Order, order_id).canonical
        call.session.execute(
            update(Approval).where(Approval.approver_id == "operator:3").values(proof=stranger.proof(text))
        )

    assert release(engine, client, order_id, clock=lambda: NOW) is OrderState.REFUSED


def test_one_signature_in_two_rows_signs_nothing(
    calling: Calling, engine: Engine, client: DeskClient, device: Device
) -> None:
    order_id = _approved(calling, device)
    with calling() as call:
        first, second = call.session.scalars(select(Approval).order_by(Approval.id))
        second.proof = first.proof

    assert release(engine, client, order_id, clock=lambda: NOW) is OrderState.REFUSED


def test_an_order_that_was_changed_after_it_was_signed_by_people_is_not_signed(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device
) -> None:
    order_id = _approved(calling, device)
    with calling() as call:
        other = fleet.add(call)
        order = call.session.get_one(Order, order_id)
        said = replace(open_text(order.canonical), device=other.uid, enrollment=fleet.keys[other.uid])
        order.canonical, order.device_id, order.device_uid = said.canonical, other.id, other.uid

    assert release(engine, client, order_id, clock=lambda: NOW) is OrderState.REFUSED


@pytest.mark.parametrize("column", ["canonical", "signature"])
def test_a_release_that_was_tampered_with_is_not_given(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device, column: str
) -> None:
    order_id = _released(calling, engine, client, device)
    with calling() as call:
        kept = call.session.get_one(Release, order_id)
        before = getattr(kept, column)
        setattr(kept, column, before.replace("Stolen", "Stolem") if column == "canonical" else "A" * 86 + "==")

    assert _given(calling, client, fleet, device) is None
    assert _state(calling, order_id) == OrderState.REFUSED
    assert _waiting(calling, device) == 0


def test_a_release_of_another_order_or_device_is_not_given(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device
) -> None:
    with calling() as call:
        other = fleet.add(call)
    mine, theirs = (_released(calling, engine, client, one) for one in (device, other))
    with calling() as call:
        kept, foreign = (call.session.get_one(Release, one) for one in (mine, theirs))
        kept.canonical, kept.signature = foreign.canonical, foreign.signature

    assert _given(calling, client, fleet, device) is None
    assert _state(calling, mine) == OrderState.REFUSED
    assert _given(calling, client, fleet, other) is not None


def test_an_order_is_not_given_to_a_new_key_a_private_device_or_after_its_time(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device
) -> None:
    order_id = _released(calling, engine, client, device)
    with calling(write=False) as call:
        ends = call.session.get_one(Order, order_id).expires_at
    assert _given(calling, client, fleet, device, ends) is None
    assert _state(calling, order_id) == OrderState.RELEASED

    with calling() as call:
        call.session.get_one(Device, device.id).ownership = "private"
    assert _given(calling, client, fleet, device) is None
    assert _state(calling, order_id) == OrderState.REFUSED

    with calling() as call:
        second = fleet.add(call)
    renewed = _released(calling, engine, client, second)
    fleet.keys[second.uid] = "0" * 64
    assert _given(calling, client, fleet, second) is None
    assert _state(calling, renewed) == OrderState.REFUSED


def test_a_signature_that_is_not_the_signers_is_not_stored(
    calling: Calling, engine: Engine, client: DeskClient, device: Device
) -> None:
    order_id = _approved(calling, device)
    with pytest.raises(DeniedError) as refused, calling() as call:
        delivery.take_release(call, order_id, "A" * 86 + "==", order_key=client.ca().order_key)

    assert refused.value.code == "order_signature"
    assert _state(calling, order_id) == OrderState.APPROVED


def test_another_device_cannot_answer_and_nothing_is_answered_twice(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device
) -> None:
    with calling() as call:
        other = fleet.add(call)
    order_id = _released(calling, engine, client, device)

    with calling(speaking(device)) as call:
        assert delivery.take_answer(call, device.id, {"id": order_id, "state": "done"})
    assert _state(calling, order_id) == OrderState.RELEASED
    _given(calling, client, fleet, device)
    with calling(speaking(other)) as call:
        assert not delivery.take_answer(call, other.id, {"id": order_id, "state": "done"})
        assert not delivery.take_answer(call, other.id, {"id": "no such order", "state": "done"})
    assert _state(calling, order_id) == OrderState.FETCHED

    for state in ("failed", "done", "nonsense"):
        with calling(speaking(device)) as call:
            assert delivery.take_answer(call, device.id, {"id": order_id, "state": state})
    assert _state(calling, order_id) == OrderState.FAILED


def test_time_ends_orders_and_a_late_answer_is_still_kept(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device
) -> None:
    with calling() as call:
        waiting, signed = fleet.add(call), fleet.add(call)
    with calling() as call:
        asked = service.request_wipe(call, waiting.uid, WHY).id
    released, fetched = (_released(calling, engine, client, one) for one in (signed, device))
    _given(calling, client, fleet, device)
    later = NOW + timedelta(days=8)

    with calling(now=later) as call:
        assert delivery.expire_due(call) == 3
    with calling(now=later) as call:
        assert delivery.expire_due(call) == 0

    assert [_state(calling, one) for one in (asked, released, fetched)] == ["expired", "expired", "unanswered"]
    assert [_waiting(calling, one) for one in (waiting, signed, device)] == [0, 0, 0]
    with calling(speaking(device), later) as call:
        assert delivery.take_answer(call, device.id, {"id": fetched, "state": "done"})
    assert _state(calling, fetched) == OrderState.DONE


def test_what_a_device_answers_is_cut_to_what_may_be_kept() -> None:
    hostile = {
        "a" * 500: "x" * 9000,
        "deep": {"b": {"c": {"d": 1}}},
        "n": 10**400,
        "list": ["\u202ehi"] * 900,
        "o": b"1",
    }

    kept = delivery.harmless(hostile)

    assert len(json.dumps(kept)) < 3000
    assert kept["list"] == ["hi"] * 64
    assert kept["o"] is None
    assert kept["deep"]["b"]["c"] is None


def test_an_order_that_waited_over_a_renewal_is_given_and_without_that_it_is_refused(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device
) -> None:
    order_id = _released(calling, engine, client, device)
    before, now = fleet.keys[device.uid], "b" * 64

    def asked(former: list[str]) -> Command | None:
        with calling(speaking(device)) as call:
            key = client.ca().order_key
            return delivery.released_for(call, device.id, order_key=key, key_digest=now, former=former)

    given = asked(["c" * 64, before])

    assert given is not None
    assert given["id"] == order_id
    assert asked([]) is None
