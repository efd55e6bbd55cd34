"""The red button: everything stops at once, and only the roster's people let it go on."""

import json

import pytest
from sqlalchemy import Engine, select

from mdm.core.errors import ConflictError, DeniedError
from mdm.core.permissions import Role
from mdm.inventory.model import Device
from mdm.orders import delivery, kernel, mirror, service
from mdm.orders.model import OrderState
from mdm.orders.release import release
from mdm.outbox.model import OutboxMessage
from tests.conftest import NOW, Calling
from tests.orders.conftest import ADA, ADAS, BOS, EVAS, DeskClient, Fleet, at_place, person, sign, speaking


def _tells(calling: Calling, client: DeskClient) -> None:
    """What the worker does with the button."""
    with calling() as call:
        for message in call.session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "kernel.freeze")):
            mirror.take_freeze(call, client.freeze(who=message.payload["who"], why=message.payload["why"]).number)
            call.session.delete(message)


def test_one_press_stops_what_was_signed_and_what_would_be_and_two_people_end_it(
    calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device
) -> None:
    with calling() as call:
        other = fleet.add(call)
    with calling() as call:
        signed = service.request_wipe(call, device.uid, "Stolen.").id
        waits = service.request_wipe(call, other.uid, "Stolen.").id
    for number in (signed, waits):
        sign(calling, number, ADAS, EVAS)
    assert release(engine, client, signed, clock=lambda: NOW) is OrderState.RELEASED
    key = client.ca().order_key

    def given() -> object:
        with calling(speaking(device)) as call:
            return delivery.released_for(call, device.id, order_key=key, key_digest=fleet.keys[device.uid])

    with pytest.raises(DeniedError), calling(at_place(Role.DESK_CLERK, fleet.places["nova"])) as call:
        service.freeze(call, "no")
    with calling(at_place(Role.APPROVER, fleet.places["nova"])) as call:
        service.freeze(call, "Somebody wipes the fleet.")
    # From that transaction on, before the signer has heard of it.
    assert given() is None
    with pytest.raises(ConflictError) as unconfirmed, calling(ADA) as call:
        service.begin_thaw(call)
    assert unconfirmed.value.code == "freeze_unknown"
    with calling() as call:
        mirror.take_health(call, client.health())
        assert kernel.state(call.session).frozen_at == NOW
    _tells(calling, client)
    assert release(engine, client, waits, clock=lambda: NOW) is OrderState.HELD

    with calling(ADA) as call:
        text = service.begin_thaw(call)
        assert service.take_thaw_proof(call, ADAS.proof(text)) == 1
    for wrong, code in ((ADAS, "decided"), (person(77, "Stranger"), "person")):
        with pytest.raises((ConflictError, DeniedError)) as refused, calling(ADA) as call:
            service.take_thaw_proof(call, wrong.proof(text))
        assert refused.value.code == code
    with pytest.raises(DeniedError):
        client.thaw(statement=text, proofs=[ADAS.proof(text)])
    with calling(ADA) as call:
        assert service.take_thaw_proof(call, BOS.proof(text)) == 0
    with calling() as call:
        proofs = mirror.thaw_proofs(call, text)
        client.thaw(statement=text, proofs=proofs)
        service.thawed(call, json.loads(text)["freeze"])
        assert kernel.state(call.session).frozen_at is None

    assert given() is not None
    assert release(engine, client, waits, clock=lambda: NOW) is OrderState.RELEASED


def test_a_freeze_or_a_thaw_at_the_signer_alone_is_known_here_too(
    calling: Calling, client: DeskClient, fleet: Fleet
) -> None:
    client.freeze(who="command_line:root", why="")
    with calling() as call:
        assert mirror.is_news(call, client.health())
        mirror.take_health(call, client.health())
        row = kernel.state(call.session)
        assert (row.frozen_at, row.frozen_by) == (NOW, "signer")
    with calling(ADA) as call:
        text = service.begin_thaw(call)
    client.thaw(statement=text, proofs=[one.proof(text) for one in (ADAS, EVAS)])
    with calling() as call:
        mirror.take_health(call, client.health())
        assert kernel.state(call.session).frozen_at is None
        assert not mirror.is_news(call, client.health())
