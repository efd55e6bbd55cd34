"""The register of processing, and what is done for one person, at the console."""

import csv
import io
import json
import zipfile
from collections.abc import Callable

from sqlalchemy import create_engine, text

from mdm.settings import Settings
from mdm.storage.metadata import all_tables
from tests.console.conftest import Visitor

SignedIn = Callable[[str], Visitor]


def _rows(settings: Settings, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(settings.database)
    with engine.begin() as connection:
        done = connection.execute(text(statement))
        rows = [tuple(row) for row in done] if done.returns_rows else []
    engine.dispose()
    return rows


def test_the_register_has_every_column_and_says_why(signed_in: SignedIn) -> None:
    visitor = signed_in("mo@stad.example")

    page = visitor.get("/privacy").text
    lines = list(csv.DictReader(io.StringIO(visitor.get("/privacy/register.csv").data.decode("utf-8-sig"))))

    assert "Public task: article 6(1)(e) GDPR" in page
    assert "Sealed with a key that does not lie in the database" in page
    columns = {f"{table.name}.{column.name}" for table in all_tables().sorted_tables for column in table.columns}
    assert {line["column"] for line in lines} == columns
    assert all(line["purpose"] and line["kept"] and line["basis"] for line in lines)


def test_the_register_is_a_table_whose_entries_unfold_and_is_searched_by_any_of_its_words(signed_in: SignedIn) -> None:
    visitor = signed_in("mo@stad.example")

    whole = visitor.get("/privacy").text
    few = visitor.get("/privacy?q=VITAL+interests").text
    none = visitor.get("/privacy?q=no+such+thing").text

    assert whole.count('<details class="hm-entry"') == whole.count('href="#in-') > 20
    assert (few.count('href="#in-'), 'id="in-safety"' in few) == (1, True)
    assert "data-print open" in few
    assert (none.count('href="#in-'), "Nothing in the register says that" in none) == (0, True)


def test_a_person_is_taken_out_whole_and_it_stands_in_the_diary(signed_in: SignedIn, settings: Settings) -> None:
    visitor = signed_in("mo@stad.example")
    number, name = _rows(settings, "SELECT id, name FROM person ORDER BY id LIMIT 1")[0]
    visitor.get(f"/people/{number}/privacy")

    answer = visitor.post(f"/people/{number}/privacy/take")

    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert json.loads(archive.read("data.json"))["person"]["name"] == name
    assert _rows(settings, "SELECT subject_id FROM audit_entry WHERE action = 'person.exported'") == [(str(number),)]


def test_the_page_says_what_stands_in_the_way_and_nothing_is_erased(signed_in: SignedIn, settings: Settings) -> None:
    visitor = signed_in("mo@stad.example")
    holder = _rows(settings, "SELECT person_id FROM device WHERE person_id IS NOT NULL LIMIT 1")[0][0]

    page = visitor.get(f"/people/{holder}/privacy").text
    answer = visitor.post(f"/people/{holder}/privacy/erase", reason="asked by letter")

    assert "They still work here" in page
    assert "Devices in their hands: " in page
    assert 'name="reason"' not in page
    assert answer.status_code == 409
    assert "cannot be erased yet" in answer.text
    assert _rows(settings, "SELECT id FROM privacy_erasure") == []


def test_who_has_left_is_erased_after_a_reason_was_given(signed_in: SignedIn, settings: Settings) -> None:
    visitor = signed_in("mo@stad.example")
    free = "SELECT id FROM person WHERE id NOT IN (SELECT person_id FROM device WHERE person_id IS NOT NULL)"
    busy = " AND id NOT IN (SELECT person_id FROM loan_reservation) AND id NOT IN (SELECT person_id FROM custody)"
    gone = _rows(settings, f"{free}{busy} AND email NOT IN (SELECT email FROM operator) ORDER BY id LIMIT 1")[0][0]
    _rows(settings, f"UPDATE person SET left_on = '2026-01-01' WHERE id = {gone}")
    visitor.get(f"/people/{gone}/privacy")

    assert visitor.post(f"/people/{gone}/privacy/erase", reason=" ").status_code == 422
    assert visitor.post(f"/people/{gone}/privacy/erase", reason="asked by letter").status_code == 303
    assert "This record was erased" in visitor.get(f"/people/{gone}/privacy").text
    assert [row[0] for row in _rows(settings, "SELECT person_id FROM privacy_erasure")] == [gone]


def test_a_clerk_sees_no_register_and_takes_nobody_out(signed_in: SignedIn, settings: Settings) -> None:
    clerk = signed_in("marijke@stad.example")
    number = _rows(settings, "SELECT id FROM person ORDER BY id LIMIT 1")[0][0]
    clerk.get("/")

    assert clerk.get("/privacy").status_code == 403
    assert clerk.get(f"/people/{number}/privacy").status_code in (403, 404)
    assert clerk.post(f"/people/{number}/privacy/take").status_code in (403, 404)
    assert clerk.post(f"/people/{number}/privacy/erase", reason="x").status_code in (403, 404)
    assert _rows(settings, "SELECT id FROM audit_entry WHERE action = 'person.exported'") == []
