"""What a check-in costs: idle and with a changed report, on a small fleet and on a large one, beside a bare callable."""

import itertools
import json
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from agent.wire import CHECKIN, short_digest
from tests.bench import seed
from tests.bench.house import SERVER_CORE, House, house, wait_for
from tests.bench.load import Client, Outcome, connect, post, run
from tests.bench.processes import Server, Used

CONNECTIONS = 32
SECONDS = 6.0
IDLE = post(f"{CHECKIN}?d={'d' * 16}&r={'b' * 16}")

DatabaseCpu = Callable[[], float]


def used(server: Server, database: DatabaseCpu, load: Callable[[], Outcome]) -> tuple[Used, Outcome]:
    """What ``load`` cost the server and the database."""
    cpu, below = server.cpu(), database()
    outcome = load()
    wrong = {status: count for status, count in outcome.statuses.items() if status >= 400}
    if wrong:
        raise RuntimeError(f"the server refused requests of the load: {wrong}")
    return Used(outcome.requests, outcome.wall, server.cpu() - cpu, database() - below), outcome


def reports() -> Iterator[bytes]:
    """Check-ins that carry a report with one changed section each."""
    for number in itertools.count():
        section = {"filesystems": [{"mount": "/", "type": "ext4", "size_mb": 64000, "free_mb": 512 * (number % 100)}]}
        digests = {"disks": short_digest([section, number])}
        message = {
            "report": {
                "id": uuid.uuid4().hex,
                "at": "2026-11-23T09:00:00Z",
                "sections": {"disks": section},
                "digests": digests,
            }
        }
        yield post(f"{CHECKIN}?d={'d' * 16}&r=-", json.dumps(message).encode())


def measure(folder: Path, url: str | None, database: DatabaseCpu, devices: int) -> dict[str, tuple[Used, Outcome]]:
    """Idle check-ins, changed reports and the bare callable, with a fleet of ``devices``."""
    with house(folder, url) as here:
        clients, prints = here.clients(CONNECTIONS)
        now = datetime.now(UTC)
        seed.places(here.engine, now)
        seed.fleet(here.engine, now, 1, devices, prints)
        with here.engine.connect() as database_connection:
            database_connection.exec_driver_sql("ANALYZE")
        gateway = here.start_gateway()
        connections = [connect(here.gateway_port, here.authority, client) for client in clients]
        run(connections, itertools.repeat(IDLE), 1)
        found = {"idle": used(gateway, database, lambda: run(connections, itertools.repeat(IDLE), SECONDS))}
        found["bare"] = bare(here, clients, IDLE)
        found["report"] = used(gateway, database, lambda: run(connections, reports(), SECONDS))
        for connection in connections:
            connection.close()
    return found


def bare(here: House, clients: Sequence[Client | None], request: bytes) -> tuple[Used, Outcome]:
    """What the same requests cost a callable that does nothing, behind the same listener."""
    server = Server.start(
        [
            sys.executable,
            "-m",
            "tests.bench.bare",
            str(here.console_port),
            str(here.home / "gateway" / "server.pem"),
            str(here.authority),
        ],
        here.environment,
        here.home / "bare.log",
        SERVER_CORE,
    )
    try:
        wait_for(f"https://localhost:{here.console_port}/", here.home / "bare.log", verify=str(here.authority))
        connections = [connect(here.console_port, here.authority, client) for client in clients]
        run(connections, itertools.repeat(request), 1)
        return used(server, lambda: 0.0, lambda: run(connections, itertools.repeat(request), SECONDS))
    finally:
        server.stop()
