"""Sessions of employees: the cookie holds a secret, the row its digest."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from mdm.adoption import service as adoption
from mdm.audit import service as audit
from mdm.core.actor import Actor, ActorKind
from mdm.core.ids import new_secret, secret_digest
from mdm.people.model import Person
from mdm.portal.keys import has_left
from mdm.portal.model import PortalSession, Way
from mdm.storage.call import Call

IDLE: Final = timedelta(days=7)
LIFE: Final = timedelta(days=30)
"""A phone is in one hand and locked by its code: who must sign in each day does not look at all."""
TOUCH: Final = timedelta(hours=1)


def actor_of(person: Person, request_id: str, language: str = "en") -> Actor:
    """The employee as the diary names them: no grant at all. What is theirs is theirs by their number."""
    return Actor(ActorKind.EMPLOYEE, person.id, person.name, (), request_id, None, language)


def start(call: Call, person: Person, way: Way, brought: str | None) -> str:
    """A new session and its secret; the one that the visitor brought is ended, so that none can be planted."""
    if brought:
        sign_out(call, brought)
    secret = new_secret()
    call.session.add(
        PortalSession(
            secret_digest=secret_digest(secret),
            person_id=person.id,
            way=way.value,
            created_at=call.now,
            last_used_at=call.now,
            expires_at=call.now + LIFE,
        )
    )
    adoption.came_in(call, person.id)
    speaker = actor_of(person, call.actor.request_id)
    audit.record(
        call.by(speaker),
        "person.signed_in",
        ("person", person.id),
        name=person.name,
        where=person.where,
        details={"method": way.value},
    )
    return secret


def find(session: Session, secret: str, now: datetime) -> tuple[PortalSession, Person] | None:
    """The live session behind a cookie and whose it is; None for an unknown, idle or ended one, or one who has left."""
    row = session.execute(
        select(PortalSession, Person)
        .join(Person, Person.id == PortalSession.person_id)
        .where(
            PortalSession.secret_digest == secret_digest(secret),
            PortalSession.expires_at > now,
            PortalSession.last_used_at > now - IDLE,
        )
    ).first()
    if row is None or has_left(row[1], now):
        return None
    return row[0], row[1]


def needs_touch(found: PortalSession, now: datetime) -> bool:
    """Whether the last use was noted more than an hour ago."""
    return found.last_used_at <= now - TOUCH


def touch(session: Session, session_id: int, now: datetime) -> None:
    """Notes the use of a session."""
    session.execute(update(PortalSession).where(PortalSession.id == session_id).values(last_used_at=now))


def sign_out(call: Call, secret: str) -> None:
    """Ends the session behind a cookie; an unknown one is fine."""
    call.session.execute(delete(PortalSession).where(PortalSession.secret_digest == secret_digest(secret)))


def end_all(call: Call) -> int:
    """Ends every session of whoever speaks; how many. For a phone that is gone, with somebody's session in it."""
    gone = call.session.execute(delete(PortalSession).where(PortalSession.person_id == call.actor.id))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def forget(session: Session, now: datetime, limit: int = 2000) -> int:
    """Deletes sessions that have ended; how many."""
    old = (
        select(PortalSession.id)
        .where((PortalSession.expires_at < now) | (PortalSession.last_used_at < now - IDLE))
        .limit(limit)
    )
    return int(session.execute(delete(PortalSession).where(PortalSession.id.in_(old))).rowcount)  # type: ignore[attr-defined]
