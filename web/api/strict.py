"""Reading what a program sends, and nothing more than that: every key known, every type meant, every size bounded.

JSON is read twice: once by the standard library, which shows keys that occur twice, depth and count, and once by pydantic
from the same bytes, in its strict JSON mode ("1" is not 1, but "2026-11-23" is a date).
"""

import json
import re
from typing import Any, NoReturn, get_args, get_origin

from apiflask.schema_adapters import registry
from apiflask.schema_adapters.pydantic import PydanticAdapter
from flask import Request
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.datastructures import MultiDict

from mdm.core.errors import N_, InvalidError
from web.api.errors import MalformedError, MediaTypeError

MAX_BODY = 1024 * 1024
"""Bytes of a JSON body; more is answered 413 before it is parsed."""
MAX_DEPTH = 16
MAX_VALUES = 50_000
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")
"""Characters that no database keeps: NUL and halves of surrogate pairs."""


class Body(BaseModel):
    """The parent of every request body."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def _say_no_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class Edit(Body):
    """The parent of every body of a PATCH: what is left out stays, so no default is announced."""

    model_config = ConfigDict(json_schema_extra=_say_no_defaults)

    def given(self) -> dict[str, Any]:
        """Only what was sent."""
        return self.model_dump(exclude_unset=True)


class Query(BaseModel):
    """The parent of every set of query parameters; values arrive as text and are read as their type."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Answer(BaseModel):
    """The parent of every answer."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


def read_json(raw: bytes) -> Any:
    """The value in these bytes. Raises MalformedError for what is no JSON, says a key twice, or is too deep or too much."""
    try:
        value = json.loads(raw, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise _too_deep() from None
    except (ValueError, UnicodeDecodeError) as error:
        raise MalformedError(N_("The body is not JSON: %(why)s. Nothing was changed."), why=str(error)[:200]) from None
    _measure(value)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _too_deep() -> MalformedError:
    return MalformedError(
        N_("The body is nested deeper than %(limit)s levels. Nothing was changed."), code="too_deep", limit=MAX_DEPTH
    )


def _measure(value: Any) -> None:
    """Walks the value level by level; refuses depth, count and characters that cannot be stored."""
    level, count = [value], 0
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            count += 1
            if isinstance(item, dict):
                below.extend(item.keys())
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str) and _FORBIDDEN.search(item):
                raise MalformedError(N_("The body has a character that cannot be stored (NUL or half a character)."))
        if count > MAX_VALUES:
            raise MalformedError(N_("The body has more than %(limit)s values."), code="too_many", limit=MAX_VALUES)
        if not below:
            return
        level = below
    raise _too_deep()


def problems_of(error: ValidationError) -> dict[str, str]:
    """Place in the document (``settings.wifi.0``) to a sentence; the body as a whole is ``.``."""
    return {".".join(str(part) for part in item["loc"]) or ".": item["msg"] for item in error.errors()[:50]}


def _refused(error: ValidationError, where: str) -> InvalidError:
    message = (
        N_("The query has parameters that cannot be used. Nothing was changed.")
        if where == "query"
        else N_("The body does not fit. Nothing was changed; see the fields.")
    )
    return InvalidError(message, fields=problems_of(error))


class StrictAdapter(PydanticAdapter):
    """How APIFlask reads a pydantic model from a request and tells of it in the document, in this house."""

    def get_openapi_schema(self, **kwargs: Any) -> dict[str, Any]:
        """The JSON schema of the model. An answer's tells the names that are sent, not those that they are read from."""
        mode = "serialization" if issubclass(self.model_class, Answer) else "validation"
        schema: dict[str, Any] = super().get_openapi_schema(**kwargs | {"mode": mode})
        return schema

    def validate_input(self, request: Request, location: str, **kwargs: Any) -> BaseModel:  # noqa: ARG002 -- theirs
        """The model in the body or in the query. Raises MediaTypeError, MalformedError or InvalidError."""
        if location == "json":
            return self._body(request)
        if location == "query":
            return self._query(request.args)
        raise ValueError(f"nothing is read from {location}")

    def _body(self, request: Request) -> BaseModel:
        if request.mimetype != "application/json":
            raise MediaTypeError(
                N_("The body must be application/json, not %(given)s. Nothing was changed."),
                given=request.mimetype[:80] or "of no type",
            )
        raw = request.get_data()
        if not isinstance(read_json(raw), dict):
            raise InvalidError(N_("The body must be a JSON object. Nothing was changed."), fields={".": "no object"})
        try:
            model: BaseModel = self.model_class.model_validate_json(raw)
        except ValidationError as error:
            raise _refused(error, "body") from None
        return model

    def _query(self, given: MultiDict[str, str]) -> BaseModel:
        wanted: dict[str, Any] = {}
        for name, values in given.lists():
            field = self.model_class.model_fields.get(name)
            if any(_FORBIDDEN.search(value) for value in values):
                raise InvalidError(N_("The query has a character that cannot be used."), fields={name: "no such text"})
            if field is not None and _is_list(field.annotation):
                wanted[name] = values
            elif len(values) > 1:
                raise InvalidError(N_("The query gives a parameter twice."), fields={name: "given more than once"})
            else:
                wanted[name] = values[0]
        try:
            model: BaseModel = self.model_class.model_validate(wanted)
        except ValidationError as error:
            raise _refused(error, "query") from None
        return model


def _is_list(annotation: object) -> bool:
    return get_origin(annotation) is list or any(get_origin(part) is list for part in get_args(annotation))


registry.register("pydantic", StrictAdapter)
