"""One phone of Apple's: its own tab, what is asked of it, and the secrets that are kept of it."""

from collections.abc import Callable
from typing import Any

from flask import current_app, g, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import N_, ApprovalNeededError, DeniedError, HavenmeesterError, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.inventory import queries
from mdm.inventory.model import Device, Platform
from mdm.platforms.apple import about, asking, offered, secrets, service
from mdm.platforms.apple.model import AppleDevice, ScopedSecret
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.common.sealed import SEAL
from web.console.pages.helpers import BOTH, POST, Route, done, page, refused, text

COMMANDS = 50
PICTURE_MOST = 2 * 1024 * 1024
REASON_MOST = 500
SHOWN = (ScopedSecret.BYPASS_CODE, ScopedSecret.UNLOCK_TOKEN)
"""Secrets that a page reveals. Where a lost phone is, is shown in the case of its loss only."""
CAREFUL = frozenset({"clear_passcode"})
"""What is asked only by somebody who showed a moment ago who they are."""


def tab(call: Call, found: Device) -> dict[str, Any]:
    """What the tab of a phone shows; ``phone`` None for a device that never enrolled as one of Apple's."""
    if not is_phone(call, found):
        return {"phone": None, "asked": []}
    return {
        "phone": about.about(call, found.uid),
        "asked": service.commands(call, found.uid, limit=COMMANDS),
        "kinds": offered.ASKS,
        "sees_secrets": [one for one in SHOWN if call.actor.may(secrets.PERMISSIONS[one], found.where)],
    }


def is_phone(call: Call, found: Device) -> bool:
    """Whether the device is one of Apple's that has enrolled at some time."""
    return found.platform == Platform.IOS and call.session.get(AppleDevice, found.id) is not None


def offers(call: Call, found: Device) -> list[tuple[str, str]]:
    """What this actor may ask of the phone, each with the sentence why it cannot be asked now; "" where it can."""
    apple = call.session.get(AppleDevice, found.id)
    if apple is None:
        return []
    hurdles = offered.hurdles(apple, asking.target(found, apple))
    return [(name, why) for name, why in hurdles.items() if call.actor.may(offered.ASKS[name].permission, found.where)]


def _ask_form(call: Call, uid: str, what: str, failure: Failure | None = None) -> Response:
    found = queries.device_by_uid(call, uid)
    response = page(
        "phones/ask.html",
        device=found,
        what=what,
        why=about.about(call, uid).hurdles[what],
        fresh=g.fresh or what not in CAREFUL,
        failure=failure,
        values=request.form,
    )
    return failure.stamp(response) if failure else response


@may(Permission.DEVICE_VIEW)
def phone_ask(call: Call, uid: str, what: str) -> Response:
    """Asks one thing of a phone: first says what it does, then asks."""
    if what not in offered.ASKS:
        raise NotFoundError(N_("This cannot be asked of a phone."))
    if request.method == "GET":
        return _ask_form(call, uid, what)
    if what in CAREFUL and not g.get("fresh"):
        return make_response(redirect(url_for("prove", next=url_for("phone_ask", uid=uid, what=what)), 303))
    try:
        args = _ARGS[what]() if what in _ARGS else {}
        service.ask(
            call,
            current_app.extensions[SEAL],
            uid,
            offered.ASKS[what].request_type,
            args,
            reason=text("reason")[:REASON_MOST],
        )
    except HavenmeesterError as error:
        return _ask_form(call, uid, what, refused(call, error))
    return done(
        gettext("Asked. The phone is woken; what became of it is seen here."), url_for("device", uid=uid, tab="phone")
    )


def _name() -> dict[str, Any]:
    name = clean(text("name"), 63)
    if not name:
        raise InvalidError(N_("Give the phone a name. Nothing was asked."), fields={"name": N_("This is needed.")})
    return {"Settings": [{"Item": "DeviceName", "DeviceName": name}]}


