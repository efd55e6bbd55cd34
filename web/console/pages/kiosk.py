"""One kiosk: its own tab, starting its session anew, and the picture of its screen."""

from typing import Any
from zoneinfo import ZoneInfo

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.commands import service as commands
from mdm.commands.model import Verb
from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.inventory import queries
from mdm.inventory.model import Device
from mdm.kiosks import health, pictures
from mdm.storage.call import Call
from web.common.guard import may
from web.console import charts
from web.console.identity import settings
from web.console.pages.helpers import BOTH, GET, POST, Route, done, page, refused, text

REASON_MOST = 500


def _zone() -> ZoneInfo:
    return ZoneInfo(settings().timezone)


def tab(call: Call, found: Device) -> dict[str, Any]:
    """What the tab of a kiosk shows; ``health`` None for a device that reports no session of a kiosk."""
    window = pictures.window_of(call, found)
    return {
        "health": health.health(call, found),
        "seen": health.last_seen_by_people(call, found) if call.actor.may(Permission.DESK_VIEW, found.where) else None,
        "warmth": health.warmth(call, found, _zone()),
        "drawn": charts.drawn,
        "named": charts.named,
        "window": window,
        "window_open": window is not None and pictures.holds(window, call.now.astimezone(_zone())),
        "may_look": call.actor.may(Permission.KIOSK_LOOK, found.where),
        "shots": pictures.shots(call, found),
        "shot_waiting": pictures.waiting(call, found),
        "shot_answer": pictures.last_answer(call, found),
    }


@may(Permission.COMMAND_SEND)
def kiosk_restart(call: Call, uid: str) -> Response:
    """Has the session started anew, also after the agent has given it up."""
    commands.send(call, [uid], Verb.KIOSK_RESTART, reason=text("reason")[:REASON_MOST])
    return done(gettext("Asked. The kiosk starts its session anew within a minute."), _back(uid))


def _back(uid: str) -> str:
    return url_for("device", uid=uid, tab="kiosk")


@may(Permission.KIOSK_LOOK)
def kiosk_picture_ask(call: Call, uid: str) -> Response:
    """Asks for a picture of the screen: first says what that means, then asks with a reason."""
    found = queries.device_by_uid(call, uid)
    failure = None
    if request.method == "POST":
        try:
            pictures.ask(call, uid, text("reason")[:REASON_MOST], _zone())
        except HavenmeesterError as error:
            failure = refused(call, error)
            found = queries.device_by_uid(call, uid)
        else:
            told = gettext("Asked. A notice stands on the screen for ten seconds; then the picture comes here.")
            return done(told, _back(uid))
    window = pictures.window_of(call, found)
    response = page(
        "devices/picture.html",
        device=found,
        window=window,
        window_open=window is not None and pictures.holds(window, call.now.astimezone(_zone())),
        failure=failure,
        values=request.form,
    )
    return failure.stamp(response) if failure else response


@may(Permission.KIOSK_LOOK, write=True)
def kiosk_picture(call: Call, uid: str) -> Response:
    """One picture, which is shown on its own page: a look at somebody's screen, so the diary notes it."""
    response = Response(pictures.look(call, uid), mimetype="image/png")
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Disposition"] = f'inline; filename="kiosk-{uid[:8]}.png"'
    return response


ROUTES: tuple[Route, ...] = (
    ("/devices/<uid>/kiosk/restart", "kiosk_restart", kiosk_restart, POST),
    ("/devices/<uid>/kiosk/picture", "kiosk_picture_ask", kiosk_picture_ask, BOTH),
    ("/kiosk-pictures/<uid>.png", "kiosk_picture", kiosk_picture, GET),
)
