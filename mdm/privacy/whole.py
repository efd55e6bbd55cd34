"""Whether the map is whole: every column of the database is in it, and no line names nothing. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Boolean, Column, Date, Float, Integer, MetaData, Table

from mdm.core.permissions import Permission
from mdm.privacy.fields import NOBODY, Erase, Field, MapError, Way, field, lines, plain, words
from mdm.settings import Settings
from mdm.storage.base import UTCDateTime

FILE = "mdm/privacy/map/columns.csv"
PLAIN = (Boolean, Date, Float, Integer, UTCDateTime)
"""Types of columns that hold no text: for them a table's line is enough."""


def tables_of(metadata: MetaData) -> Mapping[str, tuple[str, ...]]:
    """Every table with its columns."""
    return {table.name: tuple(column.name for column in table.columns) for table in metadata.sorted_tables}


def complaints(metadata: MetaData) -> list[str]:
    """What is wrong with the map, one sentence each, with the line to write; empty when it is whole."""
    found: list[str] = []
    for table in metadata.sorted_tables:
        found += _of_table(table)
    for place in words().places:
        if place.purpose not in words().purposes:
            found.append(f"purposes.toml: the place {place.where} is for “{place.purpose}”, which is no purpose.")
    named = tables_of(metadata)
    for name in lines():
        table_name, _dot, column = name.partition(".")
        if table_name not in named or (column != "*" and column not in named[table_name]):
            found.append(f"{FILE}: {name} names nothing in the database. Take the line away.")
    return found


def _of_table(table: Table) -> Iterator[str]:
    whole = f"{table.name}.*" in lines()
    if not whole:
        yield f"{FILE}: {table.name} is not in the map. Write, with the right words:\n{_suggested(table)}"
    unseen = [column.name for column in texts_of(table) if whole and not _looked_at(table, column.name)]
    if unseen:
        more = "\n".join(f"{table.name}.{name},,,,words,," for name in unseen)
        yield (
            f"{FILE}: nobody has said whether {', '.join(unseen)} of {table.name} can name a person. Where not, add the name"
            f" to the end of the line {table.name}.*; where it can, write:\n{more}"
        )
    for name in sorted(plain(table.name) - {column.name for column in table.columns}):
        yield f"{FILE}: {name} at the end of {table.name}.* names nothing in the database. Take it away."
    for column in table.columns:
        try:
            one = field(table.name, column.name)
        except MapError as error:
            yield f"{FILE}: {error}"
            continue
        if one is not None:
            yield from _of_field(table, one)


def texts_of(table: Table) -> list[Column[Any]]:
    """Columns that can hold text or bytes, whatever somebody writes into them."""
    return [column for column in table.columns if not isinstance(column.type, PLAIN)]


def _looked_at(table: Table, column: str) -> bool:
    return column in plain(table.name) or f"{table.name}.{column}" in lines()


def _suggested(table: Table) -> str:
    """Lines to begin with: whoever made the table must say what it is for."""
    people = [
        column.name for column in table.columns if any(key.column.table.name == "person" for key in column.foreign_keys)
    ]
    texts = [column.name for column in texts_of(table)]
    first = (
        f"{table.name}.*,PURPOSE,as long as installation,{people[0] if people else '-'},-,PERMISSION,{' '.join(texts)}"
    )
    return (
        f"{first}\n(PURPOSE: {', '.join(sorted(words().purposes))}. PERMISSION: like device:view, or nobody. Time: also"
        " “90 days from COLUMN”. For each text in which a person may be named, take its name away from the end and write a"
        f" line “{table.name}.COLUMN,,,,words,,”, or “empty” where it is wholly about that person; see mdm/privacy/fields.py)"
    )


def _of_field(table: Table, one: Field) -> Iterator[str]:
    where = f"{FILE}: {one.table}.{one.column}"
    if one.purpose not in words().purposes:
        yield f"{where}: there is no purpose “{one.purpose}”; it is one of {', '.join(sorted(words().purposes))}."
    if one.seen != NOBODY and one.seen not in {permission.value for permission in Permission}:
        yield f"{where}: “{one.seen}” is no permission."
    if one.keep.word and one.keep.word not in words().keep:
        yield f"{where}: “as long as {one.keep.word}” is not explained in purposes.toml."
    if one.keep.setting and one.keep.setting not in Settings.model_fields:
        yield f"{where}: there is no setting {one.keep.setting}."
    start = table.columns.get(one.keep.start)
    if one.keep.span is not None and (start is None or not isinstance(start.type, UTCDateTime)):
        yield f"{where}: “{one.keep.start}” is no moment of this table."
    if one.erase is Erase.KEEP and one.because not in words().because:
        yield f"{where}: what is kept needs a reason of [because], not “{one.because}”."
    if one.person.column and one.person.column not in table.columns:
        yield f"{where}: {one.table} has no column {one.person.column}."
    if one.person.at and one.person.at not in table.columns:
        yield f"{where}: {one.table} has no column {one.person.at}."
    if one.person.way is Way.VIA and not (
        one.person.column in table.columns and table.columns[one.person.column].foreign_keys
    ):
        yield f"{where}: via {one.person.column} needs a foreign key."
    if one.person.way is Way.NOBODY and one.erase in (Erase.DELETE, Erase.EMPTY, Erase.NAME):
        yield f"{where}: “{one.erase}” needs a way to the person; without one it can only be “words”."
