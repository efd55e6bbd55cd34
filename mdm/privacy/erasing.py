"""Erasing a person's record: step by step through the map, in small batches, going on where it was after a crash.

The diary first, while everything that names the person is still known; then every text of every table in which they may be
named; then the rows that lead to them, as the map says; their own row last. Nothing here asks whether it may be done:
``service.py`` does.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    LargeBinary,
    String,
    Table,
    Text,
    Update,
    cast,
    delete,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from mdm.audit import erasing as diary
from mdm.audit.model import AuditEntry
from mdm.core.actor import ActorKind
from mdm.core.text import fold
from mdm.people.model import Person
from mdm.privacy.fields import Erase, field
from mdm.privacy.model import Erasure
from mdm.privacy.naming import Eraser, emptied, variants
from mdm.privacy.whole import texts_of
from mdm.privacy.whose import Whose, condition, whose
from mdm.storage.call import Call
from mdm.storage.metadata import all_tables

BATCH: Final = 300
"""Rows that one transaction looks at."""
LAST: Final = ("operator", "person")
"""Tables by which all others lead to the person: theirs come at the end."""
DIARY: Final = "diary"
Forget = Callable[[str, dict[str, Any]], None]
"""Told of each row that is deleted, by table: for what lies beside the database."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: ``words`` of a column, ``rows`` of a table, or the diary."""

    kind: str
    table: str = ""
    column: str = ""

    @property
    def key(self) -> str:
        """What it is remembered by."""
        return ":".join(filter(None, (self.kind, self.table, self.column)))


@cache
def steps() -> tuple[Step, ...]:
    """Every step, in order. It follows the map: a column that comes tomorrow is erased tomorrow."""
    tables = [table for table in all_tables().sorted_tables if table.name != Erasure.__tablename__]
    found = [Step(DIARY)]
    found += [Step("words", table.name, column.name) for table in tables for column in _worded(table)]
    # Rows that others point at go after those that do, and what leads to the person goes last of all.
    rows = [table for table in reversed(tables) if table.name not in LAST]
    found += [Step("rows", table.name) for table in rows if _linked(table)]
    return (*found, *(Step("rows", name) for name in LAST))


def _worded(table: Table) -> Iterator[Column[Any]]:
    """Columns in which the person may be named by whoever wrote there."""
    for column in texts_of(table):
        said = field(table.name, column.name)
        if isinstance(column.type, LargeBinary) or said is None or column.primary_key or column.foreign_keys:
            continue
        if said.erase in (Erase.WORDS, Erase.NAME, Erase.EMPTY) and table.name not in LAST:
            yield column


def _linked(table: Table) -> bool:
    return any(
        said is not None and said.erase in (Erase.DELETE, Erase.EMPTY, Erase.NAME)
        for said in (field(table.name, column.name) for column in table.columns)
    )


def advance(call: Call, erasure: Erasure, forget: Forget) -> bool:
    """Does one batch; True when there is more to do. The caller commits, so that a crash costs one batch at most."""
    plan = steps()
    keys = [step.key for step in plan]
    # A step that an upgrade took away: from the beginning; what was done already is found to be done.
    at = keys.index(erasure.step) if erasure.step in keys else 0
    erasure.step = keys[at]
    person = call.session.get_one(Person, erasure.person_id)
    eraser = Eraser(erasure.names, erasure.pseudonym)
    step = plan[at]
    if step.kind == DIARY:
        place = _diary(call, erasure, person, eraser)
    elif step.kind == "words":
        place = _words(call.session, erasure, step, eraser)
    else:
        place = _rows(call.session, erasure, step, whose(call.session, person), forget)
    erasure.place = place
    if not place:
        if at + 1 == len(plan):
            erasure.finished_at, erasure.names = call.now, []
            return False
        erasure.step = keys[at + 1]
    return True


