"""A place that a role is bound to, and the actor that comes of grants."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from mdm.access.model import ApiToken, Operator, OperatorGrant
from mdm.core.actor import Actor, ActorKind
from mdm.core.permissions import Grant, PlaceKind, Role, Where

UnitsBelow = Callable[[Session, int, date], frozenset[int]]
"""``mdm.org.queries.units_below``: the door passes it in, because this room and that one are on one floor."""


@dataclass(frozen=True, slots=True)
class Place:
    """A service point, or a unit with all below it, or (neither) the city."""

    service_point_id: int | None = None
    unit_id: int | None = None

    @property
    def where(self) -> Where:
        """Where rights over this place are asked."""
        return Where(self.service_point_id, self.unit_id)

    @property
    def details(self) -> dict[str, int]:
        """The place as the diary notes it; nothing for the city."""
        both = {"service_point": self.service_point_id, "unit": self.unit_id}
        return {kind: number for kind, number in both.items() if number is not None}


CITY = Place()


class _Granted(Protocol):
    role: str
    service_point_id: int | None
    unit_id: int | None


def _grant(session: Session, granted: _Granted, today: date, units_below: UnitsBelow) -> Grant:
    role = Role(granted.role)
    if granted.service_point_id is not None:
        return Grant(role, PlaceKind.SERVICE_POINT, granted.service_point_id)
    if granted.unit_id is not None:
        return Grant(role, PlaceKind.UNIT, units=units_below(session, granted.unit_id, today))
    return Grant(role)


def actor_for(
    session: Session,
    operator: Operator,
    request_id: str,
    address: str | None,
    now: datetime,
    units_below: UnitsBelow,
) -> Actor:
    """The operator as an actor, with the grants of this moment: a unit's with everything that is below it today."""
    rows: Iterable[OperatorGrant] = session.scalars(
        select(OperatorGrant).where(OperatorGrant.operator_id == operator.id)
    )
    grants = tuple(_grant(session, row, now.date(), units_below) for row in rows)
    return Actor(ActorKind.OPERATOR, operator.id, operator.name, grants, request_id, address, operator.language)


def actor_of_token(
    session: Session,
    token: ApiToken,
    request_id: str,
    address: str | None,
    now: datetime,
    units_below: UnitsBelow,
) -> Actor:
    """A token as an actor: one role at one place."""
    grant = _grant(session, token, now.date(), units_below)
    return Actor(ActorKind.TOKEN, token.id, token.name, (grant,), request_id, address)
