"""What a job or a handler of the worker is given: transactions in the name of the clock, the configuration, the hour."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from mdm.core.actor import system
from mdm.core.clock import utcnow
from mdm.core.ids import new_uid
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import transaction


@dataclass(frozen=True, slots=True)
class Office:
    """The worker's desk. ``clock`` gives the hour; nothing of the worker reads the wall clock itself."""

    engine: Engine
    settings: Settings
    clock: Callable[[], datetime] = field(default=utcnow)

    @contextmanager
    def call(self, name: str, *, write: bool = True) -> Iterator[Call]:
        """One transaction in which the job ``name`` speaks; committed at the end, rolled back when anything is raised."""
        with transaction(self.engine, write=write) as session:
            yield Call(system(name, f"job-{new_uid()[:12]}"), session, self.clock())
