"""What the pages of the employees' door share."""

from collections.abc import Callable

from flask import current_app, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Response

from mdm.settings import Settings
from web.common.app import SETTINGS

Route = tuple[str, str, Callable[..., ResponseReturnValue], tuple[str, ...]]
GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")


def page(template: str, status: int = 200, **values: object) -> Response:
    """A page of this door."""
    return make_response(render_template(f"portal/{template}.html", **values), status)


def settings() -> Settings:
    """The configuration of this installation."""
    found: Settings = current_app.extensions[SETTINGS]
    return found


def text(name: str, most: int = 500) -> str:
    """A field of the form, without the spaces around it, cut at ``most`` characters."""
    return request.form.get(name, "").strip()[:most]
