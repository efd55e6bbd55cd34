"""Idempotency keys: a program that asks again, because it did not hear the answer, gets the answer it had."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from mdm.access.model import IdempotencyKey
from mdm.core.actor import Actor
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

KEPT = timedelta(days=1)
LONGEST_KEY = 128


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it went out."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)


def recall(call: Call, key: str, request_digest: str) -> Answer | None:
    """The answer that this speaker's request with this key had; None when it is new.

    ``request_digest`` covers method, path and body: raises ConflictError when the key came with another request, and
    InvalidError for a key that is empty or longer than 128 characters.
    """
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise InvalidError(N_("An idempotency key has 1 to 128 printable characters."), code="idempotency_key_invalid")
    row = call.session.scalar(
        select(IdempotencyKey).where(
            IdempotencyKey.speaker == speaker(call.actor),
            IdempotencyKey.key == key,
            IdempotencyKey.created_at > call.now - KEPT,
        )
    )
    if row is None:
        return None
    if row.request_digest != request_digest:
        raise ConflictError(
            N_("This idempotency key was used for another request. Nothing was changed; use a new key."),
            code="idempotency_key_reused",
        )
    return Answer(row.status, row.body, {str(name): str(value) for name, value in row.headers.items()})


def remember(call: Call, key: str, request_digest: str, answer: Answer) -> None:
    """Keeps an answer in the transaction of its change; raises ConflictError when the same request is answered meanwhile."""
    expired = call.session.scalar(
        select(IdempotencyKey).where(IdempotencyKey.speaker == speaker(call.actor), IdempotencyKey.key == key)
    )
    if expired is not None and expired.created_at <= call.now - KEPT:
        call.session.delete(expired)
        call.session.flush()
    call.session.add(
        IdempotencyKey(
            speaker=speaker(call.actor),
            key=key,
            request_digest=request_digest,
            status=answer.status,
            headers=dict(answer.headers),
            body=answer.body,
            created_at=call.now,
        )
    )
    flush_unique(
        call.session,
        ConflictError(
            N_("The same request is being answered now. Nothing was changed; ask again in a moment."),
            code="idempotency_key_busy",
        ),
    )


def speaker(actor: Actor) -> str:
    """Under which name keys are kept apart: kind and id of whoever speaks."""
    return f"{actor.kind.value}:{actor.id or 0}"


def kept_since(now: datetime) -> datetime:
    """Keys of before this moment are forgotten."""
    return now - KEPT
