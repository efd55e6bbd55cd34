"""Coming in and going out: password, code, one-time link, sign-out."""

from flask import flash, g, jsonify, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.access import service as access
from mdm.core.actor import ActorKind
from mdm.core.errors import N_, LimitedError
from mdm.storage.call import Call
from web.common.app import uses_tls
from web.common.failures import failure_of
from web.common.guard import public, signed_in
from web.common.language import COOKIE as LANGUAGE_COOKIE
from web.common.language import LANGUAGES
from web.console.frame import THEME_COOKIE, THEMES
from web.console.identity import brought_cookie, give_cookie, limits, party, seal, settings, take_cookie, visit
from web.console.pages.helpers import BOTH, POST, Route, back, is_ours, page, text

YEAR = 31_536_000
REFUSED = N_("This address and this password do not belong together. Nobody was signed in.")
CODE_REFUSED = N_("The code is wrong or was used already. Wait for the next one and try again.")
PASSKEY_REFUSED = N_("This passkey is not known here, or it was stopped. Nobody was signed in.")
LINK_REFUSED = N_("This link was used already, or it has expired. Ask a fleet admin for a new one.")


def _goal() -> str:
    wanted = request.values.get("next", "")
    return wanted if is_ours(wanted) else url_for("home")


@public("signing in", write=None)
def sign_in(call: Call) -> Response:
    """The form with address and password, and what comes of it."""
    if request.method == "GET":
        if call.actor.kind is not ActorKind.VISITOR:
            return make_response(redirect(_goal(), 303))
        return sign_in_form()
    try:
        outcome = access.with_password(call, text("email"), request.form.get("password", ""), visit(), limits())
    except LimitedError as error:
        failure = failure_of(error)
        return failure.stamp(sign_in_form(failure.sentence))
    if outcome.secret is None:
        return sign_in_form(gettext(REFUSED), 422)
    return _come_in(outcome.secret, code_needed=outcome.code_needed)


def sign_in_form(sentence: str = "", status: int = 200, goal: str = "") -> Response:
    """The sign-in page, with what went wrong before, and where to go afterwards (as asked for, where not said)."""
    return page(
        "account/sign_in.html",
        status,
        sentence=sentence,
        email=text("email"),
        next=goal or _goal(),
        provider=bool(settings().oidc_issuer),
        passkeys_usable=party().usable,
    )


def _come_in(secret: str, *, code_needed: bool) -> Response:
    goal = url_for("sign_in_code", next=_goal()) if code_needed else _goal()
    return give_cookie(make_response(redirect(goal, 303)), secret)


@public("asking a browser for any passkey of this console")
def sign_in_passkey_ask(call: Call) -> Response:
    """The challenge, as JSON for the page's own script."""
    return jsonify(access.begin_passkey_sign_in(call, party(), visit()))


@public("signing in with a passkey")
def sign_in_passkey(call: Call) -> Response:
    """Signs in whoever holds the passkey."""
    try:
        outcome = access.with_passkey(call, party(), request.form.get("credential", ""), visit(), limits())
    except LimitedError as error:
        failure = failure_of(error)
        return failure.stamp(sign_in_form(failure.sentence))
    if outcome.secret is None:
        return sign_in_form(gettext(PASSKEY_REFUSED), 422)
    return _come_in(outcome.secret, code_needed=False)


@public("the second factor of a sign-in that has begun")
def sign_in_code(call: Call) -> Response:
    """The form for the code of the authenticator, and what comes of it."""
    pending = brought_cookie()
    if pending is None or access.find_pending(call.session, pending, call.now) is None:
        flash(gettext("The sign-in took too long. Begin again."), "warning")
        return make_response(redirect(url_for("sign_in"), 303))
    if request.method == "GET":
        return page("account/code.html", sentence="", next=_goal())
    try:
        outcome = access.with_code(call, pending, text("code"), visit(), limits(), seal())
    except LimitedError as error:
        failure = failure_of(error)
        return failure.stamp(page("account/code.html", failure.status, sentence=failure.sentence, next=_goal()))
    if outcome.secret is None:
        return page("account/code.html", 422, sentence=gettext(CODE_REFUSED), next=_goal())
    return _come_in(outcome.secret, code_needed=False)


