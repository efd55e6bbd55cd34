"""Notifications: pulled from Google, kept before they are acknowledged, read one by one. Twice is like once, in any order."""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from mdm.core.errors import HavenmeesterError, LimitedError, UnavailableError
from mdm.core.text import clean
from mdm.platforms.android.amapi import operations, phones
from mdm.platforms.android.amapi.client import PULLED, Google
from mdm.platforms.android.amapi.house import House
from mdm.platforms.android.amapi.model import AndroidGoogle, AndroidNote

log = structlog.get_logger(__name__)
MAX_CONTENT: Final = 1024 * 1024
TRIES: Final = 10
ROUNDS: Final = 5
"""Portions that one turn pulls."""
_DEVICE: Final = frozenset({"ENROLLMENT", "STATUS_REPORT", "COMPLIANCE_REPORT"})


def pull(house: House, google: Google, subscription: str) -> int:
    """Takes what waits at Google; how many new ones there were. Acknowledged only once they are kept."""
    count = 0
    for _ in range(ROUNDS):
        got = google.pull(subscription)
        if got:
            with house.transact() as call:
                count += sum(_keep(call.session, one.get("message"), call.now) for one in got)
            google.acknowledge(subscription, [str(one["ackId"]) for one in got if one.get("ackId")])
        if len(got) < PULLED:
            break
    with house.transact() as call:
        tie = call.session.scalar(select(AndroidGoogle).limit(1))
        if tie is not None:
            tie.pulled_at = call.now
    return count


def _keep(session: Session, message: object, now: datetime) -> int:
    """Keeps one notification; 0 for one that is known, or that nobody can read."""
    if not isinstance(message, Mapping):
        return 0
    id_ = clean(message.get("messageId"), 128)
    attributes = message.get("attributes")
    kind = clean(attributes.get("notificationType"), 32) if isinstance(attributes, Mapping) else ""
    if not id_ or session.get(AndroidNote, id_) is not None:
        return 0
    content, problem = _content(message.get("data"))
    wanted = kind in _DEVICE or kind == "COMMAND"
    if wanted and content is None:
        log.warning("a notification of google's makes no sense", kind=kind, why=problem)
    session.add(
        AndroidNote(
            id=id_,
            kind=kind,
            content=content if wanted else None,
            received_at=now,
            read_at=None if wanted and content is not None else now,
            problem=problem if wanted else "",
        )
    )
    session.flush()
    return 1


def _content(data: object) -> tuple[dict[str, Any] | None, str]:
    if not isinstance(data, str) or len(data) > MAX_CONTENT:
        return None, "it is no text, or too long"
    try:
        found = json.loads(base64.b64decode(data, validate=True))
        text = json.dumps(found)
    except (binascii.Error, ValueError, RecursionError):
        return None, "it is not what Google writes"
    good = isinstance(found, dict) and "\\u0000" not in text
    return (found, "") if good else (None, "it is not what Google writes")


def read(house: House, limit: int = 200) -> int:
    """Reads what was kept, the oldest first; how many. One that cannot be read now comes again, and holds up no other."""
    with house.transact(write=False) as call:
        rows = call.session.execute(
            select(AndroidNote.id, AndroidNote.kind, AndroidNote.content)
            .where(AndroidNote.read_at.is_(None))
            .order_by(AndroidNote.tries, AndroidNote.received_at, AndroidNote.id)
            .limit(limit)
        ).all()
    for id_, kind, content in rows:
        problem, done, away = "", True, False
        try:
            if kind == "COMMAND":
                with house.transact() as call:
                    done = operations.told(call, content)
                problem = "" if done else "an operation that is not known"
            else:
                phones.take(house, content)
        except (UnavailableError, LimitedError) as error:
            problem, done, away = str(error), False, True
        except HavenmeesterError as error:
            problem = str(error)
            log.warning("a notification of google's was not followed", kind=kind, code=error.code, why=problem)
        with house.transact() as call:
            note = call.session.get_one(AndroidNote, id_)
            # A neighbour that is away is nobody's fault: that never counts, so that nothing is given up because of it.
            note.tries += 0 if away else 1
            note.problem = problem[:1000]
            if done or note.tries >= TRIES:
                note.read_at, note.content = call.now, None
    return len(rows)
