"""What is kept of one person, read through the map: for their own page, and to take with them (articles 15 and 20 GDPR).

It is theirs alone: rows that lead to them, without secrets, and without the names of other people who acted. The same reading
serves page, JSON and HTML, so that none of them says less than another.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Column, LargeBinary, Table, func, or_, select

from mdm.audit import service as audit
from mdm.audit.model import AuditEntry
from mdm.core.actor import ActorKind, require
from mdm.core.clock import iso
from mdm.core.errors import N_, LimitedError
from mdm.core.permissions import Permission, Role
from mdm.desk.custody.photos import Files
from mdm.people import employee
from mdm.people import queries as people
from mdm.people.model import Person
from mdm.privacy import pictures
from mdm.privacy.fields import Erase, Field, Keep, Place, Purpose, field, words
from mdm.privacy.pictures import Picture
from mdm.privacy.whose import Whose, condition, whose
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.metadata import all_tables

SCHEMA: Final = "havenmeester.person-export/1"
"""Of the JSON; the number goes up when a program that reads it must be changed."""
MOST: Final = 5000
"""Rows of one table in an export; the newest of them."""
LOGS: Final = "logs"
AGAIN: Final = timedelta(days=1)
SECRET: Final = re.compile(r"secret|digest|token|password|sealed|_key$|^key$|salt|cursor")
_SENT: Final = "what was sent to the phone, word for word, passcodes too; it stands among its commands"
_WAY_IN: Final = "a key or passcode, which opens something and tells nothing about anybody"
_WHERE: Final = "where a device was while it was lost: whoever had it then may be somebody else"
_BUTTON: Final = "the codes of the button for help: whoever finds the file must be able to do nothing with it"
NOT_TAKEN: Final = {
    "android_number.ask": "what the phone is asked next, word for word; it stands among its commands",
    "android_number.passcode": _WAY_IN,
    "android_operation.body": _SENT,
    "android_token.code": _WAY_IN,
    "apple_command.answer": "what the phone answered, word for word; what was kept of it stands among its facts",
    "apple_command.body": _SENT,
    "apple_device.bypass_code": _WAY_IN,
    "apple_device.location": _WHERE,
    "apple_device.push": _WAY_IN,
    "apple_device.unlock_token": _WAY_IN,
    "apple_session.request": "a request for a certificate, which opens something and tells nothing about anybody",
    "desk_case_fix.sealed": _WHERE,
    "operator.totp_sealed": _WAY_IN,
    "panic_key.duress_code": _BUTTON,
    "panic_key.safe_code": _BUTTON,
    "panic_place.sealed": "where a call for help came from: it is only in the file that they take themselves, on their own page",
    "passkey.cose_key": _WAY_IN,
    "passkey.public_key": _WAY_IN,
}
"""Columns about the person that are in no file as they stand, each with its reason; beside them secrets and their digests."""
OTHERS: Final = frozenset(
    {"actor_name", "author", "by", "clerk", "keeper_email", "lead_email", "made_by", "owner", "search"}
)
"""Columns that say who else acted: somebody else's data."""


