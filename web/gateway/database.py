"""The gateway's two ways to the database: one statement for the hot path, transactions for everything else.

A gateway process serves thousands of connections on one thread: nothing may hold it up. So on SQLite the write lock is
never waited for inside the library, which would stop the process, but by trying again after a moment in which others
are served; on PostgreSQL the driver waits in a way that lets others be served.
"""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from mdm.core.errors import N_, UnavailableError
from mdm.platforms.linux.exchange import Knock
from mdm.storage.engine import begin, driver_url, engine_options, furnish, patience
from web.gateway.together import Together

PATIENCE = 8.0
"""Seconds that a transaction waits for SQLite's write lock before it is told to come back later."""
CONNECT_TIMEOUT = 3
BY_INDEX = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
"""Everything on the hot path is found by an index. A plan is kept for as long as its connection, and one that was made while
a table was nearly empty would read all of it when a fleet has filled it."""

KNOCK = """
SELECT e.fingerprint, e.id, e.device_id, d.uid, d.name, e.key_digest, e.first_used_at IS NOT NULL,
       (e.renew_after <= {p} OR d.renew_asked), d.report_digest, d.waiting, d.cohort_id, c.desired_digest
FROM enrollment e JOIN device d ON d.id = e.device_id LEFT JOIN cohort c ON c.id = d.cohort_id
WHERE e.fingerprint {those} AND e.revoked_at IS NULL AND e.not_after > {p} AND d.state <> 'retired'
"""
"""The whole hot path: by the unique index of fingerprints, two rows by primary key. No row: refused."""
ONE, ANY = "= ?", "= ANY(%s)"
HELD = frozenset({"55P03", "40P01"})
"""What PostgreSQL says where it is well and only a row is somebody else's: lock_not_available, deadlock_detected."""


def _options(url: str, pool: int) -> dict[str, Any]:
    options = engine_options(url, pool_size=pool)
    if make_url(url).get_backend_name() == "sqlite":
        options["connect_args"]["timeout"] = 0
    else:
        options |= {
            "pool_timeout": CONNECT_TIMEOUT,
            "connect_args": {"connect_timeout": CONNECT_TIMEOUT, **patience(url)},
        }
    return options


