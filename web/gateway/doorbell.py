"""The doorbell: long polls wait here until their device, or their cohort, is rung for.

Every gateway process watches the same table of rings, so that it does not matter which process holds the connection and
which one rang. A ring holds no content: who wakes asks again, by the same one statement as everybody.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable

import structlog
from gevent import sleep, spawn
from gevent.event import Event
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from mdm.outbox.model import Bell
from web.gateway.database import Database

log = structlog.get_logger(__name__)
EVERY = 0.3
"""Seconds between two looks at the table."""
OVERLAP = 200
"""Numbers that are read again: of two transactions the later number may be committed first."""
CROWD = 100
"""How many are woken together; a cohort of thousands comes in a row and not in one heap."""
PAUSE = 0.02

Key = tuple[str, int]


class Doorbell:
    """Who waits, and a watcher that wakes them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[Key, set[Event]] = {}
        self._heard: OrderedDict[int, None] = OrderedDict()
        self._last = 0
        self._version: int | None = None
        self._stopping = False
        self._begun = False

    @property
    def stopping(self) -> bool:
        """Whether this process is about to end: nobody waits any more."""
        return self._stopping

    @property
    def waiting(self) -> int:
        """How many long polls wait now."""
        return len({id(event) for events in self._waiting.values() for event in events})

    def enter(self, device_id: int, cohort_id: int | None) -> Event:
        """An event that is set when somebody rings for this device or cohort; give it back to ``leave``.

        Enter first and look then: what is rung in between is heard.
        """
        event = Event()
        for key in self._keys(device_id, cohort_id):
            self._waiting.setdefault(key, set()).add(event)
        if self._stopping:
            event.set()
        return event

    def leave(self, event: Event, device_id: int, cohort_id: int | None) -> None:
        """Stops waiting."""
        for key in self._keys(device_id, cohort_id):
            events = self._waiting.get(key)
            if events is not None:
                events.discard(event)
                if not events:
                    del self._waiting[key]

    @staticmethod
    def _keys(device_id: int, cohort_id: int | None) -> Iterable[Key]:
        yield ("device", device_id)
        if cohort_id is not None:
            yield ("cohort", cohort_id)

    def start(self) -> None:
        """Begins to watch, in a greenlet of its own."""
        spawn(self._watch)

    def stop(self) -> None:
        """Wakes everybody, and lets nobody wait any more."""
        self._stopping = True
        self._wake([event for events in self._waiting.values() for event in events])

    def _watch(self) -> None:
        while not self._stopping:
            begun = time.monotonic()
            try:
                self.look()
            except SQLAlchemyError as error:
                log.warning("the doorbell is deaf for a moment", error=str(error)[:200])
                sleep(2)
            sleep(max(0.05, EVERY - (time.monotonic() - begun)))

    def look(self) -> None:
        """Looks at the table once and wakes those who were rung for since the last look."""
        if not self._changed():
            return
        with self._database.transaction(write=False) as session:
            rows = session.execute(
                select(Bell.id, Bell.device_id, Bell.cohort_id).where(Bell.id > self._last - OVERLAP).order_by(Bell.id)
            ).all()
        fresh = [row for row in rows if row.id not in self._heard]
        for row in fresh:
            self._heard[row.id] = None
            self._last = max(self._last, row.id)
        while len(self._heard) > 2 * OVERLAP:
            self._heard.popitem(last=False)
        if not self._begun:
            # What was rung before this process looked for the first time cannot be told apart: all of them look again.
            self._begun = True
            self._wake([event for events in self._waiting.values() for event in events])
            return
        for row in fresh:
            for key in (("device", row.device_id), ("cohort", row.cohort_id)):
                if key[1] is not None:
                    self._wake(list(self._waiting.get(key, ())))

    def _changed(self) -> bool:
        """Whether anybody wrote since the last look: SQLite says so without reading a table."""
        if self._database.engine.dialect.name != "sqlite":
            return True
        version = self._database.data_version()
        changed = version != self._version
        self._version = version
        return changed

    def _wake(self, events: list[Event]) -> None:
        for number, event in enumerate(events):
            event.set()
            if number % CROWD == CROWD - 1:
                sleep(PAUSE)
