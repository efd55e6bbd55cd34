"""Two houses, one page: what the server gives is what the agent proves, and nothing else passes there."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from agent.crypto import holds
from agent.proof import Facts, RefusedError, check_envelope
from agent.wire import canonical
from mdm.inventory.model import Device
from mdm.orders import delivery, service
from mdm.orders.model import OrderState
from mdm.orders.release import release
from tests.conftest import NOW, Calling
from tests.orders.conftest import ADAS, EVAS, DeskClient, Fleet, sign, speaking

Carried = tuple[dict[str, Any], str]
"""Envelope and public key."""


@pytest.fixture
def carried(calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device) -> Carried:
    """A signed order, as the agent gets it."""
    with calling() as call:
        order_id = service.request_wipe(call, device.uid, "Gestolen uit de wagen: «é» 🚐").id
    sign(calling, order_id, ADAS, EVAS)
    assert release(engine, client, order_id, clock=lambda: NOW) is OrderState.RELEASED
    key = client.ca().order_key
    with calling(speaking(device)) as call:
        command = delivery.released_for(call, device.id, order_key=key, key_digest=fleet.keys[device.uid])
    assert command is not None
    return command["args"], key


def _facts(device: Device, fleet: Fleet, key: str, now: datetime = NOW, **more: Any) -> Facts:
    return Facts(device.uid, fleet.keys[device.uid], key, int(now.timestamp()), **more)


def test_the_agent_accepts_what_the_server_gives_once(carried: Carried, device: Device, fleet: Fleet) -> None:
    envelope, key = carried

    verdict = check_envelope(envelope, _facts(device, fleet, key), None, holds)

    assert verdict.approvers == ("operator:2", "operator:3")
    with pytest.raises(RefusedError) as refused:
        done = frozenset({verdict.order["id"]})
        check_envelope(envelope, _facts(device, fleet, key, done=done), None, holds)
    assert refused.value.rule == "replay"


def test_another_device_enrollment_epoch_and_time_and_one_approval_less_are_refused(
    carried: Carried, device: Device, fleet: Fleet
) -> None:
    envelope, key = carried
    facts = _facts(device, fleet, key)
    late = NOW + timedelta(hours=73)

    for wrong, rule in (
        (facts._replace(device="0" * 32), "device"),
        (facts._replace(enrollment="0" * 64), "enrollment"),
        (facts._replace(epoch=2), "epoch"),
        (facts._replace(now=int(late.timestamp())), "window"),
        (facts._replace(now=int(NOW.timestamp()) - 301), "window"),
    ):
        with pytest.raises(RefusedError) as refused:
            check_envelope(envelope, wrong, None, holds)
        assert refused.value.rule == rule
    for less in (envelope["approvals"][:1], envelope["approvals"][:1] * 2, []):
        with pytest.raises(RefusedError):
            check_envelope({**envelope, "approvals": less}, facts, None, holds)


def test_no_flipped_bit_of_the_order_or_its_signatures_passes_the_agent(
    carried: Carried, device: Device, fleet: Fleet
) -> None:
    envelope, key = carried
    facts, accepted, tried = _facts(device, fleet, key), 0, 0
    whole = canonical({name: value for name, value in envelope.items() if name != "rosters"})
    for position in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[position // 8] ^= 1 << position % 8
        try:
            read = _read(bytes(flipped))
            check_envelope({**read, "rosters": envelope["rosters"]}, facts, None, holds)
        except (RefusedError, ValueError, TypeError):
            tried += 1
        else:
            accepted += 1

    assert accepted == 0
    assert tried == len(whole) * 8


def _read(raw: bytes) -> dict[str, Any]:
    return dict(json.loads(raw))
