"""What views of the console share: forms that were refused, going back, numbers from forms."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from flask import flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Response

from mdm.core.errors import N_, ApprovalNeededError, HavenmeesterError, InvalidError
from mdm.core.money import cents
from mdm.storage.call import Call
from web.common.failures import Failure, failure_of

Route = tuple[str, str, Callable[..., ResponseReturnValue], tuple[str, ...]]
"""Rule, endpoint, guarded view, methods."""
GET = ("GET",)
POST = ("POST",)
BOTH = ("GET", "POST")


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page with that status."""
    return make_response(render_template(template, **values), status)


def refused(call: Call, error: HavenmeesterError) -> Failure:
    """What a form shows that was refused. Nothing of the try is kept: the transaction is rolled back first; but a refusal
    that stands in the diary itself (``keep``) is kept.

    What only needs somebody else is no refusal: it goes on to the door, which makes a request of it.
    """
    if error.keep:
        call.session.commit()
    else:
        call.session.rollback()
    if isinstance(error, ApprovalNeededError):
        raise error
    return failure_of(error)


def back(fallback: str) -> Response:
    """To the page that the form came from, when it is one of ours; else to ``fallback``."""
    wanted = request.form.get("next", "")
    return make_response(redirect(wanted if is_ours(wanted) else fallback, 303))


def is_ours(address: str) -> bool:
    """Whether an address is a path on this server: never one that a browser takes for another host."""
    parts = urlsplit(address)
    return (
        address.startswith("/")
        and not address.startswith(("//", "/\\"))
        and not parts.scheme
        and not parts.netloc
        and "\\" not in address
        and all(character.isprintable() for character in address)
    )


def done(sentence: str, address: str) -> Response:
    """A notice, and the page where its result is seen."""
    flash(sentence, "done")
    return make_response(redirect(address, 303))


def text(name: str) -> str:
    """A field of the form without blanks around it; empty when it is not there."""
    return request.form.get(name, "").strip()


def number(name: str, source: Mapping[str, str] | None = None) -> int | None:
    """A field as row id, None when empty; raises InvalidError when it is no number."""
    written = (request.form if source is None else source).get(name, "").strip()
    if not written:
        return None
    if not (written.isascii() and written.isdigit() and len(written) < 15):
        raise InvalidError(N_("Choose one from the list."), fields={name: N_("Choose one from the list.")})
    return int(written)


def day_field(name: str, source: Mapping[str, str] | None = None) -> date | None:
    """A field as date, None when empty; raises InvalidError when it is none."""
    written = (request.form if source is None else source).get(name, "").strip()
    if not written:
        return None
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        sentence = N_("Write the date as year-month-day, for example 2026-12-31.")
        raise InvalidError(sentence, fields={name: sentence}) from error


def amount(name: str) -> int | None:
    """A field as hundredths of money, None when empty; raises InvalidError when it is no amount."""
    try:
        return cents(text(name))
    except ValueError as error:
        sentence = N_("Write an amount such as 123.45.")
        raise InvalidError(N_("Nothing was saved: the amount cannot be read."), fields={name: sentence}) from error


def warn(failure: Failure) -> None:
    """Shows a refusal on top of the next page."""
    flash(failure.sentence, "error")
