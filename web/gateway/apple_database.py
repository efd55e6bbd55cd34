"""The phones' two ways to the database: one statement for an idle connection, one shared transaction for plain turns.

What a turn costs most is its commit, which waits for a disk. So turns that come at one moment share one.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from mdm.platforms.apple import turns
from mdm.platforms.apple.knock import KNOCK, Knock, knock
from mdm.platforms.apple.message import Message, Status
from mdm.platforms.apple.queue import Queue, Turn
from mdm.platforms.apple.turns import Asked, Taken
from web.gateway.database import ANY, ONE, PATIENCE, AwayError, Database, down
from web.gateway.together import Together

log = structlog.get_logger(__name__)


class AppleDatabase:
    """``knock`` and ``turn`` on the connections of the gateway."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.sqlite = database.engine.dialect.name == "sqlite"
        self._knock = KNOCK.format(p="?", those=ONE) if self.sqlite else KNOCK.format(p="%s", those=ANY)
        self._knocks: Together[str, Knock | None] = Together(self._knock_on_server)
        self._queue = Queue(sqlite=self.sqlite)
        self._turns: Together[Asked, Taken | Exception] = Together(self._taken, most=turns.MOST)

    def knock(self, fingerprint: str, now: datetime) -> Knock | None:
        """Who holds this certificate and what waits for them, in one statement; None when it is not let in."""
        if not self.sqlite:
            return self._knocks.get(fingerprint)
        at = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        rows = self._database.fetch(self._knock, (at, fingerprint, at, at))
        return knock(rows[0]) if rows else None

    def _knock_on_server(self, fingerprints: Sequence[str]) -> list[Knock | None]:
        now = datetime.now(UTC)
        rows = self._database.fetch(self._knock, (now, list(set(fingerprints)), now, now))
        found = {row[0]: knock(row) for row in rows}
        return [found.get(one) for one in fingerprints]

    def turn(self, found: Knock, message: Message, raw: bytes, now: datetime) -> Taken:
        """Takes the answer, if it is one, and gives what is next. What is guarded was not marked as sent."""
        taken = self._turns.get(Asked(found.device_id, found.generation or 0, message, raw, now))
        if isinstance(taken, Exception):
            raise taken
        return taken

    def _taken(self, asked: Sequence[Asked]) -> list[Taken | Exception]:
        """What came of each turn, in their order. One that cannot be taken does not cost the others theirs."""
        found: dict[Asked, Taken | Exception] = {}
        for heap in turns.together(asked):
            away = any(isinstance(one, AwayError) for one in found.values())
            found |= dict.fromkeys(heap, down()) if away else self._take_heap(heap)
        return [found[one] for one in asked]

    def _take_heap(self, heap: Sequence[Asked]) -> dict[Asked, Taken | Exception]:
        try:
            return dict(zip(heap, self._take_all(heap), strict=True))
        except Exception as error:  # noqa: BLE001 -- handed on to whoever asked
            # Who waited for a database that is away is told so: it would be waited for again for every one of them.
            if len(heap) == 1 or isinstance(error, AwayError):
                return dict.fromkeys(heap, error)
            log.warning("turns are taken one by one", turns=len(heap), error=str(error)[:200])
        return self._one_by_one(heap)

    def _one_by_one(self, heap: Sequence[Asked]) -> dict[Asked, Taken | Exception]:
        """Each by itself, until the database is away or it took too long: the others come back, and are told so."""
        found: dict[Asked, Taken | Exception] = {}
        last = time.monotonic() + PATIENCE
        for place, one in enumerate(heap):
            found |= self._take_heap([one])
            if isinstance(found[one], AwayError) or time.monotonic() > last:
                return found | dict.fromkeys(heap[place + 1 :], down())
        return found

    def _take_all(self, heap: Sequence[Asked]) -> list[Taken]:
        if self.sqlite:
            with self._database.writing() as cursor:
                return [self._take(cursor, one) for one in heap]
        with self._database.writing() as connection:
            asked = connection.execute(turns.STATEMENT, turns.values(heap), prepare=True, binary=True)
        return turns.taken(asked.fetchall(), heap)

    def _take(self, cursor: Any, one: Asked) -> Taken:
        idle = one.message.status is Status.IDLE
        took = Turn(known=True)
        if not idle:
            took = self._queue.answer(cursor, one.device_id, one.generation, one.message, one.now, one.raw)
        return took, self._queue.next(cursor, one.device_id, one.generation, one.now, idle=idle)
