"""ETag and If-Match: nobody overwrites what somebody else changed meanwhile."""

import hashlib
import json

from flask import request
from pydantic import BaseModel
from sqlalchemy import text

from mdm.core.errors import N_
from mdm.storage.call import Call
from web.api.errors import ChangedMeanwhileError, VersionNeededError


def tag_of(answer: BaseModel) -> str:
    """The ETag of a resource: its row version where it has one, else a digest of what is shown of it."""
    version = getattr(answer, "version", None)
    if isinstance(version, int):
        return f'"v{version}"'
    content = json.dumps(answer.model_dump(mode="json"), sort_keys=True).encode()
    return f'"{hashlib.sha256(content).hexdigest()[:20]}"'


def unchanged(current: BaseModel) -> None:
    """Nothing when ``If-Match`` names ``current``.

    Raises VersionNeededError without the header, ChangedMeanwhileError when it names something else. ``*`` is refused:
    it would say "overwrite whatever is there".
    """
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        raise VersionNeededError(
            N_(
                "Send the ETag of what you read as If-Match, so that nobody's change is overwritten. Nothing was changed."
            )
        )
    if tag_of(current) not in [part.strip() for part in given.split(",")]:
        raise ChangedMeanwhileError(
            N_("This was changed since you read it. Nothing was changed now. Read it again and repeat your edit.")
        )


def alone(call: Call) -> None:
    """Lets one edit of one address pass at a time, so that what ``unchanged`` compared stays so until the commit.

    SQLite has one writer anyway; on PostgreSQL the lock ends with the transaction.
    """
    if call.session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(f"edit\x00{request.path}".encode()).digest()[:8], "big", signed=True)
        call.session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": number})
