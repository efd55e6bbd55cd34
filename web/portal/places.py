"""Where somebody was when they had to come in first, chose a language, or sent a form too late: they go on there."""

from urllib.parse import urlsplit

from flask import Response, current_app, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from web.portal.cookie import over_tls
from web.portal.helpers import settings

COOKIE = "hm_mine_place"
MINUTES = 30
LONGEST = 500
KEPT = 20_000
"""Characters of a form that are offered once more."""
ELSEWHERE = ("/in", "/out", "/off/", "/static/", "/panic/worker", "/panic/state", "/language")
"""Ways in and out, and what is no page: nobody is brought there."""
SECRET = ("/in", "/panic")
"""What is typed there is never written into a page again."""


def here() -> str:
    """The page that is asked for, or the one whose form is sent; the first page where that is none of ours."""
    if request.method == "GET":
        return checked(request.full_path.removesuffix("?"))
    came = urlsplit(request.referrer or "")
    ours = urlsplit(settings().portal_base)
    if (came.scheme, came.netloc) != (ours.scheme, ours.netloc):
        return url_for("home")
    return checked(came.path + (f"?{came.query}" if came.query else ""))


def checked(place: str) -> str:
    """The address where it is a page of this door; else that of the first page. It never leads to another host."""
    path = urlsplit(place).path
    plain = place.startswith("/") and not place.startswith("//") and "\\" not in place and len(place) <= LONGEST
    if not plain or not place.isprintable() or path.startswith(ELSEWHERE) or "." in path:
        return url_for("home")
    try:
        current_app.url_map.bind("").match(path, method="GET")
    except HTTPException:
        return url_for("home")
    return place


def keep(response: Response, place: str) -> Response:
    """The response with the place in a cookie, for whoever comes in within half an hour; the first one counts."""
    return response if COOKIE in request.cookies else _write(response, place)


def _write(response: Response, place: str) -> Response:
    response.set_cookie(
        COOKIE, place, max_age=MINUTES * 60, httponly=True, samesite="Lax", secure=over_tls(settings()), path="/"
    )
    return response


def kept() -> str:
    """The place that was kept; the first page where there is none."""
    return checked(request.cookies.get(COOKIE, ""))


def leave(response: Response) -> Response:
    """The response after which nobody is brought to where this person was, who signs out: the next one may be another."""
    return _write(response, "/")


def forget(response: Response) -> Response:
    """The response that makes the browser forget the place."""
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=over_tls(settings()), path="/")
    return response


def without_cookies(error: Exception) -> bool:
    """Whether a form failed because the browser keeps no cookies: it sent none at all."""
    return isinstance(error, CSRFError) and not request.cookies


def once_more(error: Exception) -> list[tuple[str, str]]:
    """What was typed into a form of ours that came too late, to be sent by one press; empty where it must not be offered.

    Only where the browser itself says that the form stood on this door (``Origin``): nobody else's words get a button here.
    """
    if not isinstance(error, CSRFError) or request.headers.get("Origin") != settings().portal_base:
        return []
    fields = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    if request.path.startswith(SECRET) or sum(len(value) for _, value in fields) > KEPT:
        return []
    return fields
