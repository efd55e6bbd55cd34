"""What a gateway process does when more comes than it can do: it does what it can, and tells the rest when to come back.

After a night or a power cut a whole fleet comes at once. Whoever lets everybody begin finishes nobody: each waits for all
others until its own patience ends, and comes again. So the work is queued only as far as it can be done soon; who comes on
top is told, at once and cheaply, to come back after a while that grows with the crowd and is not the same for any two.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gevent import sleep
from gevent.lock import BoundedSemaphore

from mdm.core.errors import N_, UnavailableError

AT_ONCE = 8
"""Exchanges in which a transaction is open at the same moment."""
PATIENCE = 4.0
"""Seconds that an exchange may wait for its turn: well below what an agent waits for an answer."""
BREATH = 0.1
"""Seconds between two looks at how late the process is."""
LATE = 1.0
"""Seconds of lateness above which nobody new is let in: a handshake would not end before the caller gives up."""
SOONEST, LATEST = 5.0, 300.0
CROWD_SECONDS = 60.0
"""After so many seconds a device that was sent away counts no more as one of the crowd."""


class Lateness:
    """How late the one thread of a gateway process is: the seconds by which a short sleep lasted too long."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def watch(self) -> None:
        """Looks until the process ends; a greenlet of its own. What was late is forgotten slowly."""
        while True:
            begun = time.monotonic()
            sleep(BREATH)
            late = max(0.0, time.monotonic() - begun - BREATH)
            self.seconds = max(late, self.seconds * 0.8)

    @property
    def too_late(self) -> bool:
        """Whether somebody new had better come back later."""
        return self.seconds > LATE


class Queue:
    """The queue before the database of one process. ``cost`` is the seconds from one finished exchange to the next."""

    def __init__(self, *, at_once: int = AT_ONCE, patience: float = PATIENCE) -> None:
        self._places = BoundedSemaphore(at_once)
        self._at_once = at_once
        self._patience = patience
        self._inside = 0
        self._ended = 0.0
        self._crowd = 0.0
        self._counted = time.monotonic()
        self.cost = 0.005
        self.sent_away = 0

    def look(self) -> None:
        """Nothing when an exchange that begins now gets its turn in time; raises UnavailableError otherwise."""
        if self._inside >= self._at_once and self._inside * self.cost > self._patience:
            raise self._come_back()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One turn: waits for it, holds it, and notes what it cost. Raises UnavailableError when the queue is too long."""
        self.look()
        self._inside += 1
        try:
            with self._places:
                busy = self._inside >= self._at_once
                yield
            self._note(busy)
        finally:
            self._inside -= 1

    def _note(self, busy: bool) -> None:
        now = time.monotonic()
        if busy and now - self._ended < 1.0:
            self.cost += (now - self._ended - self.cost) * 0.05
        self._ended = now

    def _come_back(self) -> UnavailableError:
        now = time.monotonic()
        self._crowd = self._crowd * max(0.0, 1 - (now - self._counted) / CROWD_SECONDS) + 1
        self._counted = now
        self.sent_away += 1
        longest = min(LATEST, max(2 * SOONEST, (self._crowd + self._inside) * self.cost * 2))
        return UnavailableError(
            N_(
                "Very many devices have come at once. Nothing was stored; the device keeps its report and sends it later."
            ),
            code="busy",
            retry_after=round(random.uniform(SOONEST, longest)),  # noqa: S311 -- jitter, not a secret
        )
