"""How long a list of devices takes: three filters, over HTTP, as the console and the API ask it."""

import time
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from mdm.access import tokens
from mdm.core.actor import command_line
from mdm.core.permissions import Role
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.bench import seed
from tests.bench.house import house, wait_for
from tests.conftest import alone

REQUESTS = 60
ROWS = 20
"""Rows of a page: as many as the filters find in the small fleet too, so that both lists show the same number."""


def measure(folder: Path, url: str | None, devices: int) -> dict[str, float]:
    """Milliseconds (median and p95) of the filtered list, and seconds to write the fleet."""
    with house(folder, url) as here:
        now = datetime.now(UTC)
        begun = time.perf_counter()
        seed.places(here.engine, now)
        seed.fleet(here.engine, now, 1, devices)
        with here.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
        seeded = time.perf_counter() - begun
        with transaction(here.engine) as session:
            _, secret = tokens.create_token(
                Call(command_line("bench"), session, now, alone()), name="bench", role=Role.FLEET_ADMIN
            )
        here.start("console")
        base = f"http://localhost:{here.console_port}"
        wait_for(f"{base}/healthz", here.home / "console.log")
        with httpx2.Client(base_url=base, headers={"Authorization": f"Bearer {secret}"}, timeout=30) as client:
            times = [_one(client, number) for number in range(REQUESTS)]
    ordered = sorted(times[5:])
    return {"p50": ordered[len(ordered) // 2] * 1000, "p95": ordered[int(len(ordered) * 0.95)] * 1000, "seeded": seeded}


def _one(client: httpx2.Client, number: int) -> float:
    begun = time.perf_counter()
    answer = client.get(
        "/api/v1/devices",
        params={"service_point": number % 81 + 1, "state": "handed_out", "verdict": "noncompliant", "limit": ROWS},
    )
    took = time.perf_counter() - begun
    answer.raise_for_status()
    return took
