"""The register of processing (article 30 of the GDPR), made from the map: nothing in it is written by hand."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from mdm.core.actor import require
from mdm.core.permissions import Permission, Role
from mdm.privacy import leaving
from mdm.privacy.fields import Erase, Field, Place, Purpose, field, words
from mdm.privacy.leaving import Leaver
from mdm.privacy.model import Erasure
from mdm.privacy.own import LOGS, Time, personal, place_time, roles_of, times_of
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.metadata import all_tables


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
    leavers: tuple[Leaver, ...]
    """People who left and whose record goes soon by itself, or is kept longer."""
    places: tuple[tuple[Place, Time], ...]
    """What is kept outside the database, and how long."""


def overview(call: Call, settings: Settings) -> Overview:
    """The whole register. Raises DeniedError."""
    require(call.actor, Permission.PRIVACY_VIEW)
    entries = tuple(entries_of(settings))
    filled = {entry.purpose.key for entry in entries}
    erasures = call.session.scalars(select(Erasure).order_by(Erasure.id.desc()).limit(50)).all()
    return Overview(
        entries,
        tuple(purpose for key, purpose in words().purposes.items() if key not in filled),
        sum(len(table.columns) for table in all_tables().sorted_tables),
        tuple(erasures),
        tuple(leaving.listed(call)),
        tuple((place, place_time(place, settings)) for place in words().places),
    )


def entries_of(settings: Settings) -> Iterator[Entry]:
    """Every purpose for which something is kept that leads to somebody, in the order of the map."""
    for key, purpose in words().purposes.items():
        found = list(personal(key))
        if found or key == LOGS:
            reasons = {words().because[one.because] for one in found if one.erase is Erase.KEEP}
            yield Entry(
                purpose,
                tuple(f"{one.table}.{one.column}" for one in found if _says_something(one)),
                times_of(key, settings)
                or tuple(place_time(one, settings) for one in words().places if one.purpose == key),
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
