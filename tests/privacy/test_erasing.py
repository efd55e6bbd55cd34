"""Deleted means gone: strings in every column that can name a person are nowhere afterwards, in no file."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from mdm.audit import service as audit
from mdm.cli import archive
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ApprovalNeededError, ConflictError, DeniedError, InvalidError
from mdm.core.permissions import Grant, Role
from mdm.people.model import Person
from mdm.privacy import service, tombstones
from mdm.privacy.compacting import compact, compact_fully
from mdm.privacy.holding import reasons
from mdm.privacy.model import Erasure
from mdm.settings import Settings
from mdm.storage.metadata import all_tables
from mdm.worker.office import Office
from mdm.worker.table import erase_people
from tests.conftest import Calling, PrivatePostgres
from tests.privacy.helpers import calling as calling
from tests.privacy.helpers import calling_on, engine_on
from tests.privacy.helpers import engine as engine
from tests.privacy.planting import EMAIL, ID, IDENTITIES, NAME, NOW, Planted, plant

EMPLOYEE = Actor(ActorKind.EMPLOYEE, ID, NAME, (), "req-2", "192.0.2.77")


@pytest.fixture
def planted(engine: Engine, calling: Calling) -> Planted:
    """The strings; and lines of the diary by, about and beside the person."""
    found = plant(engine)
    _lines(calling)
    return found


def _lines(calling: Calling) -> None:
    with calling(EMPLOYEE) as call:
        audit.record(call, "person.signed_in", ("person", ID), name=NAME)
    with calling() as call:
        audit.record(
            call, "person.edited", ("person", ID), name="Qzvk Oldname", details={"before": {"phone": "0470 1"}}
        )
        audit.record(call, "device.moved", ("device", "x"), name="Kiosk", details={"to": f"{NAME} <{EMAIL}>", "n": 4})
        audit.record(call, "device.moved", ("device", "y"), name=f"Phone of {NAME.upper()}")
        audit.record(call, "device.moved", ("device", "z"), name="Somebody Else", details={"to": "Ann"})


def _office(engine: Engine, home: Path) -> Office:
    return Office(engine, Settings(home=home, database_url=str(engine.url)), lambda: NOW)


def _erase(calling: Calling, engine: Engine, home: Path) -> None:
    with calling(now=NOW) as call:
        service.erase(call, ID, "asked by letter")
    erase_people(_office(engine, home))


def _left(engine: Engine, strings: Iterable[str]) -> list[str]:
    """Where in the tables one of these strings stands, read as text."""
    found = []
    with engine.connect() as connection:
        for table in all_tables().sorted_tables:
            for row in connection.execute(select(table)).mappings():
                said = repr(dict(row)).lower()
                found += [f"{table.name}: {one} in {said[:300]}" for one in strings if one.lower() in said]
    return found


def test_everything_that_names_the_person_is_gone_and_everything_else_stays(
    calling: Calling, engine: Engine, planted: Planted, tmp_path: Path
) -> None:
    assert len(planted.gone) > 40
    assert _left(engine, IDENTITIES)

    _erase(calling, engine, tmp_path)

    assert _left(engine, [*IDENTITIES, "Qzvk Oldname", "0470 1", "192.0.2.77", *planted.gone.values()]) == []
    assert len(_left(engine, planted.kept.values())) >= len(planted.kept)
    assert _left(engine, ["Somebody Else"])
    with calling(write=False) as call:
        assert isinstance(audit.chain_end(call.session), tuple)
        erasure = call.session.scalars(select(Erasure)).one()
        assert erasure.finished_at is not None
        assert erasure.names == []
        person = call.session.get_one(Person, ID)
        assert (person.name, person.email, person.number, person.badge) == (erasure.pseudonym, None, None, None)


def test_on_sqlite_no_file_holds_it_and_no_fresh_backup(
    sqlite_url: str, engine: Engine, calling: Calling, planted: Planted, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / "logs").mkdir(parents=True)
    old = tmp_path / "old.db"
    archive.copy_sqlite(Path(str(engine.url.database)), old)

    _erase(calling, engine, home)

    settings = Settings(home=home, database_url=sqlite_url)
    archive.write(settings, tmp_path / "fresh.tar", {}, lambda _name, _size: None)
    gone = [*IDENTITIES, *planted.gone.values(), "192.0.2.77"]
    everywhere = [path for path in tmp_path.rglob("*") if path.is_file() and path != old]
    assert {path.name for path in everywhere} >= {Path(sqlite_url).name, "fresh.tar", tombstones.FILE}
    assert _in_files(everywhere, gone) == []
    assert _in_files([old], gone) != []
    with calling(write=False) as call:
        assert call.session.scalars(select(Erasure.clean_at)).one() == NOW


def test_on_postgresql_no_table_holds_it_and_no_tables_file_once_they_were_made_anew(
    postgres: PrivatePostgres, tmp_path: Path
) -> None:
    engine = engine_on(postgres.fresh())
    planted, calling = plant(engine), calling_on(engine)
    _lines(calling)
    with engine.connect() as connection:
        folder = postgres.folder / "data" / "base" / str(
            connection.execute(text("SELECT oid FROM pg_database WHERE datname = current_database()")).scalar_one()
        )  # fmt: skip

    _erase(calling, engine, tmp_path)
    assert _left(engine, [*IDENTITIES, *planted.gone.values()]) == []
    with calling(write=False) as call:
        assert isinstance(audit.chain_end(call.session), tuple)
    assert compact_fully(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")

    gone = [NAME, EMAIL, *planted.gone.values()]
    assert _in_files([path for path in folder.iterdir() if path.is_file()], gone) == []
    assert not compact(engine)
    engine.dispose()


def _in_files(paths: Iterable[Path], strings: Iterable[str]) -> list[str]:
    wanted = [one.encode() for one in strings]
    found = []
    for path in paths:
        try:
            held = path.read_bytes()
        except FileNotFoundError:
            # A database server throws away what it keeps for itself between two looks.
            continue
        found += [f"{path.name}: {one!r}" for one in wanted if one in held]
    return found


def test_an_erasure_that_was_cut_goes_on_where_it_was(
    calling: Calling, engine: Engine, planted: Planted, tmp_path: Path
) -> None:
    with calling(now=NOW) as call:
        number = service.erase(call, ID, "asked").id
    seen = set()
    for _ in range(5):
        with calling(now=NOW) as call:
            assert service.step(call, number, tmp_path)
            seen.add(call.session.get_one(Erasure, number).step)
    assert len(seen) == 5

    erase_people(_office(engine, tmp_path))

    assert _left(engine, [*IDENTITIES, *planted.gone.values()]) == []
    assert len(tombstones.read(tmp_path / tombstones.FILE)) == 1


def test_an_old_database_that_comes_back_is_erased_again_from_the_list(sqlite_url: str, tmp_path: Path) -> None:
    file, kept = Path(sqlite_url.removeprefix("sqlite:///")), tmp_path / "kept.db"
    engine = engine_on(sqlite_url)
    planted = plant(engine)
    engine.dispose()
    archive.copy_sqlite(file, kept)
    engine = engine_on(sqlite_url)
    _erase(calling_on(engine), engine, tmp_path)
    with calling_on(engine)(write=False) as call:
        pseudonym = call.session.scalars(select(Erasure.pseudonym)).one()
    engine.dispose()
    for tail in ("-wal", "-shm"):
        file.with_name(file.name + tail).unlink(missing_ok=True)
    shutil.copy(kept, file)
    engine = engine_on(sqlite_url)
    assert _left(engine, IDENTITIES)

    erase_people(_office(engine, tmp_path))

    assert _left(engine, [*IDENTITIES, *planted.gone.values()]) == []
    with calling_on(engine)(write=False) as call:
        assert call.session.scalars(select(Erasure.pseudonym)).one() == pseudonym
    engine.dispose()


def test_a_tombstone_of_a_row_that_was_somebody_elses_erases_nobody(
    calling: Calling, engine: Engine, planted: Planted, tmp_path: Path
) -> None:
    stone = tombstones.Tombstone(ID, "2020-01-01T00:00:00Z", "Erased person XXXXXX", "2026-01-01T00:00:00Z")
    tombstones.add(tmp_path / tombstones.FILE, [stone])

    erase_people(_office(engine, tmp_path))

    with calling(write=False) as call:
        assert call.session.scalars(select(Erasure)).all() == []
    assert _left(engine, [NAME])


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE person SET left_on = NULL", "still_here"),
        ("UPDATE person SET left_on = '2027-01-01'", "still_here"),
        (f"UPDATE device SET person_id = {ID}", "devices"),
        ("UPDATE custody SET to_at = NULL", "devices"),
        (f"UPDATE kit_piece SET person_id = {ID}", "kit"),
        ("UPDATE desk_case SET state = 'open'", "cases"),
        ("UPDATE loan_reservation SET state = 'reserved'", "loans"),
        ("UPDATE desk_repair SET closed_at = NULL", "repairs"),
        ("UPDATE wipe_order SET finished_at = NULL", "orders"),
        ("UPDATE panic_alarm SET closed_at = NULL", "panic"),
        ("UPDATE panic_duty SET until_day = NULL", "duty"),
        ("UPDATE privacy_departure SET kept_until = '2027-01-01'", "kept"),
        ("UPDATE operator SET disabled_at = NULL", "account"),
    ],
)
def test_what_is_still_open_stands_in_the_way_and_is_named(
    engine: Engine, calling: Calling, tmp_path: Path, statement: str, code: str
) -> None:
    plant(engine)
    with engine.begin() as connection:
        connection.execute(text(statement))

    with calling(now=NOW) as call:
        assert [one.code for one in reasons(call, call.session.get_one(Person, ID))] == [code]
        with pytest.raises(ConflictError) as refused:
            service.erase(call, ID, "asked")
    assert refused.value.code == "person_held"
    erase_people(_office(engine, tmp_path))
    assert _left(engine, [NAME])


def test_nobody_erases_alone_without_a_reason_without_the_right_or_twice(
    calling: Calling, engine: Engine, planted: Planted, tmp_path: Path
) -> None:
    clerk = Actor(ActorKind.OPERATOR, 9, "Clerk", (Grant(Role.DESK_CLERK),))
    with calling(now=NOW, asked=True) as call, pytest.raises(ApprovalNeededError) as needed:
        service.erase(call, ID, "asked")
    assert NAME not in repr((needed.value.name, needed.value.arguments, needed.value.facts))
    with calling(now=NOW) as call, pytest.raises(InvalidError):
        service.erase(call, ID, "  ")
    with calling(clerk, now=NOW) as call, pytest.raises(DeniedError):
        service.erase(call, ID, "asked")
    with calling(write=False) as call:
        assert call.session.scalars(select(Erasure)).all() == []

    _erase(calling, engine, tmp_path)
    with calling(now=NOW) as call, pytest.raises(ConflictError):
        service.erase(call, ID, "asked again")


def test_somebody_else_of_the_same_name_keeps_it(
    calling: Calling, engine: Engine, planted: Planted, tmp_path: Path
) -> None:
    with calling() as call:
        call.session.add(Person(name=NAME, created_at=NOW))
        audit.record(call, "device.moved", ("device", "q"), name=f"Of {NAME}, the other one")

    _erase(calling, engine, tmp_path)

    with calling(write=False) as call:
        assert call.session.scalars(select(Person.name).where(Person.id != ID)).all() == [NAME]
        assert call.session.scalars(select(Erasure.left)).one() == 1
        assert call.session.get_one(Person, ID).name != NAME
    assert _left(engine, [EMAIL, *planted.gone.values()]) == []
    assert _left(engine, [f"Of {NAME}, the other one"])
