"""One table from errors to HTTP: what a door answers when a use case, a limit or the database says no."""

from dataclasses import dataclass, field
from typing import Any

import structlog
from flask import Flask, Response, jsonify, request
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from mdm.core import errors
from mdm.core.errors import N_, HavenmeesterError

log = structlog.get_logger(__name__)

STATUS: dict[type[HavenmeesterError], int] = {
    errors.InvalidError: 422,
    errors.NotSignedInError: 401,
    errors.DeniedError: 403,
    errors.ApprovalNeededError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.GoneError: 410,
    errors.TooLargeError: 413,
    errors.LimitedError: 429,
    errors.UnavailableError: 503,
    errors.ConfigurationError: 500,
}

SENTENCES: dict[int, str] = {
    400: N_("The request could not be read. Nothing was changed. Check the address or the form and try again."),
    404: N_("There is nothing at this address, or it is not yours to see. Nothing was changed."),
    405: N_("This address cannot be used in this way. Nothing was changed."),
    413: N_("What was sent is too large. Nothing was read and nothing was changed. Send less at once."),
    415: N_("This kind of content cannot be read here. Nothing was changed."),
    429: N_("Too many requests. Nothing was changed. Wait a moment and try again."),
    500: N_("Something went wrong on our side. Nothing was changed. Try again, and pass on the reference if it stays."),
    503: N_("The database does not answer. Nothing was changed. Try again in a moment."),
}
CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 429: "limited"}
CONFLICT = N_(
    "Somebody else changed this at the same moment. Your change was not saved. Look at it again and repeat it."
)
PAGE_EXPIRED = N_("This page was open for too long, so its form could not be trusted. Nothing was changed. Try again.")


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, ready to be told: translated, with everything that a page or a program needs."""

    status: int
    code: str
    sentence: str
    mend: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    retry_after: int | None = None
    reference: str = "-"

    def problem(self) -> Response:
        """The failure as ``application/problem+json`` (RFC 9457)."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "status": self.status,
            "code": self.code,
            "title": self.sentence,
            "detail": self.mend or self.sentence,
            "reference": self.reference,
        }
        if self.fields:
            body["fields"] = self.fields
        response = jsonify(body)
        response.mimetype = "application/problem+json"
        return self.stamp(response)

    def stamp(self, response: Response) -> Response:
        """The response with this failure's status and its Retry-After."""
        response.status_code = self.status
        if self.retry_after is not None:
            response.headers["Retry-After"] = str(self.retry_after)
        return response


def failure_of(error: Exception) -> Failure:
    """The failure for any exception; what nobody foresaw is logged with its trace and told without details."""
    reference = str(request.environ.get("havenmeester.request_id", "-"))
    if isinstance(error, HavenmeesterError):
        return _foreseen(error, reference)
    if isinstance(error, IntegrityError | StaleDataError):
        log.info("conflicting change", error=type(error).__name__)
        return Failure(409, "conflict", gettext(CONFLICT), reference=reference)
    if isinstance(error, OperationalError | PoolTimeoutError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        log.warning("database does not answer", error=str(error.__cause__ or error)[:300])
        return Failure(503, "unavailable", gettext(SENTENCES[503]), retry_after=10, reference=reference)
    if isinstance(error, HTTPException):
        return _of_http(error, reference)
    log.error("unforeseen error", exc_info=error)
    return Failure(500, "internal", gettext(SENTENCES[500]), reference=reference)


def _foreseen(error: HavenmeesterError, reference: str) -> Failure:
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    message = gettext(error.message)
    return Failure(
        status,
        error.code,
        message % error.params if error.params else message,
        gettext(error.mend) if error.mend else "",
        {place: gettext(sentence) for place, sentence in getattr(error, "fields", {}).items()},
        getattr(error, "retry_after", None),
        reference,
    )


def _of_http(error: HTTPException, reference: str) -> Failure:
    if isinstance(error, CSRFError):
        return Failure(400, "form_expired", gettext(PAGE_EXPIRED), reference=reference)
    status = error.code or 500
    sentence = SENTENCES.get(status, SENTENCES[400 if status < 500 else 500])
    return Failure(status, CODES.get(status, "refused"), gettext(sentence), reference=reference)


def answer_problems(app: Flask) -> None:
    """Makes every error of ``app`` a problem document: for doors that programs use."""

    @app.errorhandler(Exception)
    def _problem(error: Exception) -> Response:
        return failure_of(error).problem()
