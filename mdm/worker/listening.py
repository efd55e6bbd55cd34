"""Listening that the console asked for: a thread of the worker for each, which waits for the process that listens."""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog

from mdm.core.errors import HavenmeesterError
from mdm.discovery import listening, networks, reading, service
from mdm.discovery.model import DiscoveryRun
from mdm.settings import Settings, load
from mdm.storage.call import Call
from mdm.worker.office import Office

log = structlog.get_logger(__name__)
NAME = "listening"
GRACE = timedelta(minutes=2)
"""After so long beyond its end, what nobody listens to any more has failed: a worker was away."""


@dataclass(slots=True)
class Listening:
    """Remembers who listens. ``stopping`` says that the worker ends; ``configured`` reads the configuration in force."""

    stopping: Callable[[], bool]
    configured: Callable[[], Settings] = load
    at_work: dict[str, threading.Thread] = field(default_factory=dict)

    def look(self, office: Office) -> None:
        """Begins what is to begin, also what a worker before us left; ends what was left for too long."""
        self.at_work = {uid: thread for uid, thread in self.at_work.items() if thread.is_alive()}
        with office.call(NAME, write=False) as call:
            waiting = [run for run in listening.under_way(call.session) if run.uid not in self.at_work]
            late = [run.uid for run in waiting if run.ends_at is None or run.ends_at + GRACE < call.now]
            due = [run.uid for run in waiting if run.uid not in late]
        for uid in late:
            _fail(office, uid, "interrupted")
        for uid in due[: listening.SIDE_BY_SIDE - len(self.at_work)]:
            thread = threading.Thread(target=self._work, args=(office, uid), name=f"listening-{uid[:8]}", daemon=True)
            self.at_work[uid] = thread
            thread.start()

    def _work(self, office: Office, uid: str) -> None:
        try:
            self._listen(office, uid)
        except HavenmeesterError as error:
            _fail(office, uid, error.code)
        except Exception:
            # A mistake of ours, or a database that is away: the next look begins it again, or gives it up.
            log.exception("listening failed", run=uid)

    def _listen(self, office: Office, uid: str) -> None:
        with office.call(NAME, write=False) as call:
            run = _open(call, uid)
            asks = run is not None and run.asks
        with listening.asking_alone(office.settings.home) if asks else nullcontext(True) as alone:
            if not alone:
                # Another one asks: this one's turn comes.
                return
            settings = self.configured()
            with office.call(NAME) as call:
                run = _open(call, uid)
                if run is None or run.ends_at is None:
                    return
                if run.started_at is None:
                    # Its time begins when it really begins.
                    run.ends_at += call.now - run.made_at
                    run.started_at = call.now
                left = max(1, round((run.ends_at - call.now).total_seconds()))
                interface, asked = run.name, networks.read(settings.discovery_networks) if run.asks else ()
            watch = listening.watch_of(asked, self._allowed, lambda packets: self._stopped(office, uid, packets))
            path = Path(settings.discovery_socket) if settings.discovery_socket else None
            result = reading.read_live(interface, left, asked, path, watch=watch)
        if self.stopping():
            # The worker ends, the listening does not: the next one goes on with it.
            return
        with office.call(NAME) as call:
            service.take(call, uid, result)

    def _allowed(self) -> tuple[str, ...]:
        try:
            return networks.read(self.configured().discovery_networks)
        except HavenmeesterError:
            # A configuration that is wrong allows nothing.
            return ()

    def _stopped(self, office: Office, uid: str, packets: int) -> bool:
        if self.stopping():
            return True
        with office.call(NAME, write=False) as call:
            run = _open(call, uid)
            if run is None or run.stopped_by:
                return True
            heard = run.packets
        if packets > heard + heard // 4:
            # For whoever looks at the page; a busy network shall not be a busy database.
            with office.call(NAME) as call:
                if (run := _open(call, uid)) is not None:
                    run.packets = packets
        return False


def _open(call: Call, uid: str) -> DiscoveryRun | None:
    return next((run for run in listening.under_way(call.session) if run.uid == uid), None)


def _fail(office: Office, uid: str, code: str) -> None:
    with office.call(NAME) as call:
        service.fail(call, uid, code)
