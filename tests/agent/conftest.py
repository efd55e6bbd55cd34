"""A gateway, a machine below a folder, and the agent as its own process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sim import gateway as sim
from tests.sim.machine import plant


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[sim.Gateway]:
    """A running gateway."""
    folder = tmp_path / "gateway"
    folder.mkdir()
    with sim.running(folder) as running:
        yield running


class Device:
    """One agent with its state and its root; every call is a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.root = plant(folder / "root")
        self.said = folder / "said"

    def argv(self, *arguments: str) -> list[str]:
        verb, *rest = arguments
        return [sys.executable, "-m", "agent.main", verb, "--state", str(self.state), *rest]

    def call(self, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Runs the agent to its end."""
        return subprocess.run(self.argv(*arguments), capture_output=True, text=True, timeout=timeout, check=False)

    def good(self, *arguments: str) -> str:
        """Runs the agent, which must be content."""
        outcome = self.call(*arguments)
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        return outcome.stdout

    def enroll(self, gateway: sim.Gateway) -> None:
        self.good("enroll", gateway.invitation(), "--root", str(self.root))

    def once(self) -> str:
        return self.good("run", "--once")

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Starts the resident agent; what it says goes to ``said``."""
        with self.said.open("ab") as said:
            return subprocess.Popen(
                self.argv("run", *arguments), stdout=said, stderr=said, env={**os.environ, **environment}
            )

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def status(self) -> dict[str, Any]:
        import json

        found: dict[str, Any] = json.loads(self.call("status", "--json").stdout)
        return found


@pytest.fixture
def device(tmp_path: Path) -> Device:
    """A machine with an agent that is not enrolled."""
    (tmp_path / "device").mkdir()
    return Device(tmp_path / "device")


@pytest.fixture
def enrolled(device: Device, gateway: sim.Gateway) -> Device:
    """A machine whose agent is enrolled."""
    device.enroll(gateway)
    return device
