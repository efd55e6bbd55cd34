"""Starts child processes, waits until they are ready, starts again what crashed, and stops all of them in order."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mdm.operation import log_files

BACK_OFF = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds until a crashed child is started again, by how often it crashed in a row."""
HEALTHY = 60.0
"""A child that has been ready for so many seconds has its crashes forgiven."""
LOG_LOOK = 60.0
"""Seconds between two looks at the logs."""


@dataclass(frozen=True, slots=True)
class Service:
    """What to start. ``rank`` orders the stop: the highest goes first; ``ready`` asks, quickly, whether it answers."""

    name: str
    argv: Sequence[str]
    ready: Callable[[], bool]
    rank: int = 0
    patience: float = 4.0
    """Seconds between TERM and KILL."""
    env: dict[str, str] = field(default_factory=dict)


class Child:
    """One service and the process that runs it now, if any."""

    def __init__(self, service: Service, log: Path) -> None:
        self.service = service
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.ready_since: float | None = None
        self.crashes = 0
        self.again_at = 0.0

    def start(self, now: float) -> None:
        """Starts the process in a session of its own, so that Ctrl-C reaches only the supervisor."""
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(
                list(self.service.argv),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
                env=os.environ | self.service.env,
            )
        self.started = now
        self.ready_since = None

    def signal(self, number: int, *, group: bool = False) -> None:
        """Sends a signal to the process, or to all that it started; nothing when it is gone."""
        if self.process is None or self.process.poll() is not None:
            return
        if group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def last_words(self) -> str:
        """The last line that the process wrote, at most 300 characters; empty when it wrote nothing."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - 4096))
                written = log.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return written[-1][:300] if written else ""


class Supervisor:
    """Keeps services running until it is told to stop. ``tell`` is given one sentence about whatever happens."""

    def __init__(
        self, services: Sequence[Service], logs: Path, tell: Callable[[str], None], log_days: int = 14
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.logs = logs
        self.log_days = log_days
        self.children = [Child(service, logs / f"{service.name}.log") for service in services]
        self.tell = tell
        self.stopping = False
        self._looked_at_logs = time.monotonic()

    def add(self, services: Sequence[Service]) -> None:
        """Starts more services beside those that run."""
        added = [Child(service, self.logs / f"{service.name}.log") for service in services]
        self.children += added
        self._start(added)

    def start(self) -> None:
        """Starts every service at once; ``tick`` sees them become ready."""
        self._start(self.children)

    def _start(self, children: Sequence[Child]) -> None:
        self._tend_logs()
        for child in children:
            child.start(time.monotonic())

    def _tend_logs(self) -> None:
        self._looked_at_logs = time.monotonic()
        log_files.tend(self.logs, self.log_days, datetime.now(UTC))

    def tick(self) -> None:
        """Looks at every child once: notes who is ready, and starts again who crashed and has waited long enough."""
        now = time.monotonic()
        for child in self.children:
            if child.process is None:
                if now >= child.again_at:
                    child.start(now)
            elif (code := child.process.poll()) is not None:
                self._crashed(child, code, now)
            elif child.ready_since is None:
                if child.service.ready():
                    child.ready_since = now
            elif child.crashes and now - child.ready_since > HEALTHY:
                child.crashes = 0
        if now - self._looked_at_logs > LOG_LOOK:
            self._tend_logs()

    def _crashed(self, child: Child, code: int, now: float) -> None:
        wait = BACK_OFF[min(child.crashes, len(BACK_OFF) - 1)]
        child.crashes += 1
        child.process = None
        child.ready_since = None
        child.again_at = now + wait
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        self.tell(f"{child.service.name} {how} and starts again in {wait:g} s; see {child.log}")
        words = child.last_words()
        if words:
            self.tell(f"  its last line: {words}")

    def waiting_for(self) -> list[str]:
        """The names of the services that are not ready now."""
        return [child.service.name for child in self.children if child.ready_since is None]

    def wait_ready(self, limit: float, poll: float = 0.05) -> list[str]:
        """Ticks until everything is ready, for at most ``limit`` seconds: the names of what is still not."""
        end = time.monotonic() + limit
        while not self.stopping:
            self.tick()
            missing = self.waiting_for()
            if not missing or time.monotonic() > end:
                return missing
            time.sleep(poll)
        return self.waiting_for()

    def stop(self) -> None:
        """Stops everything, the highest rank first: TERM, then KILL for what is left after its patience."""
        self.stopping = True
        for rank in sorted({child.service.rank for child in self.children}, reverse=True):
            group = [child for child in self.children if child.service.rank == rank]
            for child in group:
                child.signal(signal.SIGTERM)
            self._await(group)

    def _await(self, group: Sequence[Child]) -> None:
        begun = time.monotonic()
        for child in group:
            if child.process is None:
                continue
            left = child.service.patience - (time.monotonic() - begun)
            try:
                child.process.wait(max(0.05, left))
            except subprocess.TimeoutExpired:
                self.tell(f"{child.service.name} did not stop within {child.service.patience:g} s and is killed")
                child.signal(signal.SIGKILL, group=True)
                child.process.wait(5)
