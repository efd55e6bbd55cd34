"""Looking for what should be gone finds it wherever it still is, and says nothing of what it looked for."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mdm.cli import checks
from mdm.cli.main import run
from mdm.privacy import proving
from mdm.settings import Settings
from mdm.storage.engine import transaction
from tests.conftest import PrivatePostgres
from tests.privacy.helpers import engine as engine
from tests.privacy.planting import EMAIL, NAME, plant


def test_it_is_found_in_text_json_and_bytes_whatever_its_case(engine: Engine) -> None:
    planted = plant(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE person SET name = 'QZVK WYXJO'"))
    with transaction(engine, write=False) as session:
        found = dict(proving.in_tables(session, [NAME]))
        sealed = planted.gone["apple_command.body"]
        assert dict(proving.in_tables(session, [sealed])) == {"apple_command.body": 1}
        assert dict(proving.in_tables(session, ["nobody at all", "100%"])) == {}
    assert found["person.name"] == 1
    assert found["outbox_message.payload"] == 1
    assert len(found) > 60


def test_it_is_found_in_files_across_blocks_and_links_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "BLOCK", 8)
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "log").write_text("1234567" + EMAIL + " more")
    (tmp_path / "other").write_text("12345678 somebody else")
    (tmp_path / "link").symlink_to(tmp_path / "one" / "log")

    assert list(proving.in_files(tmp_path, [EMAIL])) == [tmp_path / "one" / "log"]
    assert list(proving.in_files(tmp_path, [EMAIL.upper()])) == [tmp_path / "one" / "log"]


def test_the_command_answers_by_its_code_and_never_repeats_what_it_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path / "home"))
    assert run(["init"]) == 0
    for said, code in ((EMAIL, 0), ("", 1), ("ab", 1)):
        monkeypatch.setattr("sys.stdin", io.StringIO(said))
        assert run(["privacy", "find"]) == code
    (tmp_path / "home" / "left").write_text(f"to {EMAIL}")
    monkeypatch.setattr("sys.stdin", io.StringIO(EMAIL))
    assert run(["privacy", "find"]) == 1
    told = "".join(capsys.readouterr())
    assert "left" in told
    assert EMAIL not in told


def test_what_cannot_be_searched_is_said(engine: Engine) -> None:
    assert "Backups" in proving.outside(engine)[0]


def test_the_doctor_says_how_long_an_archive_keeps_what_was_erased_and_which_slot_holds_it_back(
    postgres: PrivatePostgres, tmp_path: Path
) -> None:
    """A server without an archive is well; with one, somebody has to have said how long it is kept."""
    settings = Settings(home=tmp_path, database_url=postgres.url("template_house"))
    with_it = proving.Log(archived=True, size="1GB", slots=0, idle=0)

    assert checks.deleted(settings).said == "PostgreSQL archives no write-ahead log"
    assert checks.deleted(Settings(home=tmp_path)).good
    said = {days: checks.deleted_in(with_it, days) for days in (0, 30, 31)}
    assert {days: one.good for days, one in said.items()} == {0: False, 30: True, 31: False}
    assert "nobody has said" in said[0].said
    assert "31 days more" in said[31].said
    assert "pg_drop_replication_slot" in checks.deleted_in(replace(with_it, slots=1, idle=1), 7).mend
