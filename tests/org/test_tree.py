"""The organogram through time: dated moves, paths, circles that cannot come."""

from datetime import date

import pytest
from sqlalchemy import select

from mdm.audit.model import AuditEntry
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.org import queries, service
from mdm.outbox.model import OutboxMessage
from tests.conftest import NOW, Calling

TODAY = NOW.date()
BEGIN = date(2016, 1, 1)
MERGE = date(2020, 7, 1)


def _tree(calling: Calling) -> dict[str, int]:
    """PM and OS at the root, HAVEN below PM, CREW below HAVEN."""
    with calling() as call:
        ids = {
            code: service.create_unit(call, code=code, name=code.title(), from_date=BEGIN).id for code in ("PM", "OS")
        }
        ids["HAVEN"] = service.create_unit(call, code="haven", name="Haven", parent_id=ids["PM"], from_date=BEGIN).id
        ids["CREW"] = service.create_unit(call, code="CREW", name="Crew", parent_id=ids["HAVEN"], from_date=BEGIN).id
    return ids


def test_a_unit_hangs_where_its_dates_say(calling: Calling) -> None:
    ids = _tree(calling)

    with calling() as call:
        service.move_unit(call, ids["HAVEN"], ids["OS"], MERGE)

    with calling(write=False) as call:
        before = queries.unit_paths(call.session, date(2020, 6, 30))
        after = queries.unit_paths(call.session, MERGE)
        assert before[ids["CREW"]] == (ids["CREW"], ids["HAVEN"], ids["PM"])
        assert after[ids["CREW"]] == (ids["CREW"], ids["HAVEN"], ids["OS"])
        assert queries.units_below(call.session, ids["OS"], MERGE) == {ids["OS"], ids["HAVEN"], ids["CREW"]}
        assert queries.units_below(call.session, ids["OS"], date(2020, 6, 30)) == {ids["OS"]}


def test_a_unit_cannot_hang_below_itself_or_what_is_below_it(calling: Calling) -> None:
    ids = _tree(calling)

    for parent in ("HAVEN", "CREW"):
        with pytest.raises(ConflictError, match="below itself"), calling() as call:
            service.move_unit(call, ids["HAVEN"], ids[parent], TODAY)

    with calling(write=False) as call:
        assert queries.unit_paths(call.session, TODAY)[ids["CREW"]] == (ids["CREW"], ids["HAVEN"], ids["PM"])
        assert call.session.scalars(select(OutboxMessage)).all() == []


def test_a_circle_that_would_only_close_at_a_later_date_is_refused_now(calling: Calling) -> None:
    ids = _tree(calling)
    with calling() as call:
        service.move_unit(call, ids["PM"], ids["OS"], date(2027, 1, 1))

    with pytest.raises(ConflictError, match="2027-01-01"), calling() as call:
        service.move_unit(call, ids["OS"], ids["CREW"], date(2026, 12, 1))


def test_a_move_that_another_one_leans_on_cannot_be_cancelled(calling: Calling) -> None:
    ids = _tree(calling)
    with calling() as call:
        service.move_unit(call, ids["HAVEN"], ids["OS"], date(2027, 1, 1))
        service.move_unit(call, ids["PM"], ids["CREW"], date(2027, 2, 1))

    with pytest.raises(ConflictError, match="depends"), calling() as call:
        service.cancel_move(call, ids["HAVEN"], date(2027, 1, 1))
    with calling() as call:
        service.cancel_move(call, ids["PM"], date(2027, 2, 1))
        service.cancel_move(call, ids["HAVEN"], date(2027, 1, 1))

    with calling(write=False) as call:
        assert len(queries.unit_history(call, ids["HAVEN"])) == 1


def test_a_move_of_today_has_cohorts_placed_and_a_later_one_waits_for_the_clock(calling: Calling) -> None:
    ids = _tree(calling)

    with calling() as call:
        service.move_unit(call, ids["HAVEN"], ids["OS"], date(2027, 1, 1))
        call.session.flush()
        assert call.session.scalars(select(OutboxMessage)).all() == []
        assert queries.moves_on(call.session, date(2027, 1, 1)) == 1
        service.move_unit(call, ids["CREW"], ids["OS"], TODAY)
        call.session.flush()
        assert call.session.scalars(select(OutboxMessage.topic)).all() == ["cohorts.place"]


