"""Reads of operators and their grants."""

from collections.abc import Sequence

from sqlalchemy import select

from mdm.access.model import Operator, OperatorGrant, Passkey
from mdm.access.operators import approver_since, grants_of, manageable
from mdm.access.own_passkeys import has_passkey, passkeys_of
from mdm.access.sessions import my_sessions
from mdm.access.tokens import tokens
from mdm.access.views import views
from mdm.core.permissions import Permission, Role, Where
from mdm.storage.call import Call

__all__ = [
    "approver_since",
    "approvers",
    "grants_of",
    "has_passkey",
    "me",
    "my_sessions",
    "operator",
    "operators",
    "passkeys_of",
    "tokens",
    "views",
]


def operators(call: Call, *, search: str = "", disabled: bool = True) -> list[tuple[Operator, list[OperatorGrant]]]:
    """The operators that the actor governs, by name, each with its grants: those all of whose grants lie at its places."""
    query = select(Operator).order_by(Operator.name, Operator.id)
    if search:
        query = query.where(
            Operator.name.icontains(search, autoescape=True) | Operator.email.icontains(search, autoescape=True)
        )
    if not disabled:
        query = query.where(Operator.disabled_at.is_(None))
    by_operator: dict[int, list[OperatorGrant]] = {}
    for grant in call.session.scalars(select(OperatorGrant).order_by(OperatorGrant.id)):
        by_operator.setdefault(grant.operator_id, []).append(grant)
    return [
        (found, by_operator.get(found.id, []))
        for found in call.session.scalars(query)
        if _governed(call, by_operator.get(found.id, []))
    ]


def operator(call: Call, operator_id: int) -> tuple[Operator, list[OperatorGrant]]:
    """One operator with the grants; NotFoundError when not there or not the actor's."""
    return manageable(call, operator_id), grants_of(call, operator_id)


def me(call: Call) -> Operator | None:
    """The operator who speaks; None for a program or a visitor."""
    if call.actor.kind.value != "operator" or call.actor.id is None:
        return None
    return call.session.get(Operator, call.actor.id)


def approvers(call: Call) -> list[tuple[Operator, list[Passkey]]]:
    """Everybody who holds the role of an approver and is not disabled, by name, with the passkeys that can be used.

    For whoever may see orders or manage operators; empty for anybody else.
    """
    if not any(call.actor.may_somewhere(one) for one in (Permission.ORDER_VIEW, Permission.OPERATOR_MANAGE)):
        return []
    holds = select(OperatorGrant.operator_id).where(OperatorGrant.role == Role.APPROVER.value)
    found = call.session.scalars(
        select(Operator).where(Operator.id.in_(holds), Operator.disabled_at.is_(None)).order_by(Operator.name)
    )
    return [(one, list(passkeys_of(call, one.id, stopped=False))) for one in found]


def _governed(call: Call, grants: Sequence[OperatorGrant]) -> bool:
    places = [Where(grant.service_point_id, grant.unit_id) for grant in grants] or [Where()]
    return all(call.actor.may(Permission.OPERATOR_MANAGE, where) for where in places)
