"""kill -9 of every process at random under load, forty times: what a device or a person was told is done stays done.

No acknowledged report is lost, no order is repeated, and no change that the console said it made is missing or made twice.
"""

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

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Engine, func, select

from agent.wire import ORDER_PREFIX, report_digest, short_digest
from mdm.access import service as access
from mdm.audit.model import AuditEntry
from mdm.audit.service import verify
from mdm.cli import install, services, supervisor
from mdm.cli.operators import sign_in_url
from mdm.cli.supervisor import Child, Supervisor
from mdm.cli.work import work
from mdm.commands import service as commands
from mdm.commands.model import Command, Verb
from mdm.core.clock import utcnow
from mdm.core.permissions import Role
from mdm.enrollment import service as enrollment
from mdm.enrollment.links import Links
from mdm.inventory.model import Device, DeviceGroup, FactSection
from mdm.orders import service as orders
from mdm.orders.model import Order, Release
from mdm.org.model import ServicePoint
from mdm.outbox.model import OutboxMessage
from mdm.settings import Settings, load
from mdm.signer import keys
from mdm.signing.client import SignerClient
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import FLEET_ADMIN, PrivatePostgres, alone, free_port
from tests.gateway.conftest import Agent
from tests.journey.house import Visitor, processes_of, until
from tests.orders.ceremony import council, found, mirrored, signed
from tests.sim.approvers import Person
from web.build import build

KILLS = 40
DEVICES = 6
ORDERS = 3
COMMANDS = 4
LULL = 10
"""After so many kills everything comes up once, and the next to go is a whole service, each in its turn."""
SERVICES = ("signer", "gateway", "worker", "console")


@dataclass
class House:
    """The four processes of one home under the supervisor, and what its tests ask of them."""

    settings: Settings
    engine: Engine
    watched: Supervisor
    link: str
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

    def victims(self, child: Child) -> list[int]:
        """What can be killed of one service now: its process, and the workers that it has forked."""
        if child.process is None:
            return []
        pid = child.process.pid
        try:
            forked = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            forked = []
        return [pid, *map(int, forked)]

    def operator(self) -> Visitor:
        """The fleet admin, signed in to the console."""
        visitor = Visitor(self.settings.console_base)
        visitor.sign_in(self.link)
        return visitor


@dataclass
class Clerk:
    """Somebody who makes one group after the other through the API, and asks once more where no answer came."""

    visitor: Visitor
    acknowledged: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def live(self) -> None:
        while not self.stop.is_set():
            name = f"Group {len(self.acknowledged)}"
            while not self.stop.is_set() and not self._made(name):
                time.sleep(0.05)
            time.sleep(0.05)

    def _made(self, name: str) -> bool:
        try:
            answer = self.visitor.http.post(
                "/api/v1/groups", json={"name": name}, headers={"Idempotency-Key": name.replace(" ", "-")}
            )
        except httpx2.TransportError:
            return False
        if answer.status_code == 201:
            self.acknowledged.append(name)
        elif answer.status_code < 500:
            self.refused.append(f"{name}: {answer.status_code} {answer.text}")
        return answer.status_code == 201


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


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def house(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    build()
    server: PrivatePostgres | None = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path))
    monkeypatch.setenv("HAVENMEESTER_CONSOLE_PORT", str(free_port()))
    monkeypatch.setenv("HAVENMEESTER_GATEWAY_PORT", str(free_port()))
    monkeypatch.setenv("HAVENMEESTER_ORDER_COOLING_MINUTES", "0")
    if server is not None:
        url = server.fresh(tables=False)
        monkeypatch.setenv("HAVENMEESTER_DATABASE_URL", url)
        for process in ("console", "gateway", "worker"):
            monkeypatch.setenv(f"HAVENMEESTER_{process.upper()}_DATABASE_URL", server.by(process, url))
    monkeypatch.setattr(supervisor, "BACK_OFF", (0.05,))
    settings = load()
    install.install(settings, print)
    (tmp_path / "run" / "figures").mkdir()
    with work(settings=settings) as call:
        call.session.add(ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=call.now))
        admin = access.ensure_operator(call, email="mo@stad.example", name="Mo", language="en")
        access.add_grant(call, admin.id, Role.FLEET_ADMIN)
        link = sign_in_url(settings, access.create_link(call, admin.id))
    told: list[str] = []
    four = services.the_four(settings)
    watched = Supervisor([four[name] for name in SERVICES], tmp_path / "log", told.append)
    watched.start()
    engine = make_engine(settings.database)
    try:
        assert watched.wait_ready(60) == [], told
        made = House(settings, engine, watched, link, told)
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