def _wallpaper() -> dict[str, Any]:
    file = request.files.get("picture")
    picture = file.read(PICTURE_MOST + 1) if file and file.filename else b""
    where = {"lock": 1, "home": 2, "both": 3}.get(text("where"), 3)
    if not picture or len(picture) > PICTURE_MOST or not picture.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        sentence = N_("Choose a picture in PNG or JPEG of at most 2 MB. Nothing was asked.")
        raise InvalidError(sentence, fields={"picture": sentence})
    return {"Settings": [{"Item": "Wallpaper", "Image": picture, "Where": where}]}


def _lost() -> dict[str, Any]:
    given = {
        "Message": clean(text("message"), 500),
        "PhoneNumber": clean(text("number"), 40),
        "Footnote": clean(text("footnote"), 200),
    }
    return {key: value for key, value in given.items() if value}


_ARGS: dict[str, Callable[[], dict[str, Any]]] = {"lost_mode": _lost, "name": _name, "wallpaper": _wallpaper}


@may(Permission.ENROLLMENT_REVOKE)
def phone_turn_away(call: Call, uid: str) -> Response:
    """Has a phone leave the management: first says what then happens on it."""
    found = queries.device_by_uid(call, uid)
    about.about(call, uid)
    failure = None
    if request.method == "POST":
        try:
            service.turn_away(call, uid, text("reason")[:REASON_MOST])
        except ApprovalNeededError:
            raise
        except HavenmeesterError as error:
            failure = refused(call, error)
        else:
            told = gettext("The phone is told to leave at its next request. It is woken now.")
            return done(told, url_for("device", uid=uid, tab="phone"))
    response = page("phones/turn_away.html", device=found, failure=failure, values=request.form)
    return failure.stamp(response) if failure else response


@may(Permission.ENROLLMENT_REVOKE)
def phone_let_stay(call: Call, uid: str) -> Response:
    """Takes back that a phone shall leave, while it was not told."""
    service.let_stay(call, uid)
    return done(gettext("The phone stays."), url_for("device", uid=uid, tab="phone"))


@may(Permission.DEVICE_VIEW)
def phone_cancel(call: Call, uid: str, number: str) -> Response:
    """Takes back what the phone has not been given, or has not answered."""
    queries.device_by_uid(call, uid)
    service.cancel(call, number)
    return done(gettext("The command was taken back."), url_for("device", uid=uid, tab="phone"))


@may(Permission.DEVICE_VIEW)
def phone_secret(call: Call, uid: str, what: str) -> Response:
    """Shows a secret that is kept of a phone: after a fresh proof of who asks, with a reason. Diary and alarm tell of it."""
    found = queries.device_by_uid(call, uid)
    if what not in {one.value for one in SHOWN}:
        raise NotFoundError(N_("Nothing of this kind is kept for this device."))
    secret = ScopedSecret(what)
    if not call.actor.may(secrets.PERMISSIONS[secret], found.where):
        raise DeniedError(N_("You are not allowed to see this. Nothing was shown."))
    here = url_for("phone_secret", uid=uid, what=what)
    if not g.get("fresh"):
        return make_response(redirect(url_for("prove", next=here), 303))
    if request.method == "GET":
        return page("phones/secret.html", device=found, what=what, revealed="", failure=None)
    try:
        if not text("reason"):
            raise InvalidError(N_("Say why you need it. Nothing was shown."), fields={"reason": N_("This is needed.")})
        revealed = secrets.reveal(call, current_app.extensions[SEAL], uid, secret, text("reason")[:REASON_MOST])
    except HavenmeesterError as error:
        failure = refused(call, error)
        return failure.stamp(page("phones/secret.html", device=found, what=what, revealed="", failure=failure))
    response = page("phones/secret.html", device=found, what=what, revealed=revealed, failure=None)
    response.headers["Cache-Control"] = "no-store"
    return response


ROUTES: tuple[Route, ...] = (
    ("/devices/<uid>/phone/ask/<what>", "phone_ask", phone_ask, BOTH),
    ("/devices/<uid>/phone/turn-away", "phone_turn_away", phone_turn_away, BOTH),
    ("/devices/<uid>/phone/let-stay", "phone_let_stay", phone_let_stay, POST),
    ("/devices/<uid>/phone/commands/<number>/cancel", "phone_cancel", phone_cancel, POST),
    ("/devices/<uid>/phone/secrets/<what>", "phone_secret", phone_secret, BOTH),
)
