"""Watching that the diary is the one that was witnessed. While it is not, privileged acts are refused; check-ins go on.

A diary that lacks a line which the signer signed was cut, written anew, or brought back from an old copy. Nobody may use
their power in it before somebody has looked.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import structlog
from sqlalchemy import Engine, Select, func, select
from sqlalchemy.orm import Session

from mdm.audit import export
from mdm.audit.model import AuditEntry, DiaryClosure
from mdm.core.errors import N_, UnavailableError
from mdm.settings import Settings
from mdm.signing.client import SignerClient
from mdm.signing.seals import Head
from mdm.storage.engine import transaction

PRIVILEGED: Final = (
    "act.",
    "api_token.created",
    "budgets.",
    "device.deleted",
    "device.retired",
    "diary.",
    "operator.created",
    "operator.enabled",
    "operator.identity_tied",
    "operator.password_set",
    "operator.role_given",
    "operator.second_factor_set",
    "order.approved",
    "order.fetched",
    "order.released",
    "order.requested",
    "roster.",
    "webhook.",
)
"""Beginnings of the actions that nobody may do while the diary is not whole. Cancelling, freezing and locking stay."""
ENDING: Final = frozenset({"act.cancelled", "act.expired", "act.rejected"})
"""What only takes a request away, and so stays too."""

_ONLY = 1
log = structlog.get_logger(__name__)


def privileged(action: str) -> bool:
    """Whether this action needs a diary that is whole."""
    return action.startswith(PRIVILEGED) and action not in ENDING


def require_whole(session: Session) -> None:
    """Nothing while the diary is the one that was witnessed; raises UnavailableError (``diary_back``) otherwise."""
    found = session.get(DiaryClosure, _ONLY)
    if found is not None:
        raise UnavailableError(
            N_(
                "The diary is not the one that was witnessed: it has %(lines)s lines, and line %(number)s was signed at"
                " %(at)s. Nothing was done. Look with havenmeester audit verify; if a backup was restored,"
                " havenmeester audit accept-restore says so."
            ),
            code="diary_back",
            lines=found.lines,
            number=found.witnessed,
            at=found.witnessed_at.strftime("%Y-%m-%d %H:%M UTC"),
            retry_after=60,
        )


def look(engine: Engine, settings: Settings, client: SignerClient, now: datetime) -> Head | None:
    """Compares the diary with the last heads of the witness file and of the signer; closes or opens privileged acts.

    The head that the diary lacks, or None. A witness that cannot be asked is passed over: it says nothing.
    """
    # The heads are read before the diary: it may grow meanwhile, never shrink.
    known = list(_known(settings, client))
    if not known:
        return None
    with transaction(engine, write=False) as session:
        lines = session.scalar(select(func.max(AuditEntry.id))) or 0
        numbers = [head.number for head in known]
        hashes = _hashes(session, select(AuditEntry.id, AuditEntry.hash).where(AuditEntry.id.in_(numbers)))
        closed = session.get(DiaryClosure, _ONLY) is not None
    missing = next((head for head in known if hashes.get(head.number) != head.hash), None)
    if missing is not None or closed:
        _note(engine, missing, lines, now)
    return missing


def agreed(session: Session, settings: Settings) -> int:
    """The greatest line about which diary and witness file still agree; the diary's length where there is no such file."""
    path = export.witness_file(settings)
    if path is None:
        return session.scalar(select(func.max(AuditEntry.id))) or 0
    hashes = _hashes(session, select(AuditEntry.id, AuditEntry.hash))
    return max((head.number for head in export.load(path).heads if hashes.get(head.number) == head.hash), default=0)


def _hashes(session: Session, query: Select[int, str]) -> dict[int, str]:
    return {row[0]: row[1] for row in session.execute(query)}


def _known(settings: Settings, client: SignerClient) -> Iterable[Head]:
    path = export.witness_file(settings)
    try:
        last = export.tail(path).last if path is not None else None
        if last is not None:
            yield last
    except UnavailableError as error:
        log.warning("the witness cannot be asked", why=str(error))
    try:
        number = client.health().head
        if number:
            yield from client.heads(number - 1)
    except UnavailableError as error:
        log.warning("the signer cannot be asked for its last head", why=str(error))


def _note(engine: Engine, missing: Head | None, lines: int, now: datetime) -> None:
    with transaction(engine) as session:
        found = session.get(DiaryClosure, _ONLY)
        if missing is None:
            if found is not None:
                session.delete(found)
                log.warning("the diary is whole again: privileged acts go on")
            return
        if found is None:
            found = DiaryClosure(id=_ONLY, at=now)
            session.add(found)
            log.error("the diary is not the one that was witnessed", line=missing.number, lines=lines)
        found.witnessed, found.lines = missing.number, lines
        found.witnessed_at = datetime.fromtimestamp(missing.at, UTC)
