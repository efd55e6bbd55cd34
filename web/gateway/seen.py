"""When each device was last seen: remembered at once, written down in batches."""

from collections.abc import Iterator
from datetime import datetime

import structlog

from mdm.core.errors import UnavailableError
from web.gateway.database import Database

log = structlog.get_logger(__name__)
BATCH = 500
"""Rows of one transaction: short enough that nobody waits for it."""


class Seen:
    """Devices that have been seen since the last batch."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sqlite = database.engine.dialect.name == "sqlite"
        self._waiting: dict[int, datetime] = {}

    def note(self, device_id: int, now: datetime) -> None:
        """Remembers that a device was here just now."""
        self._waiting[device_id] = now

    def flush(self) -> int:
        """Writes down what is remembered and forgets it; how many devices. What cannot be written is kept for later."""
        written = 0
        for batch in self._batches():
            try:
                self._write(batch)
            except UnavailableError as error:
                log.warning("last seen is written later", devices=len(batch), error=str(error)[:200])
                for device_id, moment in batch:
                    self._waiting.setdefault(device_id, moment)
                break
            written += len(batch)
        return written

    def _batches(self) -> Iterator[list[tuple[int, datetime]]]:
        while self._waiting:
            # In the order of ids, so that two processes that write at one moment never wait for each other in a circle.
            ids = sorted(self._waiting)[:BATCH]
            yield [(device_id, self._waiting.pop(device_id)) for device_id in ids]

    def _write(self, batch: list[tuple[int, datetime]]) -> None:
        with self._database.writing() as driver:
            if self._sqlite:
                driver.executemany(_ONE, [(at.strftime("%Y-%m-%d %H:%M:%S.%f"), device_id) for device_id, at in batch])
            else:
                driver.execute(_ALL, ([one for one, _ in batch], [at for _, at in batch]), prepare=True)


_ONE = "UPDATE device SET last_seen_at = ? WHERE id = ?"
_ALL = """
WITH seen AS (
  SELECT d.id, s.at FROM unnest(%s::integer[], %s::timestamptz[]) AS s (id, at) JOIN device d ON d.id = s.id
  ORDER BY d.id FOR NO KEY UPDATE OF d
)
UPDATE device SET last_seen_at = seen.at FROM seen WHERE device.id = seen.id
"""
