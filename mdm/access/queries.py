"""Reads of operators and their grants."""

from collections.abc import Sequence

from sqlalchemy import select

from mdm.access.model import Operator, OperatorGrant
from mdm.access.operators import approver_since, grants_of, manageable
from mdm.access.own_passkeys import has_passkey, passkeys_of
from mdm.access.sessions import my_sessions
from mdm.access.tokens import tokens
from mdm.access.views import views
from mdm.core.permissions import Permission, Where
from mdm.storage.call import Call

__all__ = [
    "approver_since",
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


def _governed(call: Call, grants: Sequence[OperatorGrant]) -> bool:
    places = [Where(grant.service_point_id, grant.unit_id) for grant in grants] or [Where()]
    return all(call.actor.may(Permission.OPERATOR_MANAGE, where) for where in places)
