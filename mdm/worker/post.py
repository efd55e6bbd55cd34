"""Delivering the outbox: claim, commit, call the handler, mark as done; put back with back-off what failed.

There are three kinds of handler. One *inside* changes only our own database: its change and the mark are one transaction,
so it happens exactly once. One *gathered* is an inside one that takes all messages of its topic at once, and last: what a
whole fleet brings costs a few transactions and holds up nothing else. One *outside* speaks to a neighbour (mail, signer)
between short transactions of its own: it happens at least once, and makes twice like once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select, update

from mdm.outbox import service as outbox
from mdm.outbox.model import OutboxMessage
from mdm.outbox.service import ALL, Lane
from mdm.storage.call import Call
from mdm.worker.office import Office

log = structlog.get_logger(__name__)

Payload = Mapping[str, Any]
BATCH = 200
FEW = 20
"""Letters that are claimed at once for a neighbour of our own: at a slow one their claims do not end before they leave."""
BY_MAIL = Lane(only=("mail", "desk.paper"))
BY_SMS = Lane(only=("sms",))
OUTWARD = Lane(only=("apple.push", "apple.list", "webhook"))
"""What is asked of services elsewhere: Apple's, and those of webhooks."""
COMMON = Lane(without=BY_MAIL.only + BY_SMS.only + OUTWARD.only)
"""Everything else: what devices wait for never stands behind a neighbour that takes its time."""
ROUNDS = 40
"""Batches that one run delivers at the most, so that the worker hears that it shall stop."""


class NotNowError(Exception):
    """Raised by a handler: nothing failed, but it must wait; the message comes back after ``wait`` seconds, uncounted."""

    def __init__(self, why: str, wait: int) -> None:
        self.wait = wait
        super().__init__(why)


class NeverError(Exception):
    """Raised by a handler: trying again cannot help; the message is given up at once, kept and shown."""


@dataclass(frozen=True, slots=True)
class Inside:
    """A handler that changes only our database."""

    handle: Callable[[Call, Payload], object]


@dataclass(frozen=True, slots=True)
class Gathered:
    """A handler that changes only our database, for many messages of its topic in one transaction.

    When it fails for many, each is tried alone, so that one that always fails does not hold back the rest.
    """

    handle: Callable[[Call, Sequence[Payload]], object]


@dataclass(frozen=True, slots=True)
class Outside:
    """A handler that speaks to a neighbour."""

    handle: Callable[[Office, Payload], object]


Handler = Inside | Gathered | Outside


@dataclass(frozen=True, slots=True)
class _Letter:
    """A claimed message, apart from the session that claimed it."""

    id: int
    topic: str
    payload: Payload

    @property
    def same(self) -> tuple[str, str]:
        """Messages that are alike in this ask for the same thing."""
        return self.topic, repr(sorted(self.payload.items()))


def free_claims(office: Office) -> None:
    """Gives up every claim: a new leader calls it, because whoever claimed before is gone."""
    with office.call("post") as call:
        call.session.execute(
            update(OutboxMessage).where(OutboxMessage.claimed_until.is_not(None)).values(claimed_until=None)
        )


def deliver_urgent(
    office: Office, handlers: Mapping[str, Handler], stopping: Callable[[], bool] = lambda: False
) -> int:
    """Delivers what is urgent, beside ``deliver``: a mail server that takes its time holds up no call for help."""
    with office.call("post-urgent", write=False) as call:
        if not outbox.urgent_waits(call.session, call.now):
            return 0
    with office.call("post-urgent") as call:
        letters = [
            _Letter(message.id, message.topic, dict(message.payload))
            for message in outbox.claim(call.session, call.now, BATCH, urgent=True)
        ]
    for group in _groups(letters, handlers):
        if stopping():
            break
        _deliver_group(office, group, handlers)
    return len(letters)


def deliver(
    office: Office,
    handlers: Mapping[str, Handler],
    stopping: Callable[[], bool] = lambda: False,
    lane: Lane = ALL,
) -> int:
    """Delivers what is due in a lane, batch by batch: how many messages were tried."""
    tried = 0
    most = FEW if lane.only else BATCH
    for _ in range(ROUNDS):
        patient = [topic for topic, handler in handlers.items() if isinstance(handler, Gathered)]
        letters = _claim(office, patient, lane, most)
        if not letters:
            break
        for group in _groups(letters, handlers):
            if stopping():
                return tried
            _deliver_group(office, group, handlers)
        tried += len(letters)
        if len(letters) < most:
            break
    return tried


def _claim(office: Office, patient: Sequence[str], lane: Lane, most: int) -> list[_Letter]:
    # Most seconds there is nothing to do: looking takes no write lock from those who have.
    with office.call("post", write=False) as call:
        if not outbox.waits(call.session, call.now, lane):
            return []
    with office.call("post") as call:
        return [
            _Letter(message.id, message.topic, dict(message.payload))
            for message in outbox.claim(call.session, call.now, most, patient, lane=lane)
        ]


def _groups(letters: Sequence[_Letter], handlers: Mapping[str, Handler]) -> list[list[_Letter]]:
    """The letters that are delivered together: the same request, or the same topic where it is gathered; in order."""
    groups: dict[tuple[str, str], list[_Letter]] = {}
    for letter in letters:
        key = (letter.topic, "") if isinstance(handlers.get(letter.topic), Gathered) else letter.same
        groups.setdefault(key, []).append(letter)
    return list(groups.values())


def _deliver_group(office: Office, group: Sequence[_Letter], handlers: Mapping[str, Handler]) -> None:
    first = group[0]
    ids = [letter.id for letter in group]
    handler = handlers.get(first.topic)
    try:
        if handler is None:
            raise LookupError(f"nobody handles the topic {first.topic}")  # noqa: TRY301 -- put back like any failure
        if isinstance(handler, Inside):
            with office.call(first.topic) as call:
                handler.handle(call, first.payload)
                _mark(call, ids)
        elif isinstance(handler, Gathered):
            with office.call(first.topic) as call:
                handler.handle(call, [letter.payload for letter in group])
                _mark(call, ids)
        else:
            handler.handle(office, first.payload)
            with office.call(first.topic) as call:
                _mark(call, ids)
    except NotNowError as wait:
        _postpone(office, ids, str(wait), wait.wait)
    except Exception as error:
        if isinstance(handler, Gathered) and len(group) > 1:
            for letter in group:
                _deliver_group(office, [letter], handlers)
            return
        log.warning("a message could not be delivered", topic=first.topic, message=first.id, exc_info=error)
        _put_back(office, ids, f"{type(error).__name__}: {error}", never=isinstance(error, NeverError))


def _mark(call: Call, ids: Sequence[int]) -> None:
    for message in call.session.scalars(select(OutboxMessage).where(OutboxMessage.id.in_(ids))):
        outbox.done(message, call.now)


def _postpone(office: Office, ids: Sequence[int], why: str, wait: int) -> None:
    with office.call("post") as call:
        for message in call.session.scalars(select(OutboxMessage).where(OutboxMessage.id.in_(ids))):
            message.attempts -= 1
            message.claimed_until = None
            message.last_error = why
            message.due_at = call.now + timedelta(seconds=wait)


def _put_back(office: Office, ids: Sequence[int], why: str, *, never: bool) -> None:
    with office.call("post") as call:
        for message in call.session.scalars(select(OutboxMessage).where(OutboxMessage.id.in_(ids))):
            outbox.failed(message, call.now, why, never=never)
