"""The register of processing (article 30 of the GDPR), made from the map: nothing in it is written by hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select

from mdm.core.actor import require
from mdm.core.permissions import Permission, Role
from mdm.people.model import Person
from mdm.privacy.fields import Erase, Field, Purpose, field, words
from mdm.privacy.model import Erasure
from mdm.privacy.own import Time, personal, roles_of, times_of
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.metadata import all_tables

LONG_GONE: Final = timedelta(days=400)
"""So long after somebody left, their record should be looked at."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One purpose of the register."""

    purpose: Purpose
    categories: tuple[str, ...]
    """Columns that can name a person or lead to one, as ``table.column``."""
    times: tuple[Time, ...]
    roles: tuple[Role, ...]
    kept: tuple[str, ...]
    """Reasons in law for what erasing leaves."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The register with what is going on."""

    entries: tuple[Entry, ...]
    empty: tuple[Purpose, ...]
    """Purposes for which nothing is kept that leads to anybody."""
    columns: int
    erasures: tuple[Erasure, ...]
    long_gone: int
    """People who left long ago and whose record is still there."""


def overview(call: Call, settings: Settings) -> Overview:
    """The whole register. Raises DeniedError."""
    require(call.actor, Permission.PRIVACY_VIEW)
    entries = tuple(entries_of(settings))
    filled = {entry.purpose.key for entry in entries}
    gone = select(func.count()).select_from(Person).where(Person.left_on < (call.now - LONG_GONE).date())
    erasures = call.session.scalars(select(Erasure).order_by(Erasure.id.desc()).limit(50)).all()
    return Overview(
        entries,
        tuple(purpose for key, purpose in words().purposes.items() if key not in filled),
        sum(len(table.columns) for table in all_tables().sorted_tables),
        tuple(erasures),
        call.session.scalar(gone.where(Person.id.not_in(select(Erasure.person_id)))) or 0,
    )


def entries_of(settings: Settings) -> Iterator[Entry]:
    """Every purpose for which something is kept that leads to somebody, in the order of the map."""
    for key, purpose in words().purposes.items():
        found = list(personal(key))
        if found:
            reasons = {words().because[one.because] for one in found if one.erase is Erase.KEEP}
            yield Entry(
                purpose,
                tuple(f"{one.table}.{one.column}" for one in found if _says_something(one)),
                times_of(key, settings),
                roles_of(key),
                tuple(sorted(reasons)),
            )


def _says_something(one: Field) -> bool:
    return one.erase is not Erase.NOTHING or one.person.column == one.column


def every_field() -> Iterator[Field]:
    """Every column of the database with what holds for it: the register's annex."""
    for table in all_tables().sorted_tables:
        for column in table.columns:
            found = field(table.name, column.name)
            if found is not None:
                yield found
