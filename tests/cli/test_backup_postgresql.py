"""A backup of PostgreSQL, by its own programs, comes back in another database."""

from pathlib import Path

import pytest
from sqlalchemy import select

from mdm.access.model import Operator
from mdm.cli.main import run
from mdm.cli.work import work
from tests.conftest import PrivatePostgres


def test_a_backup_of_postgresql_comes_back_in_another_database(
    postgres: PrivatePostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path / "old"))
    monkeypatch.setenv("HAVENMEESTER_DATABASE_URL", postgres.fresh(tables=False))
    assert run(["init"]) == 0
    assert run(["operator", "add", "mo@stad.example", "--role", "fleet_admin"]) == 0
    assert run(["backup", str(tmp_path / "all.tar")]) == 0
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path / "new"))
    monkeypatch.setenv("HAVENMEESTER_DATABASE_URL", postgres.fresh(tables=False))
    assert run(["restore", str(tmp_path / "all.tar")]) == 0
    with work(write=False) as call:
        assert call.session.scalars(select(Operator.email)).all() == ["mo@stad.example"]
    # The chain came back whole; without signer and witness it is not proved, and that is no success.
    assert run(["audit", "verify"]) == 4
