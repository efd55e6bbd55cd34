"""The ways an order can go: cooling, stolen, handed in, many at once; who is told, what an approver sees, the receipt."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from agent.crypto import holds
from agent.proof import Facts, check_envelope
from mdm.access.model import Operator
from mdm.core.actor import system
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError, TooLargeError
from mdm.core.permissions import Role
from mdm.inventory.model import Device
from mdm.orders import delivery, mails, queries, receipt_pdf, service
from mdm.orders.model import Lane, Order, OrderState
from mdm.orders.release import release
from mdm.outbox.model import OutboxMessage
from mdm.people.model import Person as Holder
from tests.conftest import NOW, Calling
from tests.orders.conftest import (
    ADA,
    ADAS,
    BOS,
    EVAS,
    MIA,
    PEOPLE,
    DeskClient,
    Fleet,
    at_place,
    sign,
    speaking,
)

WHY = "Stolen from the van on Tuesday."


@pytest.fixture
def slow(tmp_path: Path, moment: list[datetime]) -> DeskClient:
    """A signer that lets ordinary orders cool for fifteen minutes."""
    made = DeskClient(tmp_path / "slow", lambda: moment[0], cooling=timedelta(minutes=15))
    made.found(PEOPLE)
    return made


def _order(calling: Calling, number: str) -> Order:
    with calling(write=False) as call:
        return call.session.get_one(Order, number)


def test_an_approved_order_cools_until_the_signer_says_and_is_released_then(
    calling: Calling, engine: Engine, slow: DeskClient, fleet: Fleet, moment: list[datetime]
) -> None:
    fleet.client = slow
    with calling() as call:
        device = fleet.add(call)
    with calling() as call:
        number = service.request_wipe(call, device.uid, WHY).id
    sign(calling, number, ADAS, EVAS)

    assert release(engine, slow, number, clock=lambda: moment[0]) is OrderState.COOLING
    cooling = _order(calling, number)
    assert (cooling.cools_until, cooling.held_why) == (NOW + timedelta(minutes=15), "")
    moment[0] = NOW + timedelta(minutes=14, seconds=59)
    assert release(engine, slow, number, clock=lambda: moment[0]) is OrderState.COOLING

    moment[0] = NOW + timedelta(minutes=15)
    assert release(engine, slow, number, clock=lambda: moment[0]) is OrderState.RELEASED
    assert _order(calling, number).cools_until is None


def test_what_is_taken_back_at_the_last_second_of_cooling_is_never_signed(
    calling: Calling, engine: Engine, slow: DeskClient, fleet: Fleet, moment: list[datetime]
) -> None:
    fleet.client = slow
    with calling() as call:
        device = fleet.add(call)
    with calling() as call:
        number = service.request_wipe(call, device.uid, WHY).id
    sign(calling, number, ADAS, EVAS)
    release(engine, slow, number, clock=lambda: moment[0])
    moment[0] = NOW + timedelta(minutes=15)

    with calling(ADA, moment[0]) as call:
        service.cancel(call, number, "found")
    assert release(engine, slow, number, clock=lambda: moment[0]) is None
    slow.void_order(number)
    with calling(write=False) as call:
        order = call.session.get_one(Order, number)
        proofs = [one.proof for one in queries.approvals(call, number) if one.proof]
    with pytest.raises(DeniedError) as refused:
        slow.sign_order(order.canonical, proofs=proofs, ownership="city")
    assert refused.value.code == "order_void"


def test_only_what_was_reported_goes_without_cooling(
    calling: Calling, engine: Engine, slow: DeskClient, fleet: Fleet, moment: list[datetime]
) -> None:
    fleet.client = slow
    with calling() as call:
        mine, lost = fleet.add(call), fleet.add(call, state="lost")
    with pytest.raises(InvalidError) as refused, calling() as call:
        service.request_wipe(call, mine.uid, WHY, lane=Lane.STOLEN)
    assert refused.value.code == "not_reported"

    with calling() as call:
        told = service.request_wipe(call, mine.uid, WHY, lane=Lane.STOLEN, report="PV 12/2026")
        known = service.request_wipe(call, lost.uid, WHY, lane=Lane.STOLEN)
    assert told.reason == f"{WHY} (PV 12/2026)"
    for one in (told, known):
        sign(calling, one.id, ADAS, EVAS)
        assert release(engine, slow, one.id, clock=lambda: moment[0]) is OrderState.RELEASED


def test_at_the_counter_the_device_itself_approves_by_its_code(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device
) -> None:
    clerk = at_place(Role.DESK_CLERK, fleet.places["werkhaven"])
    elsewhere = at_place(Role.DESK_CLERK, fleet.places["nova"])
    for wrong in ("", "1234567", "123456789", "abcdefgh", "１２３４５６７８"):
        with pytest.raises(InvalidError), calling(clerk) as call:
            service.request_wipe(call, device.uid, "Returned.", lane=Lane.HAND_IN, presence=wrong)
    with pytest.raises(NotFoundError), calling(elsewhere) as call:
        service.request_wipe(call, device.uid, "Returned.", lane=Lane.HAND_IN, presence="12345678")
    with pytest.raises(DeniedError), calling(clerk) as call:
        service.request_wipe(call, device.uid, "Returned.")

    with calling(clerk) as call:
        order = service.request_wipe(call, device.uid, "Returned.", lane=Lane.HAND_IN, presence="1234 5678")
    assert (order.state, order.approvals_needed, order.presence) == ("approved", 0, "12345678")
    assert release(engine, client, order.id, clock=lambda: NOW) is OrderState.RELEASED
    key = client.ca().order_key
    with calling(speaking(device)) as call:
        command = delivery.released_for(call, device.id, order_key=key, key_digest=fleet.keys[device.uid])
    assert command is not None
    facts = Facts(device.uid, fleet.keys[device.uid], key, int(NOW.timestamp()), presence=frozenset({"12345678"}))
    assert check_envelope(command["args"], facts, None, holds).approvers == ()


def test_five_devices_are_one_request_with_one_signature_each(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet
) -> None:
    with calling() as call:
        devices = [fleet.add(call) for _ in range(2)]
        private = fleet.add(call, ownership="private")
    with calling() as call:
        batch = service.request_wipes(call, [one.uid for one in (*devices, private)], WHY)
    assert (batch.lane, [one["why"] for one in batch.left_out]) == ("ordinary", ["device_private"])
    assert private.uid not in batch.canonical

    assert sign(calling, batch.id, ADAS, EVAS) == 0
    with calling(write=False) as call:
        numbers = [one.id for one in queries.batch(call, batch.id)[1]]
        found = queries.dossier(call, numbers[0])
        assert (found.id, found.places, found.lacking) == (batch.id, (("WERKHAVEN", 2),), 0)
        assert [one["label"] for one in found.private] == [private.label]
    for number in numbers:
        assert release(engine, client, number, clock=lambda: NOW) is OrderState.RELEASED
    key = client.ca().order_key
    for device in devices:
        with calling(speaking(device)) as call:
            command = delivery.released_for(call, device.id, order_key=key, key_digest=fleet.keys[device.uid])
        assert command is not None
        assert command["args"]["batch"] == batch.canonical


def test_six_devices_are_a_mass_order_with_a_ceremony_and_a_day_of_cooling(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, moment: list[datetime]
) -> None:
    with calling() as call:
        devices = [fleet.add(call) for _ in range(6)]
    with calling() as call:
        batch = service.request_wipes(call, [one.uid for one in devices], WHY)
    assert batch.lane == "mass"

    assert sign(calling, batch.id, ADAS, EVAS) == 1
    assert sign(calling, batch.id, BOS) == 0
    with calling(write=False) as call:
        first = queries.batch(call, batch.id)[1][0].id
    assert release(engine, client, first, clock=lambda: moment[0]) is OrderState.COOLING
    assert _order(calling, first).cools_until == NOW + timedelta(hours=24)
    with calling() as call:
        service.cancel(call, batch.id, "No.")
    with calling(write=False) as call:
        assert {one.state for one in queries.batch(call, batch.id)[1]} == {"cancelled"}


def test_a_request_for_many_is_bounded_and_says_when_nothing_is_left(calling: Calling, fleet: Fleet) -> None:
    with calling() as call:
        private = fleet.add(call, ownership="private")
    with pytest.raises(ConflictError) as refused, calling() as call:
        service.request_wipes(call, [private.uid], WHY)
    assert refused.value.code == "nothing_left"
    with pytest.raises(TooLargeError), calling() as call:
        service.request_wipes(call, [f"{number:032x}" for number in range(1001)], WHY)
    with pytest.raises(InvalidError), calling() as call:
        service.request_wipes(call, [], WHY)


def _letters(calling: Calling) -> list[dict[str, str]]:
    """Has the worker's part done, and gives the letters so far."""
    with calling(system("worker")) as call:
        for message in call.session.scalars(select(OutboxMessage).where(OutboxMessage.done_at.is_(None))):
            if message.topic == "order.told":
                mails.told(call, message.payload)
                message.done_at = NOW
    with calling(write=False) as call:
        query = select(OutboxMessage.payload).where(OutboxMessage.topic == "mail").order_by(OutboxMessage.id)
        return list(call.session.scalars(query))


