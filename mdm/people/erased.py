"""Recognising somebody whose record was erased, when a list or a program brings them back.

What is kept is a digest of their personnel number and of their address, made with a key that does not lie in the database, and
the day. Nobody can read from it who it was; who has the number can be told that it was erased. The map of privacy says how long.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, select

from mdm.audit import service as audit
from mdm.core.errors import N_, ConflictError
from mdm.core.ids import new_uid
from mdm.core.text import fold
from mdm.people.model import ErasedMark, Person
from mdm.storage.call import Call
from mdm.storage.seal import Seal

KEYS: Final = ("number", "email")
"""Columns of a person that a list brings back; a badge is given to the next one."""


class ErasedWhy(StrEnum):
    """Why a record was erased."""

    ASKED = "asked"
    OVER = "over"
    """By itself: they left longer ago than records are kept."""


SENTENCES: Final[Mapping[str, str]] = {
    ErasedWhy.ASKED: N_(
        "Their record was erased on %(day)s, as was asked; this line would bring them back. Left out, unless chosen."
    ),
    ErasedWhy.OVER: N_(
        "Their record was erased on %(day)s, when its time was over; this line would bring them back. Left out, unless chosen."
    ),
}


@dataclass(frozen=True, slots=True)
class Erased:
    """Somebody who was erased, as far as this is still known."""

    uids: frozenset[str]
    """What they were recognised by: one person, unless number and address were of two."""
    at: datetime
    why: ErasedWhy


class Known:
    """Everybody who was erased and can still be recognised: read once, for a list of many rows."""

    def __init__(self, call: Call, seal: Seal) -> None:
        self._seal = seal
        rows = call.session.execute(select(ErasedMark.digest, ErasedMark.uid, ErasedMark.erased_at, ErasedMark.why))
        self._marks = {row.digest: row for row in rows}

    def find(self, values: Mapping[str, Any]) -> Erased | None:
        """Whoever had this ``number`` or ``email``; None where nobody who was erased did."""
        found = [self._marks[one] for one in _digests(self._seal, values) if one in self._marks] if self._marks else []
        if not found:
            return None
        latest = max(found, key=lambda row: row.erased_at)
        return Erased(frozenset(row.uid for row in found), latest.erased_at, ErasedWhy(latest.why))


def note(call: Call, seal: Seal, person: Person, at: datetime, why: ErasedWhy) -> None:
    """Notes that this person is being erased, while their number and address are still there. The later day counts."""
    found = list(_digests(seal, {key: getattr(person, key) for key in KEYS}))
    call.session.execute(delete(ErasedMark).where(ErasedMark.digest.in_(found)))
    uid = new_uid()
    call.session.add_all(ErasedMark(uid=uid, digest=one, erased_at=at, why=why.value) for one in found)
    call.session.flush()


def undecided(found: Erased) -> ConflictError:
    """The answer (``person_erased``) where nobody has decided whether somebody who was erased gets a new record."""
    return ConflictError(
        N_(
            "The record of whoever had this personnel number or address was erased on %(day)s. Nothing was changed."
            " Say that they get a new record all the same, if that is right."
        ),
        code="person_erased",
        day=found.at.date(),
    )


def brought_back(call: Call, person: Person, found: Erased) -> None:
    """Notes in the diary that somebody has a new record after all, and forgets that they were erased."""
    call.session.execute(delete(ErasedMark).where(ErasedMark.uid.in_(found.uids)))
    audit.record(
        call, "person.brought_back", ("person", person.id), name=person.name, where=person.where,
        details={"erased_on": found.at.date().isoformat()},
    )  # fmt: skip


def _digests(seal: Seal, values: Mapping[str, Any]) -> Iterator[str]:
    for key in KEYS:
        value = values.get(key)
        if value:
            yield seal.mark(fold(str(value)), f"person_erased:{key}")
