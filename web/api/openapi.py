"""The OpenAPI 3.1 document, made from the same declarations that the requests are checked by."""

import json
import re
from http import HTTPStatus
from threading import Lock
from typing import Any

from apiflask import APIFlask

from mdm.core.errors import ConfigurationError
from web.api import idempotency
from web.api.converters import SCHEMAS
from web.api.problems import MEDIA_TYPE, Problem
from web.api.shapes.acts import Asked

DOCUMENT = "havenmeester_openapi"
_ONE_AT_A_TIME = Lock()
_RULE = re.compile(r"<(?:(\w+):)?(\w+)>")
ABOUT = """The same services, queries and permissions as the console: what you may see and do there, you may here.

Send `Authorization: Bearer TOKEN`. A browser that is signed in to the console may also use its session; for anything but
GET it must add the header `X-Havenmeester-Client: console`. Lists come in pages: follow `next`. A POST with an
`Idempotency-Key` can be repeated safely for a day. Edits need the ETag of what you read as `If-Match`.
Every refusal is `application/problem+json`; tell them apart by `code`."""

WHY = {
    400: "The body is no JSON, says a key twice, or is nested too deep.",
    401: "Nobody has shown who they are, or the token is expired or revoked.",
    403: "Known, but not allowed.",
    404: "Not there, or not yours: both answer alike.",
    409: "Right in itself, but not in the state that things are in now; or the Idempotency-Key was used for another request.",
    410: "Was there: used, expired or withdrawn.",
    412: "Changed since you read it.",
    413: "The body is over the limit; it was not read.",
    415: "The body is of another type.",
    422: "Query or body do not fit; `fields` says where.",
    428: "If-Match is missing.",
    429: "Too often; see Retry-After.",
    500: "A fault of ours.",
    503: "The database or a neighbour does not answer; see Retry-After.",
}


def install(app: APIFlask, prefix: str) -> None:
    """Tells the application what its document says of it as a whole."""
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        AUTO_404_RESPONSE=False,
        AUTO_200_RESPONSE=False,
        SECURITY_SCHEMES={
            "token": {"type": "http", "scheme": "bearer", "description": "An API token, made in the console."},
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "hm_session",
                "description": "The console's session; edits need the header X-Havenmeester-Client.",
            },
        },
    )
    app.servers = [{"url": prefix}]
    app.info = {"description": ABOUT, "license": {"name": "MIT", "identifier": "MIT"}}

    @app.spec_processor
    def finish(spec: dict[Any, Any] | str) -> dict[Any, Any] | str:
        return _finished(spec, _converters(app)) if isinstance(spec, dict) else spec


def document(app: APIFlask) -> bytes:
    """The document, made when first asked for: it takes half a second, which nobody who starts a console waits for.

    Raises ConfigurationError when two models have one name.
    """
    with _ONE_AT_A_TIME:
        if DOCUMENT not in app.extensions:
            with app.app_context():
                app.extensions[DOCUMENT] = json.dumps(app.spec, ensure_ascii=False).encode()
        made: bytes = app.extensions[DOCUMENT]
        return made


def _converters(app: APIFlask) -> dict[str, str]:
    """Which converter each argument of an address has; an argument name means the same everywhere."""
    found: dict[str, str] = {}
    for rule in app.url_map.iter_rules():
        for converter, name in _RULE.findall(rule.rule):
            if found.setdefault(name, converter) != converter:
                raise ConfigurationError("The argument %(name)s has two converters.", name=name, mend="Rename one.")
    return found


def _finished(spec: dict[str, Any], converters: dict[str, str]) -> dict[str, Any]:
    spec = _flat_components(spec)
    spec["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    spec["components"]["schemas"]["Asked"] = _asked()
    spec["components"]["headers"] = {
        "ETag": {"schema": {"type": "string"}, "description": "Version of what is shown; send it back as If-Match."},
        "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."},
        "WWW-Authenticate": {"schema": {"type": "string"}, "description": "Bearer."},
        "Link": {"schema": {"type": "string"}, "description": "Address of the next page, rel=next."},
    }
    for operations in spec["paths"].values():
        for method, item in operations.items():
            _finish_operation(method, item, item.pop("x-house", {}), converters)
    return spec


