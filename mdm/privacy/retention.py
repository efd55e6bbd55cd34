"""The times of the map as jobs need them: how long a table's rows are kept, and forgetting those that no room forgets itself."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Table, delete, select, tuple_
from sqlalchemy.orm import Session

from mdm.privacy.fields import MapError, field
from mdm.storage.metadata import all_tables


def span(name: str) -> timedelta:
    """How long ``table.column`` is kept, or the rows of ``table.*``. Raises MapError where no clock ends it."""
    table, _dot, column = name.partition(".")
    first = next(iter(all_tables().tables[table].columns)).name if column == "*" else column
    found = field(table, first)
    if found is None or found.keep.span is None:
        raise MapError(f"{name} is not kept for a number of days")
    return found.keep.span


def counted() -> Iterator[tuple[Table, str, timedelta]]:
    """Every table whose rows the clock ends, with the column from which it counts and how long."""
    for table in all_tables().sorted_tables:
        found = field(table.name, next(iter(table.columns)).name)
        if found is not None and found.keep.span is not None:
            yield table, found.keep.start, found.keep.span


def forget(session: Session, table: Table, start: str, before: datetime, limit: int = 2000) -> int:
    """Deletes up to ``limit`` rows whose moment is older than ``before``; how many. Rows without that moment stay."""
    keys = list(table.primary_key.columns)
    old = session.execute(select(*keys).where(table.columns[start] < before).order_by(*keys).limit(limit)).all()
    if old:
        session.execute(delete(table).where(tuple_(*keys).in_([tuple(row) for row in old])))
    return len(old)


def left_over(own: Collection[str]) -> list[tuple[Table, str, timedelta]]:
    """Counted tables that no room forgets by a verb of its own, those that point at others first."""
    return [one for one in reversed(list(counted())) if one[0].name not in own]
