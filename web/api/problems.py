"""Errors as ``application/problem+json`` (RFC 9457): the shared table of failures, and what only an API refuses."""

import json
from dataclasses import replace
from http import HTTPStatus

from flask import Flask, Response, request
from pydantic import Field
from werkzeug.exceptions import HTTPException

from web.api.errors import ChangedMeanwhileError, MalformedError, MediaTypeError, VersionNeededError
from web.api.strict import Answer
from web.common.failures import Failure, failure_of

MEDIA_TYPE = "application/problem+json"
STATUS: tuple[tuple[type[Exception], int], ...] = (
    (MalformedError, 400),
    (ChangedMeanwhileError, 412),
    (MediaTypeError, 415),
    (VersionNeededError, 428),
)
"""What is ours; the rest is in ``web/common/failures.py``."""


class Problem(Answer):
    """What went wrong, for a program (``code``) and for a person (``detail``)."""

    type: str = Field(description="URI of this kind of problem: `urn:havenmeester:problem:` and the code.")
    title: str = Field(description="The name of the HTTP status.")
    status: int
    detail: str = Field(description="What was wrong, what was not changed, and what to do.")
    code: str = Field(description="Stable key of this kind of problem: tell errors apart by it, never by text.")
    fields: dict[str, str] = Field(
        description="Place in the body or query to a sentence; empty where none is to blame."
    )
    request_id: str = Field(description="Quote it when you ask for help: it finds the lines in the log.")


def answer_for(error: Exception) -> Response:
    """The answer for any error."""
    failure = failure_of(error)
    status = next((number for kind, number in STATUS if isinstance(error, kind)), failure.status)
    response = _problem(replace(failure, status=status))
    if isinstance(error, HTTPException):
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
    return response


def _problem(failure: Failure) -> Response:
    content = Problem(
        type=f"urn:havenmeester:problem:{failure.code}",
        title=HTTPStatus(failure.status).phrase,
        status=failure.status,
        detail=" ".join(filter(None, (failure.sentence, failure.mend))),
        code=failure.code,
        fields=failure.fields,
        request_id=failure.reference,
    )
    response = Response(json.dumps(content.model_dump(), ensure_ascii=False), content_type=MEDIA_TYPE)
    if failure.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="havenmeester"'
    if request.method == "HEAD":
        response.set_data(b"")
    return failure.stamp(response)


def install(app: Flask) -> None:
    """Every error of this application leaves as a problem."""
    app.register_error_handler(Exception, answer_for)
