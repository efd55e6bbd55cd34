"""Putting something in the post, ringing the doorbell, and the worker's side: claim, done, failed."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, or_, select, text
from sqlalchemy.orm import Session

from mdm.outbox.model import Bell, OutboxMessage
from mdm.storage.call import Call

MAX_ATTEMPTS = 12
CLAIM = timedelta(seconds=60)
LETTERS = ("mail", "sms")
"""Topics whose messages hold somebody's address and what was to be said to them."""
GIVEN_UP = timedelta(days=30)
"""How long such a letter is kept when it was given up, as the map of privacy says: so long somebody may try it again."""
BELL_CHANNEL = "havenmeester_bell"


def post(call: Call, topic: str, payload: dict[str, Any], *, due: datetime | None = None) -> OutboxMessage:
    """Writes a message into the call's transaction: it leaves when, and only when, the change is committed."""
    message = OutboxMessage(topic=topic, payload=payload, created_at=call.now, due_at=due or call.now)
    call.session.add(message)
    return message


def ring(call: Call, *, device_id: int | None = None, cohort_id: int | None = None) -> None:
    """Rings for one device or for all devices of a cohort; heard when the transaction is committed."""
    call.session.add(Bell(device_id=device_id, cohort_id=cohort_id, at=call.now))
    if call.session.get_bind().dialect.name == "postgresql":
        call.session.execute(text(f"NOTIFY {BELL_CHANNEL}"))


def rings_after(session: Session, last: int) -> Sequence[tuple[int, int | None, int | None]]:
    """Rings newer than number ``last``: (number, device, cohort), oldest first."""
    rows = session.execute(select(Bell.id, Bell.device_id, Bell.cohort_id).where(Bell.id > last).order_by(Bell.id))
    return [(row[0], row[1], row[2]) for row in rows]


_URGENT = OutboxMessage.due_at < OutboxMessage.created_at
BEFORE = timedelta(days=1)
"""So much sooner than it was written is an urgent message due: that is what tells it from others."""


def post_urgent(call: Call, topic: str, payload: dict[str, Any]) -> OutboxMessage:
    """``post`` for what cannot wait behind others, such as a call for help: a lane of its own delivers it, and first."""
    return post(call, topic, payload, due=call.now - BEFORE)


def urgent_waits(session: Session, now: datetime) -> bool:
    """Whether an urgent message waits to be claimed."""
    return session.scalar(_waiting(now).where(_URGENT).limit(1)) is not None


@dataclass(frozen=True, slots=True)
class Lane:
    """Which topics one who delivers takes: only these, or all without those."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def narrowed(self, query: Select[OutboxMessage]) -> Select[OutboxMessage]:
        """The messages of this lane among those of ``query``."""
        if self.only:
            return query.where(OutboxMessage.topic.in_(self.only))
        return query.where(OutboxMessage.topic.not_in(self.without)) if self.without else query


ALL = Lane()


def waits(session: Session, now: datetime, lane: Lane = ALL) -> bool:
    """Whether a message of the lane waits to be claimed."""
    return session.scalar(lane.narrowed(_waiting(now)).limit(1)) is not None


def claim(
    session: Session,
    now: datetime,
    limit: int = 20,
    patient: Collection[str] = (),
    *,
    urgent: bool = False,
    lane: Lane = ALL,
) -> list[OutboxMessage]:
    """Messages that are due, now claimed by the caller for a minute; another worker does not get them meanwhile.

    Those of ``patient`` topics come after all others, so that a heap of them holds up nothing. ``urgent``: only those that
    are; one that failed goes on in its common lane, first of all.
    """
    query = (
        lane.narrowed(_waiting(now))
        .order_by(OutboxMessage.topic.in_(tuple(patient)), OutboxMessage.due_at, OutboxMessage.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    messages = list(session.scalars(query.where(_URGENT) if urgent else query))
    for message in messages:
        message.claimed_until = now + CLAIM
        message.attempts += 1
    session.flush()
    return messages


def _waiting(now: datetime) -> Select[OutboxMessage]:
    return select(OutboxMessage).where(
        OutboxMessage.done_at.is_(None),
        OutboxMessage.dead_at.is_(None),
        OutboxMessage.due_at <= now,
        or_(OutboxMessage.claimed_until.is_(None), OutboxMessage.claimed_until < now),
    )


def done(message: OutboxMessage, now: datetime) -> None:
    """Marks a message as delivered."""
    message.done_at = now
    message.claimed_until = None
    message.last_error = None


def failed(message: OutboxMessage, now: datetime, why: str, *, never: bool = False) -> None:
    """Puts a message back with back-off and jitter; after the last attempt, or with ``never``, it is dead, kept, and shown."""
    message.claimed_until = None
    message.last_error = why[:2000]
    if never or message.attempts >= MAX_ATTEMPTS:
        message.dead_at = now
        return
    wait = min(3600, 2**message.attempts) * random.uniform(0.75, 1.25)  # noqa: S311 -- jitter, not a secret
    message.due_at = now + timedelta(seconds=wait)


def given_up(session: Session) -> Sequence[OutboxMessage]:
    """Messages that were given up, the newest first."""
    return session.scalars(
        select(OutboxMessage).where(OutboxMessage.dead_at.is_not(None)).order_by(OutboxMessage.id.desc())
    ).all()


def retry_given_up(session: Session, now: datetime) -> int:
    """Has everything that was given up delivered again, from the first attempt on: how many."""
    messages = given_up(session)
    for message in messages:
        message.dead_at, message.attempts, message.due_at = None, 0, now
    return len(messages)


def tidy(session: Session, now: datetime) -> None:
    """Forgets rings of more than ten minutes ago, messages delivered more than a week ago, and letters given up a month ago.

    What else was given up stays until somebody tries it again: it names nobody, and something was not done.
    """
    session.execute(delete(Bell).where(Bell.at < now - timedelta(minutes=10)))
    session.execute(delete(OutboxMessage).where(OutboxMessage.done_at < now - timedelta(days=7)))
    lost = (OutboxMessage.topic.in_(LETTERS), OutboxMessage.dead_at < now - GIVEN_UP)
    session.execute(delete(OutboxMessage).where(*lost))
