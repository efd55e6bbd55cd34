"""Rows that the first one who needs them writes: whoever else comes at the same moment finds them there."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

from mdm.storage.base import Base
from mdm.storage.call import Call


def insert_once(call: Call, model: type[Base], keys: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Writes the rows whose ``keys`` are not there yet. Two at once both go on, and there is one row of each."""
    insert = sqlite.insert if call.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    if rows:
        call.session.execute(insert(model).on_conflict_do_nothing(index_elements=list(keys)), list(rows))
