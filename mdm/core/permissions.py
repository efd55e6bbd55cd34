"""What may be done, by which role, and where.

A role is a set of permissions; a grant is a role at a place. A place is the city, a service point, or a unit with all
that is below it. What no role lists is allowed to nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """Every permission, as ``noun:verb``, sorted."""

    ALARM_VIEW = "alarm:view"
    API_TOKEN_MANAGE = "api_token:manage"
    APPLICATION_DECIDE = "application:decide"
    APPLICATION_VIEW = "application:view"
    AUDIT_VIEW = "audit:view"
    CASE_LOCATE = "case:locate"
    CASE_MANAGE = "case:manage"
    CASE_VIEW = "case:view"
    COMMAND_LOCK = "command:lock"
    COMMAND_SEND = "command:send"
    COMPLIANCE_EXEMPT = "compliance:exempt"
    COMPLIANCE_MANAGE = "compliance:manage"
    COMPLIANCE_VIEW = "compliance:view"
    DESK_VIEW = "desk:view"
    DESK_WORK = "desk:work"
    DEVICE_EXPORT = "device:export"
    DEVICE_MANAGE = "device:manage"
    DEVICE_VIEW = "device:view"
    DISCOVERY_MANAGE = "discovery:manage"
    DISCOVERY_VIEW = "discovery:view"
    ENROLLMENT_INVITE = "enrollment:invite"
    ENROLLMENT_REVOKE = "enrollment:revoke"
    ENROLLMENT_VIEW = "enrollment:view"
    GUIDANCE_MANAGE = "guidance:manage"
    GUIDANCE_VIEW = "guidance:view"
    KIOSK_BOOTSTRAP = "kiosk:bootstrap"
    KIOSK_LOOK = "kiosk:look"
    OPERATOR_MANAGE = "operator:manage"
    ORDER_APPROVE = "order:approve"
    ORDER_FREEZE = "order:freeze"
    ORDER_HAND_IN = "order:hand_in"
    ORDER_REQUEST = "order:request"
    ORDER_VIEW = "order:view"
    ORG_MANAGE = "org:manage"
    ORG_VIEW = "org:view"
    PANIC_ANSWER = "panic:answer"
    PANIC_MANAGE = "panic:manage"
    PANIC_VIEW = "panic:view"
    PEOPLE_MANAGE = "people:manage"
    PEOPLE_VIEW = "people:view"
    PHONES_MANAGE = "phones:manage"
    POLICY_EDIT = "policy:edit"
    POLICY_VIEW = "policy:view"
    PRIVACY_MANAGE = "privacy:manage"
    PRIVACY_VIEW = "privacy:view"
    RELEASE_MANAGE = "release:manage"
    SETTINGS_VIEW = "settings:view"
    WEBHOOK_MANAGE = "webhook:manage"


class Role(StrEnum):
    """Every role that a person or a token can hold."""

    APPROVER = "approver"
    AUDITOR = "auditor"
    DESK_CLERK = "desk_clerk"
    EMPLOYEE = "employee"
    FLEET_ADMIN = "fleet_admin"
    POLICY_EDITOR = "policy_editor"


_P = Permission
_READ = frozenset(
    {
        _P.APPLICATION_VIEW,
        _P.COMPLIANCE_VIEW,
        _P.DEVICE_VIEW,
        _P.ENROLLMENT_VIEW,
        _P.ORG_VIEW,
        _P.PEOPLE_VIEW,
        _P.POLICY_VIEW,
    }
)

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.FLEET_ADMIN: frozenset(Permission) - {_P.ORDER_APPROVE},
    Role.POLICY_EDITOR: _READ | {_P.APPLICATION_DECIDE, _P.POLICY_EDIT, _P.COMPLIANCE_MANAGE},
    Role.DESK_CLERK: frozenset(
        {
            _P.APPLICATION_VIEW,
            _P.CASE_LOCATE,
            _P.CASE_MANAGE,
            _P.CASE_VIEW,
            _P.COMMAND_LOCK,
            _P.COMMAND_SEND,
            _P.COMPLIANCE_VIEW,
            _P.DESK_VIEW,
            _P.DESK_WORK,
            _P.DEVICE_EXPORT,
            _P.DEVICE_MANAGE,
            _P.DEVICE_VIEW,
            _P.DISCOVERY_VIEW,
            _P.ENROLLMENT_INVITE,
            _P.ENROLLMENT_VIEW,
            _P.GUIDANCE_VIEW,
            _P.KIOSK_LOOK,
            _P.ORDER_HAND_IN,
            _P.ORDER_VIEW,
            _P.ORG_VIEW,
            _P.PANIC_ANSWER,
            _P.PANIC_VIEW,
            _P.PEOPLE_VIEW,
        }
    ),
    Role.APPROVER: _READ | {_P.ALARM_VIEW, _P.ORDER_APPROVE, _P.ORDER_FREEZE, _P.ORDER_VIEW, _P.COMMAND_LOCK},
    Role.AUDITOR: _READ
    | {
        _P.ALARM_VIEW,
        _P.AUDIT_VIEW,
        _P.CASE_VIEW,
        _P.DESK_VIEW,
        _P.DEVICE_EXPORT,
        _P.DISCOVERY_VIEW,
        _P.GUIDANCE_VIEW,
        _P.ORDER_VIEW,
        _P.PANIC_VIEW,
        _P.PRIVACY_VIEW,
        _P.SETTINGS_VIEW,
    },
    Role.EMPLOYEE: frozenset(),
}
"""The fleet admin cannot approve: asking and approving are never one role."""


class PlaceKind(StrEnum):
    """The kinds of place that a grant can be bound to."""

    CITY = "city"
    SERVICE_POINT = "service_point"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role at a place. For a unit, ``units`` holds its id and the ids of all that is below it today."""

    role: Role
    kind: PlaceKind = PlaceKind.CITY
    service_point_id: int | None = None
    units: frozenset[int] = frozenset()

    def covers(self, where: "Where") -> bool:
        """Whether something that stands at ``where`` lies within this grant's place."""
        if self.kind is PlaceKind.CITY:
            return True
        if self.kind is PlaceKind.SERVICE_POINT:
            return where.service_point_id is not None and where.service_point_id == self.service_point_id
        return where.unit_id is not None and where.unit_id in self.units


@dataclass(frozen=True, slots=True)
class Where:
    """Where a thing stands: its service point and its unit. Nowhere is only the city's."""

    service_point_id: int | None = None
    unit_id: int | None = None


EVERYWHERE = Where()
"""For things that belong to the whole city, such as policies: only a grant for the city covers it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The places at which somebody holds one permission; what every scoped query filters by."""

    city: bool
    service_points: frozenset[int]
    units: frozenset[int]

    @property
    def empty(self) -> bool:
        """Whether nothing at all lies in this scope."""
        return not (self.city or self.service_points or self.units)


def scope_of(grants: Iterable[Grant], permission: Permission) -> Scope:
    """The places at which these grants give ``permission``."""
    city = False
    service_points: set[int] = set()
    units: set[int] = set()
    for grant in grants:
        if permission not in ROLE_PERMISSIONS[grant.role]:
            continue
        if grant.kind is PlaceKind.CITY:
            city = True
        elif grant.kind is PlaceKind.SERVICE_POINT and grant.service_point_id is not None:
            service_points.add(grant.service_point_id)
        else:
            units |= grant.units
    return Scope(city, frozenset(service_points), frozenset(units))
