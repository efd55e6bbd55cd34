"""The phones' two ways to the database: one statement for an idle connection, one shared transaction for plain turns.

What a turn costs most is its commit, which waits for a disk. So turns that come at one moment share one: whoever is first
lets the others in, and carries them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from gevent import sleep
from gevent.event import AsyncResult

from mdm.platforms.apple.knock import KNOCK, Knock, knock
from mdm.platforms.apple.message import Message, Status
from mdm.platforms.apple.queue import Given, Queue, Turn
from web.gateway.database import ANY, ONE, Database
from web.gateway.together import Together

log = structlog.get_logger(__name__)
MOST: Final = 64
"""Turns that share one transaction at the most."""
Taken = tuple[Turn, Given | None]


@dataclass(frozen=True, slots=True)
class _Asked:
    device_id: int
    generation: int
    message: Message
    raw: bytes
    now: datetime
    result: AsyncResult


class AppleDatabase:
    """``knock`` and ``turn`` on the connections of the gateway."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.sqlite = database.engine.dialect.name == "sqlite"
        self._knock = KNOCK.format(p="?", those=ONE) if self.sqlite else KNOCK.format(p="%s", those=ANY)
        self._together: Together[str, Knock] = Together(self._knock_on_server)
        self._queue = Queue(sqlite=self.sqlite)
        self._asked: list[_Asked] = []
        self._carried = False

    def knock(self, fingerprint: str, now: datetime) -> Knock | None:
        """Who holds this certificate and what waits for them, in one statement; None when it is not let in."""
        if not self.sqlite:
            return self._together.get(fingerprint)
        at = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        rows = self._database.fetch(self._knock, (at, fingerprint, at, at))
        return knock(rows[0]) if rows else None

    def _knock_on_server(self, fingerprints: Sequence[str]) -> dict[str, Knock]:
        now = datetime.now(UTC)
        rows = self._database.fetch(self._knock, (now, list(fingerprints), now, now))
        return {row[0]: knock(row) for row in rows}

    def turn(self, found: Knock, message: Message, raw: bytes, now: datetime) -> Taken:
        """Takes the answer, if it is one, and gives what is next. What is guarded was not marked as sent."""
        mine = _Asked(found.device_id, found.generation or 0, message, raw, now, AsyncResult())
        self._asked.append(mine)
        if not self._carried:
            self._carried = True
            try:
                self._carry()
            finally:
                self._carried = False
        taken: Taken = mine.result.get()
        return taken

    def _carry(self) -> None:
        # Whoever is at the door at this very moment comes along.
        sleep(0)
        while self._asked:
            # In the order of devices, so that two processes never wait for each other in a circle.
            some = sorted(self._asked[:MOST], key=lambda one: one.device_id)
            self._asked = self._asked[MOST:]
            try:
                for one, taken in zip(some, self._all(some), strict=True):
                    one.result.set(taken)
            except Exception as error:  # noqa: BLE001 -- one turn that cannot be taken must not cost the others theirs
                if len(some) > 1:
                    log.warning("turns are taken one by one", turns=len(some), error=str(error)[:200])
                self._singly(some)
            except BaseException as error:  # noqa: BLE001 -- handed on to everybody who waits, the carrier among them
                for one in some:
                    one.result.set_exception(error)

    def _singly(self, some: Sequence[_Asked]) -> None:
        for one in some:
            try:
                one.result.set(self._all([one])[0])
            except BaseException as error:  # noqa: BLE001 -- handed on to whoever asked
                one.result.set_exception(error)

    def _all(self, some: Sequence[_Asked]) -> list[Taken]:
        if self.sqlite:
            with self._database.writing() as cursor:
                return [self._take(cursor, one) for one in some]
        with self._database.writing() as connection:
            # One statement per turn, all of them on the way together.
            asked = [connection.execute(*self._queue.at_once(*_of(one)), prepare=True) for one in some]
        return [self._queue.taken(cursor.fetchone(), one.message) for cursor, one in zip(asked, some, strict=True)]

    def _take(self, cursor: Any, one: _Asked) -> Taken:
        idle = one.message.status is Status.IDLE
        took = Turn(known=True)
        if not idle:
            took = self._queue.answer(cursor, one.device_id, one.generation, one.message, one.now, one.raw)
        return took, self._queue.next(cursor, one.device_id, one.generation, one.now, idle=idle)


def _of(one: _Asked) -> tuple[int, int, Message, datetime, bytes]:
    return one.device_id, one.generation, one.message, one.now, one.raw
