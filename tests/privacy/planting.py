"""A database in which every column that can name a person does, each with a string that stands nowhere else."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, Engine, Float, Integer, LargeBinary, Table, insert

from mdm.privacy import fields
from mdm.privacy.fields import Erase, Way
from mdm.privacy.whole import PLAIN
from mdm.storage.base import UTCDateTime
from mdm.storage.metadata import all_tables

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NAME, EMAIL, NUMBER, BADGE, PHONE = "Qzvk Wyxjo", "qzvk@wyxjo.be", "PN88123x", "BDG99881", "+32 499 11 22 33"
OLD_NAME = "Qzvk Maidenname"
IDENTITIES = (NAME, OLD_NAME, EMAIL, NUMBER, BADGE, PHONE)
ID = 4000
"""The number of every row that is planted."""
LEFT_OUT = frozenset({"audit_entry", "audit_head", "diary_closure", "privacy_erasure", "alembic_version"})
SET: dict[str, Any] = {
    "person.name": NAME,
    "person.email": EMAIL,
    "person.number": NUMBER,
    "person.badge": BADGE,
    "person.phone": PHONE,
    "person.search": "qzvk wyxjo qzvk@wyxjo.be pn88123x bdg99881 +32 499 11 22 33",
    "person.left_on": date(2026, 11, 1),
    "operator.email": EMAIL,
    "operator.name": NAME,
    "operator.disabled_at": NOW,
    "device.person_id": None,
    "kit_piece.person_id": None,
    "privacy_departure.kept_until": None,
    "panic_duty.until_day": date(2026, 11, 1),
    "wipe_order.finished_at": NOW - timedelta(days=10),
    "desk_case.state": "closed",
    "desk_case.slot": None,
    "loan_reservation.state": "returned",
    "loan_reservation.begins_at": NOW - timedelta(days=20),
    "custody.person_name": OLD_NAME,
    "custody.from_at": NOW - timedelta(days=20),
    "custody.to_at": NOW,
    "custody.instead_of_id": None,
}
"""What a row needs beside its strings, so that nothing stands in the way of erasing."""


@dataclass
class Planted:
    """What was planted: strings that must go, and strings that stay by law."""

    gone: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)


def plant(engine: Engine) -> Planted:
    """One row in every table, tied to the person wherever the map says how."""
    planted = Planted()
    with engine.begin() as connection:
        for table in all_tables().sorted_tables:
            if table.name not in LEFT_OUT:
                values = {column.name: _value(table, column, planted) for column in table.columns}
                connection.execute(insert(table).values(values))
    return planted


def _value(table: Table, column: Column[Any], planted: Planted) -> Any:
    name = f"{table.name}.{column.name}"
    if name in SET:
        return SET[name]
    if column.foreign_keys:
        target = next(iter(column.foreign_keys)).column
        if target.table is table:
            return None if column.nullable else ID
        return _plain(target)
    if isinstance(column.type, PLAIN):
        return _plain(column)
    said = fields.field(table.name, column.name)
    assert said is not None
    if said.erase is Erase.WORDS:
        return _shaped(column, NAME if _short(column, 40) else f"See {NAME} <{EMAIL}>, {PHONE}")
    if said.erase is Erase.KEEP:
        planted.kept[name] = f"kept{len(planted.kept):04d}z"
        return _shaped(column, planted.kept[name])
    if (
        said.erase in (Erase.EMPTY, Erase.DELETE, Erase.NAME)
        and said.person.way is not Way.NOBODY
        and not _short(column, 10)
    ):
        planted.gone[name] = f"cnry{len(planted.gone):04d}q"
        return _shaped(column, planted.gone[name])
    return _plain(column)


def _short(column: Column[Any], least: int) -> bool:
    length = getattr(column.type, "length", None)
    return length is not None and length < least


def _plain(column: Column[Any]) -> Any:
    """A value of the column's type that names nobody."""
    kind = column.type
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, Integer):
        return ID
    if isinstance(kind, Float):
        return 0.5
    if isinstance(kind, UTCDateTime):
        return NOW - timedelta(days=10)
    if isinstance(kind, Date):
        return date(2026, 11, 13)
    return _shaped(column, "p1")


def _shaped(column: Column[Any], text: str) -> Any:
    if isinstance(column.type, JSON):
        return {"said": [text]}
    return text.encode() if isinstance(column.type, LargeBinary) else text
