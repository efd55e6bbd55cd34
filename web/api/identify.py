"""Who speaks to the API: a program with a token, or a person whose browser is signed in to the console."""

import structlog
from flask import Response, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from mdm.access import service as access
from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import utcnow
from mdm.core.errors import N_, DeniedError
from mdm.org.queries import units_below
from mdm.settings import Settings
from mdm.storage.engine import transaction
from web.common.app import SETTINGS
from web.common.cookie import brought_cookie, session_limits
from web.common.database import db
from web.common.guard import SAFE_METHODS

log = structlog.get_logger(__name__)
SCHEME = "bearer"
CLIENT_HEADER = "X-Havenmeester-Client"
"""A page of another site cannot send it: the browser would ask us first, and we never say yes."""
MAX_SECRET = 200


def _settings() -> Settings:
    found: Settings = current_app.extensions[SETTINGS]
    return found


def _bearer() -> str | None:
    """The token in the Authorization header; empty for another scheme, None without the header."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == SCHEME else ""


def credential() -> str:
    """What the caller shows, as text; empty when nothing. A header wins over a cookie."""
    token = _bearer()
    if token is None:
        token = brought_cookie(_settings())
    return token if token and len(token) <= MAX_SECRET else ""


def identify(session: Session, request_id: str) -> Actor:
    """The actor of this request; a visitor when nothing that holds was shown."""
    visitor = Actor(ActorKind.VISITOR, None, "", (), request_id, request.remote_addr)
    shown = g.credential
    if not shown:
        return visitor
    actor = _program(session, shown, request_id) if _bearer() is not None else _person(session, shown, request_id)
    if actor is None:
        return visitor
    g.actor = actor
    return actor


def _program(session: Session, token: str, request_id: str) -> Actor | None:
    now = utcnow()
    actor = access.actor_for_token(session, token, request_id, request.remote_addr, now, units_below)
    if actor is not None and actor.id is not None and access.token_needs_touch(session, actor.id, now):
        g.used_token = actor.id
    return actor


def _person(session: Session, cookie: str, request_id: str) -> Actor | None:
    """Raises DeniedError for an edit without the header that pages of other sites cannot send."""
    now = utcnow()
    found = access.find(session, cookie, now, session_limits(_settings()))
    if found is None:
        return None
    web_session, operator = found
    if request.method not in SAFE_METHODS and not _from_our_pages():
        raise DeniedError(
            N_("Send the header %(name)s with this request. Nothing was changed."),
            code="client_header",
            name=CLIENT_HEADER,
        )
    if access.needs_touch(web_session, now):
        g.used_session = web_session.id
    g.fresh = access.is_fresh(web_session, now)
    return access.actor_for(session, operator, request_id, request.remote_addr, now, units_below)


def _from_our_pages() -> bool:
    return CLIENT_HEADER in request.headers and request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"


def note_use(response: Response) -> Response:
    """Notes the last use of a token or session, in a transaction of its own, after the request's has ended."""
    token_id, session_id = g.pop("used_token", None), g.pop("used_session", None)
    if token_id is None and session_id is None:
        return response
    try:
        with transaction(db.engine) as session:
            if token_id is not None:
                access.touch_token(session, token_id, utcnow())
            if session_id is not None:
                access.touch(session, session_id, utcnow())
    except SQLAlchemyError as error:
        # What was asked for is done and committed: a note that failed must not turn it into a failure.
        log.warning("use of a credential was not noted", error=str(error)[:300])
    return response