@public("redeeming a one-time link; looking at it does not use it up")
def sign_in_link(call: Call, token: str) -> Response:
    """A button on GET, so that a scanner of mails that follows links does not burn it; signing in on POST."""
    if request.method == "GET":
        return page("account/link.html", works=access.link_works(call, token))
    outcome = access.with_link(call, token, visit(), limits())
    if outcome.secret is None:
        return page("account/link.html", 410, works=False, sentence=gettext(LINK_REFUSED))
    return _come_in(outcome.secret, code_needed=outcome.code_needed)


@public("signing out; without a session it does nothing")
def sign_out(call: Call) -> Response:
    """Ends the session and forgets the cookie."""
    cookie = brought_cookie()
    if cookie:
        access.sign_out(call, cookie)
    flash(gettext("You have signed out."), "done")
    return take_cookie(make_response(redirect(url_for("sign_in"), 303)))


@public("language and theme; kept in a cookie, and with the account of whoever is signed in")
def preferences(call: Call) -> Response:
    """Keeps a language or a theme and goes back to the page."""
    response = back(url_for("home"))
    language, theme = text("language"), text("theme")
    chosen = {"language": language if language in LANGUAGES else None, "theme": theme if theme in THEMES else None}
    if call.actor.kind is ActorKind.OPERATOR:
        access.edit_profile(call, language=chosen["language"], theme=chosen["theme"])
    for name, value in ((LANGUAGE_COOKIE, chosen["language"]), (THEME_COOKIE, chosen["theme"])):
        if value:
            response.set_cookie(name, value, max_age=YEAR, samesite="Lax", httponly=True, secure=uses_tls(settings()))
    return response


@signed_in()
def prove(call: Call) -> Response:
    """Asks again who somebody is, before a risky act."""
    if request.method == "GET":
        return _prove_form(call)
    credential = request.form.get("credential", "")
    try:
        if credential:
            right = access.prove_with_passkey(call, party(), g.web_session, credential, visit())
        else:
            right = access.prove_again(
                call, g.web_session, visit(), seal(), password=request.form.get("password", ""), code=text("code")
            )
    except LimitedError as error:
        failure = failure_of(error)
        return failure.stamp(_prove_form(call, failure.sentence))
    if right:
        return make_response(redirect(_goal(), 303))
    return _prove_form(call, gettext("That was not right. Nothing was changed."), 422)


@signed_in()
def prove_ask(call: Call) -> Response:
    """The challenge for one of one's own passkeys, as JSON for the page's own script."""
    return jsonify(access.begin_passkey_proof(call, party(), g.web_session, visit()))


def _prove_form(call: Call, sentence: str = "", status: int = 200) -> Response:
    """By what this person can show it: passkey, password and code, city account. Who has none of them needs a new link."""
    city = bool(settings().oidc_issuer and g.operator.oidc_subject)
    ways = access.ways_to_prove(call, g.operator)
    return page("account/prove.html", status, sentence=sentence, next=_goal(), ways=ways, city=city)


ROUTES: tuple[Route, ...] = (
    ("/sign-in", "sign_in", sign_in, BOTH),
    ("/sign-in/code", "sign_in_code", sign_in_code, BOTH),
    ("/sign-in/passkey", "sign_in_passkey", sign_in_passkey, POST),
    ("/sign-in/passkey/ask", "sign_in_passkey_ask", sign_in_passkey_ask, POST),
    ("/sign-in/link/<token>", "sign_in_link", sign_in_link, BOTH),
    ("/sign-out", "sign_out", sign_out, POST),
    ("/preferences", "preferences", preferences, POST),
    ("/prove", "prove", prove, BOTH),
    ("/prove/ask", "prove_ask", prove_ask, POST),
)
