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
    """Stands between two neighbours on loopback and counts what passes, until it falls silent."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.passed = {"up": 0, "down": 0}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.ends: list[socket.socket] = []
        self.silent = False
        self.unheard = 0
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.silent:
                self.ends.append(near)
                self.unheard += 1
                continue
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

    def fall_silent(self) -> None:
        """Hangs up every line. Whoever calls from now on is let in (``unheard`` counts them) and hears nothing."""
        self.silent = True
        self._hang_up(*self.ends)

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


VERIFIER = """
import json, resource, sys, time
from agent import orders
from agent.exchange import Agent
from agent.state import State

def resident():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

state = State(sys.argv[1])
agent = Agent(state, state.root(None), state.identity())
destroyer = agent.destroyer
with open(sys.argv[2]) as file:
    envelope = json.load(file)
first = resident()
taken, cpu = [], []
for number in range(int(sys.argv[3])):
    begun, spent = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    orders.verify(envelope, destroyer.identity, destroyer.journal, destroyer.trust, time.time(), keep=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken.append(time.perf_counter() - begun)
    cpu.append(after.ru_utime + after.ru_stime - spent.ru_utime - spent.ru_stime)
print(json.dumps({"taken": sorted(taken), "cpu": sorted(cpu), "growth_kb": resident() - first}))
"""
"""The resident agent, and its child process that judges an order, as often as asked."""


def verify(times: int = 40) -> dict[str, float]:
    """Lets one enrolled agent verify an order that two people approved, one by a passkey, as often as asked.

    ``median_ms`` and ``least_ms`` of the whole verification, start and end of the child process included; ``cpu_ms`` of
    processor time in the child; ``growth_kb`` by which the resident process has grown.
    """
    with tempfile.TemporaryDirectory(prefix="havenmeester-verify-") as name:
        folder = Path(name)
        (folder / "gateway").mkdir()
        root = plant(folder / "root")
        with sim.running(folder / "gateway") as gateway:
            state = folder / "state"
            agent = [sys.executable, "-m", "agent.main", "enroll", gateway.invitation()]
            subprocess.run([*agent, "--state", str(state), "--root", str(root)], check=True, capture_output=True)
            (folder / "order.json").write_text(json.dumps(gateway.sign(gateway.order())))
        argv = [sys.executable, "-c", VERIFIER, str(state), str(folder / "order.json"), str(times)]
        said = json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
    return {
        "median_ms": round(said["taken"][times // 2] * 1000, 1),
        "least_ms": round(said["taken"][0] * 1000, 1),
        "cpu_ms": round(said["cpu"][times // 2] * 1000, 1),
        "growth_kb": said["growth_kb"],
    }


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
    found = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
    print(json.dumps({**found, "verify": verify()}, indent=2))
