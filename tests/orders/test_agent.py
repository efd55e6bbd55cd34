"""Two houses, one page: what the server signs is what the agent proves, and nothing else passes there."""

import base64
from datetime import datetime

import pytest
from sqlalchemy import Engine

from agent import orders as verifier
from agent.crypto import verify
from mdm.inventory.model import Device
from mdm.orders import delivery, service
from mdm.orders.release import release
from tests.conftest import NOW, Calling
from tests.orders.conftest import ADA, DeskClient, Fleet, speaking

Carried = tuple[bytes, str, str]
"""Text, signature and public key."""


@pytest.fixture
def carried(calling: Calling, engine: Engine, client: DeskClient, fleet: Fleet, device: Device) -> Carried:
    """A signed order, as the agent gets it."""
    with calling() as call:
        order_id = service.request_wipe(call, device.uid, "Gestolen uit de wagen: «é» 🚐").id
    with calling(ADA) as call:
        service.approve(call, order_id)
    release(engine, client, order_id, clock=lambda: NOW)
    key = client.ca().order_key
    with calling(speaking(device)) as call:
        command = delivery.released_for(call, device.id, order_key=key, key_digest=fleet.keys[device.uid])
    assert command is not None
    return command["args"]["order"].encode(), command["args"]["signature"], key


def _facts(device: Device, fleet: Fleet, now: datetime = NOW, done: frozenset[str] = frozenset()) -> verifier.Facts:
    return verifier.Facts(device.uid, fleet.keys[device.uid], int(now.timestamp()), done)


def _signed(text: bytes, signature: str, key: str) -> bool:
    return bool(verify(key, signature, base64.b64encode(verifier.signed(text)).decode())["valid"])


def test_the_agent_accepts_what_the_server_signed_once(carried: Carried, device: Device, fleet: Fleet) -> None:
    text, signature, key = carried
    order = verifier.parse(text)

    verifier.check(order, _facts(device, fleet))
    assert _signed(text, signature, key)
    with pytest.raises(verifier.OrderRefusedError) as refused:
        verifier.check(order, _facts(device, fleet, done=frozenset({order["id"]})))
    assert refused.value.rule == "replay"


def test_another_device_another_enrollment_and_another_time_are_refused(
    carried: Carried, device: Device, fleet: Fleet
) -> None:
    order = verifier.parse(carried[0])
    facts = _facts(device, fleet)
    late = int(order["not_after"]) + verifier.TOLERANCE + 1

    for wrong, rule in (
        (facts._replace(device="0" * 32), "device"),
        (facts._replace(public_key="0" * 64), "enrollment"),
        (facts._replace(now=late), "window"),
        (facts._replace(now=int(order["not_before"]) - verifier.TOLERANCE - 1), "window"),
    ):
        with pytest.raises(verifier.OrderRefusedError) as refused:
            verifier.check(order, wrong)
        assert refused.value.rule == rule


def test_no_flipped_bit_passes_the_agent(carried: Carried, device: Device, fleet: Fleet) -> None:
    text, signature, key = carried
    facts, accepted = _facts(device, fleet), 0
    for position in range(len(text) * 8):
        flipped = bytearray(text)
        flipped[position // 8] ^= 1 << position % 8
        try:
            verifier.check(verifier.parse(bytes(flipped)), facts)
        except verifier.OrderRefusedError:
            continue
        accepted += _signed(bytes(flipped), signature, key)

    assert accepted == 0
