"""The hot path: a check-in with nothing new never reaches Flask. One statement, no object, 204."""

import random
import time
import weakref
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Protocol

from agent.wire import CHECKIN, MAX_WAIT, NEXT_HEADER
from mdm.core.clock import utcnow
from mdm.core.errors import UnavailableError
from mdm.platforms.android.headwind.wire import POLLING
from mdm.platforms.apple.addresses import CHECKIN as APPLE_CHECKIN
from mdm.platforms.apple.addresses import SERVER
from mdm.platforms.linux.exchange import NOTHING, Knock
from web.gateway import body
from web.gateway.database import Database
from web.gateway.doorbell import Doorbell
from web.gateway.figures import Figures
from web.gateway.peer import Peers
from web.gateway.pressure import Queue
from web.gateway.seen import Seen

Environ = dict[str, Any]
Start = Callable[..., Any]
Wsgi = Callable[[Environ, Start], Iterable[bytes]]
KNOCK = "havenmeester.knock"
"""Key of the environ under which the row of the hot path goes on to Flask, so that it is not read twice."""
WORD = 16


PHONES = (SERVER, APPLE_CHECKIN)


class Phones(Protocol):
    """What answers phones that have nothing but their queue to be looked into."""

    def answer(self, environ: Environ, start: Start) -> Iterable[bytes] | None:
        """The answer, None where the application must be asked."""


def pause(seconds: int) -> int:
    """When an agent shall come back: ``seconds``, a tenth more or less, so that a fleet does not come in one heap."""
    return max(1, round(seconds * random.uniform(0.9, 1.1)))  # noqa: S311 -- jitter, not a secret


def asked(environ: Environ) -> tuple[str, str, int]:
    """What the query says: desired digest, report digest, seconds to wait. What is missing or nonsense counts as none."""
    desired, report, wait = NOTHING, NOTHING, 0
    for pair in environ.get("QUERY_STRING", "")[:200].split("&"):
        name, _, value = pair.partition("=")
        if name == "d" and len(value) <= WORD:
            desired = value
        elif name == "r" and len(value) <= WORD:
            report = value
        elif name == "w" and value.isascii() and value.isdecimal() and len(value) <= 4:
            wait = min(int(value), MAX_WAIT)
    return desired, report, wait


class HotPath:
    """Wraps the application: answers what is idle, passes on the rest."""

    def __init__(
        self,
        app: Wsgi,
        *,
        database: Database,
        peers: Peers,
        seen: Seen,
        doorbell: Doorbell,
        figures: Figures,
        queue: Queue,
        seconds: int,
        phones: Phones,
        polls: Phones,
    ) -> None:
        self.app = app
        self.database = database
        self.peers = peers
        self.seen = seen
        self.doorbell = doorbell
        self.figures = figures
        self.queue = queue
        self.seconds = seconds
        self.phones = phones
        self.polls = polls
        self.unread: weakref.WeakSet[Any] = weakref.WeakSet()
        """Connections on which a body was left unread: they are closed after the answer."""

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """WSGI."""
        if environ["PATH_INFO"].startswith(PHONES):
            return self.phones.answer(environ, start) or self._pass_on(environ, start)
        if environ["PATH_INFO"].startswith(POLLING):
            return self.polls.answer(environ, start) or self._pass_on(environ, start)
        if environ["PATH_INFO"] != CHECKIN or environ["REQUEST_METHOD"] != "POST":
            return self._pass_on(environ, start)
        begun = time.perf_counter()
        fingerprint = self.peers.fingerprint(environ)
        if fingerprint is None:
            return self._pass_on(environ, start)
        try:
            knock = self._knock(environ, fingerprint)
        except UnavailableError:
            return self._pass_on(environ, start)
        if knock is not None:
            self.figures.idle_checkins += 1
            self.figures.idle_checkin_seconds += time.perf_counter() - begun
            return self._idle(start)
        return self._pass_on(environ, start)

    def _pass_on(self, environ: Environ, start: Start) -> Iterable[bytes]:
        answer = self.app(environ, start)
        if body.left_unread(environ):
            self.unread.add(environ.get("gunicorn.socket"))
        return answer

    def _knock(self, environ: Environ, fingerprint: str) -> Knock | None:
        """The row when there is nothing to do; otherwise None, and the row is left in the environ for the rest."""
        now = utcnow()
        knock = self.database.knock(fingerprint, now)
        environ[KNOCK] = knock
        if knock is None:
            return None
        self.seen.note(knock.device_id, now)
        if not body.empty(environ):
            return None
        desired, report, wait = asked(environ)
        if not knock.nothing_new(desired, report):
            return None
        return self._wait(environ, fingerprint, knock, desired, report, wait) if wait else knock

    def _wait(
        self, environ: Environ, fingerprint: str, knock: Knock, desired: str, report: str, wait: int
    ) -> Knock | None:
        """Waits until there is something to do, or as long as the agent is willing to."""
        last = time.monotonic() + wait
        event = self.doorbell.enter(knock.device_id, knock.cohort_id)
        try:
            while True:
                # Forgotten before the look and waited for after it: a ring in between is seen by one or heard by the other.
                event.clear()
                fresh = self.database.knock(fingerprint, datetime.now(UTC))
                environ[KNOCK] = fresh
                if fresh is None or not fresh.nothing_new(desired, report):
                    return None
                if fresh.cohort_id != knock.cohort_id:
                    # It was put into another cohort while it waited, and listens for that one from now on.
                    self.doorbell.leave(event, knock.device_id, knock.cohort_id)
                    knock = fresh
                    event = self.doorbell.enter(knock.device_id, knock.cohort_id)
                    continue
                left = last - time.monotonic()
                if left <= 0 or self.doorbell.stopping:
                    return fresh
                event.wait(left)
        finally:
            self.doorbell.leave(event, knock.device_id, knock.cohort_id)

    def _idle(self, start: Start) -> Iterable[bytes]:
        start("204 No Content", [(NEXT_HEADER, str(pause(self.seconds)))])
        return ()
