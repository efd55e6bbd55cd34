"""Commands and orders on their way through the gateway, to one device and back."""

import base64
import json
import threading
import time
from dataclasses import replace
from itertools import count

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select, update

from agent.wire import CHECKIN, ORDER_PREFIX, report_digest, short_digest
from mdm.commands import service as commands
from mdm.commands.model import Command, State, Verb
from mdm.core.clock import utcnow
from mdm.inventory.model import Device
from mdm.orders import service as orders
from mdm.orders.model import Order, OrderState, Release
from mdm.orders.release import release
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.conftest import FLEET_ADMIN, alone
from tests.gateway.conftest import Agent, RunningGateway
from tests.orders.ceremony import signed

REQUESTERS = count(100)


def ask(gateway: RunningGateway, agent: Agent, verb: Verb) -> str:
    with transaction(gateway.engine) as session:
        call = Call(FLEET_ADMIN, session, utcnow(), alone())
        commands.send(call, [agent.uid], verb)
        found = session.scalars(
            select(Command).join(Device, Device.id == Command.device_id).where(Device.uid == agent.uid)
        )
        return next(one.id for one in found if one.verb == verb)


def test_a_command_is_given_until_it_is_answered_and_to_nobody_else(gateway: RunningGateway) -> None:
    agent, other = gateway.enrolled(), gateway.enrolled()
    asked = ask(gateway, agent, Verb.REFRESH)

    assert [one["id"] for one in agent.checkin().json["commands"]] == [asked]
    assert [one["id"] for one in agent.checkin().json["commands"]] == [asked]
    assert "commands" not in other.checkin({"results": [{"id": asked, "state": "done"}]}).json
    assert "commands" in agent.checkin().json

    answered = agent.checkin({"results": [{"id": asked, "state": "done", "detail": "fresh\u202e"}]})

    assert "commands" not in answered.json
    with transaction(gateway.engine, write=False) as session:
        kept = session.get_one(Command, asked)
        assert (kept.state, kept.detail) == (State.DONE, "fresh")


def test_whoever_said_not_now_still_hears_the_ring_for_the_next_command(gateway: RunningGateway) -> None:
    agent = gateway.enrolled()
    sections = {"system": {"hostname": "zuil"}}
    digests = {"system": short_digest(sections["system"])}
    first = ask(gateway, agent, Verb.RESTART)
    agent.checkin()
    agent.checkin(
        {
            "report": {"id": "report-1", "at": "2026-11-21T20:00:00Z", "sections": sections, "digests": digests},
            "results": [{"id": first, "state": "busy"}],
        }
    )
    out: list[list[str]] = []

    def poll() -> None:
        reply = agent.checkin(r=report_digest(digests), w=25)
        out.append([one["verb"] for one in reply.json["commands"]])

    thread = threading.Thread(target=poll)
    thread.start()
    time.sleep(1)
    begun = time.monotonic()
    ask(gateway, agent, Verb.LOCK)
    thread.join(30)

    assert out == [["lock"]]
    assert time.monotonic() - begun < 10


def wipe(gateway: RunningGateway, agent: Agent) -> str:
    """The id of a wipe that was asked for, approved and signed."""
    # Somebody else asks each time: the signer's budget holds over all tests that share it.
    requester = replace(FLEET_ADMIN, id=next(REQUESTERS))
    with transaction(gateway.engine) as session:
        asked = orders.request_wipe(Call(requester, session, utcnow()), agent.uid, "Stolen from the van.").id
    assert signed(gateway.engine, asked, gateway.people[:2]) == 0
    assert release(gateway.engine, gateway.signer.client, asked) is OrderState.RELEASED
    return asked


def test_a_wipe_reaches_its_device_signed_and_its_receipt_comes_back(gateway: RunningGateway) -> None:
    agent, other = gateway.enrolled(), gateway.enrolled()
    asked = wipe(gateway, agent)

    assert "commands" not in other.checkin().json
    (given,) = agent.checkin().json["commands"]
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(gateway.signer.client.ca().order_key))
    key.verify(base64.b64decode(given["args"]["signature"]), ORDER_PREFIX + given["args"]["order"].encode())
    assert (given["id"], given["verb"], json.loads(given["args"]["order"])["device"]) == (asked, "wipe", agent.uid)
    assert [one["person"] for one in given["args"]["approvals"]] == [one.person for one in gateway.people[:2]]

    receipt = {"id": asked, "state": "done", "detail": "keys destroyed", "data": {"luks": "erased"}}
    for _ in range(2):
        assert "commands" not in agent.checkin({"results": [receipt]}).json

    with transaction(gateway.engine, write=False) as session:
        kept = session.get_one(Order, asked)
        assert kept.state == OrderState.DONE
        assert kept.answer is not None


def test_an_order_whose_text_was_changed_in_the_database_is_never_given(gateway: RunningGateway) -> None:
    agent = gateway.enrolled()
    asked = wipe(gateway, agent)
    with transaction(gateway.engine) as session:
        text = session.scalars(select(Release.canonical).where(Release.order_id == asked)).one()
        session.execute(
            update(Release).where(Release.order_id == asked).values(canonical=text.replace("Stolen", "Sto1en"))
        )

    assert "commands" not in agent.checkin().json
    with transaction(gateway.engine, write=False) as session:
        assert session.get_one(Order, asked).state == OrderState.REFUSED


def test_too_many_results_are_refused_in_one_sentence(gateway: RunningGateway) -> None:
    agent = gateway.enrolled()
    results = [{"id": str(number), "state": "done"} for number in range(101)]

    reply = agent.send("POST", CHECKIN, json.dumps({"results": results}).encode())

    assert (reply.status, reply.json["code"]) == (422, "invalid")