@dataclass(frozen=True, slots=True)
class Time:
    """How long, ready for words: a number of days, or a sentence of the map."""

    days: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of the person for one purpose."""

    purpose: Purpose
    rows: int | None
    """Records now; None where nobody can count them."""
    times: tuple[Time, ...]
    roles: tuple[Role, ...]
    fields: tuple[str, ...] = ()
    """Every column in which something about the person stands or may stand, as ``table.column``."""


def summary(call: Call, settings: Settings) -> list[Kept]:
    """What is kept of the employee who speaks, purpose by purpose, for those for which there is anything now."""
    person = employee.me(call)
    one = whose(call.session, person)
    counted: dict[str, int] = {}
    for table, _columns, here in _tables(one):
        purpose = _first(table).purpose
        counted[purpose] = counted.get(purpose, 0) + (
            call.session.scalar(select(func.count()).select_from(table).where(here)) or 0
        )
    counted["diary"] = call.session.scalar(select(func.count()).select_from(_diary(one).subquery())) or 0
    found = [
        Kept(words().purposes[key], rows, times_of(key, settings), roles_of(key), fields_of(key))
        for key, rows in counted.items()
        if rows
    ]
    # Whoever reads this page stands in the log by their number, and nobody counts its lines.
    logs = [place for place in words().places if place.purpose == LOGS]
    found.append(Kept(words().purposes[LOGS], None, tuple(place_time(one, settings) for one in logs), ()))
    return sorted(found, key=lambda kept: list(words().purposes).index(kept.purpose.key))


def times_of(purpose: str, settings: Settings) -> tuple[Time, ...]:
    """Every time for which something of this purpose that leads to a person is kept, the shortest first."""
    found = {time_of(one.keep, settings) for one in personal(purpose)}
    return tuple(sorted(found, key=lambda time: (time.days is None, time.days or 0, time.sentence)))


def time_of(keep: Keep, settings: Settings) -> Time:
    """One time in days, a setting read, or as the sentence of its word."""
    if keep.setting:
        return Time(int(getattr(settings, keep.setting)), "")
    return Time(None, words().keep[keep.word]) if keep.span is None else Time(keep.span.days, "")


def fields_of(purpose: str) -> tuple[str, ...]:
    """Every column of a purpose that is about a person or may name one, by its technical name."""
    return tuple(f"{one.table}.{one.column}" for one in personal(purpose) if one.erase is not Erase.NOTHING)


def place_time(place: Place, settings: Settings) -> Time:
    """How long a place outside the database keeps what it keeps."""
    if place.keep in Settings.model_fields:
        return Time(int(getattr(settings, place.keep)), "")
    return Time(None, place.keep)


def roles_of(purpose: str) -> tuple[Role, ...]:
    """Every role that sees something of this purpose."""
    found = {role for one in personal(purpose) for role in one.roles}
    return tuple(role for role in Role if role in found)


def personal(purpose: str) -> Iterator[Field]:
    """Every field of a purpose that leads to a person."""
    for table in all_tables().sorted_tables:
        for column in table.columns:
            found = field(table.name, column.name)
            if (
                found is not None
                and found.purpose == purpose
                and (found.person.way != "-" or found.erase != Erase.NOTHING)
            ):
                yield found


@dataclass(frozen=True, slots=True)
class Taken:
    """What is kept of a person: the rows, and the pictures that they name."""

    said: dict[str, Any]
    pictures: tuple[Picture, ...]
    files: Files

    def add(self, table: str, more: Mapping[str, Mapping[str, object]]) -> None:
        """Adds to rows of a table, by their uid, what another room opened for this person alone."""
        for tables in self.said["data"].values():
            for row in tables.get(table, ()):
                row.update(more.get(row["uid"], {}))


def export(call: Call, person_id: int, files: Files) -> Taken:
    """Everything that is kept of a person, for whoever answers their request. It stands in the diary.

    Raises DeniedError, NotFoundError.
    """
    require(call.actor, Permission.PRIVACY_MANAGE)
    return _export(call, people.person(call, person_id), files)


def export_own(call: Call, files: Files) -> Taken:
    """The same for the employee who speaks, once a day. Raises LimitedError, with the seconds until it can be done again."""
    person = employee.me(call)
    last = call.session.scalar(
        select(AuditEntry.at)
        .where(
            AuditEntry.action == "person.exported",
            AuditEntry.actor_kind == ActorKind.EMPLOYEE.value,
            AuditEntry.actor_id == person.id,
            AuditEntry.at > call.now - AGAIN,
        )
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    if last is not None:
        raise LimitedError(
            N_("You took this with you today already. You can do it again tomorrow."),
            retry_after=max(1, int((last + AGAIN - call.now).total_seconds())),
        )
    return _export(call, person, files)


def _export(call: Call, person: Person, files: Files) -> Taken:
    one = whose(call.session, person)
    data: dict[str, dict[str, Any]] = {}
    cut: dict[str, int] = {}
    for table, columns, here in _tables(one):
        keys = list(table.primary_key.columns)
        rows = call.session.execute(
            select(*columns).where(here).order_by(*(key.desc() for key in keys)).limit(MOST)
        ).all()
        if len(rows) == MOST:
            cut[table.name] = (call.session.scalar(select(func.count()).select_from(table).where(here)) or 0) - MOST
        if rows:
            said = [{column.name: _plain(value) for column, value in zip(columns, row, strict=True)} for row in rows]
            data.setdefault(_first(table).purpose, {})[table.name] = said
    lines = call.session.execute(_diary(one).order_by(AuditEntry.id.desc()).limit(MOST)).all()
    data.setdefault("diary", {})["audit_entry"] = [_line(row, person) for row in lines]
    audit.record(call, "person.exported", ("person", person.id), name=person.name, where=person.where)
    found = pictures.name_in(data, files)
    return Taken(_said(call, person, data, cut), tuple(found), files)


def _said(call: Call, person: Person, data: dict[str, dict[str, Any]], cut: Mapping[str, int]) -> dict[str, Any]:
    kept = {key: words().purposes[key] for key in data}
    there = {table for tables in data.values() for table in tables}
    return {
        "schema": SCHEMA,
        "made_at": iso(call.now),
        "person": {"id": person.id, "name": person.name, "language": person.language},
        "purposes": {
            key: {"title": one_.title, "why": one_.why, "basis": one_.basis, "recipients": one_.recipients}
            for key, one_ in kept.items()
        },
        "data": data,
        "left_out": {table: sorted(why) for table, why in _left_out(there).items()},
        "older_rows_left_out": {name: number for name, number in cut.items() if number},
    }


def _left_out(there: Collection[str]) -> dict[str, set[str]]:
    """What is not in a file with these tables, and why; a column's name could say too much to whoever finds the file."""
    found: dict[str, set[str]] = {}
    for name, why in NOT_TAKEN.items():
        if name.partition(".")[0] in there:
            found.setdefault(name.partition(".")[0], set()).add(why)
    return found


