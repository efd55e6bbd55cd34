"""The roles of PostgreSQL: each process works under its own, and what it must not do fails in the database itself."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import ProgrammingError

from mdm.audit import service as audit
from mdm.cli.main import run
from mdm.core.clock import utcnow
from mdm.core.errors import UnavailableError
from mdm.orders import kernel, stopping
from mdm.storage import grants
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.storage.metadata import all_tables
from tests.conftest import FLEET_ADMIN, PrivatePostgres


@contextmanager
def _as(process: str, url: str) -> Iterator[Connection]:
    """A connection of this process; whatever it does is rolled back."""
    engine = make_engine(PrivatePostgres.by(process, url))
    try:
        with engine.connect() as connection:
            yield connection
            connection.rollback()
    finally:
        engine.dispose()


@pytest.fixture(scope="module")
def url(postgres: PrivatePostgres) -> str:
    """One database with every table and one line in the diary."""
    made = postgres.fresh()
    engine = make_engine(made)
    with transaction(engine) as session:
        audit.record(Call(FLEET_ADMIN, session, utcnow()), "device.moved", ("device", 1))
    engine.dispose()
    return made


NO_POWER = [
    "INSERT INTO order_release (order_id, canonical, signature, released_at) VALUES ('x', 'x', 'x', now())",
    "UPDATE order_release SET canonical = 'x'",
    "DELETE FROM order_release",
    "INSERT INTO sealed_roster (version, text, sealed, mirrored_at) VALUES (9, 'x', '{}', now())",
    "UPDATE sealed_roster SET text = 'x'",
    "DELETE FROM sealed_roster",
    "UPDATE kernel_state SET roster_text = 'x'",
    "UPDATE kernel_state SET roster_version = 9",
    "UPDATE kernel_state SET epoch = 9",
    "UPDATE kernel_state SET cooling_minutes = 0",
    "DELETE FROM kernel_state",
    "UPDATE audit_entry SET actor_name = 'x'",
    "UPDATE audit_entry SET hash = 'x' WHERE id = 1",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry",
    "INSERT INTO audit_head (number, hash, at, signature) VALUES (1, 'x', now(), 'x')",
    "DELETE FROM audit_head",
    "DELETE FROM diary_closure",
    "DELETE FROM wipe_order",
    "DELETE FROM order_batch",
    "UPDATE order_batch SET canonical = 'x'",
    "UPDATE order_approval SET approved = true",
    "DELETE FROM order_approval",
]
CONSOLE_NOT = [
    *NO_POWER,
    "INSERT INTO alarm (at, kind, text, params, subject_kind, subject_id, told) VALUES (now(), 'x', 'x', '{}', '', '', 0)",
    "DELETE FROM alarm",
]
SECRETS = (
    "operator",
    "operator_grant",
    "web_session",
    "api_token",
    "one_time_link",
    "passkey",
    "webhook_target",
    "saved_view",
)
GATEWAY_NOT = [
    *NO_POWER,
    "INSERT INTO wipe_order (id) VALUES ('x')",
    "UPDATE wipe_order SET canonical = 'x'",
    "UPDATE wipe_order SET requested_by_id = 'operator:1'",
    "UPDATE wipe_order SET expires_at = now()",
    "INSERT INTO order_batch (id) VALUES ('x')",
    "INSERT INTO order_approval (order_id) VALUES ('x')",
    "INSERT INTO command (id) VALUES ('x')",
    "DELETE FROM device",
    "UPDATE cohort SET desired_digest = 'x'",
    "INSERT INTO policy (name) VALUES ('x')",
    "UPDATE kernel_state SET frozen_at = NULL",
    *(f"SELECT * FROM {name}" for name in SECRETS),
    *(f"DELETE FROM {name}" for name in SECRETS),
]
WORKER_NOT = [
    "UPDATE audit_entry SET action = 'x'",
    "UPDATE audit_entry SET hash = 'x', text_digest = NULL",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry",
    "DELETE FROM audit_head",
]
ANYBODY_NOT = [
    "CREATE TABLE mine (n int)",
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "DROP TABLE audit_entry",
    "CREATE ROLE mine",
    "SET ROLE owner",
    "COPY audit_entry TO PROGRAM 'true'",
]
FORBIDDEN = [
    *(("console", statement) for statement in [*CONSOLE_NOT, *ANYBODY_NOT]),
    *(("gateway", statement) for statement in [*GATEWAY_NOT, *ANYBODY_NOT]),
    *(("worker", statement) for statement in [*WORKER_NOT, *ANYBODY_NOT]),
]


@pytest.mark.parametrize(("process", "statement"), FORBIDDEN)
def test_what_a_process_must_not_do_fails_in_the_database(url: str, process: str, statement: str) -> None:
    with _as(process, url) as connection, pytest.raises(ProgrammingError) as refused:
        connection.execute(text(statement))
    why = str(refused.value.orig)
    assert any(word in why for word in ("permission denied", "must be owner", "must be superuser")), why


ALLOWED = [
    ("console", "SELECT count(*) FROM order_release"),
    ("console", "UPDATE kernel_state SET frozen_at = now(), frozen_by = 'Mo', freezes = 1"),
    (
        "console",
        "INSERT INTO outbox_message (topic, payload, created_at, due_at, attempts) VALUES ('x', '{}', now(), now(), 0)",
    ),
    ("gateway", "UPDATE wipe_order SET state = 'done', answer = '{}'"),
    ("gateway", "SELECT * FROM order_release"),
    ("worker", "DELETE FROM outbox_message"),
    ("worker", "UPDATE kernel_state SET roster_version = 2"),
]


@pytest.mark.parametrize(("process", "statement"), ALLOWED)
def test_what_a_process_needs_it_may(url: str, process: str, statement: str) -> None:
    with _as(process, url) as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("process", ["console", "gateway", "worker"])
def test_every_process_writes_the_diary(url: str, process: str) -> None:
    engine = make_engine(PrivatePostgres.by(process, url))
    with transaction(engine) as session:
        entry = audit.record(Call(FLEET_ADMIN, session, utcnow()), "device.moved", ("device", process))
        assert entry.id > 1
    engine.dispose()


def test_grants_are_as_they_should_be_and_a_deviation_is_named(url: str) -> None:
    owner = make_engine(url)
    with owner.connect() as connection:
        assert grants.deviations(connection) == []
        connection.execute(text("GRANT DELETE ON audit_entry TO havenmeester_console"))
        connection.execute(text("REVOKE INSERT ON bell FROM havenmeester_gateway"))
        assert grants.deviations(connection) == [
            "havenmeester_console on audit_entry: may also DELETE",
            "havenmeester_gateway on bell: lacks INSERT",
        ]
        assert grants.apply(connection).granted > 100
        assert grants.deviations(connection) == []
        connection.rollback()
    owner.dispose()


def test_every_table_that_a_rule_names_is_there() -> None:
    tables = set(all_tables().tables) | {"alembic_version"}
    named = set(grants.CONSOLE_TABLES) | set(grants.GATEWAY_TABLES) | set(grants.WORKER_TABLES)
    assert named - tables == set()
    for rules in (grants.CONSOLE_TABLES, grants.GATEWAY_TABLES, grants.WORKER_TABLES):
        for table, words in rules.items():
            columns = {c.name for c in all_tables().tables[table].columns} if table in all_tables().tables else set()
            for word in words:
                listed = word.partition("(")[2].rstrip(")")
                assert not listed or set(listed.split(", ")) <= columns, (table, word)


def test_migrations_make_the_roles_and_a_user_who_may_not_is_told(
    postgres: PrivatePostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path))
    monkeypatch.setenv("HAVENMEESTER_DATABASE_URL", url := postgres.fresh(tables=False))
    assert run(["init"]) == 0
    engine = make_engine(url)
    with engine.connect() as connection:
        assert grants.missing_roles(connection) == []
        assert grants.deviations(connection) == []
        assert "diary_closure" in inspect(connection).get_table_names()
    engine.dispose()
    capsys.readouterr()

    assert run(["database", "grants"]) == 0
    assert 'GRANT SELECT, INSERT ON TABLE "audit_entry" TO havenmeester_console;' in capsys.readouterr().out
    assert run(["database", "grants", "--apply"]) == 0
    assert run(["doctor", "--json"]) == 3
    told = {one["check"]: one for one in json.loads(capsys.readouterr().out.partition("\n[")[2].join(["[", ""]))}
    assert told["database roles"]["good"]


def test_without_roles_and_without_the_right_to_make_them_nothing_is_granted_and_it_is_said(
    postgres: PrivatePostgres, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from tests.conftest import postgres_binaries

    binaries = postgres_binaries()
    assert binaries is not None
    server = PrivatePostgres(tmp_path_factory.mktemp("bare"), binaries, roles=False)
    try:
        owner = make_engine(server.url("template_house"))
        with owner.begin() as connection:
            connection.execute(text("CREATE ROLE modest LOGIN"))
        modest = make_engine(server.url("template_house").replace("owner@", "modest@"))
        with modest.begin() as connection:
            outcome = grants.apply(connection)
            assert (outcome.missing, outcome.made, outcome.granted) == (grants.ROLES, (), 0)
        with owner.begin() as connection:
            assert grants.apply(connection).made == grants.ROLES
            assert grants.apply(connection).made == ()
        modest.dispose()
        owner.dispose()
    finally:
        server.stop()


def test_the_console_says_clearly_that_the_worker_must_have_run_once_and_can_stop_everything_afterwards(
    postgres: PrivatePostgres,
) -> None:
    url = postgres.fresh()
    console, worker = (make_engine(PrivatePostgres.by(process, url)) for process in ("console", "worker"))
    with transaction(console) as session, pytest.raises(UnavailableError) as caught:
        stopping.freeze(Call(FLEET_ADMIN, session, utcnow()), "Something is wrong.")
    assert caught.value.code == "kernel_missing"
    with transaction(worker) as session:
        kernel.locked(Call(FLEET_ADMIN, session, utcnow()))

    with transaction(console) as session:
        stopping.freeze(Call(FLEET_ADMIN, session, utcnow()), "Something is wrong.")
    with transaction(worker, write=False) as session:
        assert kernel.state(session).frozen_at is not None
    console.dispose()
    worker.dispose()
