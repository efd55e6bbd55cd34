"""Who speaks to the API: a program with a token, or a person whose browser is signed in to the console."""

import structlog
from flask import Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from mdm.access import service as access
from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import utcnow
from mdm.org.queries import units_below
from mdm.storage.engine import transaction
from web.common.database import db

log = structlog.get_logger(__name__)
SCHEME = "bearer"


def bearer() -> str | None:
    """The token in the Authorization header; empty for another scheme, None without the header."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == SCHEME else ""


def credential() -> str:
    """What the caller shows, as text; empty when nothing."""
    return bearer() or ""


def identify(session: Session, request_id: str) -> Actor:
    """The actor of this request; a visitor when nothing that holds was shown."""
    visitor = Actor(ActorKind.VISITOR, None, "", (), request_id, request.remote_addr)
    token = bearer()
    if not token or len(token) > 200:
        return visitor
    now = utcnow()
    actor = access.actor_for_token(session, token, request_id, request.remote_addr, now, units_below)
    if actor is None or actor.id is None:
        return visitor
    g.actor = actor
    if access.token_needs_touch(session, actor.id, now):
        g.used_token = actor.id
    return actor


def note_use(response: Response) -> Response:
    """Notes the last use of a token, in a transaction of its own, after the request's has ended."""
    token_id = g.pop("used_token", None)
    if token_id is not None:
        try:
            with transaction(db.engine) as session:
                access.touch_token(session, token_id, utcnow())
        except SQLAlchemyError as error:
            # What was asked for is done and committed: a note that failed must not turn it into a failure.
            log.warning("use of a token was not noted", error=str(error)[:300])
    return response
