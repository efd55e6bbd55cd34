"""What is taken along is everything: a string in every column that is about the person stands in the file, and nobody else's."""

import json

import pytest
from sqlalchemy import Engine, LargeBinary

from mdm.people import service as people
from mdm.people.model import Person
from mdm.portal.model import AppRequest
from mdm.privacy import fields, own
from mdm.storage.metadata import all_tables
from tests.privacy.helpers import calling_on
from tests.privacy.helpers import engine as engine
from tests.privacy.planting import ID, IDENTITIES, plant


def _left_out(name: str) -> str:
    """Why a column that is about the person is not in the file; empty where it must be."""
    table, _dot, column = name.partition(".")
    found = fields.field(table, column)
    assert found is not None
    if isinstance(all_tables().tables[table].columns[column].type, LargeBinary):
        return "sealed"
    if own.SECRET.search(column):
        return "a secret, or its digest"
    return own.NOT_TAKEN.get(name, "")


def test_every_column_that_is_about_the_person_is_in_the_file(engine: Engine) -> None:
    planted = plant(engine)
    with calling_on(engine)() as call:
        said = json.dumps(own.export(call, ID), ensure_ascii=False)

    missing = sorted(name for name, canary in planted.gone.items() if canary not in said and not _left_out(name))
    assert missing == []
    assert [one for one in IDENTITIES if one not in said] == []
    useless = sorted(name for name in own.NOT_TAKEN if planted.gone.get(name, "?") in said)
    assert useless == []


def test_no_secret_and_nobody_else_is_in_the_file_and_older_rows_are_counted(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = plant(engine)
    monkeypatch.setattr(own, "MOST", 2)
    with calling_on(engine)() as call:
        person = call.session.get_one(Person, ID)
        other = people.create(call, name="Somebody Else", email="else@stad.example")
        for number in range(4):
            call.session.add(
                AppRequest(
                    uid=f"{number:032x}", slot=f"s{number}", state="asked", why=f"why{number}", asked_at=call.now,
                    offer_id=ID, person_id=other.id if number == 3 else person.id,
                )
            )  # fmt: skip
        call.session.flush()
        found = own.export(call, ID)

    said = json.dumps(found, ensure_ascii=False)
    assert found["older_rows_left_out"]["app_request"] == 2
    assert ("why2" in said, "why1" in said, "why0" in said, "why3" in said) == (True, True, False, False)
    assert "Somebody Else" not in said
    hidden = [canary for name, canary in planted.gone.items() if _left_out(name)]
    assert [one for one in hidden if one in said] == []
    assert len(hidden) > 10
