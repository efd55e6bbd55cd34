"""kill -9 of every process at random under load, forty times: no acknowledged report is lost, no order is repeated."""

import base64
import http.client
import json
import os
import random
import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Engine, func, select

from agent.wire import ORDER_PREFIX, report_digest, short_digest
from mdm.cli import install, services, supervisor
from mdm.cli.supervisor import Supervisor
from mdm.cli.work import work
from mdm.commands import service as commands
from mdm.commands.model import Command, Verb
from mdm.core.clock import utcnow
from mdm.enrollment import service as enrollment
from mdm.enrollment.links import Links
from mdm.inventory.model import Device, FactSection
from mdm.orders import service as orders
from mdm.orders.model import Order, Release
from mdm.org.model import ServicePoint
from mdm.outbox.model import OutboxMessage
from mdm.settings import Settings, load
from mdm.signer import keys
from mdm.signing.client import SignerClient
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import FLEET_ADMIN, alone, free_port
from tests.gateway.conftest import Agent
from tests.orders.ceremony import council, found, mirrored, signed
from tests.sim.approvers import Person

KILLS = 40
DEVICES = 6
ORDERS = 3
COMMANDS = 4


@dataclass
class House:
    """Signer, worker and gateway of one home under the supervisor, and what its tests ask of it."""

    settings: Settings
    engine: Engine
    watched: Supervisor
    told: list[str] = field(default_factory=list)
    people: list[Person] = field(default_factory=council)

    @property
    def port(self) -> int:
        return self.settings.gateway_port

    @property
    def home(self) -> Path:
        return self.settings.home

    @property
    def signer(self) -> "House":
        return self

    def token(self, number: int) -> str:
        with transaction(self.engine) as session:
            call = Call(FLEET_ADMIN, session, utcnow(), alone())
            links = Links("http://console", "https://gateway", "0" * 64, 168)
            _, url = enrollment.invite(
                call, links, email=f"d{number}@stad.example", platform="linux", service_point_code="WERKHAVEN"
            )
        return url.split("/e/")[1].split("#")[0]

    def pids(self) -> list[int]:
        """Every process that can be killed now: the services, and the workers that the gateway has forked."""
        found = [child.process.pid for child in self.watched.children if child.process is not None]
        for pid in list(found):
            try:
                found += [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
            except OSError:
                continue
        return found


@dataclass
class Busy:
    """A device that reports again and again, and answers what it is asked: what was acknowledged, what it did."""

    agent: Agent
    order_key: Ed25519PublicKey
    number: int = 0
    acknowledged: int = 0
    done: Counter[str] = field(default_factory=Counter)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    repeated: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def live(self) -> None:
        while not self.stop.is_set():
            self.number += 1
            section = {"hostname": f"h{self.number}"}
            digests = {"system": short_digest(section)}
            report = {
                "id": str(uuid.uuid4()),
                "at": "2026-11-23T09:00:00Z",
                "sections": {"system": section},
                "digests": digests,
            }
            while not self.stop.is_set() and not self._say(report, report_digest(digests)):
                time.sleep(0.05)
            time.sleep(0.05)

    def _say(self, report: dict[str, Any], digest: str) -> bool:
        sent = dict(self.answers)
        try:
            reply = self.agent.checkin({"report": report, "results": list(sent.values())}, r=digest)
        except (OSError, http.client.HTTPException):
            return False
        if reply.status not in (200, 204):
            return False
        self.acknowledged = self.number
        for identity in sent:
            self.settled.add(identity)
            del self.answers[identity]
        for command in reply.json.get("commands", []) if reply.body else []:
            self._carry_out(command)
        return True

    def _carry_out(self, command: dict[str, Any]) -> None:
        identity = command["id"]
        if identity in self.settled:
            self.repeated.append(identity)
        if command["verb"] == "wipe":
            self.order_key.verify(
                base64.b64decode(command["args"]["signature"]), ORDER_PREFIX + command["args"]["order"].encode()
            )
        # A device's journal makes twice like once; the answer may have been lost, so it is given again.
        if not self.done[identity]:
            self.done[identity] += 1
        self.answers[identity] = {"id": identity, "state": "done"}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path))
    monkeypatch.setenv("HAVENMEESTER_GATEWAY_PORT", str(free_port()))
    monkeypatch.setenv("HAVENMEESTER_ORDER_COOLING_MINUTES", "0")
    monkeypatch.setattr(supervisor, "BACK_OFF", (0.05,))
    settings = load()
    install.install(settings, print)
    (tmp_path / "run" / "figures").mkdir()
    with work(settings=settings) as call:
        call.session.add(ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=call.now))
    told: list[str] = []
    four = services.the_four(settings)
    watched = Supervisor([four[name] for name in ("signer", "gateway", "worker")], tmp_path / "log", told.append)
    watched.start()
    engine = make_engine(settings.database)
    try:
        assert watched.wait_ready(60) == [], told
        made = House(settings, engine, watched, told)
        client = SignerClient(settings.signer_socket, timeout=20)
        found(client, settings.home, made.people)
        mirrored(engine, client)
        yield made
    finally:
        watched.stop()
        engine.dispose()


