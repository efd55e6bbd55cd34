"""The panic button. It works with the phone's own key, so also when nobody has signed in for months; and without a script.

What the script sends carries no form token, because the page may lie on the phone for months. Nobody else can send it: the key's
cookie travels with no form from elsewhere (``SameSite=Lax``), and the header that is asked for cannot come from there.
"""

from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

from flask import current_app, flash, g, jsonify, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.actor import ActorKind
from mdm.core.errors import N_, DeniedError, InvalidError
from mdm.panic import ending, keys, location, own, raising
from mdm.panic.keys import Codes
from mdm.panic.own import Shown
from mdm.panic.raising import Press
from mdm.storage.call import Call
from mdm.storage.seal import Seal
from web.common.failures import failure_of
from web.common.guard import public, signed_in, without_database
from web.common.manifest import built
from web.common.places import DIST
from web.common.sealed import SEAL
from web.portal.cookie import over_tls
from web.portal.helpers import GET, POST, Route, page, settings, text

YEAR: Final = 400 * 24 * 3600
"""The longest that browsers keep a cookie."""
HEADER: Final = "X-Havenmeester-Panic"
WRONG_CODE = N_("This code is not right. Help is still on its way. Try again.")
ENDED = N_("You are safe. Everybody who was told hears it now.")
MADE = N_("The button works on this phone from now on.")


@public("the panic button: the page itself lies on the phone and knows nobody")
def panic(call: Call) -> Response:
    """The button where the phone has a key; how to set it up where it has none, or somebody else's than who is in."""
    shown = _shown(call)
    inside = call.actor.kind is ActorKind.EMPLOYEE
    if shown is None or (inside and shown.person.id != call.actor.id):
        return page("panic_off", inside=inside, others=shown is not None)
    return _button(shown)


@signed_in()
def panic_on(call: Call) -> Response:
    """Gives the phone in the hand a key."""
    codes = Codes(text("safe", 64), text("duress", 64))
    locates = request.form.get("locates") == "yes"
    try:
        secret = keys.make(call, spot=text("spot"), locates=locates, codes=codes, brought=_brought())
    except InvalidError as error:
        failure = failure_of(error)
        return failure.stamp(page("panic_off", inside=True, failure=failure))
    flash(gettext(MADE), "sent")
    return _give(make_response(redirect(url_for("panic"), 303)), secret)


@public("switching the button off on this phone, by its own key")
def panic_forget(call: Call) -> Response:
    """The phone has no key any more."""
    keys.end(call, _brought())
    response = make_response(redirect(url_for("panic"), 303))
    response.headers["Clear-Site-Data"] = '"cache"'
    response.delete_cookie(_name(), path="/panic", httponly=True, samesite="Lax", secure=_tls())
    return response


@public("pressing without a script: two presses, by the phone's own key")
def panic_press(call: Call) -> Response:
    """The first press asks once more, the second raises the call for help. ``id`` is the same when it is sent again."""
    exercise = request.form.get("exercise") == "yes"
    if request.form.get("sure") != "yes":
        keys.found(call, _brought())
        return page("panic_sure", exercise=exercise, press=str(uuid4()))
    raising.by_key(call, _brought(), Press(text("id", 64), exercise=exercise))
    return make_response(redirect(url_for("panic"), 303))


@public("a false alarm, by the phone's own key")
def panic_safe(call: Call) -> Response:
    """ "I am safe." A second code says so too and means the contrary; nothing here tells the two apart."""
    safe = ending.call_off(call, _brought(), text("code", 64))
    flash(gettext(ENDED if safe else WRONG_CODE), "sent" if safe else "error")
    return make_response(redirect(url_for("panic"), 303))


@public("pressing with the script, by the phone's own key")
def panic_send(call: Call) -> Response:
    """One press as the script kept it: ``id``, ``ago`` in seconds, ``exercise``."""
    told = _told()
    press = Press(str(told.get("id", "")), _seconds(told.get("ago")), told.get("exercise") is True)
    raising.by_key(call, _brought(), press)
    return _state(call)


@public("where the phone is, for a call for help that it made")
def panic_where(call: Call) -> Response:
    """Kept only where the person switched it on, for an open call for help."""
    told = _told()
    seal: Seal = current_app.extensions[SEAL]
    kept = location.take(call, seal, _brought(), str(told.get("id", "")), told)
    return jsonify({"kept": kept})


@public("how the call for help of this phone stands")
def panic_state(call: Call) -> Response:
    """For the script that waits."""
    return _state(call)


@public("a false alarm with the script, by the phone's own key")
def panic_call_off(call: Call) -> Response:
    """As ``panic_safe``."""
    if not ending.call_off(call, _brought(), str(_told().get("code", ""))[:64]):
        return make_response(jsonify({"wrong": gettext(WRONG_CODE)}), 422)
    return _state(call)


@without_database("the script that keeps the page of the button on the phone; the same for everybody")
def panic_worker() -> Response:
    """Under an address of its own, because a service worker may only look after what lies beside it."""
    content = (DIST / built("portal-panic-worker.js")).read_bytes()
    response = Response(content, mimetype="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


def _button(shown: Shown) -> Response:
    g.geolocation = shown.key.locates
    response = page("panic", shown=shown)
    # Only this page is worth keeping on the phone: on any other, pressing does nothing.
    response.headers["X-Havenmeester-Keep"] = "yes"
    return response


def _state(call: Call) -> Response:
    shown = own.look(call, _brought(), _zone(), settings().sms_country)
    return jsonify(
        {
            "stage": shown.stage.value,
            "by": shown.by,
            "exercise": shown.exercise,
            "practising": shown.practising,
        }
    )


def _shown(call: Call) -> Shown | None:
    secret = _brought()
    if not secret or keys.find(call, secret) is None:
        return None
    return own.look(call, secret, _zone(), settings().sms_country)


def _told() -> dict[str, Any]:
    if request.headers.get(HEADER) != "yes":
        raise DeniedError(N_("This does not come from the page of the button. Nothing was sent."), code="panic_header")
    told = request.get_json(silent=True)
    if not isinstance(told, dict):
        raise InvalidError(N_("This is no call for help. Nothing was sent."), code="panic_body")
    return told


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value == value else 0.0


def _zone() -> ZoneInfo:
    return ZoneInfo(settings().timezone)


def _tls() -> bool:
    return over_tls(settings())


def _name() -> str:
    return "__Secure-hm_panic" if _tls() else "hm_panic"


def _brought() -> str:
    return request.cookies.get(_name(), "")


def _give(response: Response, secret: str) -> Response:
    response.set_cookie(_name(), secret, max_age=YEAR, path="/panic", httponly=True, samesite="Lax", secure=_tls())
    return response


WITHOUT_TOKEN: Final = (panic_send, panic_where, panic_call_off)
"""Views that ask for the header instead of a form token."""
ROUTES: tuple[Route, ...] = (
    ("/panic/", "panic", panic, GET),
    ("/panic/on", "panic_on", panic_on, POST),
    ("/panic/forget", "panic_forget", panic_forget, POST),
    ("/panic/press", "panic_press", panic_press, POST),
    ("/panic/safe", "panic_safe", panic_safe, POST),
    ("/panic/send", "panic_send", panic_send, POST),
    ("/panic/where", "panic_where", panic_where, POST),
    ("/panic/state", "panic_state", panic_state, GET),
    ("/panic/off", "panic_call_off", panic_call_off, POST),
    ("/panic/worker.js", "panic_worker", panic_worker, GET),
)
