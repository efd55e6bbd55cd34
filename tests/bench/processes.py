"""What a process and its children have used, from /proc."""

import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PAGE = resource.getpagesize()


def children(pid: int) -> list[int]:
    """The ids of all processes below ``pid``, and its own first. A process that has just ended is left out."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = task.read_text().split()
        except OSError:
            continue
        for child in below:
            found += children(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """Seconds of processor time, user and system, of a process and everything below it, the ended ones included."""
    total = 0
    for each in children(pid):
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / TICK


def resident_mb(pid: int) -> float:
    """Megabytes of memory that a process holds, without its children."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6


@dataclass
class Server:
    """A child process bound to one processor."""

    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, command: Sequence[str], environment: Mapping[str, str], log: Path, core: int) -> "Server":
        """Starts ``command`` on ``core`` with its output in ``log``."""
        with log.open("wb") as output:
            return cls(
                subprocess.Popen(
                    ["taskset", "-c", str(core), *command],
                    env={**os.environ, **environment},
                    stdout=output,
                    stderr=output,
                )
            )

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        return cpu_seconds(self.process.pid)

    def stop(self) -> None:
        """Asks it to end, and ends it after ten seconds."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass(frozen=True)
class Used:
    """What a number of requests cost."""

    requests: int
    wall: float
    cpu: float
    database_cpu: float = 0.0

    @property
    def per_second(self) -> float:
        """Requests per second."""
        return self.requests / self.wall

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of the server's processor time per request."""
        return self.cpu / self.requests * 1000

    @property
    def database_ms(self) -> float:
        """Milliseconds of the database server's processor time per request."""
        return self.database_cpu / self.requests * 1000


def stopwatch() -> float:
    """Seconds on a clock that only goes forward."""
    return time.perf_counter()
