"""Engines: the same promises on SQLite and PostgreSQL.

SQLite runs in WAL mode with ``synchronous=FULL``: what was acknowledged survives a power cut. A transaction that will
write says so at its beginning (``write=True``) and takes the write lock then, so that it can wait for it: a transaction
that read first and wants to write later cannot wait, it can only fail.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.orm import Session

from mdm.core.errors import HavenmeesterError

LOCK_SECONDS = 10
"""How long a statement waits for somebody else's lock, as on SQLite: then it fails, and nothing was changed."""
WRITE = "havenmeester_write"
"""Execution option of a connection whose transaction takes the write lock at once."""


def engine_options(url: str, *, pool_size: int = 8) -> dict[str, Any]:
    """Keyword arguments for ``create_engine`` that fit the database behind ``url``.

    The text of an error goes to logs and tells no value: a statement that fails may hold anybody's name.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        return {"connect_args": {"timeout": 10, "check_same_thread": False}, "hide_parameters": True}
    options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": pool_size, "pool_pre_ping": True}
    options |= {"pool_recycle": 1800, "hide_parameters": True}
    return options | {"connect_args": patience(url)}


def patience(url: str) -> dict[str, str]:
    """What a connection to PostgreSQL is told: nobody waits for a lock for ever. An address that says more wins."""
    return {} if "options" in make_url(url).query else {"options": f"-c lock_timeout={LOCK_SECONDS}s"}


def driver_url(url: str) -> str:
    """The URL with our driver named where it names none: psycopg 3 for PostgreSQL."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def furnish(engine: Engine) -> Engine:
    """The engine with our pragmas and our way to begin a transaction; does nothing the second time."""
    if engine.dialect.name != "sqlite" or event.contains(engine, "connect", _sqlite_connected):
        return engine
    event.listen(engine, "connect", _sqlite_connected)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_connected(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=10000",
        "cache_size=-65536",
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get(WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def make_engine(url: str, *, pool_size: int = 8) -> Engine:
    """A furnished engine for ``url``. Opens no connection yet."""
    url = driver_url(url)
    return furnish(create_engine(url, **engine_options(url, pool_size=pool_size)))


@contextmanager
def transaction(engine: Engine, *, write: bool = True) -> Iterator[Session]:
    """One session and one transaction: committed at the end, rolled back when anything is raised that is not ``keep``."""
    with Session(engine, expire_on_commit=False) as session:
        begin(session, write=write)
        try:
            yield session
        except HavenmeesterError as error:
            if error.keep:
                session.commit()
            raise
        session.commit()


def begin(session: Session, *, write: bool) -> None:
    """Begins the session's transaction, with the write lock where ``write``."""
    session.connection(execution_options={WRITE: write})
