"""The key of one phone: it raises calls for help and asks what became of them, nothing else.

It lives apart from the session, so that the button works on a phone that was not used for months. Whoever finds the key can
call for help in somebody's name, and that is all.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select

from mdm.access import passwords
from mdm.audit import service as audit
from mdm.core.errors import N_, InvalidError, NotSignedInError
from mdm.core.ids import new_secret, secret_digest
from mdm.core.text import clean
from mdm.panic.model import PanicKey
from mdm.people import employee
from mdm.people.model import Person
from mdm.storage.call import Call

MAX_SPOT: Final = 120
MOST: Final = 10
"""Phones of one person; the one that was used least lately goes."""
LEAST_CODE: Final = 4
MOST_CODE: Final = 12


@dataclass(frozen=True, slots=True)
class Codes:
    """Two codes of somebody: one that says "I am safe", one that says so and means the contrary. Both, or neither."""

    safe: str = ""
    duress: str = ""


def make(call: Call, *, spot: str = "", locates: bool = False, codes: Codes | None = None, brought: str = "") -> str:
    """A key for the phone in the person's hand: its secret. ``brought`` is the key that the phone has already: it ends.

    Codes hold for all phones of the person. Raises NotSignedInError for anybody but an employee, InvalidError for codes
    that are no two different numbers of 4 to 12 digits.
    """
    person = employee.me(call)
    hashes = _hashed(codes or Codes())
    if brought:
        end(call, brought)
    secret = new_secret()
    key = PanicKey(
        secret_digest=secret_digest(secret),
        person_id=person.id,
        spot=clean(spot, MAX_SPOT),
        locates=locates,
        safe_code=hashes[0],
        duress_code=hashes[1],
        made_at=call.now,
    )
    call.session.add(key)
    call.session.flush()
    for other in _others(call, key):
        if any(hashes):
            other.safe_code, other.duress_code = hashes
        elif other.safe_code:
            key.safe_code, key.duress_code = other.safe_code, other.duress_code
    _end_old(call, person)
    audit.record(
        call,
        "panic.key_made",
        ("person", person.id),
        name=person.name,
        where=person.where,
        details={"spot": key.spot, "locates": locates, "codes": bool(key.safe_code)},
    )
    return secret


def find(call: Call, secret: str) -> tuple[PanicKey, Person] | None:
    """The key and whose it is; None for one that nobody has, or of somebody who has left."""
    row = call.session.execute(
        select(PanicKey, Person)
        .join(Person, Person.id == PanicKey.person_id)
        .where(PanicKey.secret_digest == secret_digest(secret))
    ).first()
    if row is None or (row[1].left_on is not None and row[1].left_on < call.now.date()):
        return None
    return row[0], row[1]


def found(call: Call, secret: str) -> tuple[PanicKey, Person]:
    """``find`` that raises NotSignedInError (``panic_key``) where there is none."""
    row = find(call, secret) if secret else None
    if row is None:
        raise NotSignedInError(
            N_(
                "This phone is not set up to call for help any more. Nothing was sent. Call the emergency number, or"
                " ask a colleague; set the button up again afterwards."
            ),
            code="panic_key",
        )
    return row


def with_codes(call: Call, person_id: int) -> PanicKey | None:
    """A key of this person, one with codes where they chose some: codes hold for all that is called off in their name."""
    return call.session.scalars(
        select(PanicKey).where(PanicKey.person_id == person_id).order_by(PanicKey.safe_code.desc(), PanicKey.id)
    ).first()


def end(call: Call, secret: str) -> bool:
    """The phone calls for help no more; whether it could until now."""
    row = find(call, secret)
    if row is None:
        return False
    key, person = row
    call.session.delete(key)
    audit.record(call, "panic.key_ended", ("person", person.id), name=person.name, where=person.where)
    return True


def end_all(call: Call, person_id: int) -> int:
    """No phone of this person calls for help any more; how many could."""
    gone = call.session.execute(delete(PanicKey).where(PanicKey.person_id == person_id))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def needs_code(key: PanicKey) -> bool:
    """Whether its person says by a code that they are safe."""
    return bool(key.safe_code)


def said(key: PanicKey, code: str) -> str:
    """What a code says: ``safe``, ``duress``, or nothing. Takes the same time whatever it says."""
    plain = clean(code, 64)
    safe, duress = passwords.verify(key.safe_code or None, plain), passwords.verify(key.duress_code or None, plain)
    return "safe" if safe else "duress" if duress else ""


def forget_left(call: Call, limit: int = 500) -> int:
    """Deletes keys of people who have left; how many."""
    gone = (
        select(PanicKey.id)
        .join(Person, Person.id == PanicKey.person_id)
        .where(Person.left_on < call.now.date())
        .limit(limit)
    )
    done = call.session.execute(delete(PanicKey).where(PanicKey.id.in_(gone)))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _others(call: Call, key: PanicKey) -> list[PanicKey]:
    rows = select(PanicKey).where(PanicKey.person_id == key.person_id, PanicKey.id != key.id)
    return list(call.session.scalars(rows))


def _end_old(call: Call, person: Person) -> None:
    rows = call.session.scalars(select(PanicKey).where(PanicKey.person_id == person.id))
    for key in sorted(rows, key=lambda one: (one.used_at or one.made_at, one.id), reverse=True)[MOST:]:
        call.session.delete(key)
    call.session.flush()


def _hashed(codes: Codes) -> tuple[str, str]:
    if not codes.safe and not codes.duress:
        return "", ""
    wrong = {
        name: N_("A code has 4 to 12 digits.")
        for name, code in (("safe", codes.safe), ("duress", codes.duress))
        if not (code.isascii() and code.isdigit() and LEAST_CODE <= len(code) <= MOST_CODE)
    }
    if not wrong and codes.safe == codes.duress:
        wrong = {"duress": N_("The two codes must differ.")}
    if wrong:
        raise InvalidError(N_("The codes were not taken. Nothing was changed."), fields=wrong)
    return passwords.rehash(codes.safe), passwords.rehash(codes.duress)
