"""Operators, grants with places, and API tokens that are never more than their maker."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from mdm.access import queries
from mdm.access import service as access
from mdm.access.model import ApiToken, OperatorGrant
from mdm.audit.model import AuditEntry
from mdm.core.actor import Actor, ActorKind, command_line
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.permissions import Permission, Role, Where
from mdm.org import queries as org
from mdm.org import service as org_service
from tests.access.helpers import HERE, LIMITS, VISITOR, make_operator, speaking
from tests.conftest import FLEET_ADMIN, NOW, Calling

ROOT = command_line("root")


def _points(calling: Calling) -> tuple[access.Place, access.Place]:
    with calling(ROOT) as call:
        first = org_service.create_service_point(call, code="A", name="A").id
        second = org_service.create_service_point(call, code="B", name="B").id
    return access.Place(first), access.Place(second)


def test_a_grant_for_a_unit_reaches_what_is_below_it_today(calling: Calling) -> None:
    with calling(ROOT) as call:
        top = org_service.create_unit(call, code="TOP", name="Top", from_date=date(2016, 1, 1)).id
        low = org_service.create_unit(call, code="LOW", name="Low", parent_id=top, from_date=date(2016, 1, 1)).id
        other = org_service.create_unit(call, code="OTHER", name="Other", from_date=date(2016, 1, 1)).id
        org_service.move_unit(call, low, other, date(2027, 1, 1))
    operator = make_operator(calling, "mo@stad.example", Role.POLICY_EDITOR, place=access.Place(unit_id=top))

    with calling(write=False) as call:
        now = speaking(call.session, operator)
        then = speaking(call.session, operator, NOW + timedelta(days=60))
        assert now.may(Permission.DEVICE_VIEW, Where(unit_id=low))
        assert not now.may(Permission.DEVICE_VIEW, Where(unit_id=other))
        assert not then.may(Permission.DEVICE_VIEW, Where(unit_id=low))


def test_a_role_given_twice_is_one_grant_and_noted_once(calling: Calling) -> None:
    place, _ = _points(calling)
    operator = make_operator(calling, "mo@stad.example")

    with calling(ROOT) as call:
        first = access.add_grant(call, operator.id, Role.DESK_CLERK, place)
        second = access.add_grant(call, operator.id, Role.DESK_CLERK, place)
        assert first.id == second.id
        lines = call.session.scalars(select(AuditEntry).where(AuditEntry.action == "operator.role_given")).all()
        assert [line.details for line in lines] == [{"role": "desk_clerk", "service_point": place.service_point_id}]


def test_a_local_admin_gives_roles_at_the_own_place_only(calling: Calling) -> None:
    mine, other = _points(calling)
    local = make_operator(calling, "local@stad.example", Role.FLEET_ADMIN, place=mine)
    clerk = make_operator(calling, "clerk@stad.example")
    theirs = make_operator(calling, "theirs@stad.example", Role.DESK_CLERK, place=other)

    with calling(ROOT) as call:
        me = call.by(speaking(call.session, local))
        access.add_grant(me, clerk.id, Role.DESK_CLERK, mine)
        for place in (other, access.CITY):
            with pytest.raises(DeniedError):
                access.add_grant(me, clerk.id, Role.DESK_CLERK, place)
        with pytest.raises(NotFoundError):
            access.disable_operator(me, theirs.id)
        with pytest.raises(NotFoundError):
            access.create_link(me, theirs.id)
        grant = call.session.scalar(select(OperatorGrant.id).where(OperatorGrant.operator_id == theirs.id))
        assert grant is not None
        with pytest.raises(NotFoundError):
            access.remove_grant(me, grant)
        assert {operator.email for operator, _ in queries.operators(me)} == {"local@stad.example", "clerk@stad.example"}
        assert len(queries.operators(call)) == 3


@pytest.mark.parametrize("role", [Role.APPROVER, Role.AUDITOR, Role.DESK_CLERK, Role.EMPLOYEE, Role.POLICY_EDITOR])
def test_nobody_but_a_fleet_admin_gives_rights(calling: Calling, role: Role) -> None:
    operator = make_operator(calling, "mo@stad.example", role)
    other = make_operator(calling, "other@stad.example")

    with calling(ROOT) as call:
        me = call.by(speaking(call.session, operator))
        with pytest.raises(DeniedError):
            access.add_grant(me, other.id, Role.EMPLOYEE)
        with pytest.raises(DeniedError):
            access.create_operator(me, email="new@stad.example")
        with pytest.raises(NotFoundError):
            access.create_link(me, other.id)
        assert call.session.scalars(select(OperatorGrant).where(OperatorGrant.operator_id == other.id)).all() == []


def test_nobody_changes_the_own_rights(calling: Calling) -> None:
    admin = make_operator(calling, "admin@stad.example", Role.FLEET_ADMIN)

    with calling(ROOT) as call:
        me = call.by(speaking(call.session, admin))
        with pytest.raises(DeniedError):
            access.add_grant(me, admin.id, Role.AUDITOR)
        with pytest.raises(DeniedError):
            access.disable_operator(me, admin.id)


def test_nobody_both_asks_and_approves(calling: Calling) -> None:
    place, _ = _points(calling)
    admin = make_operator(calling, "admin@stad.example", Role.FLEET_ADMIN, place=place)

    with pytest.raises(ConflictError, match="approves"), calling(ROOT) as call:
        access.add_grant(call, admin.id, Role.APPROVER)


def test_the_last_fleet_admin_of_the_city_stays(calling: Calling) -> None:
    admin = make_operator(calling, "admin@stad.example", Role.FLEET_ADMIN)
    with calling(command_line("root")) as call:
        grant = queries.grants_of(call, admin.id)[0].id
        with pytest.raises(ConflictError):
            access.remove_grant(call, grant)
        with pytest.raises(ConflictError):
            access.disable_operator(call, admin.id)
    make_operator(calling, "second@stad.example", Role.FLEET_ADMIN)

    with calling(command_line("root")) as call:
        access.disable_operator(call, admin.id)
        access.remove_grant(call, grant)
        access.remove_grant(call, grant)
        assert queries.grants_of(call, admin.id) == []


def test_a_disabled_operator_gets_no_link_and_can_come_back(calling: Calling) -> None:
    operator = make_operator(calling, "mo@stad.example")
    with calling(ROOT) as call:
        link = access.create_link(call, operator.id)
        access.disable_operator(call, operator.id)
        access.disable_operator(call, operator.id)
        assert access.with_link(call.by(VISITOR), link, HERE, LIMITS).refused
        with pytest.raises(ConflictError):
            access.create_link(call, operator.id)
        access.enable_operator(call, operator.id)
        assert access.with_link(call.by(VISITOR), access.create_link(call, operator.id), HERE, LIMITS).secret


def _token_actor(calling: Calling, secret: str, days: int = 0) -> Actor | None:
    with calling(write=False) as call:
        return access.actor_for_token(call.session, secret, "r", None, NOW + timedelta(days=days), org.units_below)


def test_a_token_speaks_with_its_role_at_its_place_until_it_is_revoked(calling: Calling) -> None:
    place, other = _points(calling)
    with calling(ROOT) as call:
        token, secret = access.create_token(call, name="Inventory", role=Role.DESK_CLERK, place=place)
        assert secret.startswith("hvm_")
        assert secret not in str(token.__dict__)

    actor = _token_actor(calling, secret)

    assert actor is not None
    assert (actor.kind, actor.name) == (ActorKind.TOKEN, "Inventory")
    assert actor.may(Permission.DEVICE_VIEW, place.where)
    assert not actor.may(Permission.DEVICE_VIEW, other.where)
    assert _token_actor(calling, secret[:-1]) is None
    with calling(ROOT) as call:
        access.revoke_token(call, token.id)
        access.revoke_token(call, token.id)
        assert len(call.session.scalars(select(AuditEntry).where(AuditEntry.action == "api_token.revoked")).all()) == 1
    assert _token_actor(calling, secret) is None


def test_a_token_ends_on_its_day_and_its_use_is_noted_once_a_minute(calling: Calling) -> None:
    with calling(ROOT) as call:
        token, secret = access.create_token(call, name="A", role=Role.AUDITOR, expires_at=NOW + timedelta(days=30))
        for bad in (NOW, NOW + timedelta(days=4000)):
            with pytest.raises(InvalidError):
                access.create_token(call, name="A", role=Role.AUDITOR, expires_at=bad)

    assert _token_actor(calling, secret, days=29) is not None
    assert _token_actor(calling, secret, days=30) is None
    for seconds, noted in ((0, 0), (59, 0), (60, 60)):
        with calling(ROOT) as call:
            access.touch_token(call.session, token.id, NOW + timedelta(seconds=seconds))
        with calling(write=False) as call:
            assert call.session.scalar(select(ApiToken.last_used_at)) == NOW + timedelta(seconds=noted)
            assert not access.token_needs_touch(call.session, token.id, NOW + timedelta(seconds=noted + 1))


def test_a_token_is_never_more_than_its_maker_and_never_approves(calling: Calling) -> None:
    mine, other = _points(calling)
    local = make_operator(calling, "local@stad.example", Role.FLEET_ADMIN, place=mine)

    with calling(ROOT) as call:
        me = call.by(speaking(call.session, local))
        access.create_token(me, name="A", role=Role.DESK_CLERK, place=mine)
        for place in (other, access.CITY):
            with pytest.raises(DeniedError):
                access.create_token(me, name="A", role=Role.DESK_CLERK, place=place)
        with pytest.raises(DeniedError):
            access.create_token(call, name="A", role=Role.APPROVER)
        assert len(queries.tokens(me)) == len(queries.tokens(call)) == 1


def test_a_token_dies_with_the_rights_of_its_maker(calling: Calling) -> None:
    place, _ = _points(calling)
    maker = make_operator(calling, "maker@stad.example", Role.FLEET_ADMIN, place=place)
    make_operator(calling, "admin@stad.example", Role.FLEET_ADMIN)
    with calling(ROOT) as call:
        _, secret = access.create_token(
            call.by(speaking(call.session, maker)), name="A", role=Role.DESK_CLERK, place=place
        )
    assert _token_actor(calling, secret) is not None

    with calling(ROOT) as call:
        access.remove_grant(call, queries.grants_of(call, maker.id)[0].id)

    assert _token_actor(calling, secret) is None


def test_a_token_gives_no_rights_and_makes_no_tokens_whatever_its_role(calling: Calling) -> None:
    operator = make_operator(calling, "mo@stad.example")
    token = Actor(ActorKind.TOKEN, 1, "robot", FLEET_ADMIN.grants)

    with calling(token) as call:
        for act in (
            lambda: access.create_operator(call, email="new@stad.example"),
            lambda: access.add_grant(call, operator.id, Role.FLEET_ADMIN),
            lambda: access.create_link(call, operator.id),
            lambda: access.reset_totp(call, operator.id),
            lambda: access.disable_operator(call, operator.id),
            lambda: access.create_token(call, name="A", role=Role.EMPLOYEE),
        ):
            with pytest.raises(DeniedError):
                act()
