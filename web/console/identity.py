"""Who sits at the browser: from the session cookie to the actor, and from a sign-in to the cookie."""

from dataclasses import replace
from datetime import timedelta

from flask import Flask, Response, current_app, g, request
from sqlalchemy.orm import Session

from mdm.access import service as access
from mdm.access.model import Operator, WebSession
from mdm.access.queries import has_passkey
from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import utcnow
from mdm.core.permissions import Permission
from mdm.orders.acts.queries import count_to_approve as count_acts
from mdm.orders.queries import count_to_approve
from mdm.orders.roster.queries import count_to_sign
from mdm.org.queries import units_below
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from mdm.storage.seal import Seal
from web.common.app import SETTINGS, uses_tls
from web.common.database import db
from web.common.language import chosen_language
from web.common.sealed import SEAL
from web.console.kernel import kernel


def settings() -> Settings:
    """The configuration of the running application."""
    found: Settings = current_app.extensions[SETTINGS]
    return found


def seal() -> Seal:
    """What opens sealed secrets of this installation."""
    found: Seal = current_app.extensions[SEAL]
    return found


def limits() -> access.Limits:
    """How long sessions last here."""
    configured = settings()
    return access.Limits(timedelta(minutes=configured.session_idle_minutes), timedelta(hours=configured.session_hours))


def party() -> access.RelyingParty:
    """Whom passkeys are made for: the console by its public address."""
    configured = settings()
    return access.relying_party(configured.console_base, configured.organisation)


def cookie_name() -> str:
    """``__Host-`` binds the cookie to this host and to TLS; browsers refuse the prefix over plain HTTP."""
    return "__Host-hm_session" if uses_tls(settings()) else "hm_session"


def brought_cookie() -> str | None:
    """The secret in the visitor's session cookie, or None."""
    return request.cookies.get(cookie_name()) or None


def visit() -> access.Visit:
    """From where the visitor comes."""
    return access.Visit(request.remote_addr, request.headers.get("User-Agent", "")[:255], brought_cookie())


def identify(session: Session, request_id: str) -> Actor:
    """The operator behind the session cookie; a visitor when there is none or it is not valid any more."""
    now = utcnow()
    cookie = brought_cookie()
    found = access.find(session, cookie, now, limits()) if cookie else None
    if found is None:
        actor = Actor(ActorKind.VISITOR, None, "", (), request_id, request.remote_addr)
    else:
        web_session, operator = found
        _remember(web_session, operator)
        actor = access.actor_for(session, operator, request_id, request.remote_addr, now, units_below)
        actor = replace(actor, language=chosen_language())
        _look_around(Call(actor, session, now))
        if access.needs_touch(web_session, now):
            g.touch = web_session.id
    g.actor = None if actor.kind is ActorKind.VISITOR else actor
    return actor


def _look_around(call: Call) -> None:
    """What every page shows: how much waits for this person, whether orders are stopped, and the button that stops them."""
    g.approvals_waiting = count_to_approve(call) + count_acts(call) + count_to_sign(call)
    state = kernel(call)
    g.stopped = state if state.frozen_at is not None else None
    g.red_button = ""
    if call.actor.id is not None and call.actor.may_somewhere(Permission.ORDER_FREEZE):
        g.red_button = "passkey" if party().usable and has_passkey(call, call.actor.id) else "page"


def _remember(web_session: WebSession, operator: Operator) -> None:
    g.web_session = web_session
    g.operator = operator
    g.language = operator.language
    g.theme = operator.theme
    g.fresh = access.is_fresh(web_session, utcnow())


def give_cookie(response: Response, secret: str) -> Response:
    """The response with the session cookie: for this host, for scripts invisible, not sent from other sites' forms."""
    response.set_cookie(cookie_name(), secret, httponly=True, samesite="Lax", secure=uses_tls(settings()), path="/")
    return response


def take_cookie(response: Response) -> Response:
    """The response that makes the browser forget the session."""
    response.delete_cookie(cookie_name(), httponly=True, samesite="Lax", secure=uses_tls(settings()), path="/")
    return response


def note_use(app: Flask) -> None:
    """Notes the use of a session after the answer was made, in a transaction of its own: most requests only read."""

    @app.after_request
    def _touch(response: Response) -> Response:
        number = g.pop("touch", None)
        if number is not None:
            with transaction(db.engine, write=True) as session:
                access.touch(session, number, utcnow())
        return response