def test_requester_approvers_and_holder_are_told_and_the_holder_can_stop_it_once(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet
) -> None:
    with calling() as call:
        for number, name in ((1, "mo"), (2, "ada"), (3, "eva")):
            call.session.add(Operator(id=number, email=f"{name}@example.org", name=name, language="en", created_at=NOW))
        zoe = Holder(name="Zoë Öztürk", email="zoe@example.org", language="fr", created_at=NOW)
        call.session.add(zoe)
        call.session.flush()
        device = fleet.add(call, person_id=zoe.id)
    with calling() as call:
        number = service.request_wipe(call, device.uid, WHY).id

    told = _letters(calling)
    assert sorted(one["to"] for one in told) == [f"{who}@example.org" for who in ("ada", "eva", "mo", "zoe")]
    assert not any("Öztürk" in json.dumps(one, ensure_ascii=False) or WHY in one["text"] for one in told)
    (mine,) = (one for one in told if one["to"] == "zoe@example.org")
    assert "effacer" in mine["text"]
    secret = mine["text"].split("/pause/")[1].split()[0]

    with calling(system("visitor")) as call:
        assert service.paused_order(call, secret).id == number
        assert service.pause(call, secret).state == "paused"
    with pytest.raises(NotFoundError), calling(system("visitor")) as call:
        service.pause(call, secret)
    with pytest.raises(ConflictError) as refused:
        sign(calling, number, ADAS)
    assert refused.value.code == "order_paused"
    assert any(one["to"] == "ada@example.org" and "stopped" in one["text"] for one in _letters(calling))

    for nobody in (system("worker"), at_place(Role.DESK_CLERK, fleet.places["werkhaven"])):
        with pytest.raises(DeniedError), calling(nobody) as call:
            service.lift(call, number)
    with calling(ADA) as call:
        assert service.lift(call, number).state == "requested"
    assert sign(calling, number, ADAS, EVAS) == 0


