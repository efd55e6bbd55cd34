"""One-time links: they sign one operator in once, for the first sign-in and for a lost password."""

from datetime import timedelta

from sqlalchemy import ColumnElement, select, update

from mdm.access.model import OneTimeLink, Operator
from mdm.access.operators import gate_sign_in, manageable
from mdm.access.people_only import require_person
from mdm.audit import service as audit
from mdm.core.errors import N_, ConflictError
from mdm.core.ids import new_secret, secret_digest
from mdm.storage.call import Call

LIFE = timedelta(minutes=15)
LONGEST = timedelta(days=7)


def create_link(call: Call, operator_id: int, *, life: timedelta = LIFE) -> str:
    """The secret of a link for one operator; shown once, only its digest is kept.

    Raises NotFoundError for an operator who is not the actor's, ConflictError for a disabled one, ApprovalNeededError for
    somebody else who holds a role.
    """
    require_person(call)
    operator = manageable(call, operator_id)
    if operator.disabled_at is not None:
        raise ConflictError(N_("This operator is disabled. No link was made; enable the operator first."))
    gate_sign_in(call, operator, {"change": "link", "minutes": int(min(life, LONGEST).total_seconds() // 60)})
    return _make(call, operator, life)


def first_link(call: Call, operator_id: int, *, life: timedelta = LIFE) -> str:
    """The first link for an operator who was made in this very transaction: whoever may add them may let them in once.

    Raises ConflictError for somebody who was there before.
    """
    require_person(call)
    operator = manageable(call, operator_id)
    if operator.created_at != call.now or operator.disabled_at is not None:
        raise ConflictError(N_("This operator was there before. No link was made."))
    return _make(call, operator, life)


def _make(call: Call, operator: Operator, life: timedelta) -> str:
    secret = new_secret()
    call.session.add(
        OneTimeLink(
            secret_digest=secret_digest(secret),
            operator_id=operator.id,
            created_at=call.now,
            expires_at=call.now + min(life, LONGEST),
        )
    )
    audit.record(call, "operator.link_made", ("operator", operator.id), name=operator.name)
    return secret


def link_works(call: Call, secret: str) -> bool:
    """Whether a link can still be redeemed; asking does not use it up, so that a mail scanner may look at the page."""
    return call.session.scalar(select(OneTimeLink.id).where(*_alive(secret, call))) is not None


def take_link(call: Call, secret: str) -> Operator | None:
    """Uses a link up and gives its operator; None when it is unknown, used, expired, or the operator is disabled.

    One statement decides, so that of many at once exactly one wins.
    """
    operator_id = call.session.scalar(
        update(OneTimeLink)
        .where(*_alive(secret, call))
        .values(used_at=call.now)
        .returning(OneTimeLink.operator_id)
        .execution_options(synchronize_session=False)
    )
    operator = None if operator_id is None else call.session.get(Operator, operator_id)
    return operator if operator is not None and operator.disabled_at is None else None


def _alive(secret: str, call: Call) -> tuple[ColumnElement[bool], ...]:
    return (
        OneTimeLink.secret_digest == secret_digest(secret),
        OneTimeLink.used_at.is_(None),
        OneTimeLink.expires_at > call.now,
    )
