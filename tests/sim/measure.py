"""Figures of one resident agent: ``python -m tests.sim.measure [CHECKINS]`` prints them.

The bytes are counted on the wire between agent and gateway, TLS records and all, without TCP and IP headers.
"""

import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
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
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            for source, sink, way in ((near, far, "up"), (far, near, "down")):
                threading.Thread(target=self._pass, args=(source, sink, way), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        try:
            while piece := source.recv(65536):
                self.passed[way] += len(piece)
                sink.sendall(piece)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def stop(self) -> None:
        self.listener.close()


def resident(pid: int, field: str = "VmRSS") -> int:
    """Kilobytes of memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise LookupError(field)


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
            argv = [sys.executable, "-m", "agent.main"]
            state = ["--state", str(folder / "state")]
            enroll = [*argv, "enroll", gateway.invitation(), *state, "--root", str(root)]
            subprocess.run(enroll, check=True, capture_output=True)
            return _run(gateway, relay, [*argv, "run", *state, "--wait", "600"], checkins)


def _run(gateway: sim.Gateway, relay: Relay, argv: list[str], checkins: int) -> dict[str, Any]:
    """The doorbell rings as soon as the agent waits, so that check-in follows check-in."""
    answered = threading.Semaphore(0)
    gateway.before_answer = lambda _, body: answered.release() if body else _ring(gateway, answered)
    gateway.next = 1
    process = subprocess.Popen(argv)
    try:
        early = _after(answered, max(20, checkins // 10), process.pid)
        before, connections = dict(relay.passed), gateway.connections
        late = _after(answered, checkins - max(20, checkins // 10), process.pid)
        rounds = checkins - max(20, checkins // 10)
        passed = sum(relay.passed.values()) - sum(before.values())
        return {
            "checkins": checkins,
            "rss_kb": late,
            "growth_kb": late - early,
            "peak_kb": resident(process.pid, "VmHWM"),
            "idle_bytes": round(passed / rounds),
            "new_connections": gateway.connections - connections,
        }
    finally:
        process.kill()
        process.wait()
        relay.stop()


def _ring(gateway: sim.Gateway, answered: threading.Semaphore) -> None:
    answered.release()
    gateway.ring.set()


def _after(answered: threading.Semaphore, count: int, pid: int) -> int:
    for _ in range(count):
        if not answered.acquire(timeout=30):
            raise TimeoutError("the agent does not check in")
    time.sleep(0.3)
    return resident(pid)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 500), indent=2))
