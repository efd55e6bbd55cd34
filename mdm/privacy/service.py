"""Erasing a person's record: asked by one, agreed by another, done by the worker in small batches."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from mdm.access.model import Operator
from mdm.audit import service as audit
from mdm.audit.model import AuditEntry
from mdm.core.actor import require
from mdm.core.clock import iso
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.permissions import Permission
from mdm.core.risk import Risk, gate
from mdm.core.text import clean
from mdm.desk.custody.photos import Folder
from mdm.inventory.model import Device
from mdm.people import erased
from mdm.people import queries as people
from mdm.people.erased import ErasedWhy
from mdm.people.model import Person
from mdm.privacy import erasing, tombstones
from mdm.privacy.fields import Erase, field
from mdm.privacy.holding import reasons
from mdm.privacy.model import Erasure
from mdm.privacy.naming import worth
from mdm.privacy.tombstones import Tombstone
from mdm.privacy.whose import Whose, condition, whose
from mdm.storage.call import Call
from mdm.storage.metadata import all_tables
from mdm.storage.seal import create_key, load_seal
from mdm.storage.unique import flush_unique

Refusals: Final = (InvalidError, ConflictError)
"""What ``erase`` refuses with where the form is to be shown again."""
LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
MAX_REASON: Final = 500
TOGETHER: Final = 20
"""Steps of which one transaction does at most so many: most find nothing."""
OVER: Final = "Its time was over: they left longer ago than records are kept."
RESTORED: Final = "A backup from before the erasure was restored."


def erase(call: Call, person_id: int, reason: str) -> Erasure:
    """Has everything erased that the map does not keep by law. Somebody else must agree, every time.

    Raises NotFoundError; InvalidError without a reason; ConflictError (``person_held``) that says what must be finished
    first; ApprovalNeededError. The text that people sign names the row and not the person, because it is kept.
    """
    require(call.actor, Permission.PRIVACY_MANAGE)
    person = people.person(call, person_id)
    said = clean(reason, MAX_REASON)
    if not said:
        raise InvalidError(N_("Say why. Nothing was erased."), fields={"reason": N_("Say why.")})
    held = reasons(call, person)
    if held:
        raise ConflictError(
            N_("This record cannot be erased yet. Nothing was changed. %(reasons)s"),
            code="person_held",
            reasons=" ".join(str(one) for one in held),
        )
    gate(
        call, Risk.PERSON_ERASE, ("person", person.id), {"reason": said}, name=f"person {person.id}", where=person.where
    )
    return begin(call, person, said, clean(call.actor.name))


def begin(call: Call, person: Person, reason: str, by: str, pseudonym: str = "") -> Erasure:
    """Begins an erasure that was agreed to, or that is done again after a restore (with the pseudonym it had)."""
    one = whose(call.session, person)
    names, shared = _names(call.session, person, one)
    erasure = Erasure(
        person_id=person.id,
        pseudonym=pseudonym or _pseudonym(),
        asked_by=by,
        reason=reason,
        begun_at=call.now,
        names=names,
        left=shared,
    )
    call.session.add(erasure)
    flush_unique(
        call.session,
        ConflictError(N_("Their record was erased already, or is being erased."), code="person_erased"),
    )
    # The diary says that it was done and to which row; the name is what is being taken away.
    audit.record(
        call,
        "person.erased",
        ("person", person.id),
        name=erasure.pseudonym,
        where=person.where,
        details={"why": reason},
    )
    return erasure


def of(call: Call, person_id: int) -> Erasure | None:
    """The erasure of a person's record; None where nobody asked. Raises DeniedError."""
    require(call.actor, Permission.PRIVACY_VIEW)
    return call.session.scalar(select(Erasure).where(Erasure.person_id == person_id))


def stone_of(call: Call, erasure: Erasure) -> Tombstone:
    """What the list beside the database says of an erasure."""
    person = call.session.get_one(Person, erasure.person_id)
    return Tombstone(person.id, iso(person.created_at), erasure.pseudonym, iso(erasure.begun_at))


def unfinished(session: Session) -> list[int]:
    """Erasures that go on, the oldest first."""
    return list(
        session.scalars(select(Erasure.id).where(Erasure.finished_at.is_(None)).order_by(Erasure.begun_at, Erasure.id))
    )


