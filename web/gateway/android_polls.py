"""The doorbell of Android phones: a long poll costs one statement when it begins and one when it ends, and no thread.

What is said is always the same: come and fetch. Whoever listens in learns nothing, and whoever forges it costs one poll.
"""

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from gevent import sleep

from mdm.core.clock import utcnow
from mdm.core.errors import UnavailableError
from mdm.platforms.android.headwind import wire
from mdm.platforms.android.headwind.numbers import digest_of
from web.gateway.database import ANY, ONE
from web.gateway.door import Gateway
from web.gateway.together import Together

SHORTEST, LONGEST = 200, 240
"""Seconds that a poll is held: below the 300 of the agent's own patience, and not the same for any two."""
MOST: Final = 30_000
"""Polls that one process holds; whoever comes on top is answered at once, and comes again."""
TARPIT: Final = 0.5
"""Seconds that whoever guesses numbers waits for each answer."""
MAX_PATH: Final = 64
_SQL: Final = """
SELECT n.digest, n.device_id, d.cohort_id, n.bound_at IS NOT NULL, n.given_digest, n.given_waiting, d.waiting, c.desired_digest
FROM android_number n JOIN device d ON d.id = n.device_id JOIN enrollment e ON e.id = n.enrollment_id
LEFT JOIN cohort c ON c.id = d.cohort_id
WHERE n.digest {those} AND n.over_at IS NULL AND e.revoked_at IS NULL AND d.state <> 'retired'
"""
Environ = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Waiter:
    """Who waits, and what they have and shall have."""

    device_id: int
    cohort_id: int | None
    bound: bool
    given_digest: str
    given_waiting: int
    waiting: int
    desired_digest: str | None

    @property
    def news(self) -> bool:
        """Whether there is something to fetch."""
        differs = self.desired_digest not in (None, "-", self.given_digest)
        return self.bound and (differs or self.waiting > self.given_waiting)


def _waiter(row: Sequence[Any]) -> Waiter:
    values = list(row[1:])
    values[2] = bool(values[2])
    return Waiter(*values)


class Polls:
    """Answers the long polls of all phones of one process."""

    def __init__(self, here: Gateway) -> None:
        self.here = here
        self.secret = here.settings.android_secret
        self._sqlite = here.database.engine.dialect.name == "sqlite"
        self._statement = _SQL.format(those=ONE if self._sqlite else ANY)
        self._together: Together[str, Waiter | None] = Together(self._on_server)

    def find(self, digest: str) -> Waiter | None:
        """Who has this number; None for nobody. Raises UnavailableError without a database."""
        if not self._sqlite:
            return self._together.get(digest)
        rows = self.here.database.fetch(self._statement, (digest,))
        return _waiter(rows[0]) if rows else None

    def _on_server(self, digests: Sequence[str]) -> list[Waiter | None]:
        rows = self.here.database.fetch(self._statement, (list(set(digests)),))
        found = {row[0]: _waiter(row) for row in rows}
        return [found.get(digest) for digest in digests]

    def answer(self, environ: Environ, start: Any) -> Iterable[bytes] | None:
        """The answer to one poll, after news or the time of a poll; None for what is no poll."""
        if environ["REQUEST_METHOD"] != "GET":
            return None
        number = unquote(environ["PATH_INFO"][len(wire.POLLING) :][:MAX_PATH])
        if not wire.signed(self.secret, wire.polling_text(number), environ.get("HTTP_X_REQUEST_SIGNATURE", "")):
            return self._said(environ, start, error=wire.DENIED)
        digest = digest_of(number)
        try:
            found = self.find(digest) if digest is not None else None
            if found is None or digest is None:
                self.here.figures.refused += 1
                sleep(TARPIT)
                return self._said(environ, start, error=wire.NOT_FOUND)
            self.here.seen.note(found.device_id, utcnow())
            news = self._wait(digest, found)
        except UnavailableError as error:
            start("503 Service Unavailable", [("Retry-After", str(error.retry_after)), ("Content-Length", "0")])
            return ()
        self.here.figures.android_polls += 1
        return self._said(environ, start, [wire.message()] if news else [])

    def _wait(self, digest: str, found: Waiter) -> bool:
        """Whether there is news, now or before the time is over."""
        if found.news or self.here.doorbell.stopping or self.here.doorbell.waiting >= MOST:
            return found.news
        last = time.monotonic() + random.uniform(SHORTEST, LONGEST)  # noqa: S311 -- jitter, not a secret
        event = self.here.doorbell.enter(found.device_id, found.cohort_id)
        try:
            while True:
                # Forgotten before the look and waited for after it: a ring in between is seen by one or heard by the other.
                event.clear()
                fresh = self.find(digest)
                if fresh is None or fresh.news:
                    return fresh is not None
                if fresh.cohort_id != found.cohort_id or fresh.device_id != found.device_id:
                    self.here.doorbell.leave(event, found.device_id, found.cohort_id)
                    found = fresh
                    event = self.here.doorbell.enter(found.device_id, found.cohort_id)
                    continue
                left = last - time.monotonic()
                if left <= 0 or self.here.doorbell.stopping:
                    return False
                event.wait(left)
        finally:
            self.here.doorbell.leave(event, found.device_id, found.cohort_id)

    def _said(self, environ: Environ, start: Any, data: Any = None, *, error: str = "") -> Iterable[bytes]:
        content, signature = wire.envelope(self.secret, data, error=error)
        start(
            "200 OK",
            [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(content))),
                ("Cache-Control", "no-store"),
                (wire.RESPONSE_SIGNATURE, signature),
                (wire.ADDRESS, environ.get("REMOTE_ADDR") or "-"),
            ],
        )
        return (content,)
