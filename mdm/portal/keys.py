"""One-time keys: a link by e-mail, a code on the desk's paper. Each signs one person in, once."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError
from mdm.core.ids import new_secret, secret_digest
from mdm.core.permissions import Permission
from mdm.outbox import service as outbox
from mdm.people import queries as people
from mdm.people.model import Person
from mdm.portal.letters import link_letter
from mdm.portal.model import PortalKey, Way
from mdm.storage.call import Call

LINK_LIFE: Final = timedelta(minutes=30)
PAPER_LIFE: Final = timedelta(days=14)
LINKS_PER_HOUR: Final = 5
"""More letters than these would fill somebody's post; who asks again gets the same answer, and no letter."""
LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that looks like a digit."""
INVITED: Final = "invitation"
"""Who made a key that went out with an invitation: nobody asked for it."""
CODE_LETTERS: Final = 12
"""Sixty bits: with the brake on guessing, nobody finds one."""


def ask_link(call: Call, email: str, address: str) -> bool:
    """Sends a link to whoever has this e-mail address. Whether a letter was written; a door never tells.

    Nobody, somebody who has left, or one who asked five times within the hour: no letter. ``address`` is the page that the
    secret is added to.
    """
    wanted = email.strip().lower()
    person = call.session.scalar(select(Person).where(Person.email == wanted)) if wanted else None
    if person is None or has_left(person, call.now) or _asked(call.session, person.id, call.now) >= LINKS_PER_HOUR:
        return False
    secret = new_secret()
    _keep(call, person, Way.MAIL, secret, LINK_LIFE, "")
    subject, text = link_letter(person.language, name=person.name, address=address + secret)
    outbox.post(call, "mail", {"to": person.email, "subject": subject, "text": text})
    return True


def invitation_link(call: Call, person: Person, life: timedelta) -> str:
    """A secret for a letter of invitation, which lives longer than one that somebody asked for. For the worker."""
    secret = new_secret()
    _keep(call, person, Way.MAIL, secret, life, INVITED)
    return secret


def make_paper(call: Call, person_id: int) -> str:
    """The code for the paper of somebody who stands at the desk, as it is printed; an earlier one does not work any more.

    Asks ``desk:work`` at the person's place. Raises NotFoundError, DeniedError, ConflictError for somebody who has left.
    """
    person = people.person(call, person_id)
    require(call.actor, Permission.DESK_WORK, person.where)
    if has_left(person, call.now):
        raise ConflictError(N_("%(name)s has left. No code was made."), code="person_left", name=person.name)
    call.session.execute(
        delete(PortalKey).where(
            PortalKey.person_id == person.id, PortalKey.way == Way.PAPER.value, PortalKey.used_at.is_(None)
        )
    )
    code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LETTERS))
    _keep(call, person, Way.PAPER, code, PAPER_LIFE, call.actor.name)
    audit.record(call, "person.code_made", ("person", person.id), name=person.name, where=person.where)
    return "-".join(code[place : place + 4] for place in range(0, CODE_LETTERS, 4))


def as_written(code: str) -> str:
    """A code as it is kept, whatever people made of it: small letters, spaces, an O for a zero."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return plain.translate(str.maketrans("OIL", "011"))[:64]


def works(call: Call, secret: str, way: Way) -> bool:
    """Whether this key would let somebody in; nothing is used up."""
    return _live(call, secret, way) is not None


def _live(call: Call, secret: str, way: Way) -> PortalKey | None:
    return call.session.scalar(
        select(PortalKey).where(
            PortalKey.secret_digest == secret_digest(secret),
            PortalKey.way == way.value,
            PortalKey.used_at.is_(None),
            PortalKey.expires_at > call.now,
        )
    )


def redeem(call: Call, secret: str, way: Way) -> Person | None:
    """Whose key this is, who is now let in; the key is used up. None for an unknown, used or expired one."""
    key = _live(call, secret, way)
    if key is None:
        return None
    taken = call.session.execute(
        update(PortalKey)
        .where(PortalKey.id == key.id, PortalKey.used_at.is_(None))
        .values(used_at=call.now)
        .execution_options(synchronize_session=False)
    )
    person = call.session.get(Person, key.person_id)
    if taken.rowcount != 1 or person is None or has_left(person, call.now):  # type: ignore[attr-defined]
        return None
    return person


def has_left(person: Person, now: datetime) -> bool:
    """Whether somebody's last day is over."""
    return person.left_on is not None and person.left_on < now.date()


def forget(session: Session, before: datetime, limit: int = 2000) -> int:
    """Deletes keys that were used or expired before that moment; how many."""
    old = select(PortalKey.id).where(or_(PortalKey.used_at < before, PortalKey.expires_at < before)).limit(limit)
    return int(session.execute(delete(PortalKey).where(PortalKey.id.in_(old))).rowcount)  # type: ignore[attr-defined]


def _asked(session: Session, person_id: int, now: datetime) -> int:
    return (
        session.scalar(
            select(func.count()).where(
                PortalKey.person_id == person_id,
                PortalKey.way == Way.MAIL.value,
                PortalKey.made_by != INVITED,
                PortalKey.created_at > now - timedelta(hours=1),
            )
        )
        or 0
    )


def _keep(call: Call, person: Person, way: Way, secret: str, life: timedelta, made_by: str) -> None:
    call.session.add(
        PortalKey(
            secret_digest=secret_digest(secret),
            way=way.value,
            person_id=person.id,
            made_by=made_by,
            created_at=call.now,
            expires_at=call.now + life,
        )
    )
    call.session.flush()
