"""An installation of an earlier version is brought up to date: nothing is lost, and the schema is what the models say."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Insert, MetaData, NullPool, create_engine, text

from mdm.cli import schema
from mdm.settings import Settings
from mdm.storage.engine import driver_url
from tests.conftest import PrivatePostgres

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
EMPTY: dict[type, Any] = {str: "", int: 0, bool: False, datetime: NOW, dict: {}, list: []}


def _row(tables: MetaData, kind: str, /, **values: Any) -> Insert:
    """One row as the old schema wants it: what must be there and is not named is empty."""
    table = tables.tables[kind]
    rest = {
        column.name: EMPTY.get(column.type.python_type, {})
        for column in table.columns
        if not column.nullable and column.name not in values and column.name != "id"
    }
    return table.insert().values(rest | values)


def _alembic(url: str, home: Path, *arguments: str) -> None:
    """The migration tool itself, in a process of its own, at any revision."""
    program = (
        "import sys\nfrom mdm.cli.schema import _application, DIRECTORY\n"
        "from flask_migrate import upgrade, downgrade\n"
        "with _application(sys.argv[1]):\n"
        "    {'upgrade': upgrade, 'downgrade': downgrade}[sys.argv[2]](directory=str(DIRECTORY), revision=sys.argv[3])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, driver_url(url), *arguments],
        env=os.environ | {"HAVENMEESTER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/havenmeester.db"
    server: PrivatePostgres = request.getfixturevalue("postgres")
    return server.fresh(tables=False)


def test_an_installation_of_the_first_version_loses_nothing_and_its_open_order_ends(
    empty_url: str, tmp_path: Path
) -> None:
    _alembic(empty_url, tmp_path, "upgrade", "0001")
    engine = create_engine(driver_url(empty_url), poolclass=NullPool)
    tables = MetaData()
    tables.reflect(engine, only=("device", "enrollment", "wipe_order", "order_release"))
    uid, key = "a" * 32, "b" * 64
    with engine.begin() as connection:
        device = {
            "uid": uid,
            "serial": "SN1",
            "name": "zuil-7",
            "search": "zuil-7",
            "waiting": 1,
            "state": "handed_out",
        }
        connection.execute(_row(tables, "device", id=1, **device))
        connection.execute(_row(tables, "enrollment", id=1, device_id=1, fingerprint="f", key_digest=key))
        order = {"device_id": 1, "device_uid": uid, "state": "released", "reason": "Gestolen"}
        connection.execute(_row(tables, "wipe_order", id=uid, **order))
        connection.execute(_row(tables, "order_release", order_id=uid, canonical="{}"))
    settings = Settings(home=tmp_path, database_url=empty_url)
    before, after = schema.upgrade(settings)
    assert (before, after) == ("0001", schema.wanted())
    assert schema.differences(settings) == []
    with engine.begin() as connection:
        kept = connection.execute(text("SELECT name, serial, key_digest, waiting FROM device")).one()
        assert tuple(kept) == ("zuil-7", "SN1", key, 0)
        ended = connection.execute(text("SELECT state, finished_at IS NOT NULL, reason FROM wipe_order")).one()
        assert (ended[0], bool(ended[1]), ended[2]) == ("expired", True, "Gestolen")
        assert connection.execute(text("SELECT count(*) FROM order_release")).scalar() == 0
        if engine.dialect.name == "sqlite":
            found = connection.execute(
                text("SELECT count(*) FROM device_search WHERE device_search MATCH 'zuil'")
            ).scalar()
            assert found == 1


def test_the_way_back_and_forth_leaves_the_schema_that_the_models_say(empty_url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=empty_url)
    schema.upgrade(settings)
    _alembic(empty_url, tmp_path, "downgrade", "0001")
    assert schema.differences(settings) != []
    schema.upgrade(settings)
    assert schema.differences(settings) == []