def ask(house: House, devices: list[Busy]) -> None:
    """Commands for all, wipes for some, each wipe asked by one and signed by two others."""
    with transaction(house.engine) as session:
        call = Call(FLEET_ADMIN, session, utcnow(), alone())
        for _ in range(COMMANDS):
            commands.send(call, [busy.agent.uid for busy in devices], Verb.MESSAGE, {"text": "hello"})
    for number, busy in enumerate(devices[:ORDERS]):
        with transaction(house.engine) as session:
            requester = replace(FLEET_ADMIN, id=100 + number)
            asked = orders.request_wipe(Call(requester, session, utcnow()), busy.agent.uid, "Stolen.").id
        assert signed(house.engine, asked, house.people[:2]) == 0


def open_things(house: House) -> int:
    with transaction(house.engine, write=False) as session:
        waiting = session.scalar(select(func.count()).select_from(Command).where(Command.finished_at.is_(None))) or 0
        return waiting + (
            session.scalar(select(func.count()).select_from(Order).where(Order.finished_at.is_(None))) or 0
        )


def until_quiet(house: House, limit: float) -> None:
    end = time.monotonic() + limit
    while open_things(house) and time.monotonic() < end:
        house.watched.tick()
        time.sleep(0.1)


def test_forty_kills_lose_no_acknowledged_report_and_repeat_no_order(house: House) -> None:
    order_key = Ed25519PublicKey.from_public_bytes(base64.b64decode(keys.public_text(keys.load(house.home).order_key)))
    devices = []
    for number in range(DEVICES):
        agent = Agent(house, house.home)  # type: ignore[arg-type]
        assert agent.enroll(house.token(number), hostname=f"d{number}").status == 200
        devices.append(Busy(agent, order_key))
    threads = [threading.Thread(target=busy.live) for busy in devices]
    for thread in threads:
        thread.start()
    draw = random.Random(2611)
    try:
        killed = 0
        while killed < KILLS:
            if killed == KILLS // 4:
                ask(house, devices)
            pids = house.pids()
            if pids:
                try:
                    os.kill(draw.choice(pids), signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    pass
            pause = time.monotonic() + draw.uniform(0.2, 0.7)
            while time.monotonic() < pause:
                house.watched.tick()
                time.sleep(0.05)
        assert house.watched.wait_ready(60) == []
        until_quiet(house, 90)
        time.sleep(1)
    finally:
        for busy in devices:
            busy.stop.set()
        for thread in threads:
            thread.join(40)
        for busy in devices:
            busy.agent.hang_up()
    assert killed == KILLS
    ended = {line.split()[0] for line in house.told if "was ended by signal 9" in line}
    assert ended == {"signer", "gateway", "worker"}
    for busy in devices:
        assert busy.acknowledged > 5
        assert busy.repeated == []
        assert set(busy.done.values()) <= {1}
    proved(house, devices)


def proved(house: House, devices: list[Busy]) -> None:
    """What the database says in the end."""
    with transaction(house.engine, write=False) as session:
        for busy in devices:
            kept = session.scalars(
                select(FactSection.content)
                .join(Device, Device.id == FactSection.device_id)
                .where(Device.uid == busy.agent.uid, FactSection.section == "system")
            ).one()
            assert int(kept["hostname"][1:]) in (busy.acknowledged, busy.number), json.dumps(kept)
        assert session.scalars(select(Command.state).distinct()).all() == ["done"]
        assert session.scalar(select(func.count()).select_from(Command)) == DEVICES * COMMANDS
        assert session.scalars(select(Order.state)).all() == ["done"] * ORDERS
        assert session.scalar(select(func.count()).select_from(Release)) == ORDERS
        assert session.scalars(select(OutboxMessage.topic).where(OutboxMessage.dead_at.is_not(None))).all() == []
        for busy in devices[:ORDERS]:
            wiped = session.scalars(select(Order.id).where(Order.device_uid == busy.agent.uid)).one()
            assert busy.done[wiped] == 1