def test_a_pause_stops_a_signed_order_and_lifting_it_gives_the_same_signature(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device
) -> None:
    with calling() as call:
        number = service.request_wipe(call, device.uid, WHY).id
    sign(calling, number, ADAS, EVAS)
    release(engine, client, number, clock=lambda: NOW)
    with calling() as call:
        from mdm.core.ids import secret_digest

        call.session.get_one(Order, number).pause_digest = secret_digest("stop")
    with calling(system("visitor")) as call:
        service.pause(call, "stop")
    key = client.ca().order_key

    def given() -> object:
        with calling(speaking(device)) as call:
            return delivery.released_for(call, device.id, order_key=key, key_digest=fleet.keys[device.uid])

    assert given() is None
    with calling(ADA) as call:
        assert service.lift(call, number).state == "approved"
    assert release(engine, client, number, clock=lambda: NOW) is OrderState.RELEASED
    assert given() is not None
    assert client.health().orders_in_24_hours == 1


def test_the_approver_sees_what_the_requester_has_been_doing(calling: Calling, device: Device, fleet: Fleet) -> None:
    with calling() as call:
        number = service.request_wipe(call, device.uid, WHY).id
    with calling(ADA, write=False) as call:
        found = queries.dossier(call, number)
    assert dict(found.requester_acts)["order.requested"] == 1
    assert [line.action for line in found.requester_lines if line.subject_id == number] == ["order.requested"]
    assert (found.asked_today, found.why_not, found.may_approve, found.lacking) == (1, "", True, 2)
    with calling(write=False) as call:
        assert queries.dossier(call, number).why_not == "own_order"


def test_the_receipt_is_a_pdf_also_for_long_and_foreign_names_and_without_a_font(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet
) -> None:
    with calling() as call:
        device = fleet.add(call)
        device.name = "Ἀθηνᾶ Жужелица 東京 " + "x" * 200
    with calling() as call:
        number = service.request_wipe(call, device.uid, "ﷺ " * 100 + "é").id
    sign(calling, number, ADAS, MIA)
    release(engine, client, number, clock=lambda: NOW)

    with calling(write=False) as call:
        receipt = queries.receipt(call, number)
        for fonts in (receipt_pdf.FONTS, ()):
            made = receipt_pdf.pdf(receipt, fonts=fonts)
            assert made.startswith(b"%PDF-")
            assert len(made) < 400_000
        assert call.session.scalar(select(func.count()).select_from(Order)) == 1
