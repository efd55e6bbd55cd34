"""A policy edit that really arrives: simulated agents over the true protocol, counted when they have applied it."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from mdm.core.actor import command_line
from mdm.inventory.model import Device, FactSection
from mdm.policies import document, queries, service
from mdm.policies.model import Cohort
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.bench import seed
from tests.bench.edit import wait_for_worker
from tests.bench.house import LOAD_CORE, House, house, wait_for
from tests.bench.processes import Server, children, resident_mb
from tests.conftest import alone

PATIENCE = 1500.0


def measure(folder: Path, url: str | None, devices: int) -> dict[str, float]:
    """Seconds until every simulated agent has applied the first state, and until half and all have applied an edit."""
    with house(folder, url) as here:
        seed.places(here.engine, datetime.now(UTC))
        seed.number_on(here.engine)
        _everybody(here, 300)
        signer = here.start("signer")
        here.start("worker")
        wait_for_worker(here)
        gateway = here.start("gateway")
        wait_for(
            f"https://localhost:{here.gateway_port}/healthz", here.home / "gateway.log", verify=str(here.authority)
        )
        begun = time.perf_counter()
        fleet = Server.start(
            [sys.executable, "-m", "mdm.cli.main", "simulate", "--devices", str(devices), "--minutes", "30", "--json"],
            here.environment,
            here.home / "simulate.log",
            LOAD_CORE,
        )
        here.others.append(fleet)
        _applied(here, fleet, devices, devices)
        found = {"first": time.perf_counter() - begun}
        begun = time.perf_counter()
        _everybody(here, 120)
        _applied(here, fleet, devices // 2, devices)
        found["half"] = time.perf_counter() - begun
        _applied(here, fleet, devices, devices)
        found["all"] = time.perf_counter() - begun
        found["gateway_mb"] = sum(resident_mb(pid) for pid in _workers(gateway))
        found["signer_mb"] = resident_mb(signer.process.pid)
    return found


def _workers(server: Server) -> list[int]:
    return children(server.process.pid)


def _everybody(here: House, seconds: int) -> None:
    with transaction(here.engine) as session:
        call = Call(command_line("bench"), session, datetime.now(UTC), alone())
        if seconds == 300:
            document.apply_document(
                call,
                {
                    "name": "Everybody",
                    "settings": {"screen_lock.timeout": seconds, "browser.home_page": "https://stad.example/"},
                    "assignments": [{"include": ["all"]}],
                },
            )
            return
        policy = queries.policy_by_name(call, "Everybody")
        service.save(
            call,
            policy.id,
            expected=1,
            settings={"screen_lock.timeout": seconds, "browser.home_page": "https://stad.example/"},
        )


def _applied(here: House, fleet: Server, wanted: int, devices: int) -> None:
    """Returns when ``wanted`` devices have told what they did about the desired state that their cohort has now.

    Some of them say that one resource failed, as in a true fleet; they have answered all the same.
    """
    query = (
        select(func.count(Device.id))
        .join(Cohort, Cohort.id == Device.cohort_id)
        .join(FactSection, (FactSection.device_id == Device.id) & (FactSection.section == "desired"))
        .where(FactSection.content["digest"].as_string() == Cohort.desired_digest, Cohort.computed_at.is_not(None))
    )
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if fleet.process.poll() is not None:
            raise RuntimeError("the simulated fleet ended: " + (here.home / "simulate.log").read_text()[-2000:])
        with transaction(here.engine, write=False) as session:
            if (session.scalar(query) or 0) >= wanted:
                return
        time.sleep(0.5)
    raise RuntimeError(f"fewer than {wanted} of {devices} devices applied the policy in {PATIENCE:.0f} s")
