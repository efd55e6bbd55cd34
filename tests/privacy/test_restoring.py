"""A backup from before an erasure brings nobody back: neither into the same home, nor into an empty one with the list."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from mdm.audit import service as audit
from mdm.cli.main import run
from mdm.cli.work import work
from mdm.people.model import Person
from mdm.privacy import service, tombstones
from mdm.privacy.model import Erasure
from mdm.settings import load
from mdm.worker.office import Office
from mdm.worker.table import erase_people

NAME = "Qzvk Wyxjo"


def _made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path / "one"))
    assert run(["init"]) == 0
    with work() as call:
        person = Person(
            name=NAME, email="qzvk@wyxjo.be", left_on=datetime(2026, 1, 1, tzinfo=UTC).date(), created_at=call.now
        )
        call.session.add(person)
        call.session.flush()
        audit.record(call, "person.left", ("person", person.id), name=NAME)
        number = person.id
    assert run(["backup", str(tmp_path / "before.tar")]) == 0
    return number


def _erase(number: int) -> None:
    settings = load()
    with work() as call:
        service.erase(call, number, "asked")
    from mdm.storage.engine import make_engine

    engine = make_engine(settings.database)
    erase_people(Office(engine, settings))
    engine.dispose()


def _gone(home: Path, number: int) -> None:
    with work(write=False) as call:
        person = call.session.get_one(Person, number)
        assert (person.name, person.email) == (call.session.scalars(select(Erasure.pseudonym)).one(), None)
        assert isinstance(audit.chain_end(call.session), tuple)
    here = [path for path in home.rglob("*") if path.is_file() and "replaced-" not in str(path)]
    assert [path.name for path in here if NAME.encode() in path.read_bytes()] == []


def test_a_restore_erases_again_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    number = _made(tmp_path, monkeypatch)
    _erase(number)
    _gone(tmp_path / "one", number)

    assert run(["restore", str(tmp_path / "before.tar"), "--force"]) == 0

    assert "Erased again" in "".join(capsys.readouterr())
    _gone(tmp_path / "one", number)

    shutil.copy(tmp_path / "one" / tombstones.FILE, tmp_path / "kept-elsewhere.jsonl")
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path / "two"))
    assert run(["restore", str(tmp_path / "before.tar"), "--erased", str(tmp_path / "kept-elsewhere.jsonl")]) == 0
    _gone(tmp_path / "two", number)


def test_a_list_that_cannot_be_read_stops_the_restore_and_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _made(tmp_path, monkeypatch)
    (tmp_path / "bad.jsonl").write_text('{"person": "Ann"}\n')
    before = (tmp_path / "one" / "havenmeester.db").read_bytes()

    assert run(["restore", str(tmp_path / "before.tar"), "--force", "--erased", str(tmp_path / "bad.jsonl")]) == 1

    assert "does not say who was erased" in "".join(capsys.readouterr())
    assert (tmp_path / "one" / "havenmeester.db").read_bytes() == before


def test_a_list_whose_last_line_a_crash_cut_is_read_and_mended(tmp_path: Path) -> None:
    path = tmp_path / tombstones.FILE
    stones = [
        tombstones.Tombstone(n, f"2026-01-0{n}T00:00:00Z", f"Erased person {n}", "2026-02-01T00:00:00Z") for n in (1, 2)
    ]
    assert tombstones.add(path, stones[:1]) == 1
    with path.open("a") as file:
        file.write('{"person": 2, "ma')

    assert tombstones.read(path) == stones[:1]
    assert tombstones.add(path, stones) == 1
    assert tombstones.read(path) == stones
    assert tombstones.add(path, stones) == 0
