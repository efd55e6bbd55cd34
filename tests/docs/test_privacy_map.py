"""Privacy as code: no column of the database without purpose, time, person and erasure; no line that names nothing."""

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table

from mdm.privacy import fields
from mdm.privacy.fields import Erase, Way
from mdm.privacy.whole import complaints, tables_of
from mdm.storage.metadata import all_tables


def test_every_column_of_the_database_is_in_the_map_and_every_line_names_one() -> None:
    wrong = complaints(all_tables())

    assert not wrong, "\n\n".join(["", *wrong])


def test_a_table_that_nobody_put_into_the_map_is_told_with_the_line_to_write() -> None:
    metadata = MetaData()
    Table("person", metadata, Column("id", Integer, primary_key=True))
    Table("riddle", metadata, Column("who", ForeignKey("person.id")), Column("said", String))

    told = next(one for one in complaints(metadata) if "riddle" in one)

    assert "riddle.*,PURPOSE,as long as installation,who,-,PERMISSION,said\n" in told


def test_a_new_column_of_text_in_an_old_table_is_told_until_somebody_has_looked_at_it() -> None:
    metadata = MetaData()
    Table(
        "unit", metadata, Column("id", Integer, primary_key=True), Column("nickname", String), Column("size", Integer)
    )

    told = [one for one in complaints(metadata) if "unit" in one and "nickname" in one]

    assert len(told) == 1
    assert "unit.nickname,,,,words,," in told[0]
    assert not any("size of unit" in one for one in complaints(metadata))


def test_a_line_whose_column_is_gone_is_told() -> None:
    metadata = MetaData()
    Table("person", metadata, Column("id", Integer, primary_key=True))

    told = complaints(metadata)

    assert any("person.email names nothing" in one for one in told)
    assert any("device.* names nothing" in one for one in told)


@pytest.mark.parametrize("line", ["for ever", "90 days", "as long as", "ninety days"])
def test_a_time_that_says_nothing_is_refused(line: str) -> None:
    with pytest.raises(fields.MapError):
        fields._keep(line)


def test_no_column_that_leads_to_a_person_is_said_to_lead_to_nobody() -> None:
    """The negative twin: a foreign key to a person with the way “-” would be left out of every export and erasure."""
    wrong = []
    for table in all_tables().sorted_tables:
        for column in table.columns:
            for key in column.foreign_keys:
                found = fields.field(table.name, column.name)
                if key.column.table.name == "person" and (found is None or found.person.way is Way.NOBODY):
                    wrong.append(f"{table.name}.{column.name}")

    assert wrong == []


def test_what_is_kept_in_spite_of_erasure_is_evidence_of_decisions_and_what_keeps_erasures_from_being_undone() -> None:
    kept = {found.table for found in fields.fields(tables_of(all_tables())) if found.erase is Erase.KEEP}

    assert kept <= {
        "act", "act_approval", "kernel_state", "order_approval", "order_batch", "order_release", "roster_proposal",
        "sealed_roster", "wipe_order", "person_erased",
    }  # fmt: skip
