"""The phones' two ways to the database: one statement for an idle connection, one short transaction for a plain turn."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from mdm.platforms.apple.knock import KNOCK, Knock, knock
from mdm.platforms.apple.message import Message, Status
from mdm.platforms.apple.queue import Given, Queue, Turn
from web.gateway.database import ANY, ONE, Database
from web.gateway.together import Together


class AppleDatabase:
    """``knock`` and ``turn`` on the connections of the gateway."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.sqlite = database.engine.dialect.name == "sqlite"
        self._knock = KNOCK.format(p="?", those=ONE) if self.sqlite else KNOCK.format(p="%s", those=ANY)
        self._together: Together[str, Knock] = Together(self._knock_on_server)
        self._queue = Queue(sqlite=self.sqlite)

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

    def turn(self, found: Knock, message: Message, raw: bytes, now: datetime) -> tuple[Turn, Given | None]:
        """Takes the answer, if it is one, and gives what is next. What is guarded was not marked as sent."""
        idle = message.status is Status.IDLE
        generation = found.generation or 0
        with self._database.transaction(write=True) as session:
            cursor: Any = session.connection().connection.cursor()
            took = Turn(known=True)
            if not idle:
                took = self._queue.answer(cursor, found.device_id, generation, message, now, raw)
            given = self._queue.next(cursor, found.device_id, generation, now, idle=idle)
            cursor.close()
        return took, given
