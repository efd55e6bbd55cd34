"""Who speaks: a person, a program, a device or the clock, with which rights, under which request id."""

from dataclasses import dataclass
from enum import StrEnum

from mdm.core.errors import N_, DeniedError
from mdm.core.permissions import EVERYWHERE, Grant, Permission, Role, Scope, Where, scope_of


class ActorKind(StrEnum):
    """The kinds of speaker that the diary tells apart."""

    COMMAND_LINE = "command_line"
    DEVICE = "device"
    EMPLOYEE = "employee"
    OPERATOR = "operator"
    SYSTEM = "system"
    TOKEN = "token"
    VISITOR = "visitor"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who speaks. ``id`` is the row id of the operator, token, device or employee, None for the rest."""

    kind: ActorKind
    id: int | None
    name: str
    grants: tuple[Grant, ...] = ()
    request_id: str = "-"
    address: str | None = None
    language: str = "en"

    def scope(self, permission: Permission) -> Scope:
        """The places at which this actor holds ``permission``."""
        return scope_of(self.grants, permission)

    def may(self, permission: Permission, where: Where = EVERYWHERE) -> bool:
        """Whether this actor holds ``permission`` at ``where``."""
        scope = self.scope(permission)
        return (
            scope.city
            or (where.service_point_id is not None and where.service_point_id in scope.service_points)
            or (where.unit_id is not None and where.unit_id in scope.units)
        )

    def may_somewhere(self, permission: Permission) -> bool:
        """Whether this actor holds ``permission`` at any place: enough to open a list, which is scoped itself."""
        return not self.scope(permission).empty


def require(actor: Actor, permission: Permission, where: Where = EVERYWHERE) -> None:
    """Nothing when the actor holds ``permission`` at ``where``; raises DeniedError otherwise."""
    if not actor.may(permission, where):
        raise DeniedError(
            N_("You are not allowed to do this here (%(permission)s). Nothing was changed."),
            permission=permission.value,
        )


def command_line(name: str, request_id: str = "-") -> Actor:
    """Whoever runs the command line on the server itself: holds every role for the city, except approving."""
    return Actor(ActorKind.COMMAND_LINE, None, name, (Grant(Role.FLEET_ADMIN),), request_id)


def system(name: str, request_id: str = "-") -> Actor:
    """A job of the clock: may read and tidy everything; orders it can only propose."""
    return Actor(ActorKind.SYSTEM, None, name, (Grant(Role.FLEET_ADMIN),), request_id)
