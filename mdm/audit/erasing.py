"""Taking what names a person out of the diary, for good, without breaking its chain.

A line's hash covers a digest of its text with a salt (``chain.text_digest``). Whoever takes text out destroys the salt with
it, so that nobody can find out by trying what stood there, and writes a line of its own that names every line changed and the
digest of what was left. The proof then holds: a line whose text is not what was hashed must be named by a later line, and be
exactly as that one says. Who did what at which time stays provable; only who the people were is gone.

Lines of the first version have hashes over the text itself. Text is taken out of them in the same way; their hash stays as the
link of the chain, and what was left is held by the line that names them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from mdm.audit import service
from mdm.audit.model import AuditEntry
from mdm.storage.call import Call

PAGE = 500


@dataclass(frozen=True, slots=True)
class Text:
    """What of a line can name people."""

    actor_name: str
    address: str | None
    subject_name: str
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of one batch: the last line that was looked at (0 when there was none left), and how many were changed."""

    last: int
    changed: int


def erase(call: Call, after: int, rewrite: Callable[[AuditEntry], Text], limit: int = PAGE) -> Batch:
    """Looks at up to ``limit`` lines after line ``after`` and has ``rewrite`` say what is left of each one's text.

    Lines of which it says what stands there already are not touched. One line tells of all that were.
    """
    rows = call.session.scalars(
        select(AuditEntry).where(AuditEntry.id > after).order_by(AuditEntry.id).limit(limit)
    ).all()
    left: dict[str, str] = {}
    for row in rows:
        if row.action == service.ERASED:
            continue
        text = rewrite(row)
        if text == Text(row.actor_name, row.address, row.subject_name, row.details):
            continue
        row.actor_name, row.address, row.subject_name, row.details = (
            text.actor_name,
            text.address,
            text.subject_name,
            text.details,
        )
        row.salt = None
        left[str(row.id)] = service.remains_of(row)
    if left:
        service.record(call, service.ERASED, ("diary", "lines"), details={"lines": left})
    return Batch(rows[-1].id if rows else 0, len(left))