def _diary(call: Call, erasure: Erasure, person: Person, eraser: Eraser) -> list[Any]:
    one = whose(call.session, person)

    def rewrite(row: AuditEntry) -> diary.Text:
        text = diary.Text(row.actor_name, row.address, row.subject_name, row.details)
        spoke = (row.actor_kind == ActorKind.EMPLOYEE and row.actor_id == one.person) or (
            row.actor_kind == ActorKind.OPERATOR and row.actor_id in one.operators
        )
        if spoke:
            text = replace(text, actor_name=erasure.pseudonym, address=None)
        about = (row.subject_kind == "person" and row.subject_id == str(one.person)) or (
            row.subject_kind == "operator" and row.subject_id.isdigit() and int(row.subject_id) in one.operators
        )
        if about:
            text = replace(
                text, subject_name=erasure.pseudonym if text.subject_name else "", details=emptied(text.details)
            )
        return diary.Text(
            eraser.text(text.actor_name),
            text.address,
            eraser.text(text.subject_name),
            eraser.value(text.details),
        )

    done = diary.erase(call, int(erasure.place[0]) if erasure.place else 0, rewrite, BATCH)
    erasure.changed += done.changed
    return [done.last] if done.last else []


def _words(session: Session, erasure: Erasure, step: Step, eraser: Eraser) -> list[Any]:
    """Looks for the person in one column, whoever's row it is; the key of the last row, empty when there is none left."""
    table = all_tables().tables[step.table]
    column = table.columns[step.column]
    keys = list(table.primary_key.columns)
    mentioned = _mentions(column, eraser)
    if mentioned is None:
        return []
    query = select(*keys, column).where(mentioned).order_by(*keys).limit(BATCH)
    if erasure.place:
        query = query.where(tuple_(*keys) > tuple_(*erasure.place))
    rows = session.execute(query).all()
    for row in rows:
        after = eraser.value(row[-1])
        if after == row[-1]:
            continue
        if isinstance(column.type, String) and column.type.length and len(after) > column.type.length:
            after = after[: column.type.length]
        session.execute(_to(table, dict(zip(keys, row[:-1], strict=True)), column, after))
        erasure.changed += 1
    return list(rows[-1][:-1]) if len(rows) == BATCH else []


def _mentions(column: Column[Any], eraser: Eraser) -> ColumnElement[bool] | None:
    spelled = sorted({one for name in eraser.names for one in variants(name)})
    if not spelled:
        return None
    text = cast(column, Text) if isinstance(column.type, JSON) else column
    return or_(*(text.icontains(one, autoescape=True) for one in spelled))


def _to(table: Table, key: dict[Column[Any], Any], column: Column[Any], value: Any) -> Update:
    return update(table).where(*(one == found for one, found in key.items())).values({column.name: value})


def _rows(session: Session, erasure: Erasure, step: Step, one: Whose, forget: Forget) -> list[Any]:
    """What the map says of the rows that lead to the person. Each statement is for all rows of them in a table: few."""
    table = all_tables().tables[step.table]
    for column in table.columns:
        said = field(table.name, column.name)
        here = condition(table, said.person, one) if said is not None else None
        if said is None or here is None:
            continue
        if said.erase is Erase.DELETE:
            _delete(session, erasure, table, here, forget)
            return []
        if said.erase in (Erase.EMPTY, Erase.NAME):
            value = _blank(column) if said.erase is Erase.EMPTY else _named(column, erasure)
            done = session.execute(update(table).where(here).values({column.name: value}))
            erasure.changed += int(getattr(done, "rowcount", 0))
    if table.name == Person.__tablename__:
        session.expire_all()
    return []


def _delete(session: Session, erasure: Erasure, table: Table, here: ColumnElement[bool], forget: Forget) -> None:
    for row in session.execute(select(table).where(here)).mappings():
        forget(table.name, dict(row))
        erasure.changed += 1
    session.execute(delete(table).where(here))


def _blank(column: Column[Any]) -> Any:
    """The emptiest value that the column may have."""
    if column.nullable:
        return null()
    if isinstance(column.type, JSON):
        return column.default.arg(None) if column.default is not None and column.default.is_callable else {}  # type: ignore[attr-defined]
    return b"" if isinstance(column.type, LargeBinary) else ""


def _named(column: Column[Any], erasure: Erasure) -> str:
    """The pseudonym, as this column writes names; an e-mail address that leads nowhere where one must be unique."""
    if column.name == "search":
        return fold(erasure.pseudonym)
    if column.name == "email":
        return f"{erasure.pseudonym.lower().replace(' ', '-')}@erased.invalid"
    return erasure.pseudonym
