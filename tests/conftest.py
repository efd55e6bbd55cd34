"""Neighbours that every test may ask for: both databases, a clock that stands still, somebody who speaks."""

import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import psycopg
import pytest
from flask import Flask
from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from mdm.core.actor import Actor, ActorKind
from mdm.core.permissions import Grant, Role
from mdm.core.risk import Permit, Why
from mdm.storage import grants
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.storage.metadata import all_tables
from tests.compiled import Compiled
from tests.emptied import emptied, shape

hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")
"""A busy machine is no failure: what an example may cost is not a matter of the clock."""

Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": Compiled()}
"""Some hundred applications in one process, of the same templates."""

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday morning."""

FLEET_ADMIN = Actor(ActorKind.OPERATOR, 1, "Mo Admin", (Grant(Role.FLEET_ADMIN),), "req-1", "127.0.0.1")


def postgres_binaries() -> Path | None:
    """The folder with ``initdb`` and ``postgres``, or None where no server is installed."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "postgres").exists():
            return folder
    found = shutil.which("postgres")
    return Path(found).resolve().parent if found and shutil.which("initdb") else None


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


HASTY = tuple(
    word
    for one in ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "jit=off")
    for word in ("-c", one)
)
"""What databases that nobody will miss, hundreds of them and small, can do without."""


@event.listens_for(Pool, "checkout")
def _hasty(connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
    """The same for SQLite in this process: each commit would wait for the disk. The product's own processes do wait."""
    if isinstance(connection, sqlite3.Connection) and "hasty" not in record.info:
        record.info["hasty"] = True
        connection.execute("PRAGMA synchronous=OFF")


class PrivatePostgres:
    """A PostgreSQL server of the tests' own, in a folder of their own; durable only where that is measured."""

    def __init__(self, folder: Path, binaries: Path, *, durable: bool = False, roles: bool = True) -> None:
        self.folder = folder
        self.port = free_port()
        self.count = 0
        self.user: str | None = None
        if os.geteuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            self.user = "postgres" if "postgres" in names else "nobody"
            shutil.chown(folder, self.user)
            for parent in folder.parents:
                if parent == Path("/tmp"):
                    break
                parent.chmod(0o755)
        data = folder / "data"
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"],
            check=True,
            stdout=subprocess.DEVNULL,
            user=self.user,
            cwd=folder,
        )
        with (folder / "log").open("w") as log:
            # Its own child and never pg_ctl's: a postmaster that is killed must be reaped, or it cannot start again.
            self.process = subprocess.Popen(
                [
                    binaries / "postgres", "-D", data, "-p", str(self.port), "-k", folder, "-c", "listen_addresses=127.0.0.1",
                    "-c", "max_connections=200", *([] if durable else HASTY),
                ],
                stdout=log,
                stderr=log,
                user=self.user,
                cwd=folder,
            )  # fmt: skip
        self._wait()
        self.create("template_house")
        engine = make_engine(self.url("template_house"))
        all_tables().create_all(engine)
        if roles:
            self._make_roles(engine)
        engine.dispose()
        self.shape = shape(self.address("template_house"))
        self.kept: list[str] = []

    def address(self, database: str) -> str:
        """The same for libpq."""
        return f"postgresql://owner@127.0.0.1:{self.port}/{database}"

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one of its databases."""
        return f"postgresql+psycopg://owner@127.0.0.1:{self.port}/{database}"

    @staticmethod
    def _make_roles(engine: Engine) -> None:
        with engine.begin() as connection:
            grants.apply(connection)
            for name in ("console", "gateway", "worker"):
                connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN IN ROLE havenmeester_{name}")

    @staticmethod
    def by(process: str, url: str) -> str:
        """The same database as the user of one process (console, gateway, worker) sees it: with its grants and no more."""
        return url.replace("://owner@", f"://{process}@")

    def _wait(self) -> None:
        for _ in range(1200):
            try:
                psycopg.connect(host="127.0.0.1", port=self.port, user="owner", dbname="postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("the private PostgreSQL did not start: " + (self.folder / "log").read_text())

    def create(self, name: str, template: str = "template1") -> None:
        """Makes a database from a template."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="owner", dbname="postgres", autocommit=True
        ) as connection:
            # Copied file by file: to write a whole template into the log, as newer servers do, costs twice as much.
            how = " STRATEGY FILE_COPY" if connection.info.server_version >= 150000 else ""
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{how}'.encode())

    def fresh(self, *, tables: bool = True) -> str:
        """The URL of a new database, with every table or with none."""
        self.count += 1
        name = f"house_{self.count}"
        self.create(name, "template_house" if tables else "template1")
        return self.url(name)

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of a database with every table and no row, for one test: one that another has used, where there is one."""
        url = self.kept.pop() if self.kept else self.fresh()
        yield url
        if emptied(self.address(url.rpartition("/")[2]), self.shape):
            self.kept.append(url)

    def stop(self) -> None:
        """Stops the server, whoever is still connected, and waits for its end."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """The private PostgreSQL; skips, and says so, where no server is installed."""
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL: no server binary found (apt-get install postgresql); tested on SQLite only")
    # Not below pytest's own folder: that one is closed to every other user whenever another run begins, also to the server's.
    with tempfile.TemporaryDirectory(prefix="havenmeester-postgres-") as folder:
        server = PrivatePostgres(Path(folder), binaries)
        yield server
        server.stop()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no row."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = make_engine(f"sqlite:///{path}")
    all_tables().create_all(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a new SQLite database with every table."""
    path = tmp_path / "havenmeester.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database with every table: each test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server: PrivatePostgres = request.getfixturevalue("postgres")
    with server.lent() as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a new database, once per kind of database."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


def alone() -> Permit:
    """What a call carries where nobody has founded a roster: everything risky is let through, and noted."""
    return Permit(Why.NO_ROSTER)


Calling = Callable[..., AbstractContextManager[Call]]


@pytest.fixture
def calling(engine: Engine) -> Calling:
    """``with calling() as call:`` is one transaction by the fleet admin at ``NOW``; ``actor`` and ``now`` can be given.

    Nobody has founded a roster in a fresh database, so the gate is open as it is there; ``asked=True`` is a call that the
    gate stops.
    """

    @contextmanager
    def one(
        actor: Actor = FLEET_ADMIN, now: datetime = NOW, *, write: bool = True, asked: bool = False
    ) -> Iterator[Call]:
        with transaction(engine, write=write) as session:
            yield Call(actor, session, now, None if asked else alone())

    return one


Figure = Callable[[str], None]


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """``figure("12,000 forged orders: none accepted")`` is printed at the end of the run."""
    return lambda sentence: record_property("figure", sentence)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what tests have counted or measured, also when they ran in other processes."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    told = [value for report in reports for name, value in report.user_properties if name == "figure"]
    if told:
        terminalreporter.section("figures")
    for sentence in told:
        terminalreporter.write_line(str(sentence))