def _tables(one: Whose) -> Iterator[tuple[Table, list[Column[Any]], Any]]:
    """Tables with rows that lead to the person: the columns that are theirs to read, and the condition."""
    for table in all_tables().sorted_tables:
        here = condition(table, _first(table).person, one)
        columns = [column for column in table.columns if _theirs(table, column)]
        if here is not None and columns:
            yield table, columns, here


def _first(table: Table) -> Field:
    """What holds for the table's rows."""
    found = field(table.name, next(iter(table.columns)).name)
    if found is None:
        raise LookupError(table.name)
    return found


def _theirs(table: Table, column: Column[Any]) -> bool:
    found = field(table.name, column.name)
    if found is None or isinstance(column.type, LargeBinary) or SECRET.search(column.name):
        return False
    if f"{table.name}.{column.name}" in NOT_TAKEN:
        return False
    own_name = found.erase is Erase.NAME
    return own_name or not (column.name in OTHERS or column.name.endswith("_by"))


def _diary(one: Whose) -> Any:
    spoke = (AuditEntry.actor_kind == ActorKind.EMPLOYEE.value) & (AuditEntry.actor_id == one.person)
    about = (AuditEntry.subject_kind == "person") & (AuditEntry.subject_id == str(one.person))
    chosen = (
        AuditEntry.id, AuditEntry.at, AuditEntry.action, AuditEntry.actor_kind, AuditEntry.actor_id, AuditEntry.subject_kind,
        AuditEntry.subject_name,
    )  # fmt: skip
    return select(*chosen).where(or_(spoke, about))


def _line(row: Any, person: Person) -> Mapping[str, Any]:
    """A line of the diary without whoever else acted: their kind only."""
    mine = row.actor_kind == ActorKind.EMPLOYEE and row.actor_id == person.id
    return {
        "number": row.id,
        "at": iso(row.at),
        "action": row.action,
        "who": "you" if mine else row.actor_kind,
        "subject_kind": row.subject_kind,
        "subject_name": row.subject_name,
    }


def _plain(value: Any) -> Any:
    """A value as JSON keeps it."""
    if isinstance(value, datetime):
        return iso(value)
    return value.isoformat() if isinstance(value, date) else value