def _impatient(engine: Engine) -> Engine:
    """The furnished engine, which on SQLite says at once that the database is locked instead of waiting inside."""
    furnish(engine)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _connected(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA busy_timeout=50")

    return engine


class Database:
    """The gateway's connections: ``knock`` for the hot path, ``transaction`` for use cases."""

    def __init__(self, url: str) -> None:
        url = driver_url(url)
        self.engine = _impatient(create_engine(url, **_options(url, 16)))
        hot = _options(url, 16) | {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
        if self.engine.dialect.name != "sqlite":
            hot["pool_pre_ping"] = False
            told = hot["connect_args"]
            hot["connect_args"] = told | ({"options": f"{told['options']} {BY_INDEX}"} if "options" in told else {})
        self._hot = _impatient(create_engine(url, **hot))
        self._watch: Any = None
        self._kept: Any = None
        self._sqlite = self.engine.dialect.name == "sqlite"
        self._knock = KNOCK.format(p="?", those=ONE) if self._sqlite else KNOCK.format(p="%s", those=ANY)
        self._together: Together[str, Knock | None] = Together(self._knock_on_server)

    def knock(self, fingerprint: str, now: datetime) -> Knock | None:
        """Who holds this certificate and what waits for them, in one statement; None when they are refused.

        On a database server, those who knock while a statement is under way share the next one. Raises
        UnavailableError when the database does not answer.
        """
        if not self._sqlite:
            return self._together.get(fingerprint)
        moment = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        rows = self.fetch(self._knock, (moment, fingerprint, moment))
        return _knock(rows[0]) if rows else None

    def _knock_on_server(self, fingerprints: Sequence[str]) -> list[Knock | None]:
        now = datetime.now(UTC)
        found = {row[0]: _knock(row) for row in self.fetch(self._knock, (now, list(set(fingerprints)), now))}
        return [found.get(one) for one in fingerprints]

    def fetch(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        """The rows of one statement, on a connection without a transaction. Raises UnavailableError without a database."""
        for again in (True, False):
            with self._lent() as connection:
                try:
                    cursor = connection.cursor()
                    cursor.execute(statement, values)
                    rows = list(cursor.fetchall())
                    cursor.close()
                except self._driver_errors() as error:
                    # A kept connection may have died with the server that was restarted since: one new one is tried.
                    self._give_up(connection, error)
                    if not again:
                        raise down() from error
                else:
                    return rows
        raise down()

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A cursor of the driver in one write transaction, for the few statements that a fleet says all the time.

        On PostgreSQL it is the driver's connection, in a pipeline: what is executed goes out together and is one transaction,
        and its rows are there after the block. Raises UnavailableError when the database does not answer (AwayError), or refuses
        to wait any longer for a row that somebody else holds, or ended a circle of locks: nothing was changed then.
        """
        with self._lent() as connection:
            try:
                if self._sqlite:
                    with closing(connection.cursor()) as cursor, self._locked(cursor):
                        yield cursor
                else:
                    with connection.driver_connection.pipeline():
                        yield connection.driver_connection
            except self._driver_errors() as error:
                if not self._sqlite:
                    self._give_up(connection, error)
                raise (held() if getattr(error, "sqlstate", None) in HELD else down()) from error

    @contextmanager
    def _locked(self, cursor: Any) -> Iterator[None]:
        """SQLite's write lock, waited for while others are served."""
        self._patiently(lambda: cursor.execute("BEGIN IMMEDIATE"))
        try:
            yield
            cursor.execute("COMMIT")
        except BaseException:
            if cursor.connection.in_transaction:
                cursor.execute("ROLLBACK")
            raise

    @contextmanager
    def _lent(self) -> Iterator[Any]:
        """A connection without a transaction, given back at the end. On SQLite nobody waits within a statement: one is enough."""
        if self._sqlite and self._kept is not None:
            yield self._kept
            return
        try:
            connection = self._hot.raw_connection()
        except (DBAPIError, PoolTimeoutError) as error:
            raise down() from error
        except self._driver_errors() as error:
            raise down() from error
        if self._sqlite:
            self._kept = connection
            yield connection
            return
        try:
            yield connection
        finally:
            connection.close()

    def _give_up(self, connection: Any, error: Exception) -> None:
        gone = not self._sqlite and connection.driver_connection.closed
        connection.invalidate(error)
        self._kept = None
        if gone:
            # Those that are idle were cut off with it: each of them would cost somebody an answer.
            self._hot.dispose()

    def _driver_errors(self) -> tuple[type[Exception], ...]:
        driver: Any = self._hot.dialect.dbapi
        return (driver.OperationalError, driver.InterfaceError)

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[Session]:
        """One session and one transaction: committed at the end, rolled back when anything is raised."""
        with Session(self.engine, expire_on_commit=False) as session:
            self._begin(session, write=write)
            yield session
            session.commit()

    def _begin(self, session: Session, *, write: bool) -> None:
        def once() -> None:
            try:
                begin(session, write=write)
            except OperationalError:
                session.rollback()
                raise

        self._patiently(once)

    def _patiently(self, act: Callable[[], object]) -> None:
        """Does ``act``, again and again as long as SQLite's write lock is somebody else's."""
        last = time.monotonic() + PATIENCE
        while True:
            try:
                act()
            except (OperationalError, sqlite3.OperationalError) as error:
                if not self._sqlite or "locked" not in str(error) or time.monotonic() > last:
                    raise
            else:
                return
            time.sleep(random.uniform(0.002, 0.02))  # noqa: S311 -- jitter, not a secret

    def ping(self) -> None:
        """Nothing when the database answers; raises UnavailableError otherwise."""
        self.fetch("SELECT 1", ())

    def data_version(self) -> int:
        """A number that changes whenever anybody writes to the SQLite file; always asked on the same connection."""
        if self._watch is None:
            self._watch = self._hot.raw_connection()
        cursor = self._watch.cursor()
        cursor.execute("PRAGMA data_version")
        row: Any = cursor.fetchone()
        cursor.close()
        return int(row[0])

    def dispose(self) -> None:
        """Closes every connection that is not in use."""
        self._kept = None
        self.engine.dispose()
        self._hot.dispose()


def _knock(row: Sequence[Any]) -> Knock:
    values = list(row[1:])
    values[5], values[6] = bool(values[5]), bool(values[6])
    return Knock(*values)


class AwayError(UnavailableError):
    """The database does not answer: nothing that is asked next would be answered either."""


def down() -> AwayError:
    """The answer while the database is away; the agent keeps what it has and comes back."""
    return AwayError(
        N_("The database does not answer. Nothing was stored; the device keeps its report and sends it later."),
        retry_after=15,
    )


def held() -> UnavailableError:
    """The answer while somebody else holds a row that is to be changed."""
    return UnavailableError(
        N_("Somebody else is changing the same device. Nothing was stored; the device says it again later."),
        retry_after=15,
    )