def step(call: Call, erasure_id: int, home: Path) -> bool:
    """Does one batch of an erasure; True when there is more to do. The list beside the database has it before anything goes."""
    erasure = call.session.get_one(Erasure, erasure_id, with_for_update=True)
    if erasure.finished_at is not None:
        return False
    tombstones.add(home / tombstones.FILE, [stone_of(call, erasure)])
    if not erasure.step:
        _recognise_later(call, erasure, home)
    photos = Folder(home)

    def forget(table: str, row: dict[str, object]) -> None:
        if table == "desk_photo":
            photos.remove(str(row["uid"]))

    before = erasure.changed
    for _ in range(TOGETHER):
        if not erasing.advance(call, erasure, forget):
            return False
        if erasure.changed - before >= erasing.BATCH:
            break
    return True


def _recognise_later(call: Call, erasure: Erasure, home: Path) -> None:
    """Keeps by what an import that brings them back is noticed, with the day on which they were erased the first time."""
    person = call.session.get_one(Person, erasure.person_id)
    made = iso(person.created_at)
    stones = (one for one in tombstones.read(home / tombstones.FILE) if (one.person, one.made_at) == (person.id, made))
    at = next((datetime.fromisoformat(one.erased_at) for one in stones), erasure.begun_at)
    create_key(home / "keys")
    why = ErasedWhy.OVER if erasure.reason == OVER else ErasedWhy.ASKED
    erased.note(call, load_seal(home / "keys"), person, at, why)


def missed(session: Session, stones: Iterable[Tombstone]) -> list[Tombstone]:
    """Those of the list that this database has a row of and knows no erasure of: it is older than they are."""
    made = {one.person: one for one in stones}
    known = set(session.scalars(select(Erasure.person_id)))
    rows = session.execute(select(Person.id, Person.created_at).where(Person.id.in_(set(made) - known)))
    return sorted(made[row.id] for row in rows if iso(row.created_at) == made[row.id].made_at)


def again(call: Call, stones: Iterable[Tombstone], why: str) -> list[int]:
    """Begins the erasures of this list that this database knows nothing of: after a restore. Their ids."""
    return [
        begin(call, call.session.get_one(Person, stone.person), why, clean(call.actor.name), stone.pseudonym).id
        for stone in missed(call.session, stones)
    ]


def _pseudonym() -> str:
    return "Erased person " + "".join(secrets.choice(LETTERS) for _ in range(6))


def _names(session: Session, person: Person, one: Whose) -> tuple[list[str], int]:
    """Everything that the person is, or was, called; and how many of those names somebody else has too, and so stay.

    Older names stand where they were copied: on papers, in cases, in the diary.
    """
    named = {person.name, *_copied(session, one), *_told(session, one)}
    named = {name for name in named if worth(name)}
    shared = {name for name in named if _somebody_elses(session, name, person, one)}
    codes = {code.strip() for code in (person.number, person.badge, person.phone) if code and worth(code, code=True)}
    codes -= set(
        session.scalars(
            select(Device.tag).where(or_(Device.tag.in_(codes), Device.serial.in_(codes), Device.imei.in_(codes)))
        )
    )
    emails = {person.email} if person.email else set()
    return sorted((named - shared) | codes | emails), len(shared)


def _copied(session: Session, one: Whose) -> set[str]:
    """Names as they stand in rows that lead to the person."""
    found: set[str] = set()
    for table in all_tables().sorted_tables:
        for column in table.columns:
            said = field(table.name, column.name)
            if said is None or said.erase is not Erase.NAME or column.name == "search":
                continue
            here = condition(table, said.person, one)
            if here is not None:
                found |= {str(value) for value in session.scalars(select(column).where(here).distinct()) if value}
    return found


def _told(session: Session, one: Whose) -> set[str]:
    """Names under which the diary tells of the person's record."""
    about = (AuditEntry.subject_kind == "person", AuditEntry.subject_id == str(one.person))
    return set(session.scalars(select(AuditEntry.subject_name).where(*about).distinct()))


def _somebody_elses(session: Session, name: str, person: Person, one: Whose) -> bool:
    people_ = select(Person.id).where(func.lower(Person.name) == name.lower(), Person.id != person.id)
    others = select(Operator.id).where(func.lower(Operator.name) == name.lower(), Operator.id.not_in(one.operators))
    return session.scalar(people_.limit(1)) is not None or session.scalar(others.limit(1)) is not None


def to_clean(session: Session, now: datetime) -> list[Erasure]:
    """Finished erasures since which the database's files were not made anew."""
    return list(
        session.scalars(
            select(Erasure).where(Erasure.finished_at <= now, Erasure.clean_at.is_(None)).order_by(Erasure.id)
        )
    )
