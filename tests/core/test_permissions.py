"""Rights: what no role lists is allowed to nobody, and a place is a border."""

from mdm.core.actor import Actor, ActorKind
from mdm.core.permissions import EVERYWHERE, ROLE_PERMISSIONS, Grant, Permission, PlaceKind, Role, Where

CLERK = Actor(ActorKind.OPERATOR, 2, "Sarah", (Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, service_point_id=7),))


def test_nobody_both_asks_and_approves() -> None:
    both = {Permission.ORDER_REQUEST, Permission.ORDER_APPROVE}

    assert [role for role in Role if both <= ROLE_PERMISSIONS[role]] == []


def test_a_clerk_acts_at_the_own_service_point_only() -> None:
    assert CLERK.may(Permission.DEVICE_MANAGE, Where(service_point_id=7))
    assert not CLERK.may(Permission.DEVICE_MANAGE, Where(service_point_id=8))
    assert not CLERK.may(Permission.DEVICE_MANAGE, EVERYWHERE)


def test_a_unit_grant_covers_what_hangs_below_it() -> None:
    lead = Actor(ActorKind.OPERATOR, 3, "Marijke", (Grant(Role.AUDITOR, PlaceKind.UNIT, units=frozenset({4, 5})),))

    assert lead.may(Permission.DEVICE_VIEW, Where(unit_id=5))
    assert not lead.may(Permission.DEVICE_VIEW, Where(service_point_id=5))
    assert not lead.may(Permission.DEVICE_MANAGE, Where(unit_id=5))


def test_permissions_are_kept_sorted() -> None:
    assert [p.name for p in Permission] == sorted(p.name for p in Permission)