def test_the_same_move_twice_is_like_once(calling: Calling) -> None:
    ids = _tree(calling)

    for _ in range(2):
        with calling() as call:
            service.move_unit(call, ids["HAVEN"], ids["OS"], TODAY)

    with calling(write=False) as call:
        assert len(call.session.scalars(select(AuditEntry).where(AuditEntry.action == "unit.moved")).all()) == 1
        assert len(call.session.scalars(select(OutboxMessage)).all()) == 1


def test_a_preview_says_what_comes_along_and_changes_nothing(calling: Calling) -> None:
    ids = _tree(calling)

    with calling() as call:
        effect = service.preview_move(call, ids["HAVEN"], ids["OS"], TODAY)

    assert effect.units == {ids["HAVEN"], ids["CREW"]}
    assert effect.before == (ids["HAVEN"], ids["PM"])
    assert effect.after == (ids["HAVEN"], ids["OS"])
    with calling(write=False) as call:
        assert queries.unit_paths(call.session, TODAY)[ids["HAVEN"]] == (ids["HAVEN"], ids["PM"])


def test_a_unit_with_open_units_below_it_is_not_closed(calling: Calling) -> None:
    ids = _tree(calling)

    with pytest.raises(ConflictError, match="Crew"), calling() as call:
        service.close_unit(call, ids["HAVEN"])
    with calling() as call:
        service.close_unit(call, ids["CREW"])
        service.close_unit(call, ids["HAVEN"])

    with calling(write=False) as call:
        assert [line.unit.code for line in queries.units(call)] == ["OS", "PM"]
        assert len(queries.units(call, closed=True)) == 4
    with pytest.raises(InvalidError, match="closed"), calling() as call:
        service.move_unit(call, ids["OS"], ids["HAVEN"], TODAY)


def test_a_taken_code_is_refused_whatever_its_case(calling: Calling) -> None:
    _tree(calling)

    with pytest.raises(ConflictError, match="HAVEN"), calling() as call:
        service.create_unit(call, code="Haven", name="Another")
    with pytest.raises(InvalidError), calling() as call:
        service.create_unit(call, code="<script>", name="Another")


def test_the_tree_is_listed_from_the_top(calling: Calling) -> None:
    _tree(calling)

    with calling(write=False) as call:
        lines = queries.units(call)
        assert [(line.unit.code, line.depth) for line in lines] == [("OS", 0), ("PM", 0), ("HAVEN", 1), ("CREW", 2)]
        assert [line.unit.code for line in queries.units(call, search="cre")] == ["CREW"]


def test_somebody_of_one_unit_sees_and_changes_only_what_is_below_it(calling: Calling) -> None:
    ids = _tree(calling)
    grant = Grant(Role.FLEET_ADMIN, PlaceKind.UNIT, units=frozenset({ids["HAVEN"], ids["CREW"]}))
    local = Actor(ActorKind.OPERATOR, 2, "Sarah", (grant,))

    with calling(local) as call:
        assert {line.unit.code for line in queries.units(call)} == {"HAVEN", "CREW"}
        service.edit_unit(call, ids["CREW"], name="Renovation")
    with pytest.raises(NotFoundError), calling(local) as call:
        service.edit_unit(call, ids["PM"], name="Mine")
    with pytest.raises(NotFoundError), calling(local) as call:
        service.move_unit(call, ids["CREW"], ids["OS"], TODAY)
    with pytest.raises(DeniedError), calling(local) as call:
        service.move_unit(call, ids["CREW"], None, TODAY)
    with pytest.raises(DeniedError), calling(local) as call:
        service.create_unit(call, code="ROOT", name="A root")


def test_a_unit_has_a_lead_until_it_is_taken_away(calling: Calling) -> None:
    with calling() as call:
        unit = service.create_unit(call, code="LED", name="Led")
        assert service.edit_unit(call, unit.id, lead_email=" Boss@Example.org ").lead_email == "boss@example.org"
        assert service.edit_unit(call, unit.id, name="Still led").lead_email == "boss@example.org"
        with pytest.raises(InvalidError) as refusal:
            service.edit_unit(call, unit.id, lead_email="nobody")
        assert set(refusal.value.fields) == {"lead_email"}
        assert service.edit_unit(call, unit.id, lead_email="").lead_email == ""
