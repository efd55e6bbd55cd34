"""Lists in pages, and edits that overwrite nobody."""

import pytest
from itsdangerous import URLSafeSerializer

from mdm.org import service as org
from tests.api.conftest import Api, City
from tests.conftest import Calling
from web.api.paging import CURSOR, sealed


@pytest.fixture
def names(calling: Calling) -> list[str]:
    """Seven service points with names out of order, two of them alike."""
    names = ["Delta", "Alfa", "Golf", "Bravo", "Alfa", "Foxtrot", "Charlie"]
    with calling() as call:
        for number, name in enumerate(names):
            org.create_service_point(call, code=f"SP-{number}", name=name)
            org.create_unit(call, code=f"U-{number}", name=name)
    return sorted(names)


@pytest.mark.parametrize("path", ["/service-points", "/units"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
def test_pages_laid_together_are_the_list(api: Api, names: list[str], path: str, limit: int) -> None:
    found: list[str] = []
    address = f"{path}?limit={limit}"
    for _ in range(8):
        answer = api.get(address)
        found += [item["name"] for item in answer.json["items"]]
        assert len(answer.json["items"]) <= limit
        if answer.json["next"] is None:
            assert "Link" not in answer.headers
            break
        assert answer.json["next"] in answer.headers["Link"]
        address = answer.headers["Link"].split(">")[0][1:]
    assert found == names


def test_a_cursor_of_another_list_or_another_filter_or_of_nobody_is_refused(api: Api, names: list[str]) -> None:
    cursor = api.get("/service-points?limit=2").json["next"]

    for address in (
        f"/units?cursor={cursor}",
        f"/service-points?search=a&cursor={cursor}",
        f"/service-points?cursor={cursor[:-1]}",
        "/service-points?cursor=nonsense",
        "/service-points?cursor=",
    ):
        answer = api.get(address)
        assert (answer.status_code, answer.json["code"]) == (422, "cursor"), address
    assert api.get(f"/service-points?limit=3&cursor={cursor}").status_code == 200


def test_an_edit_needs_the_version_that_was_read(api: Api, city: City) -> None:
    path = f"/units/{city.unit['own']}"
    read = api.get(path)

    without = api.send("PATCH", path, {"name": "A"})
    blind = api.send("PATCH", path, {"name": "A"}, If_Match="*")
    good = api.send("PATCH", path, {"name": "B"}, If_Match=read.headers["ETag"])
    late = api.send("PATCH", path, {"name": "C"}, If_Match=read.headers["ETag"])
    next_one = api.send("PATCH", path, {"name": "D"}, If_Match=good.headers["ETag"])

    assert [answer.status_code for answer in (without, blind, good, late, next_one)] == [428, 428, 200, 412, 200]
    assert (without.json["code"], late.json["code"]) == ("version_needed", "changed_meanwhile")
    assert api.get(path).json["name"] == "D"


def test_an_edit_leaves_what_it_does_not_name(api: Api, city: City) -> None:
    path = f"/people/{city.person['own']}"
    read = api.get(path)

    edited = api.send("PATCH", path, {"phone": "03 123 45 67"}, If_Match=read.headers["ETag"])

    assert edited.json == {**read.json, "phone": "03 123 45 67"}


def test_what_is_not_there_and_what_was_never_there_answer_alike(api: Api, city: City) -> None:
    absent = api.get("/people/4711")

    assert (absent.status_code, absent.json["code"]) == (404, "not_found")


def test_a_cursor_of_another_release_is_refused_and_never_breaks_the_list(api: Api, names: list[str]) -> None:
    with api.app.test_request_context("/api/v1/service-points"):
        older = URLSafeSerializer(api.app.extensions[CURSOR], salt="cursor").dumps(["x", ["a"]])
    for address in ("/applications", "/service-points", "/devices", "/alarms"):
        with api.app.test_request_context(f"/api/v1{address}"):
            odd = [sealed(mark) for mark in ([], ["only one"], [1, 2, 3, 4, 5], "text", [None], {"a": 1})]
        for cursor in (older, *odd):
            answer = api.get(f"{address}?cursor={cursor}")
            assert answer.status_code in (200, 422), (address, cursor, answer.json)
        assert api.get(f"{address}?cursor={older}").json["code"] == "cursor"
