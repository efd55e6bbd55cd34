"""Which rows are whose: a condition for every table of the map that leads to a person."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, MetaData, Table, and_, exists, or_, select
from sqlalchemy.orm import Session

from mdm.access.model import Operator
from mdm.people.model import Person
from mdm.privacy.fields import Path_, Way, field
from mdm.storage.metadata import all_tables


@dataclass(frozen=True, slots=True)
class Whose:
    """A person, with the accounts of the console that have the same e-mail address."""

    person: int
    operators: frozenset[int] = frozenset()


def whose(session: Session, person: Person) -> Whose:
    """The person and their accounts. Nobody without an address has an account."""
    if not person.email:
        return Whose(person.id)
    found = session.scalars(select(Operator.id).where(Operator.email == person.email))
    return Whose(person.id, frozenset(found))


def condition(table: Table, path: Path_, one: Whose, metadata: MetaData | None = None) -> ColumnElement[bool] | None:
    """Rows of ``table`` that lead to this person; None where none can. A path through another table follows that one's."""
    tables = (metadata or all_tables()).tables
    column = table.columns.get(path.column)
    if path.way is Way.SELF:
        return table.columns["id"] == one.person
    if column is None:
        return None
    if path.way is Way.PERSON:
        return column == one.person
    if path.way is Way.OPERATOR:
        return column.in_(one.operators) if one.operators else None
    if path.way is Way.VIA:
        target = next(iter(column.foreign_keys)).column
        parent = field(target.table.name, target.name)
        above = condition(target.table, parent.person, one, metadata) if parent is not None else None
        return None if above is None else column.in_(select(target).where(above))
    custody, device = tables["custody"], tables["device"]
    if path.at:
        at = table.columns[path.at]
        return exists().where(
            custody.c.device_id == column,
            custody.c.person_id == one.person,
            custody.c.from_at <= at,
            or_(custody.c.to_at.is_(None), custody.c.to_at >= at),
        )
    # A device that lies in stock still says what its last holder left on it.
    had = select(custody.c.device_id).where(custody.c.person_id == one.person)
    others = select(device.c.id).where(device.c.person_id != one.person)
    return or_(
        column.in_(select(device.c.id).where(device.c.person_id == one.person)),
        and_(column.in_(had), column.not_in(others)),
    )
