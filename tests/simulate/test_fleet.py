"""A simulated fleet against the real gateway: what it says arrives, and its figures are the server's."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from cryptography.x509 import load_pem_x509_csr
from sqlalchemy import func, select, update

from agent.crypto import inspect
from agent.proof import write_pin
from mdm.commands import service as commands
from mdm.commands.model import Command, State, Verb
from mdm.core.clock import utcnow
from mdm.enrollment.links import Links
from mdm.inventory.model import AppSet, Device
from mdm.policies.model import Cohort
from mdm.simulate.figures import Figures
from mdm.simulate.fleet import Fleet, Plan
from mdm.simulate.identities import Identity, Register, new_key
from mdm.simulate.invitations import invite
from mdm.simulate.machine import Machine
from mdm.simulate.trust import Trust
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.conftest import FLEET_ADMIN
from tests.gateway.conftest import RunningGateway
from tests.sim.approvers import Council, uid
from tests.sim.gateway import Authority

NUMBERS = [0, 1, 2, 49]
"""The last one has a name that no honest machine has."""


class Enough(Exception):  # noqa: N818 -- nothing is wrong when it is raised
    """The server knows what the test waits for: a slow machine takes longer, and a quick one does not wait."""


def fleet_for(gateway: RunningGateway, seconds: float = 3) -> Fleet:
    authority = gateway.signer.client.ca()
    plan = Plan(f"https://localhost:{gateway.port}", authority.certificate, seconds, every=0.2)
    return Fleet(plan, Register(gateway.home, authority.fingerprint), Figures())


def enrolled(gateway: RunningGateway, fleet: Fleet) -> list[Identity]:
    gateway.invite()
    links = Links("http://console", fleet.plan.gateway, fleet.register.ca, 24)
    tokens = invite(gateway.engine, links, NUMBERS, lambda _count: None)
    return list(fleet.enroll(tokens, lambda: None).values())


def test_devices_enrol_report_apply_and_answer(own_gateway: RunningGateway) -> None:
    fleet = fleet_for(own_gateway, 120)
    identities = enrolled(own_gateway, fleet)
    assert len(identities) == len(NUMBERS)
    with transaction(own_gateway.engine) as session:
        cohort = Cohort(
            key="k",
            platform="linux",
            assignments=[],
            desired_digest="a" * 16,
            desired={"resources": [{"id": "motd", "kind": "file", "keys": []}]},
        )
        session.add(cohort)
        session.flush()
        session.execute(update(Device).values(cohort_id=cohort.id))
        commands.send(Call(FLEET_ADMIN, session, utcnow()), [one.device for one in identities], Verb.DIAGNOSTICS)

    def look() -> None:
        with transaction(own_gateway.engine, write=False) as session:
            told = set(session.scalars(select(Device.applied_digest))) == {"a" * 16}
            if told and set(session.scalars(select(Command.state))) <= {State.DONE, State.REFUSED}:
                raise Enough

    with pytest.raises(Enough):
        fleet.run(identities, look)

    assert fleet.figures.errors == {}
    assert fleet.figures.applied == len(NUMBERS)
    with transaction(own_gateway.engine, write=False) as session:
        assert set(session.scalars(select(Device.applied_digest))) == {"a" * 16}
        assert session.scalar(select(func.count()).select_from(AppSet)) >= 3
        assert set(session.scalars(select(Command.state))) <= {State.DONE, State.REFUSED}
        assert not any("\x1b" in name or "\u202e" in name for name in session.scalars(select(Device.name)))


def test_a_device_that_is_no_longer_let_in_is_struck_out(own_gateway: RunningGateway) -> None:
    fleet = fleet_for(own_gateway, 2)
    identities = enrolled(own_gateway, fleet)
    with transaction(own_gateway.engine) as session:
        session.execute(update(Device).where(Device.uid == identities[0].device).values(state="retired"))

    fleet.run(identities, lambda: None)

    assert fleet.figures.errors == {"certificate_refused": 1}
    assert set(fleet.register.read()) == {one.number for one in identities[1:]}


def test_the_command_enrols_once_and_finds_its_devices_again(own_gateway: RunningGateway) -> None:
    own_gateway.invite()
    environment = {
        **os.environ,
        "HAVENMEESTER_HOME": str(own_gateway.home),
        "HAVENMEESTER_DATABASE_URL": own_gateway.url,
        "HAVENMEESTER_GATEWAY_PORT": str(own_gateway.port),
    }
    argv = ["simulate", "--devices", "3", "--minutes", "0.04", "--every", "0.2", "--json"]
    answers = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "mdm.cli.main", *argv], env=environment, capture_output=True, check=True
        )
        answers.append(json.loads(done.stdout))

    assert [answer["enrolled"] for answer in answers] == [3, 0]
    assert answers[1]["checkins"] > 3
    assert answers[1]["errors"] == {}


def test_a_machine_tells_only_what_the_server_does_not_know() -> None:
    machine = Machine(7)
    first = machine.to_say()
    assert first is not None
    machine.acknowledged()

    assert machine.to_say() is None
    machine.take({"want": ["disks"]})
    again = machine.to_say()

    assert again is not None
    assert set(again["report"]["sections"]) == {"disks"}
    assert set(again["report"]["digests"]) == set(first["report"]["digests"])


def test_a_command_that_comes_twice_is_done_once() -> None:
    machine = Machine(7)
    command = {"id": "c1", "verb": "lock", "args": {}, "expires": ""}
    machine.take({"commands": [command, command]})  # type: ignore[list-item]
    machine.to_say()
    machine.acknowledged()
    machine.take({"commands": [command]})  # type: ignore[list-item]

    assert [answer["id"] for answer in machine.answers] == ["c1"]
    assert len(machine.done) == 1


def _simulated(council: Council, device: str, *, founded: bool = True) -> tuple[Machine, str]:
    private, csr = new_key()
    pin = write_pin(council.order_key, council.pin if founded else None)
    chain = Authority().certify(load_pem_x509_csr(csr.encode()), device, timedelta(days=1), pin)
    return Machine(7, Trust(device, private + chain)), str(inspect(private + chain)["public_key"])


def _told(machine: Machine, verb: str, args: object) -> Any:
    command = {"id": uid(), "verb": verb, "args": args, "expires": ""}
    machine.take({"commands": [command]})  # type: ignore[list-item]
    return machine.done[command["id"]]


@pytest.mark.parametrize("founded", [True, False])
def test_a_simulated_device_obeys_only_what_two_approvers_of_its_roster_signed(founded: bool) -> None:
    council, device = Council(), uid()
    machine, key = _simulated(council, device, founded=founded)
    order = council.order(device, key)
    stranger = Council(key=council.signer)
    bad = {
        "approvals": council.envelope(order, council.people[:1]),
        "roster_fork": stranger.envelope(order),
        "device": council.envelope({**order, "device": uid()}),
        "enrollment": council.envelope({**order, "enrollment": "ab" * 32}),
        "signature": council.envelope(order, signer=Council().signer),
        "presence": council.envelope({**order, "lane": "hand_in", "presence": "12345678"}, []),
    }
    for rule, envelope in bad.items():
        answer = _told(machine, "wipe", envelope)
        assert (answer["state"], answer["data"]) == ("refused", {"rule": rule})
    assert not machine.wiped
    council.change(council.people, council.people[:2])
    assert _told(machine, "roster", {"rosters": council.rosters})["data"] == {"version": 2}
    assert machine._sections["agent"]["roster"] == 2
    good = council.envelope(order, rosters=[])
    assert _told(machine, "wipe", good)["state"] == "done"
    assert machine.wiped
    assert _told(machine, "wipe", good)["data"] == {"rule": "replay"}


def test_a_simulated_device_that_has_not_enrolled_obeys_nobody() -> None:
    council = Council()
    machine = Machine(7)
    assert _told(machine, "wipe", council.envelope(council.order(uid(), "ab" * 32)))["state"] == "refused"
    assert not machine.wiped
