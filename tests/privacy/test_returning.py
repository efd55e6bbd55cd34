"""Somebody whose record was erased, and whom a list or a person brings back: recognised, and a decision."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from mdm.audit.model import AuditEntry
from mdm.core.errors import ConflictError
from mdm.imports.plan import More
from mdm.imports.service import ImportKind, import_csv
from mdm.people import service as people
from mdm.people.model import ErasedMark, Person
from mdm.privacy import service
from mdm.privacy.redoing import finish
from mdm.settings import Settings
from mdm.storage.seal import create_key, load_seal
from mdm.worker import forgetting
from mdm.worker.office import Office
from tests.conftest import FLEET_ADMIN, Calling
from tests.privacy.helpers import calling as calling
from tests.privacy.helpers import engine as engine
from tests.privacy.planting import NOW

FILE = b"number;name;email\nPN-77801;Zyra Quolt;zyra@quolt.example\n"


def _erased(calling: Calling, engine: Engine, home: Path, reason: str = "asked by letter") -> int:
    create_key(home / "keys")
    with calling() as call:
        person = people.create(call, name="Zyra Quolt", number="PN-77801", email="zyra@quolt.example")
        service.begin(call, person, reason, "Mo")
        number = person.id
    finish(engine, home, FLEET_ADMIN, lambda: NOW)
    return number


def test_a_list_that_brings_back_whoever_was_erased_leaves_them_out_and_a_new_record_knows_nothing_of_the_old(
    calling: Calling, engine: Engine, tmp_path: Path
) -> None:
    old = _erased(calling, engine, tmp_path)
    seal = load_seal(tmp_path / "keys")
    with calling() as call:
        said = import_csv(call, ImportKind.PEOPLE, FILE, More(seal))
        assert [row.message.split(",")[0] for row in said.skipped] == ["Their record was erased on 2026-11-23"]
        assert said.applied
        assert call.session.scalars(select(Person.id)).all() == [old]

    with calling() as call:
        import_csv(call, ImportKind.PEOPLE, FILE, More(seal, {2}))
        new = call.session.scalars(select(Person).where(Person.number == "PN-77801")).one()
        assert new.id != old
        assert call.session.get_one(Person, old).name.startswith("Erased person")
        assert call.session.scalars(select(ErasedMark)).all() == []


def test_by_hand_it_is_asked_too_and_after_two_years_nobody_is_recognised(
    calling: Calling, engine: Engine, tmp_path: Path
) -> None:
    _erased(calling, engine, tmp_path, service.OVER)
    seal = load_seal(tmp_path / "keys")
    given = {"name": "Z", "email": "Zyra@Quolt.example"}
    with calling() as call, pytest.raises(ConflictError) as refused:
        people.take_on(call, seal, **given)
    assert refused.value.code == "person_erased"

    after = Office(engine, Settings(home=tmp_path, database_url=str(engine.url)), lambda: NOW + timedelta(days=731))
    forgetting.forget(after)

    with calling() as call:
        assert call.session.scalars(select(ErasedMark)).all() == []
        assert people.take_on(call, seal, **given).email == "zyra@quolt.example"


def test_whoever_decides_by_hand_stands_in_the_diary(calling: Calling, engine: Engine, tmp_path: Path) -> None:
    _erased(calling, engine, tmp_path)
    with calling() as call:
        made = people.take_on(call, load_seal(tmp_path / "keys"), bring_back=True, name="Z", number="PN-77801")
        told = call.session.scalars(select(AuditEntry).where(AuditEntry.action == "person.brought_back")).one()
        assert (told.subject_id, told.details) == (str(made.id), {"erased_on": "2026-11-23"})
        assert call.session.scalars(select(ErasedMark)).all() == []
