"""The one way into a use case over HTTP: who speaks, may they, one transaction, commit.

Every view is wrapped by exactly one of ``may``, ``signed_in`` or ``public``; an application with a view that is wrapped by
none does not start (``check_routes``). The wrapped view is given the ``Call`` as its first argument.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

from flask import Flask, current_app, make_response, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from sqlalchemy.orm import Session

from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import utcnow
from mdm.core.errors import (
    N_,
    ApprovalNeededError,
    ConfigurationError,
    DeniedError,
    HavenmeesterError,
    NotSignedInError,
)
from mdm.core.permissions import Permission
from mdm.orders import acts
from mdm.storage.call import Call
from mdm.storage.engine import begin
from web.common import looks
from web.common.database import db

View = Callable[..., ResponseReturnValue]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
IDENTIFY = "havenmeester_identify"
ASKED = "havenmeester_asked"


class Identify(Protocol):
    """How a door finds out who speaks: from a cookie, a token, a certificate."""

    def __call__(self, session: Session, request_id: str) -> Actor:
        """The actor of the current request; a visitor when nobody has shown who they are."""


class Asked(Protocol):
    """How a door makes a request of what the gate has stopped, and tells what happens next."""

    def __call__(self, call: Call, needed: ApprovalNeededError) -> ResponseReturnValue:
        """The answer, with status 202."""


def _guarded(view: View, allowed: Callable[[Actor], None], declaration: str, write: bool | None) -> View:
    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Response:
        session = db.session()
        begin(session, write=request.method not in SAFE_METHODS if write is None else write)
        try:
            identify: Identify = current_app.extensions[IDENTIFY]
            actor = identify(session, request.environ.get("havenmeester.request_id", "-"))
            allowed(actor)
            call = Call(actor, session, utcnow())
            try:
                response = make_response(view(call, *args, **kwargs))
            except ApprovalNeededError as needed:
                response = _needed(call, needed, lambda permitted: view(permitted, *args, **kwargs))
            session.commit()
            if response.status_code == 200:
                looks.note(call)
        except BaseException as error:
            if isinstance(error, HavenmeesterError) and error.keep:
                session.commit()
            else:
                session.rollback()
            raise
        return response

    wrapper.declaration = declaration  # type: ignore[attr-defined]
    return wrapper


def _needed(call: Call, needed: ApprovalNeededError, again: View) -> Response:
    """What the gate stopped: a request is made of it and told; where nobody could agree yet, it is done after all.

    The transaction begins anew, so that nothing of the first try is kept.
    """
    call.session.rollback()
    begin(call.session, write=True)
    permit = acts.unfounded(call.session)
    if permit is None:
        asked: Asked = current_app.extensions[ASKED]
        return make_response(asked(call, needed))
    permitted = call.with_permit(permit)
    for file in request.files.values():
        file.stream.seek(0)
    response = make_response(again(permitted))
    acts.note_uses(permitted)
    return response


def may(permission: Permission, *, write: bool | None = None) -> Callable[[View], View]:
    """Only for those who hold ``permission`` somewhere; the use case asks again for the place.

    ``write`` is for a safe method that writes all the same, such as a read that the diary must note.
    """

    def allowed(actor: Actor) -> None:
        _signed_in(actor)
        if not actor.may_somewhere(permission):
            raise DeniedError(
                N_("You are not allowed to do this here (%(permission)s). Nothing was changed."),
                permission=permission.value,
            )

    return lambda view: _guarded(view, allowed, permission.value, write)


def signed_in(*, write: bool | None = None) -> Callable[[View], View]:
    """For everybody who has signed in, whatever their roles: their own settings, signing out."""
    return lambda view: _guarded(view, _signed_in, "signed in", write)


def public(why: str, *, write: bool | None = None) -> Callable[[View], View]:
    """For everybody, also for strangers; ``why`` is shown in the table of routes."""
    return lambda view: _guarded(view, lambda _actor: None, f"public: {why}", write)


def without_database(why: str) -> Callable[[Callable[..., ResponseReturnValue]], Callable[..., ResponseReturnValue]]:
    """For everybody, without transaction and Call: what must answer when the database does not."""

    def declare(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
        view.declaration = f"public, no database: {why}"  # type: ignore[attr-defined]
        return view

    return declare


def _signed_in(actor: Actor) -> None:
    if actor.kind is ActorKind.VISITOR:
        raise NotSignedInError(
            N_("You are not signed in, or your session has ended. Nothing was changed. Sign in again.")
        )


def declarations(app: Flask) -> dict[str, str | None]:
    """What each endpoint declares, None for one that declares nothing; static files are not views of ours."""
    return {
        endpoint: getattr(view, "declaration", None)
        for endpoint, view in app.view_functions.items()
        if endpoint != "static" and not endpoint.endswith(".static")
    }


def check_routes(app: Flask) -> None:
    """Nothing when every view declares who may use it; raises ConfigurationError that names those that do not."""
    silent = sorted(endpoint for endpoint, declared in declarations(app).items() if declared is None)
    if silent:
        raise ConfigurationError(
            "These routes do not say who may use them: %(routes)s.",
            routes=", ".join(silent),
            mend="Add may() or public().",
        )
