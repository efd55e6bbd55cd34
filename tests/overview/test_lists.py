"""Lists: scoped, paged without gaps, counted exactly, and refusing what they do not know."""

from datetime import timedelta

import pytest

from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import InvalidError
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.overview.devices import DEVICES, exact
from mdm.overview.home import counts
from mdm.overview.listing import matching_ids, page, read_query, total
from mdm.storage.call import Call
from tests.conftest import NOW, Calling

STATES = ("in_stock", "handed_out", "lost")


def some(call: Call, many: int = 240) -> None:
    """Two service points and devices at them, in turn."""
    points = [ServicePoint(code=code, name=code, opening_hours={}, created_at=NOW) for code in ("NORTH", "SOUTH")]
    call.session.add_all(points)
    call.session.flush()
    for number in range(many):
        call.session.add(
            Device(
                uid=f"{number:032x}",
                tag=f"A-{number:04}",
                name="Same" if number % 2 else f"Device {number:04}",
                platform="linux",
                kind="laptop",
                state=STATES[number % 3],
                service_point_id=points[number % 2].id,
                enrolled_at=NOW if number % 4 else None,
                last_seen_at=NOW - timedelta(days=number % 12) if number % 4 else None,
                search=f"a-{number:04}",
                created_at=NOW,
            )
        )
    call.session.flush()


def clerk(call: Call, code: str) -> Call:
    """The same call by a desk clerk of one service point."""
    point = next(one for one in call.session.query(ServicePoint) if one.code == code)
    grant = Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, point.id)
    return call.by(Actor(ActorKind.OPERATOR, 9, "Clerk", (grant,)))


@pytest.mark.parametrize("sort", ["name", "-name", "seen", "-seen", "tag", "state", "-waiting", "person"])
def test_pages_follow_each_other_without_gap_or_repetition_forwards_and_back(calling: Calling, sort: str) -> None:
    with calling() as call:
        some(call)
        seen: list[int] = []
        cursor, pages = "", []
        while True:
            query = read_query(DEVICES, {"sort": [sort], "page": [cursor]})
            found = page(call, DEVICES, query)
            seen += [row["_id"] for row in found.rows]
            pages.append([row["_id"] for row in found.rows])
            if not found.next:
                break
            cursor = found.next
        back = page(call, DEVICES, read_query(DEVICES, {"sort": [sort], "page": [found.previous]}))

        assert len(seen) == len(set(seen)) == found.total == 240
        assert [row["_id"] for row in back.rows] == pages[-2]


def test_a_clerk_sees_and_counts_only_the_own_service_point(calling: Calling) -> None:
    with calling() as call:
        some(call)
        mine = clerk(call, "NORTH")

        assert total(mine, DEVICES, read_query(DEVICES, {})) == 120
        assert total(mine, DEVICES, read_query(DEVICES, {"q": ["A-0001"]})) == 0
        assert exact(mine, "a-0000") == f"{0:032x}"
        assert exact(mine, "a-0001") is None
        assert len(matching_ids(mine, DEVICES, read_query(DEVICES, {}))) == 120


def test_every_number_of_home_is_the_number_of_the_list_behind_it(calling: Calling) -> None:
    with calling() as call:
        some(call)
        tiles = counts(call)

        for key in ("day", "week", "older", "never"):
            filters = {"enrolled": ["yes"], "seen": [key]}
            assert tiles[f"seen_{key}"] == total(call, DEVICES, read_query(DEVICES, filters))
        assert tiles["enrolled"] == total(call, DEVICES, read_query(DEVICES, {"enrolled": ["yes"]}))
        assert tiles["verdict_unknown"] == total(
            call, DEVICES, read_query(DEVICES, {"enrolled": ["yes"], "verdict": ["unknown"]})
        )


@pytest.mark.parametrize(
    "parameters",
    [
        {"colour": ["red"]},
        {"sort": ["secret"]},
        {"columns": ["note"]},
        {"state": ["x" * 300]},
        {"state": [str(number) for number in range(60)]},
    ],
)
def test_what_a_list_does_not_know_is_refused_and_not_ignored(parameters: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidError):
        read_query(DEVICES, parameters)


@pytest.mark.parametrize("cursor", ["x", "bnVsbA", "WzAsMSwyXQ", "W1tbW1tbW1tbXV1dXV1dXV1d", "eyJhIjoxfQ"])
def test_a_forged_page_is_refused(calling: Calling, cursor: str) -> None:
    with calling() as call, pytest.raises(InvalidError):
        page(call, DEVICES, read_query(DEVICES, {"sort": ["seen"], "page": [cursor]}))


def test_more_than_may_be_chosen_at_once_is_refused(calling: Calling) -> None:
    with calling() as call:
        some(call, 30)
        with pytest.raises(InvalidError):
            matching_ids(call, DEVICES, read_query(DEVICES, {}), most=10)


def test_a_place_is_named_by_id_or_code_and_an_unknown_code_shows_nothing(calling: Calling) -> None:
    with calling() as call:
        some(call, 12)
        point = next(one for one in call.session.query(ServicePoint) if one.code == "NORTH")
        read = {code: read_query(DEVICES, {"service_point": [code]}) for code in ("NORTH", "north", str(point.id), "X")}

        assert [total(call, DEVICES, query) for query in read.values()] == [6, 6, 6, 0]
        assert total(clerk(call, "SOUTH"), DEVICES, read["NORTH"]) == 0
