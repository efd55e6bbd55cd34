"""When each device was last seen: remembered at once, written down in batches."""

from collections.abc import Iterator
from datetime import datetime

import structlog
from sqlalchemy import bindparam, update
from sqlalchemy.exc import SQLAlchemyError

from mdm.inventory.model import Device
from web.gateway.database import Database

log = structlog.get_logger(__name__)
BATCH = 500
"""Rows of one transaction: short enough that nobody waits for it."""


class Seen:
    """Devices that have been seen since the last batch."""

    def __init__(self, database: Database) -> None:
        self._database = database
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
            except SQLAlchemyError as error:
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
        table = Device.__table__
        statement = update(Device).where(table.c.id == bindparam("device")).values(last_seen_at=bindparam("moment"))
        with self._database.transaction(write=True) as session:
            session.connection().execute(statement, [{"device": one, "moment": at} for one, at in batch])