def _asked() -> dict[str, Any]:
    """The shape of a 202, with its words spelled out in place."""
    schema = Asked.model_json_schema()
    words = schema.pop("$defs")
    for name, field in schema["properties"].items():
        if "$ref" in field:
            schema["properties"][name] = words[field["$ref"].rsplit("/", 1)[1]]
    return schema


def _flat_components(spec: dict[str, Any]) -> dict[str, Any]:
    """Nested models under their own names, once each, instead of once below every parent."""
    schemas: dict[str, Any] = spec.get("components", {}).get("schemas", {})
    text = re.sub(r'"#/components/schemas/[^"]*\.([^".]+)"', r'"#/components/schemas/\1"', json.dumps(spec))
    spec = json.loads(text)
    flat: dict[str, Any] = {}
    for name in schemas:
        short = name.rsplit(".", 1)[-1]
        schema = spec["components"]["schemas"][name]
        if flat.setdefault(short, schema) != schema:
            raise ConfigurationError("Two models of the API are named %(name)s.", name=short, mend="Rename one.")
    spec.setdefault("components", {})["schemas"] = flat
    return spec


def _finish_operation(method: str, item: dict[str, Any], house: dict[str, Any], converters: dict[str, str]) -> None:
    open_to_all = str(item.get("x-permission", "")).startswith("public")
    item["security"] = [] if open_to_all else [{"token": []}, {"session": []}]
    parameters = item.setdefault("parameters", [])
    for parameter in parameters:
        if parameter["in"] == "path":
            parameter["schema"] = SCHEMAS[converters[parameter["name"]]]
            parameter["required"] = True
        _without_null(parameter["schema"])
        if "description" in parameter["schema"]:
            parameter["description"] = parameter["schema"].pop("description")
    in_path = any(parameter["in"] == "path" for parameter in parameters)
    named = any(parameter["name"].endswith(("_id", "_uid", "service_point", "unit")) for parameter in parameters)
    body = "requestBody" in item or house.get("takes")
    codes = {422, 500, 503, *house.get("problems", [])}
    if not open_to_all:
        codes |= {401, 403}
    # What an address, a filter or a body names may not be there, or not be the caller's.
    if in_path or named or body:
        codes.add(404)
    if body:
        codes |= {400, 413, 415}
        item.setdefault("requestBody", {})["required"] = True
    if house.get("takes"):
        item["requestBody"]["content"] = {house["takes"]: {"schema": {"type": "string"}}}
    if method == "post" and not open_to_all and house.get("writes"):
        codes.add(409)
        parameters.append(_header(idempotency.HEADER, "Repeats with the same key and body have one effect.", 128))
    if house.get("guarded"):
        codes |= {412, 428}
        parameters.append(_header("If-Match", "The ETag of what you read.", 256, required=True))
    _finish_answers(item, house, codes)


def _without_null(schema: dict[str, Any]) -> None:
    """A parameter that is absent is not sent as null, whatever stands for it inside."""
    schema.pop("title", None)
    if schema.get("default", "") is None:
        del schema["default"]
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema |= kinds[0]


def _finish_answers(item: dict[str, Any], house: dict[str, Any], codes: set[int]) -> None:
    responses = item["responses"]
    good = str(house.get("status", 200))
    if house.get("media"):
        content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in house["media"]}
        responses[good] = {"description": "The file.", "content": content}
    elif good not in responses:
        responses[good] = {"description": HTTPStatus(int(good)).phrase}
    if house.get("tagged"):
        responses[good].setdefault("headers", {})["ETag"] = {"$ref": "#/components/headers/ETag"}
    if any(parameter["name"] == "cursor" for parameter in item["parameters"]):
        responses[good].setdefault("headers", {})["Link"] = {"$ref": "#/components/headers/Link"}
    if house.get("risks"):
        item["x-risks"] = house["risks"]
        responses["202"] = {
            "description": "Somebody else must agree: nothing was done yet, and a request was made of it.",
            "headers": {"Location": {"schema": {"type": "string"}, "description": "Address of the request."}},
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}},
        }
    for code in sorted(codes):
        responses[str(code)] = _refusal(code)


def _refusal(code: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": WHY[code],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    header = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}.get(code)
    if header:
        answer["headers"] = {header: {"$ref": f"#/components/headers/{header}"}}
    return answer


def _header(name: str, why: str, longest: int, *, required: bool = False) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": longest}
    return {"name": name, "in": "header", "required": required, "description": why, "schema": schema}
