"""Sessions on the server: the cookie holds a secret, the row its digest."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from mdm.access.model import Operator, WebSession
from mdm.access.people_only import own_id
from mdm.audit import service as audit
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import N_, NotFoundError
from mdm.core.ids import new_secret, secret_digest
from mdm.core.text import clean
from mdm.storage.call import Call

PENDING = "pending:"
"""Before the method of a session that still waits for its second factor: it signs nobody in."""
PENDING_LIFE = timedelta(minutes=5)
TOUCH = timedelta(minutes=1)
FRESH = timedelta(minutes=5)
"""How recent the last proof of who somebody is must be for a risky act."""
PROOF_NEEDED = "proof_needed"
"""The stable key, in the console and in the API, of what is refused until somebody shows again who they are."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long sessions last: without a click, and at the most."""

    idle: timedelta
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class Visit:
    """From where somebody comes: address, browser, and the cookie that they brought, which a sign-in ends."""

    address: str | None = None
    agent: str = ""
    cookie: str | None = None


def start(
    call: Call, operator: Operator, method: str, visit: Visit, limits: Limits, *, fresh_at: datetime | None = None
) -> str:
    """A new session and its secret; the one that the visitor brought is ended, so that none can be planted.

    ``fresh_at`` is when the person showed who they are, where that was not now.
    """
    _end_brought(call, visit)
    secret = _add(call, operator, method, visit, call.now + limits.lifetime, fresh_at)
    speaker = Actor(ActorKind.OPERATOR, operator.id, operator.name, (), call.actor.request_id, visit.address)
    audit.record(
        call.by(speaker),
        "operator.signed_in",
        ("operator", operator.id),
        name=operator.name,
        details={"method": method},
    )
    return secret


def start_pending(call: Call, operator: Operator, method: str, visit: Visit) -> str:
    """A session of five minutes that can do nothing but bring the second factor."""
    _end_brought(call, visit)
    return _add(call, operator, PENDING + method, visit, call.now + PENDING_LIFE)


def _end_brought(call: Call, visit: Visit) -> None:
    if visit.cookie:
        call.session.execute(delete(WebSession).where(WebSession.secret_digest == secret_digest(visit.cookie)))


def _add(
    call: Call, operator: Operator, method: str, visit: Visit, expires_at: datetime, fresh_at: datetime | None = None
) -> str:
    secret = new_secret()
    call.session.add(
        WebSession(
            secret_digest=secret_digest(secret),
            operator_id=operator.id,
            created_at=call.now,
            last_used_at=call.now,
            expires_at=expires_at,
            fresh_at=fresh_at or call.now,
            method=method,
            address=clean(visit.address, 64) or None,
            agent=clean(visit.agent),
        )
    )
    call.session.flush()
    return secret


def _find(session: Session, secret: str, now: datetime) -> tuple[WebSession, Operator] | None:
    row = session.execute(
        select(WebSession, Operator)
        .join(Operator, Operator.id == WebSession.operator_id)
        .where(
            WebSession.secret_digest == secret_digest(secret),
            WebSession.expires_at > now,
            Operator.disabled_at.is_(None),
        )
    ).first()
    return None if row is None else (row[0], row[1])


def find(session: Session, secret: str, now: datetime, limits: Limits) -> tuple[WebSession, Operator] | None:
    """The live session behind a cookie and whose it is.

    None for an unknown, expired or idle one, one that waits for its second factor, and one of a disabled operator.
    """
    found = _find(session, secret, now)
    if found is None or found[0].method.startswith(PENDING) or found[0].last_used_at <= now - limits.idle:
        return None
    return found


def find_pending(session: Session, secret: str, now: datetime) -> tuple[WebSession, Operator] | None:
    """The session that waits for its second factor, and whose it is; None for any other."""
    found = _find(session, secret, now)
    return found if found is not None and found[0].method.startswith(PENDING) else None


def needs_touch(web_session: WebSession, now: datetime) -> bool:
    """Whether the last use was noted more than a minute ago."""
    return web_session.last_used_at <= now - TOUCH


def touch(session: Session, session_id: int, now: datetime) -> None:
    """Notes the use of a session. Inside a transaction that only reads, call it in a transaction of its own."""
    session.execute(update(WebSession).where(WebSession.id == session_id).values(last_used_at=now))


def is_fresh(web_session: WebSession, now: datetime) -> bool:
    """Whether the person proved who they are within the last five minutes."""
    return web_session.fresh_at > now - FRESH


def my_sessions(call: Call) -> list[WebSession]:
    """One's own live sessions, the last used first."""
    query = (
        select(WebSession)
        .where(
            WebSession.operator_id == own_id(call),
            WebSession.expires_at > call.now,
            WebSession.method.not_like(PENDING + "%"),
        )
        .order_by(WebSession.last_used_at.desc(), WebSession.id.desc())
    )
    return list(call.session.scalars(query))


def end(call: Call, session_id: int) -> None:
    """Ends one of one's own sessions; NotFoundError for one that is not there or somebody else's."""
    found = call.session.get(WebSession, session_id)
    if found is None or found.operator_id != own_id(call):
        raise NotFoundError(N_("There is no such session, or it has ended already."))
    call.session.delete(found)


def sign_out(call: Call, secret: str) -> None:
    """Ends the session behind a cookie; an unknown one is fine."""
    call.session.execute(delete(WebSession).where(WebSession.secret_digest == secret_digest(secret)))


def end_mine(call: Call, *, but: int | None = None) -> None:
    """Ends all of one's own sessions, except the one named."""
    call.session.execute(delete(WebSession).where(WebSession.operator_id == own_id(call), WebSession.id != (but or 0)))
