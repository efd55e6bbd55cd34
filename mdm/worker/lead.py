"""One worker leads. A second one waits and takes over when the first is gone, however it went."""

import fcntl
import os
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

LOCK = 7_301_003
"""Number of the PostgreSQL advisory lock that the leading worker holds for as long as its connection lives."""


class Lead(Protocol):
    """The right to work. Held until ``give_up`` or until the process ends."""

    def take(self) -> bool:
        """Whether the lead is ours now; may be asked again and again."""

    def held(self) -> bool:
        """Whether it is still ours."""

    def give_up(self) -> None:
        """Lets somebody else have it."""


class FileLead:
    """For a database in a file: a lock on a file beside it, which ends with the process, also after kill -9."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """Whether the lock is ours now."""
        if self._file is not None:
            return True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        return True

    def held(self) -> bool:
        """A lock on a file is never lost while the process lives."""
        return self._file is not None

    def give_up(self) -> None:
        """Lets somebody else have it."""
        if self._file is not None:
            self._file.close()
            self._file = None


class DatabaseLead:
    """For PostgreSQL: an advisory lock that ends with its connection, on whatever machine the worker runs."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._connection: Connection | None = None
        self._ours = False

    def take(self) -> bool:
        """Whether the lock is ours now. Raises the database's errors."""
        if self._ours and self.held():
            return True
        if self._connection is None:
            self._connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            # Asked only while it is not ours: the database counts, and would want it given up as often.
            taken = self._connection.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": LOCK}).scalar()
        except SQLAlchemyError:
            self._drop()
            raise
        self._ours = bool(taken)
        return self._ours

    def held(self) -> bool:
        """Whether the connection that holds the lock still answers."""
        if self._connection is None or not self._ours:
            return False
        try:
            self._connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            self._drop()
            return False
        return True

    def give_up(self) -> None:
        """Lets somebody else have it."""
        if self._connection is not None:
            try:
                self._connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": LOCK})
            except SQLAlchemyError:
                self._drop()
                return
            self._connection.close()
            self._connection = None
            self._ours = False

    def _drop(self) -> None:
        self._ours = False
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def lead_for(engine: Engine, home: Path) -> Lead:
    """The kind of lead that fits the database."""
    if engine.dialect.name == "postgresql":
        return DatabaseLead(engine)
    return FileLead(home / "run" / "worker.lock")
