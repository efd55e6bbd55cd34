"""What is looked for every night in large tables is found by an index, on both databases."""

import pytest
from sqlalchemy import Engine, Select, select, text
from sqlalchemy.dialects import postgresql, sqlite

from mdm.commands.model import Command
from mdm.inventory.model import DeviceEvent
from tests.conftest import NOW


def plan(engine: Engine, query: Select[int] | Select[str]) -> str:
    """How the database would answer; PostgreSQL is told that reading a whole table is dear, as it is in a large one."""
    on_postgres = engine.dialect.name == "postgresql"
    dialect = postgresql.dialect() if on_postgres else sqlite.dialect()
    written = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    with engine.connect() as connection:
        if on_postgres:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN" if on_postgres else "EXPLAIN QUERY PLAN"
        return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {written}"))


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (select(DeviceEvent.id).where(DeviceEvent.at < NOW), "ix_device_event_at"),
        (select(Command.id).where(Command.finished_at < NOW), "ix_command_finished_at"),
    ],
    ids=["device events", "commands"],
)
def test_what_is_too_old_is_found_without_reading_all(
    engine: Engine, query: Select[int] | Select[str], index: str
) -> None:
    assert index in plan(engine, query)
