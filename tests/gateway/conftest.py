"""A running gateway: its own process, real certificates by a real signer, on both databases; and agents that talk to it."""

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Engine, select

from agent.wire import CHECKIN, ENROLL
from mdm.core.actor import system
from mdm.core.clock import utcnow
from mdm.enrollment import service as enrollment
from mdm.enrollment.links import Links
from mdm.org.model import ServicePoint
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import PrivatePostgres, alone, free_port
from tests.orders.ceremony import NO_COOLING, council, found, mirrored
from tests.signer.neighbour import RunningSigner, csr, new_key
from tests.sim.approvers import Person


@dataclass
class Reply:
    """What the gateway answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Agent:
    """One device: its key, its certificate, and a kept connection."""

    gateway: "RunningGateway"
    folder: Path
    key: EllipticCurvePrivateKey = field(default_factory=new_key)
    chain: str | None = None
    uid: str = ""
    connection: http.client.HTTPSConnection | None = None

    def enroll(self, token: str, **more: Any) -> Reply:
        """One try to enrol."""
        message = {
            "token": token,
            "csr": csr(self.key),
            "platform": "linux",
            "serial": None,
            "hostname": "zuil-7",
            "model": None,
            "version": "0.1.0",
        }
        reply = self.send("POST", ENROLL, json.dumps({**message, **more}).encode())
        if reply.status == 200:
            self.use(reply.json["certificate"])
            self.uid = reply.json["device"]
        return reply

    def use(self, chain: str) -> None:
        """Uses this certificate from now on."""
        self.chain = chain
        self.hang_up()

    def checkin(self, said: dict[str, Any] | None = None, *, d: str = "-", r: str = "-", w: int = 0) -> Reply:
        """One check-in."""
        body = json.dumps(said).encode() if said is not None else b""
        return self.send("POST", f"{CHECKIN}?d={d}&r={r}&w={w}", body)

    def send(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
        """One request on the kept connection."""
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(
                "localhost", self.gateway.port, context=self._tls(), timeout=30
            )
        try:
            self.connection.request(method, path, body, headers or {})
            answer = self.connection.getresponse()
            reply = Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        except Exception:
            self.hang_up()
            raise
        if answer.will_close:
            self.hang_up()
        return reply

    def hang_up(self) -> None:
        """Closes the connection; the next request opens another."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.gateway.signer.home / "signer" / "ca.pem"))
        if self.chain is not None:
            path = self.folder / f"{id(self)}.pem"
            private = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            path.write_bytes(private + self.chain.encode())
            context.load_cert_chain(path)
        return context


@dataclass
class RunningGateway:
    """One gateway process on a database of its own."""

    signer: RunningSigner
    home: Path
    url: str
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None
    people: list[Person] = field(default_factory=list)
    """Who may approve orders; nobody where no roster was founded."""

    def __post_init__(self) -> None:
        self.engine: Engine = make_engine(self.url)
        self.agents: list[Agent] = []
        (self.home / "run").mkdir(parents=True, exist_ok=True)
        (self.home / "run" / "signer.sock").symlink_to(self.signer.socket)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HAVENMEESTER_")}
        environment |= {
            "HAVENMEESTER_HOME": str(self.home),
            "HAVENMEESTER_DATABASE_URL": self.url,
            # As its own user of PostgreSQL: every test proves that the gateway's grants are enough.
            "HAVENMEESTER_GATEWAY_DATABASE_URL": PrivatePostgres.by("gateway", self.url),
            "HAVENMEESTER_GATEWAY_PORT": str(self.port),
            "HAVENMEESTER_CHECKIN_SECONDS": "60",
            **self.environment,
        }
        self.process = subprocess.Popen([sys.executable, "-m", "web.gateway"], env=environment)
        for _ in range(600):
            if self.process.poll() is not None:
                raise RuntimeError("the gateway ended")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                if self.agent().send("GET", "/healthz").status == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the gateway does not answer")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends it, and gives its exit code."""
        for agent in self.agents:
            agent.hang_up()
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(20)

    def agent(self) -> Agent:
        """A device that is not enrolled yet."""
        made = Agent(self, self.home)
        self.agents.append(made)
        return made

    def invite(self, **more: Any) -> str:
        """The token of a new invitation."""
        with transaction(self.engine) as session:
            if session.scalar(select(ServicePoint.id)) is None:
                session.add(ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=utcnow()))
                session.flush()
            call = Call(system("tests"), session, utcnow(), alone())
            links = Links("http://console", f"https://localhost:{self.port}", "0" * 64, 168)
            given = {"email": "sarah@example.org", "platform": "linux", "service_point_code": "WERKHAVEN", **more}
            _, url = enrollment.invite(call, links, **given)
        return url.split("/e/")[1].split("#")[0]

    def enrolled(self) -> Agent:
        """A device that is enrolled and has used its certificate once."""
        agent = self.agent()
        assert agent.enroll(self.invite()).status == 200
        assert agent.checkin().status == 200
        return agent


@pytest.fixture(scope="session")
def shared_signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSigner]:
    """One signer for all of them."""
    running = RunningSigner(tmp_path_factory.mktemp("signer"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A running gateway for all tests, once per kind of database: each test brings devices of its own.

    It has a signer of its own: the budgets of one signer hold over all wipes of an hour, whatever the database.
    """
    folder = tmp_path_factory.mktemp("gateway")
    signer = RunningSigner(tmp_path_factory.mktemp("signer"), NO_COOLING)
    signer.start()
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "havenmeester.db")
        url = f"sqlite:///{folder / 'havenmeester.db'}"
    else:
        server: PrivatePostgres = request.getfixturevalue("postgres")
        url = server.fresh()
    people = council()
    found(signer.client, signer.home, people)
    with running(RunningGateway(signer, folder / "home", url, people=people)) as started:
        mirrored(started.engine, signer.client)
        yield started
    signer.stop()


@pytest.fixture
def own_gateway(shared_signer: RunningSigner, database_url: str, tmp_path: Path) -> Iterator[RunningGateway]:
    """A gateway of the test's own, which it may stop."""
    with running(RunningGateway(shared_signer, tmp_path / "home", database_url)) as started:
        yield started


@contextmanager
def running(gateway: RunningGateway) -> Iterator[RunningGateway]:
    """Starts it, and stops it where it still runs."""
    gateway.start()
    yield gateway
    if gateway.process is not None and gateway.process.poll() is None:
        gateway.stop()
    gateway.engine.dispose()
