"""Service points: codes, opening hours, and who sees which."""

import pytest

from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.org import hours, queries, service
from tests.conftest import Calling


def test_a_service_point_is_kept_with_its_hours_in_one_form(calling: Calling) -> None:
    with calling() as call:
        service.create_service_point(
            call,
            code="werkhaven",
            name="Werkhaven\u202e",
            address="Noorderlaan 1\n2030 Antwerpen",
            opening_hours={"fri": [["13:00", "16:00"], ["9:00", "12:00"]], "mon": []},
            email="Werkhaven@Stad.example",
        )

    with calling(write=False) as call:
        point = queries.service_point_by_code(call, "Werkhaven")
        assert (point.code, point.name, point.email) == ("WERKHAVEN", "Werkhaven", "werkhaven@stad.example")
        assert point.opening_hours == {"fri": [["09:00", "12:00"], ["13:00", "16:00"]]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"mon": [["17:00", "09:00"]]},
        {"mon": [["09:00", "12:00"], ["11:00", "14:00"]]},
        {"mon": [["09:00", "25:00"]]},
        {"mon": [["09:00"]]},
        {"holiday": [["09:00", "12:00"]]},
        {"mon": [["09:00", "09:00"]]},
    ],
)
def test_wrong_opening_hours_are_refused_and_nothing_is_made(
    calling: Calling, wrong: dict[str, list[list[str]]]
) -> None:
    with pytest.raises(InvalidError) as caught, calling() as call:
        service.create_service_point(call, code="A", name="A", opening_hours=wrong)

    assert set(caught.value.fields) == {"opening_hours"}
    with calling(write=False) as call:
        assert queries.service_points(call) == []


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("ma-vr 9:00-17:00; za 9.00 - 12.00", {"mon", "tue", "wed", "thu", "fri", "sat"}),
        ("lundi 09h00-12h00, 13h00-17h00", {"mon"}),
        ("Mon–Tue 08:30–12:00", {"mon", "tue"}),
        ("", set()),
    ],
)
def test_hours_are_read_in_three_languages(text: str, days: set[str]) -> None:
    read = hours.parse(text)

    assert set(read) == days
    assert hours.parse(hours.as_text(read)) == read


@pytest.mark.parametrize("text", ["always", "mon 9-5", "mon-blue 09:00-17:00", "mon 09:00-17:00 or so"])
def test_hours_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        hours.parse(text)


def test_a_clerk_sees_only_the_own_service_point_and_changes_none(calling: Calling) -> None:
    with calling() as call:
        mine = service.create_service_point(call, code="MINE", name="Mine").id
        other = service.create_service_point(call, code="OTHER", name="Other").id
    clerk = Actor(ActorKind.OPERATOR, 2, "Marijke", (Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, mine),))

    with calling(clerk, write=False) as call:
        assert [point.code for point in queries.service_points(call)] == ["MINE"]
        with pytest.raises(NotFoundError) as theirs:
            queries.service_point(call, other)
        with pytest.raises(NotFoundError) as nobodys:
            queries.service_point(call, 999_999)
        assert str(theirs.value) == str(nobodys.value)
    with pytest.raises(DeniedError), calling(clerk) as call:
        service.edit_service_point(call, mine, name="My own")
    with pytest.raises(DeniedError), calling(clerk) as call:
        service.create_service_point(call, code="NEW", name="New")


def test_a_closed_service_point_is_no_longer_listed(calling: Calling) -> None:
    with calling() as call:
        point = service.create_service_point(call, code="A", name="A").id
        service.close_service_point(call, point)

    with calling() as call:
        assert queries.service_points(call) == []
        assert len(queries.service_points(call, closed=True)) == 1
        service.reopen_service_point(call, point)
        assert len(queries.service_points(call)) == 1


def test_a_taken_code_is_refused(calling: Calling) -> None:
    with calling() as call:
        service.create_service_point(call, code="A", name="A")
    with pytest.raises(ConflictError), calling() as call:
        service.create_service_point(call, code="a", name="B")
