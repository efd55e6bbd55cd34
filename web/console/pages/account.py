"""My account: name, language, password, passkeys, second factor, sessions."""

import segno
from flask import g, jsonify, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.access import service as access
from mdm.access.queries import grants_of, my_sessions, passkeys_of
from mdm.access.totp import Enrolment
from mdm.core.errors import HavenmeesterError
from mdm.org.queries import service_point_names, unit_names
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import signed_in
from web.console.identity import party, seal, settings, visit
from web.console.pages.helpers import GET, POST, Route, done, is_ours, page, refused, text


def _page(call: Call, failure: Failure | None = None, enrolment: Enrolment | None = None) -> Response:
    grants = grants_of(call, call.actor.id or 0)
    response = page(
        "account/account.html",
        operator=g.operator,
        grants=grants,
        points=service_point_names(call.session, [one.service_point_id for one in grants if one.service_point_id]),
        units=unit_names(call.session, [one.unit_id for one in grants if one.unit_id]),
        sessions=my_sessions(call),
        this_session=g.web_session.id,
        failure=failure,
        enrolment=enrolment,
        qr=qr(enrolment.uri) if enrolment else "",
        passkeys=passkeys_of(call, call.actor.id or 0),
        passkeys_usable=party().usable,
        fresh=g.fresh,
        by_link=g.web_session.method.startswith("link") and g.fresh,
    )
    return failure.stamp(response) if failure else response


def qr(content: str) -> str:
    """A QR code as a data address for an ``img``."""
    return segno.make(content, error="m").svg_data_uri(border=2, scale=4, dark="#000", light="#fff")


@signed_in()
def account(call: Call) -> Response:
    """The page."""
    return _page(call)


@signed_in()
def profile(call: Call) -> Response:
    """Keeps the name."""
    access.edit_profile(call, name=text("name"))
    return done(gettext("Your name was saved."), url_for("account"))


@signed_in()
def password(call: Call) -> Response:
    """Sets the password; other sessions end."""
    try:
        right = access.set_password(
            call,
            g.web_session,
            request.form.get("password", ""),
            visit(),
            current=request.form.get("current", ""),
        )
    except HavenmeesterError as error:
        return _told(call, error)
    if not right:
        # A wrong try counts for the brake, so it must be kept: an answer and no exception.
        sentence = gettext("The current password is wrong. Nothing was changed.")
        return _page(call, Failure(422, "invalid", sentence, fields={"current": sentence}))
    goal = request.form.get("next", "")
    sentence = gettext("Your password was saved. Your other sessions have ended.")
    return done(sentence, goal if is_ours(goal) else url_for("account"))


@signed_in()
def second_factor(call: Call) -> Response:
    """Begins, confirms or removes the second factor."""
    step = text("step")
    try:
        if step == "begin":
            issuer = f"Havenmeester {settings().organisation}"
            return _page(call, enrolment=access.begin_totp(call, issuer, seal()))
        if step == "confirm":
            access.confirm_totp(call, text("code"), seal())
            return done(gettext("The second factor is set up."), url_for("account"))
        access.remove_totp(call, g.web_session)
    except HavenmeesterError as error:
        return _told(call, error)
    return done(gettext("The second factor was removed."), url_for("account"))


def _told(call: Call, error: HavenmeesterError) -> Response:
    """The page with what was refused; where a recent proof was missing, the page that asks for it."""
    failure = refused(call, error)
    if failure.code == access.PROOF_NEEDED:
        return make_response(redirect(url_for("prove", next=url_for("account")), 303))
    return _page(call, failure)


@signed_in()
def passkeys_ask(call: Call) -> Response:
    """What the browser needs to make a passkey, as JSON for the page's own script."""
    return jsonify(access.begin_passkey(call, party(), g.web_session, visit()))


@signed_in()
def passkeys(call: Call) -> Response:
    """Keeps a new passkey."""
    try:
        made = access.add_passkey(
            call, party(), g.web_session, request.form.get("credential", ""), text("passkey_name")
        )
    except HavenmeesterError as error:
        return _told(call, error)
    return done(gettext("The passkey %(name)s was added.", name=made.name), url_for("account"))


@signed_in()
def passkey_rename(call: Call, number: int) -> Response:
    """Gives a passkey another name."""
    try:
        access.rename_passkey(call, number, text("name"))
    except HavenmeesterError as error:
        return _told(call, error)
    return done(gettext("The passkey has its new name."), url_for("account"))


@signed_in()
def passkey_remove(call: Call, number: int) -> Response:
    """Takes a passkey away."""
    try:
        access.remove_passkey(call, g.web_session, number)
    except HavenmeesterError as error:
        return _told(call, error)
    return done(gettext("The passkey was removed. It does not sign in here any more."), url_for("account"))


@signed_in()
def end_session(call: Call, number: int) -> Response:
    """Ends one of one's own sessions."""
    access.end(call, number)
    return done(gettext("The session has ended."), url_for("account"))


ROUTES: tuple[Route, ...] = (
    ("/account", "account", account, GET),
    ("/account/profile", "account_profile", profile, POST),
    ("/account/password", "account_password", password, POST),
    ("/account/second-factor", "account_second_factor", second_factor, POST),
    ("/account/passkeys", "account_passkeys", passkeys, POST),
    ("/account/passkeys/ask", "account_passkeys_ask", passkeys_ask, POST),
    ("/account/passkeys/<int:number>/rename", "account_passkey_rename", passkey_rename, POST),
    ("/account/passkeys/<int:number>/remove", "account_passkey_remove", passkey_remove, POST),
    ("/account/sessions/<int:number>/end", "account_end_session", end_session, POST),
)
