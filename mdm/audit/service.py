"""Writing the diary, and proving it."""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from agent.wire import digest
from mdm.audit import watch
from mdm.audit.chain import GENESIS, Break, Line, find_break, line_hash, text_digest
from mdm.audit.model import AuditEntry, AuditHead
from mdm.audit.proof import Proof, broken, compare
from mdm.core.clock import iso
from mdm.core.errors import N_, UnavailableError
from mdm.core.permissions import EVERYWHERE, Where
from mdm.signing.seals import Head
from mdm.storage.call import Call

_LOCK = 7_301_001
"""Number of the PostgreSQL advisory lock under which lines are appended."""
PAGE = 1000
ERASED = "diary.erased"
"""The line that says which lines text was taken out of, and what was left of them."""
log = structlog.get_logger(__name__)


def record(
    call: Call,
    action: str,
    subject: tuple[str, object],
    *,
    name: str = "",
    where: Where = EVERYWHERE,
    details: dict[str, Any] | None = None,
) -> AuditEntry:
    """Appends one line in the call's transaction and returns it.

    ``action`` is ``noun.verb`` (``device.locked``), ``subject`` a kind and an id, ``name`` what a reader knows it by.
    ``details`` names what changed; a secret never goes in. Lines are numbered without gaps: the lock is held until the
    transaction ends, so a rolled-back change leaves neither line nor gap.

    Raises UnavailableError when the line cannot be written (``diary_closed``: disk full, table locked, read-only), and for
    privileged actions while the diary is not the one that was witnessed (``diary_back``): what was to be done is not done.
    """
    session = call.session
    session.flush()
    with _writing():
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
        if watch.privileged(action):
            watch.require_whole(session)
        return _append(call, action, subject, name, where, details or {})


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        log.exception("the diary cannot be written")
        raise UnavailableError(
            N_(
                "The diary cannot be written, so nothing was done. Make room or free the table audit_entry, then try again."
            ),
            code="diary_closed",
            retry_after=30,
        ) from error


def _append(
    call: Call, action: str, subject: tuple[str, object], name: str, where: Where, details: dict[str, Any]
) -> AuditEntry:
    session = call.session
    last = session.execute(select(AuditEntry.id, AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)).first()
    last_id, previous = (last.id, last.hash) if last else (0, GENESIS)
    entry = AuditEntry(
        id=last_id + 1,
        at=call.now.replace(microsecond=0),
        actor_kind=call.actor.kind.value,
        actor_id=call.actor.id,
        actor_name=call.actor.name,
        address=call.actor.address,
        request_id=call.actor.request_id,
        action=action,
        subject_kind=subject[0],
        subject_id=str(subject[1]),
        subject_name=name,
        service_point_id=where.service_point_id,
        unit_id=where.unit_id,
        details=details,
        previous=previous,
        hash="",
        salt=secrets.token_hex(16),
    )
    entry.text_digest = text_digest(entry.salt or "", text_of(entry))
    entry.hash = line_hash(previous, content_of(entry))
    session.add(entry)
    session.flush()
    return entry


def text_of(entry: AuditEntry) -> dict[str, Any]:
    """What of a line can name people."""
    return {
        "actor": entry.actor_name,
        "address": entry.address,
        "details": entry.details,
        "subject": entry.subject_name,
    }


def content_of(entry: AuditEntry) -> dict[str, Any]:
    """What of a line is hashed: every column but ``previous`` and ``hash``; of its text the digest."""
    at: datetime = entry.at
    line: dict[str, Any] = {
        "id": entry.id,
        "at": iso(at),
        "request": entry.request_id,
        "action": entry.action,
        "where": [entry.service_point_id, entry.unit_id],
    }
    if entry.text_digest is not None:
        return line | {
            "actor": [entry.actor_kind, entry.actor_id],
            "subject": [entry.subject_kind, entry.subject_id],
            "text": entry.text_digest,
        }
    return line | {
        "actor": [entry.actor_kind, entry.actor_id, entry.actor_name],
        "address": entry.address,
        "subject": [entry.subject_kind, entry.subject_id, entry.subject_name],
        "details": entry.details,
    }


def remains_of(entry: AuditEntry) -> str:
    """The digest of a line as it stands, which the line that tells of an erasure names."""
    return digest(content_of(entry) | {"left": text_of(entry)})


def erased_lines(session: Session) -> dict[int, str]:
    """Every line that text was taken out of, with the digest of what was left of it, as later lines of the diary say."""
    found: dict[int, str] = {}
    told = select(AuditEntry.id, AuditEntry.details).where(AuditEntry.action == ERASED).order_by(AuditEntry.id)
    for number, details in session.execute(told):
        found |= {int(line): str(left) for line, left in details["lines"].items() if int(line) < number}
    return found


def _line(row: AuditEntry, erased: dict[int, str]) -> Line:
    """The line as it is to be proved: one that text was taken out of must be as the line says that tells of it."""
    left = erased.get(row.id)
    if left is None:
        sound = row.text_digest is None or (
            row.salt is not None and row.text_digest == text_digest(row.salt, text_of(row))
        )
        return Line(row.id, content_of(row), row.previous, row.hash, "" if sound else "its content was changed")
    wrong = "" if left == remains_of(row) else "it is not what was left when text was taken out"
    return Line(row.id, content_of(row) if row.text_digest is not None else None, row.previous, row.hash, wrong)


def chain_end(session: Session) -> Break | tuple[int, str]:
    """Reads the whole diary: the first break, or the number of its last line (0 when empty) and that line's hash."""
    last: tuple[int, str] = (0, GENESIS)
    erased = erased_lines(session)
    while True:
        page = session.scalars(
            select(AuditEntry).where(AuditEntry.id > last[0]).order_by(AuditEntry.id).limit(PAGE)
        ).all()
        outcome = find_break((_line(row, erased) for row in page), last[1], last[0])
        if isinstance(outcome, Break) or len(page) < PAGE:
            return outcome
        last = outcome
        session.expunge_all()


def verify(session: Session, head_key: str = "", witnessed: Iterable[Head] = ()) -> Proof:
    """Proves the diary: its chain, and that it holds every line that the signer once signed.

    ``head_key`` is the signer's public key (``SignerClient.ca().head_key``); ``witnessed`` are heads from outside this
    database (``SignerClient.heads()``, or a file), so that whoever writes the database cannot take them away.
    """
    kept = [
        Head(row.number, row.hash, int(row.at.timestamp()), row.signature)
        for row in session.scalars(select(AuditHead).order_by(AuditHead.number))
    ]
    heads = sorted({*kept, *witnessed}, key=lambda head: head.number)
    end = chain_end(session)
    if isinstance(end, Break):
        return broken(end)
    hashes: dict[int, str] = {}
    numbers = sorted({head.number for head in heads})
    for start in range(0, len(numbers), PAGE):
        rows = session.execute(
            select(AuditEntry.id, AuditEntry.hash).where(AuditEntry.id.in_(numbers[start : start + PAGE]))
        )
        hashes |= {row.id: row.hash for row in rows}
    return compare(end, hashes, heads, head_key)
