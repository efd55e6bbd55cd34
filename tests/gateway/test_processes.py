"""Several processes behind one port, and processes that die: nobody is forgotten and nothing acknowledged is lost."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from agent.wire import report_digest, short_digest
from mdm.core.actor import system
from mdm.core.clock import utcnow
from mdm.inventory.model import Device, FactSection
from mdm.outbox import service as outbox
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.gateway.conftest import Agent, RunningGateway, running
from tests.signer.neighbour import RunningSigner


def report(number: int) -> dict[str, Any]:
    sections = {"system": {"hostname": "zuil", "os_version": str(number)}}
    digests = {name: short_digest(content) for name, content in sections.items()}
    return {
        "report": {"id": f"report-{number:05}", "at": "2026-11-21T20:00:00Z", "sections": sections, "digests": digests}
    }


@pytest.fixture
def two_processes(shared_signer: RunningSigner, database_url: str, tmp_path: Path) -> Iterator[RunningGateway]:
    environment = {"HAVENMEESTER_GATEWAY_WORKERS": "2"}
    with running(RunningGateway(shared_signer, tmp_path / "home", database_url, environment)) as started:
        yield started


def test_a_ring_is_heard_in_every_process(two_processes: RunningGateway) -> None:
    agents = [two_processes.enrolled() for _ in range(5)]
    woken: list[int] = []
    said = report(1)
    for agent in agents:
        agent.checkin(said)

    def poll(agent: Agent) -> None:
        woken.append(agent.checkin(r=report_digest(said["report"]["digests"]), w=25).status)

    threads = [threading.Thread(target=poll, args=(agent,)) for agent in agents]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    begun = time.monotonic()
    with transaction(two_processes.engine) as session:
        session.execute(update(Device).values(renew_asked=True))
        for device in session.scalars(select(Device.id)):
            outbox.ring(Call(system("t"), session, utcnow()), device_id=device)
    for thread in threads:
        thread.join(30)

    assert woken == [200] * 5
    assert time.monotonic() - begun < 15


def children(of: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, ValueError):
                continue
            if parent == of:
                found.append(int(entry.name))
    return found


def test_what_was_acknowledged_is_kept_however_often_the_process_is_killed(own_gateway: RunningGateway) -> None:
    agent = own_gateway.enrolled()
    acknowledged = 0
    number = 0
    for _ in range(5):
        assert own_gateway.process is not None
        (worker,) = children(own_gateway.process.pid)
        threading.Timer(0.3, os.kill, (worker, signal.SIGKILL)).start()
        end = time.monotonic() + 15
        killed = False
        while time.monotonic() < end:
            number += 1
            try:
                reply = agent.checkin(report(number))
            except OSError:
                killed = True
                time.sleep(0.05)
                continue
            if reply.status in (200, 204):
                acknowledged = number
                if killed:
                    break
        with transaction(own_gateway.engine, write=False) as session:
            stored = session.scalars(select(FactSection.content).where(FactSection.section == "system")).one()
        assert int(stored["os_version"]) >= acknowledged

    assert acknowledged > 5
