"""Who asks and who approves in tests of orders."""

from mdm.core.actor import Actor, ActorKind
from mdm.core.permissions import Grant, PlaceKind, Role

ADA = Actor(ActorKind.OPERATOR, 2, "Ada Approver", (Grant(Role.APPROVER),), "req-2")
EVA = Actor(ActorKind.OPERATOR, 3, "Eva Approver", (Grant(Role.APPROVER),), "req-3")
BOTH = Actor(ActorKind.OPERATOR, 4, "Bo Both", (Grant(Role.APPROVER), Grant(Role.FLEET_ADMIN)), "req-4")
"""Somebody who may ask and approve: never their own, all the same."""


def at_place(role: Role, service_point_id: int, number: int = 9) -> Actor:
    """Somebody with this role at one service point only."""
    grant = Grant(role, PlaceKind.SERVICE_POINT, service_point_id=service_point_id)
    return Actor(ActorKind.OPERATOR, number, f"Local {role.value}", (grant,))