def kill(house: House, devices: list[Busy], draw: random.Random) -> None:
    """Forty processes end at once and without warning; in the midst of it commands and wipes are asked for."""
    killed = 0
    while killed < KILLS:
        if killed == KILLS // 4:
            ask(house, devices)
        turn, rest = divmod(killed, LULL)
        child = house.watched.children[turn] if rest == 0 else draw.choice(house.watched.children)
        if rest == 0:
            assert house.watched.wait_ready(90) == [], house.told
        victims = house.victims(child)
        if victims:
            try:
                os.kill(victims[0] if rest == 0 else draw.choice(victims), signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                pass
        pause = time.monotonic() + draw.uniform(0.2, 0.7)
        while time.monotonic() < pause:
            house.watched.tick()
            time.sleep(0.05)


@pytest.mark.timeout(600)
def test_forty_kills_lose_nothing_that_was_acknowledged_and_repeat_no_order(house: House) -> None:
    order_key = Ed25519PublicKey.from_public_bytes(base64.b64decode(keys.public_text(keys.load(house.home).order_key)))
    clerk = Clerk(house.operator())
    devices = []
    for number in range(DEVICES):
        agent = Agent(house, house.home)  # type: ignore[arg-type]
        assert agent.enroll(house.token(number), hostname=f"d{number}").status == 200
        devices.append(Busy(agent, order_key))
    all_of_them: list[Clerk | Busy] = [clerk, *devices]
    threads = [threading.Thread(target=somebody.live) for somebody in all_of_them]
    for thread in threads:
        thread.start()
    try:
        kill(house, devices, random.Random(2611))
        assert house.watched.wait_ready(90) == [], house.told
        until_quiet(house, 90)
        time.sleep(1)
    finally:
        for somebody in all_of_them:
            somebody.stop.set()
        for thread in threads:
            thread.join(40)
        for busy in devices:
            busy.agent.hang_up()
        clerk.visitor.http.close()
    ended = {line.split()[0] for line in house.told if "was ended by signal 9" in line}
    assert ended == set(SERVICES)
    for busy in devices:
        assert busy.acknowledged > 5
        assert busy.repeated == []
        assert set(busy.done.values()) <= {1}
    proved(house, devices)
    written(house, clerk)
    house.watched.stop()
    until(lambda: processes_of(house.home) == [])


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
        messages = select(func.count()).select_from(Command).where(Command.verb == Verb.MESSAGE)
        assert session.scalar(messages) == DEVICES * COMMANDS
        assert session.scalars(select(Order.state)).all() == ["done"] * ORDERS
        assert session.scalar(select(func.count()).select_from(Release)) == ORDERS
        assert session.scalars(select(OutboxMessage.topic).where(OutboxMessage.dead_at.is_not(None))).all() == []
        for busy in devices[:ORDERS]:
            wiped = session.scalars(select(Order.id).where(Order.device_uid == busy.agent.uid)).one()
            assert busy.done[wiped] == 1


def written(house: House, clerk: Clerk) -> None:
    """Every group that the console said it made is there, with its line in the diary; at most the last one unsaid."""
    assert len(clerk.acknowledged) > 5
    assert clerk.refused == []
    with transaction(house.engine, write=False) as session:
        groups = session.scalars(select(DeviceGroup.name)).all()
        lines = session.scalar(
            select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "device_group.created")
        )
        assert verify(session).sound
    assert set(clerk.acknowledged) <= set(groups)
    assert lines == len(groups) <= len(clerk.acknowledged) + 1
