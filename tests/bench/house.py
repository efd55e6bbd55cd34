"""A house for one measurement: a home folder, a database, keys, and the real processes on a processor of their own."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import Engine

from mdm.signer import keys
from mdm.storage.engine import make_engine
from mdm.storage.metadata import all_tables
from tests.bench.load import Client
from tests.bench.processes import Server
from tests.conftest import free_port

SERVER_CORE, LOAD_CORE = 0, 1


@dataclass
class House:
    """Where the pieces of one measurement are."""

    home: Path
    url: str
    engine: Engine
    gateway_port: int
    console_port: int
    environment: dict[str, str]
    signer: Server | None = None
    gateway: Server | None = None
    others: list[Server] = field(default_factory=list)

    def clients(self, count: int) -> tuple[list[Client], dict[int, str]]:
        """Real certificates of our CA for devices 1 to ``count``: the files, and the fingerprint of each device."""
        found = keys.load(self.home)
        folder = self.home / "clients"
        folder.mkdir()
        now = datetime.now(UTC)
        clients, prints = [], {}
        for number in range(1, count + 1):
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = (
                x509.CertificateBuilder()
                .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{number:032x}")]))
                .issuer_name(found.ca.subject)
                .public_key(key.public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - timedelta(minutes=5))
                .not_valid_after(now + timedelta(days=30))
                .sign(found.ca_key, hashes.SHA256())
            )
            client = Client(folder / f"{number}.pem", folder / f"{number}.key")
            client.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
            client.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            clients.append(client)
            prints[number] = certificate.fingerprint(hashes.SHA256()).hex()
        return clients, prints

    @property
    def authority(self) -> Path:
        """The certificate of our CA."""
        return self.home / "signer" / "ca.pem"

    def start_gateway(self, module: str = "web.gateway", **environment: str) -> Server:
        """Starts signer and gateway and waits until the gateway answers. ``module`` is what runs it."""
        if self.signer is None:
            self.signer = Server.start(
                [sys.executable, "-m", "mdm.signer.main"], self.environment, self.home / "signer.log", SERVER_CORE
            )
        if self.gateway is not None:
            self.gateway.stop()
        self.gateway = Server.start(
            [sys.executable, "-m", module], {**self.environment, **environment}, self.home / "gateway.log", SERVER_CORE
        )
        wait_for(
            f"https://localhost:{self.gateway_port}/healthz", self.home / "gateway.log", verify=str(self.authority)
        )
        return self.gateway

    def start(self, name: str, core: int = SERVER_CORE) -> Server:
        """Starts one of the four processes by its name."""
        server = Server.start(
            [sys.executable, "-m", "mdm.cli.main", "process", name], self.environment, self.home / f"{name}.log", core
        )
        self.others.append(server)
        return server

    def stop(self) -> None:
        """Stops whatever was started."""
        for server in (*self.others, self.gateway, self.signer):
            if server is not None:
                server.stop()
        self.engine.dispose()


def wait_for(address: str, log: Path, *, verify: str | bool = True, seconds: float = 60) -> None:
    """Returns when ``address`` answers at all; raises RuntimeError with the log when it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            httpx2.get(address, verify=verify, timeout=2)
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{address} does not answer: {log.read_text()[-2000:]}")


@contextmanager
def house(folder: Path, url: str | None = None) -> Iterator[House]:
    """A new house in ``folder`` on the database ``url`` (which must have no table yet), or on SQLite."""
    folder.mkdir(parents=True)
    url = url or f"sqlite:///{folder / 'havenmeester.db'}"
    gateway_port, console_port = free_port(), free_port()
    engine = make_engine(url)
    all_tables().create_all(engine)
    keys.create(folder, "Bench")
    made = House(
        folder,
        url,
        engine,
        gateway_port,
        console_port,
        {
            "HAVENMEESTER_HOME": str(folder),
            "HAVENMEESTER_DATABASE_URL": url,
            "HAVENMEESTER_GATEWAY_PORT": str(gateway_port),
            "HAVENMEESTER_CONSOLE_PORT": str(console_port),
            "HAVENMEESTER_LOG_LEVEL": "warning",
        },
    )
    try:
        yield made
    finally:
        made.stop()
