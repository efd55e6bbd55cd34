"""Figures of one resident agent: ``python -m tests.sim.measure [CHECKINS]`` prints them.

The bytes are counted on the wire between agent and gateway, TLS records and all, without TCP and IP headers.
"""

import json
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from tests.sim import gateway as sim
from tests.sim.machine import plant, status_of


class Relay:
    """Stands between an agent and a gateway on loopback and counts what passes."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.passed = {"up": 0, "down": 0}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.ends: list[socket.socket] = []
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            self.ends += [near, far]
            for source, sink, way in ((near, far, "up"), (far, near, "down")):
                self.threads.append(threading.Thread(target=self._pass, args=(source, sink, way)))
                self.threads[-1].start()

    def _pass(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        try:
            while piece := source.recv(65536):
                self.passed[way] += len(piece)
                sink.sendall(piece)
        except OSError:
            pass
        self._hang_up(source, sink)

    @staticmethod
    def _hang_up(*ends: socket.socket) -> None:
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def stop(self) -> None:
        """Hangs up every line and waits until nobody speaks any more."""
        self._hang_up(self.listener, *self.ends)
        for thread in self.threads:
            thread.join(10)
        for end in (self.listener, *self.ends):
            end.close()


DRIVER = """
import sys
from agent import loop
from agent.exchange import Agent
from agent.main import parser
from agent.state import State

def resident(field):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(field))

state = State(sys.argv[1])
agent = Agent(state, state.root(None), state.identity())
resident_loop = loop.Loop(agent, state, 240)
for number in range(int(sys.argv[2])):
    resident_loop._round()
    if number == int(sys.argv[3]) - 1:
        early = resident("VmRSS")
        print("early", flush=True)
        sys.stdin.readline()
print(early, resident("VmRSS"), resident("VmHWM"), flush=True)
"""
"""The resident loop of ``havenmeester-agent run`` with everything that it imports, without its pauses."""


def measure(checkins: int = 500, packages: int = 2000) -> dict[str, Any]:
    """Lets one agent check in that many times without a pause, and returns what it cost.

    ``rss_kb`` after all check-ins, ``growth_kb`` since a tenth of them, ``idle_bytes`` of one idle check-in both ways.
    """
    with tempfile.TemporaryDirectory(prefix="havenmeester-measure-") as name:
        folder = Path(name)
        (folder / "gateway").mkdir()
        names = tuple((f"package-{number:05d}", f"1.{number}-1", "optional", False) for number in range(packages))
        root = plant(folder / "root", {"var/lib/dpkg/status": status_of(names)})
        with sim.running(folder / "gateway") as gateway:
            relay = Relay(gateway.port)
            gateway.url = f"https://localhost:{relay.port}"
            state = folder / "state"
            agent = [sys.executable, "-m", "agent.main", "enroll", gateway.invitation()]
            subprocess.run([*agent, "--state", str(state), "--root", str(root)], check=True, capture_output=True)
            try:
                return _run(gateway, relay, state, checkins)
            finally:
                relay.stop()


def _run(gateway: sim.Gateway, relay: Relay, state: Path, checkins: int) -> dict[str, Any]:
    """The doorbell rings as soon as the agent waits, so that check-in follows check-in."""
    gateway.before_answer = lambda *_: gateway.ring.set()
    warm = max(20, checkins // 10)
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(state), str(checkins), str(warm)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert driver.stdout is not None
    assert driver.stdin is not None
    with driver:
        driver.stdout.readline()
        before, connections = sum(relay.passed.values()), gateway.connections
        driver.stdin.write("on\n")
        driver.stdin.flush()
        early, late, peak = (int(word) for word in driver.stdout.readline().split())
    passed = sum(relay.passed.values()) - before
    return {
        "checkins": checkins,
        "rss_kb": late,
        "growth_kb": late - early,
        "peak_kb": peak,
        "idle_bytes": round(passed / (checkins - warm)),
        "new_connections": gateway.connections - connections,
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 500), indent=2))
