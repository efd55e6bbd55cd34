"""What the API refuses before anything is done."""

import json
from typing import Any

from tests.api.conftest import Api, City

UNIT = {"code": "NEW", "name": "New unit"}


def names(api: Api) -> list[str]:
    return [item["code"] for item in api.get("/units").json["items"]]


def refused(api: Api, status: int, code: str, body: Any, /, **headers: str) -> dict[str, Any]:
    """The problem, after a look that nothing was made."""
    answer = api.post("/units", body, **headers)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    problem: dict[str, Any] = answer.json
    assert set(problem) == {"type", "title", "status", "detail", "code", "fields", "request_id"}
    assert problem["code"] == code
    assert problem["type"].endswith(code)
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert names(api) == []
    return problem


def test_a_good_body_is_taken(api: Api) -> None:
    answer = api.post("/units", UNIT)

    assert (answer.status_code, answer.json["code"], names(api)) == (201, "NEW", ["NEW"])


def test_an_unknown_key_and_a_wrong_type_are_refused_by_place(api: Api) -> None:
    for body, place in [
        ({**UNIT, "id": 7}, "id"),
        ({**UNIT, "closed_on": "2026-01-01"}, "closed_on"),
        ({**UNIT, "name": 1}, "name"),
        ({**UNIT, "parent_id": "1"}, "parent_id"),
        ({**UNIT, "parent_id": True}, "parent_id"),
        ({**UNIT, "parent_id": 1.0}, "parent_id"),
        ({**UNIT, "parent_id": 2**31}, "parent_id"),
        ({**UNIT, "from_date": 1}, "from_date"),
        ({**UNIT, "from_date": "yesterday"}, "from_date"),
        ({"code": "NEW"}, "name"),
        ([UNIT], "."),
    ]:
        assert list(refused(api, 422, "invalid", body)["fields"]) == [place]


def test_what_is_no_json_or_says_a_key_twice_is_refused(api: Api) -> None:
    for body in [
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b'{"code": "A", "code": "B", "name": "x"}',
        b'{"code": "A", "name": NaN}',
        b'{"code": "A", "name": "\\u0000"}',
        b'{"code": "A", "name": "\\ud800"}',
        b'{"code": "A", "parent_id": ' + b"9" * 5000 + b"}",
    ]:
        refused(api, 400, "malformed", body)


def test_a_deep_body_is_refused(api: Api) -> None:
    for depth in [17, 900, 100_000]:
        refused(api, 400, "too_deep", b'{"code":' + b"[" * depth + b"]" * depth + b"}")


def test_a_body_with_too_many_values_is_refused(api: Api) -> None:
    refused(api, 400, "too_many", {"code": [0] * 60_000})


def test_a_body_over_the_limit_is_refused_before_it_is_parsed(api: Api) -> None:
    refused(api, 413, "too_large", b"{" * (1024 * 1024 + 1))


def test_another_content_type_is_refused(api: Api) -> None:
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""]:
        refused(api, 415, "media_type", json.dumps(UNIT).encode(), Content_Type=kind)


def test_an_unknown_or_wrong_query_parameter_is_refused(api: Api) -> None:
    for query in [
        "x=1",
        "limit=0",
        "limit=201",
        "limit=a",
        "limit=1&limit=2",
        "closed=perhaps",
        "search=%00",
        "sort=name",
        "on=2026-13-01",
    ]:
        answer = api.get(f"/units?{query}")
        assert (answer.status_code, answer.json["code"]) == (422, "invalid"), query
        assert list(answer.json["fields"]) == [query.split("=")[0]]


def test_who_has_not_signed_in_is_told_so_before_anything_is_parsed(api: Api) -> None:
    for token in (None, "nonsense"):
        for body in (b"{", b"x" * 2_000):
            answer = api.by(token).post("/units", body, Content_Type="text/plain")

            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert names(api) == []


def test_a_variant_of_an_address_is_no_address(api: Api, city: City) -> None:
    for path in (
        "//units", "/units/", "/Units", "/units/01", "/units/0", "/units/-1", "/units/1.0", "/units/%31%00", "/units/../units",
     "/units/2147483648", "/units/99999999999", "/units/1/", "/units;x=1", "/units/1%2f", "/./units", "/nothing",
    ):  # fmt: skip
        answer = api.get(path)
        assert (answer.status_code, answer.json["code"]) == (404, "not_found"), path


def test_a_method_that_an_address_does_not_know_names_those_it_knows(api: Api) -> None:
    for method in ["PUT", "OPTIONS", "TRACE", "DELETE"]:
        answer = api.send(method, "/units")
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_head_answers_like_get_without_a_body(api: Api) -> None:
    answer = api.send("HEAD", "/units")

    assert (answer.status_code, answer.data) == (200, b"")
