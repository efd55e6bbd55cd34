"""One way to declare an operation, so that none can forget a step.

The steps, in this order: who speaks and may they (``web/common/guard``), was this POST done before (``idempotency``), are
query and body exactly what was declared (``strict``), one use case, the answer in its declared shape.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from apiflask import APIBlueprint
from flask import Response, g, make_response
from pydantic import BaseModel

from mdm.core.permissions import Permission
from mdm.core.risk import Risk
from mdm.storage.call import Call
from web.api.idempotency import once
from web.api.strict import Query
from web.api.versions import alone, tag_of
from web.common.guard import may, public, signed_in

View = Callable[..., Any]
BODY_LIMIT = "body_limit"


class NoQuery(Query):
    """For operations without query parameters: every parameter is unknown."""


class SignedIn:
    """For everybody who has signed in, whatever their roles."""


class Public:
    """For strangers as well."""

    def __init__(self, why: str) -> None:
        self.why = why


Access = Permission | SignedIn | Public


def operation(
    blueprint: APIBlueprint,
    method: str,
    rule: str,
    access: Access,
    *,
    answer: type[BaseModel] | None,
    status: int = 200,
    query: type[Query] = NoQuery,
    body: type[BaseModel] | None = None,
    problems: tuple[int, ...] = (),
    tagged: bool = False,
    guarded: bool = False,
    media: tuple[str, ...] = (),
    takes: tuple[str, int] | None = None,
    write: bool | None = None,
    risks: tuple[Risk, ...] = (),
) -> Callable[[View], View]:
    """Declares a view as one operation of the API.

    The view is given the ``Call``, its place in the address, ``query`` where a query model is declared and ``body`` where
    a body is. ``tagged`` answers with an ETag; ``guarded`` means that the view asks ``versions.unchanged``. ``media`` names
    the types of an answer that is a file; ``takes`` is the media type and the size limit of a body that is a file.
    ``problems`` lists the refusals besides those that every operation has. ``write`` False is for a POST that only shows
    what would be: it changes nothing, so it needs no key, and on SQLite it must not hold the one lock of writers.
    ``risks`` are the rows of ``mdm/core/risk.py`` that it may come under: then it answers 202, and a request was made.
    """

    def declare(view: View) -> View:
        inner = _shown(view, tagged=tagged, asks=query is not NoQuery)
        if answer is not None:
            inner = blueprint.output(answer, status_code=status)(inner)
        inner = blueprint.input(query, location="query", arg_name="query")(inner)
        if body is not None:
            inner = blueprint.input(body, location="json", arg_name="body")(inner)
        inner = blueprint.doc(
            operation_id=view.__name__,
            extensions={
                "x-permission": _name(access),
                "x-house": {
                    "problems": list(problems), "tagged": tagged, "guarded": guarded, "media": list(media),
                    "takes": takes and takes[0], "status": status, "writes": write is not False,
                    "risks": [risk.value for risk in risks],
                },
            },
        )(inner)  # fmt: skip
        if method == "POST" and write is not False:
            inner = _once(inner)
        if guarded:
            inner = _alone(inner)
        guard = _guard(access, write)(inner)
        if takes is not None:
            setattr(guard, BODY_LIMIT, takes[1])
        blueprint.route(rule, methods=[method], provide_automatic_options=False)(guard)
        return guard

    return declare


def _name(access: Access) -> str:
    if isinstance(access, Permission):
        return access.value
    return f"public: {access.why}" if isinstance(access, Public) else "signed in"


def _guard(access: Access, write: bool | None) -> Callable[[View], View]:
    if isinstance(access, Permission):
        return may(access, write=write)
    return public(access.why, write=write) if isinstance(access, Public) else signed_in(write=write)


def _once(view: View) -> View:
    @wraps(view)
    def wrapper(call: Call, *args: Any, **kwargs: Any) -> Response:
        return once(call, lambda: make_response(view(call, *args, **kwargs)))

    return wrapper


def _alone(view: View) -> View:
    @wraps(view)
    def wrapper(call: Call, *args: Any, **kwargs: Any) -> Any:
        alone(call)
        return view(call, *args, **kwargs)

    return wrapper


def _shown(view: View, *, tagged: bool, asks: bool) -> View:
    @wraps(view)
    def wrapper(*args: Any, query: Query, **kwargs: Any) -> Any:
        if asks:
            kwargs["query"] = query
        result = view(*args, **kwargs)
        if tagged and isinstance(result, BaseModel):
            g.etag = tag_of(result)
        return ("", 204) if result is None else result

    return wrapper
