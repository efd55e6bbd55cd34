"""The document says what the code does, for every operation."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from apiflask import APIFlask

from mdm.core.permissions import Permission
from mdm.settings import Settings
from tests.api.conftest import Api
from web.api.app import make_api
from web.api.openapi import document as made
from web.common.guard import declarations

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> APIFlask:
    home: Path = tmp_path_factory.mktemp("home")
    return make_api(Settings(home=home))


@pytest.fixture(scope="module")
def document(app: APIFlask) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(made(app))
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, item)
        for path, items in document["paths"].items()
        for method, item in items.items()
        if method in METHODS
    ]


def test_every_route_is_in_the_document_and_nothing_else(app: APIFlask, document: dict[str, Any]) -> None:
    routes = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint not in ("healthz", "readyz")
    }

    assert routes == {(method, path) for method, path, _ in operations(document)}


def test_every_operation_says_what_it_is_for_who_may_and_what_can_go_wrong(document: dict[str, Any]) -> None:
    ids = [item["operationId"] for _, _, item in operations(document)]
    assert len(ids) == len(set(ids))
    for method, path, item in operations(document):
        name = f"{method} {path}"
        assert item["summary"].endswith("."), name
        assert item["description"].strip(), name
        assert len(item["tags"]) == 1, name
        allowed = item["x-permission"]
        assert allowed in set(Permission) | {"signed in"} or allowed.startswith("public: "), name
        expected = {"422", "500", "503"} | (set() if allowed.startswith("public") else {"401", "403"})
        expected |= {"404"} if "{" in path else set()
        assert expected <= set(item["responses"]), name
        for status, answer in item["responses"].items():
            assert answer["description"], name
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], name


def test_every_answer_and_body_has_a_closed_shape(document: dict[str, Any]) -> None:
    for method, path, item in operations(document):
        contents = [answer.get("content", {}) for status, answer in item["responses"].items() if status.startswith("2")]
        contents.append(item.get("requestBody", {}).get("content", {}))
        for content in contents:
            schema = content.get("application/json", {}).get("schema")
            if schema is not None:
                shape = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
                assert shape["additionalProperties"] is False, f"{method} {path}"


def test_an_answer_is_described_by_the_names_that_are_sent(document: dict[str, Any]) -> None:
    device = document["components"]["schemas"]["Device"]["properties"]
    assert {"last_seen_at", "last_report_at"} <= set(device)
    assert {"contact_at", "reported_at"} & set(device) == set()


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        place: Any = document
        for part in reference.split("/"):
            place = place[part]
    assert all(re.fullmatch(r"[A-Za-z0-9]+", name) for name in document["components"]["schemas"])
    schemathesis.openapi.from_dict(document).validate()


def test_edits_are_guarded_by_versions_and_posts_by_keys(document: dict[str, Any]) -> None:
    for method, path, item in operations(document):
        headers = {parameter["name"] for parameter in item["parameters"] if parameter["in"] == "header"}
        if method in ("patch", "put"):
            assert "If-Match" in headers, path
            assert {"412", "428"} <= set(item["responses"]), path
        if method == "post" and not item["operationId"].startswith("preview_"):
            assert "Idempotency-Key" in headers, path


def test_the_views_declare_the_permission_that_the_document_names(app: APIFlask, document: dict[str, Any]) -> None:
    declared = {endpoint.rsplit(".", 1)[-1]: allowed for endpoint, allowed in declarations(app).items()}

    for method, path, item in operations(document):
        assert declared[item["operationId"]] == item["x-permission"], f"{method} {path}"


def test_strangers_may_read_the_document_and_nothing_else(document: dict[str, Any]) -> None:
    public = {path for _, path, item in operations(document) if item["security"] == []}

    assert public == {"/openapi.json"}


def test_the_document_is_served(api: Api) -> None:
    answer = api.by(None).get("/openapi.json")

    assert (answer.status_code, answer.json["openapi"]) == (200, "3.1.0")
    assert answer.json["servers"] == [{"url": "/api/v1"}]
