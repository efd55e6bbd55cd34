"""What phones cost: idle connections and whole rounds, on a small fleet and a large one, with history and with a queue."""

import base64
import itertools
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from sqlalchemy import Engine, insert

from mdm.enrollment.model import Enrollment
from mdm.inventory.model import Device
from mdm.platforms.apple import addresses, cms, plist
from mdm.platforms.apple.model import AppleCommand, AppleDevice
from mdm.storage.engine import transaction
from tests.bench.checkins import used
from tests.bench.house import House, house
from tests.bench.load import Outcome, connect, read_answer, run
from tests.bench.processes import Used

CONNECTIONS = 32
SECONDS = 6.0
ROUNDS = 50
"""Rounds of each phone of the load at the most."""
BATCH = 5000
PLACE = "p" * 43
FIRST_SEEN = timedelta(days=1)


@dataclass
class Phone:
    """One phone of the load: its identity, and messages that are signed once and sent often."""

    number: int
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def udid(self) -> str:
        """Its identifier."""
        return f"00008110-{self.number:016X}"

    def put(self, content: dict[str, Any]) -> bytes:
        """The bytes of one signed request."""
        body = plist.write({"UDID": self.udid, **content})
        signature = base64.b64encode(cms.sign(body, self.key, self.certificate, attached=False))
        return (
            b"PUT %s%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-apple-aspen-mdm; charset=UTF-8\r\n"
            b"Mdm-Signature: %s\r\nContent-Length: %d\r\n\r\n%s"
        ) % (addresses.SERVER.encode(), PLACE.encode(), signature, len(body), body)


def phones(here: House, count: int) -> list[Phone]:
    """Phones with RSA keys of their own; what the signer would have given them is written straight into the tables."""
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: rsa.generate_private_key(65537, 2048), range(count)))
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    found = []
    for number, key in enumerate(made, 1):
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(number)
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=30))
            .sign(key, hashes.SHA256())
        )
        found.append(Phone(number, key, certificate))
    return found


def fleet(engine: Engine, known: list[Phone], count: int) -> None:
    """``count`` enrolled phones, those of the load among them."""
    now = datetime.now(UTC)
    prints = {one.number: one.certificate.fingerprint(hashes.SHA256()).hex() for one in known}
    for first in range(1, count + 1, BATCH):
        numbers = range(first, min(first + BATCH, count + 1))
        with transaction(engine) as session:
            session.execute(insert(Device), [_device(n, now) for n in numbers])
            session.execute(insert(Enrollment), [_enrollment(n, now, prints.get(n, f"{n:064x}")) for n in numbers])
            session.execute(insert(AppleDevice), [_apple(n, now) for n in numbers])


def _device(number: int, now: datetime) -> dict[str, Any]:
    return {
        "id": number, "uid": f"{number:032x}", "name": f"iphone-{number}", "platform": "ios", "kind": "phone",
        "state": "handed_out", "enrolled_at": now - FIRST_SEEN, "waiting": 0, "created_at": now,
    }  # fmt: skip


def _enrollment(number: int, now: datetime, fingerprint: str) -> dict[str, Any]:
    return {
        "device_id": number, "fingerprint": fingerprint, "key_digest": fingerprint, "certificate": "",
        "serial_number": f"{number:x}", "not_before": now - FIRST_SEEN, "not_after": now + timedelta(days=90),
        "renew_after": now + timedelta(days=60), "first_used_at": now - FIRST_SEEN, "created_at": now, "details": {},
    }  # fmt: skip


def _apple(number: int, now: datetime) -> dict[str, Any]:
    return {
        "device_id": number, "udid": f"00008110-{number:016X}", "state": "enrolled", "generation": 1, "created_at": now,
        "declared": {}, "status": {},
    }  # fmt: skip


def _commands(number: int, now: datetime, history: int, pending: int) -> Iterator[dict[str, Any]]:
    for place in range(history + pending):
        past = place < history
        uuid = f"{number:08X}-{place:012X}"
        yield {
            "uuid": uuid, "device_id": number, "generation": 1, "request_type": "ProfileList",
            "body": plist.write({"CommandUUID": uuid, "Command": {"RequestType": "ProfileList"}}), "open": not past,
            "state": "acknowledged" if past else "queued", "priority": 10, "created_at": now,
            "expires_at": now + timedelta(days=7), "finished_at": now if past else None, "details": {},
            "answer": b"x" * 400 if past else None,
        }  # fmt: skip


def idle(here: House, known: list[Phone], cpu: Callable[[], float]) -> tuple[Used, Outcome]:
    """Idle connections: signed once, because what a phone's own processor does is not ours to measure."""
    requests = {one.number: one.put({"Status": "Idle"}) for one in known}
    connections = [connect(here.gateway_port, here.authority, None) for _ in range(CONNECTIONS)]
    order = itertools.cycle(requests.values())
    assert here.gateway is not None
    run(connections, order, 1)
    found = used(here.gateway, cpu, lambda: run(connections, order, SECONDS))
    _close(connections)
    return found


def rounds(
    here: House, known: list[Phone], cpu: Callable[[], float], history: int, pending: int
) -> tuple[Used, Outcome]:
    """Whole rounds: idle, command, acknowledged, and what comes then. A request counts as half a round."""
    messages: list[list[bytes]] = []
    for one in known:
        idle_message = one.put({"Status": "Idle"})
        answers = [
            one.put({"Status": "Acknowledged", "CommandUUID": f"{one.number:08X}-{place:012X}", "ProfileList": []})
            for place in range(history, history + min(pending, ROUNDS))
        ]
        messages.append([part for answer in answers for part in (idle_message, answer)])
    connections = [connect(here.gateway_port, here.authority, None) for _ in known]
    assert here.gateway is not None

    def load() -> Outcome:
        statuses: dict[int, int] = {}
        latencies: list[float] = []
        begun = time.perf_counter()
        for step in range(len(messages[0])):
            sent = time.perf_counter()
            for connection, mine in zip(connections, messages, strict=True):
                connection.sendall(mine[step])
            for connection in connections:
                status, _ = read_answer(connection)
                latencies.append(time.perf_counter() - sent)
                statuses[status] = statuses.get(status, 0) + 1
        return Outcome(len(latencies), time.perf_counter() - begun, statuses, latencies)

    found = used(here.gateway, cpu, load)
    _close(connections)
    return found


def _close(connections: list[ssl.SSLSocket]) -> None:
    for connection in connections:
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()


def measure(
    folder: Path, url: str | None, cpu: Callable[[], float], count: int, history: int, pending: int
) -> dict[str, tuple[Used, Outcome]]:
    """Idle connections of phones without a queue and whole rounds of others with one, in a fleet of ``count``."""
    with house(folder, url) as here:
        known = phones(here, CONNECTIONS * 2)
        quiet, busy = known[:CONNECTIONS], known[CONNECTIONS:]
        fleet(here.engine, known, count)
        with transaction(here.engine) as session:
            now = datetime.now(UTC)
            for one in busy:
                session.execute(insert(AppleCommand), list(_commands(one.number, now, history, pending)))
            numbers = [one.number for one in busy]
            session.query(Device).filter(Device.id.in_(numbers)).update({"waiting": pending})
        with here.engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE")
        here.start_gateway()
        return {"idle": idle(here, quiet, cpu), "rounds": rounds(here, busy, cpu, history, pending)}
