"""Google's management of Android phones under Settings, and the code with which a phone enrols by it."""

import segno
from flask import current_app, g, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission
from mdm.enrollment import queries as enrollments
from mdm.enrollment.progress import Standing, standing
from mdm.platforms.android.amapi import account, tokens
from mdm.platforms.android.amapi.document.table import revision
from mdm.platforms.android.amapi.model import Step
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.common.sealed import SEAL
from web.console.identity import settings as configuration
from web.console.pages.helpers import BOTH, GET, POST, Route, done, page, refused, text

FILE_MOST = 16 * 1024


def _google(call: Call, failure: Failure | None = None) -> Response:
    tie = account.tie(call)
    response = page(
        "phones/google.html",
        tie=tie,
        steps=Step,
        phones=account.phones(call),
        policies=account.policies(call),
        revision=revision(),
        fresh=g.fresh,
        failure=failure,
        values=request.form,
    )
    return failure.stamp(response) if failure else response


@may(Permission.SETTINGS_VIEW)
def google(call: Call) -> Response:
    """How the tie with Google stands, and what is to be done next."""
    return _google(call)


@may(Permission.PHONES_MANAGE)
def google_change(call: Call) -> Response:
    """Brings in the key, says where notifications go, asks for the sign-up, or forgets the tie."""
    here = url_for("google")
    if not g.get("fresh"):
        return make_response(redirect(url_for("prove", next=here), 303))
    step = text("step")
    try:
        if step == "key":
            account.bring(call, current_app.extensions[SEAL], _upload("file"))
            return done(gettext("The key is kept sealed. The file can go."), here)
        if step == "listen":
            account.listen(call, topic=text("topics"), subscription=text("subscriptions"))
            return done(gettext("Saved. Google is told in a moment."), here)
        if step == "sign-up":
            account.sign_up(call, f"{configuration().console_base}{url_for('google_return')}")
            return done(gettext("Google's page is asked for. Its link is here in a few seconds."), here)
        if step == "remove":
            account.remove(call)
            return done(gettext("The tie was forgotten."), here)
        raise InvalidError(N_("There is no such step. Nothing was changed."))
    except HavenmeesterError as error:
        return _google(call, refused(call, error))


@may(Permission.PHONES_MANAGE)
def google_return(call: Call) -> Response:
    """Where Google sends the administrator back to: one press more, so that no link alone can tie us to anybody."""
    failure: Failure | None = None
    if request.method == "POST":
        try:
            account.returned(call, current_app.extensions[SEAL], text("state"), text("enterprise_token"))
            return done(gettext("The enterprise is made in a moment."), url_for("google"))
        except HavenmeesterError as error:
            failure = refused(call, error)
    response = page(
        "phones/google_return.html",
        state=(request.args.get("state") or text("state"))[:200],
        enterprise_token=(request.args.get("enterpriseToken") or text("enterprise_token"))[:2000],
        failure=failure,
    )
    return failure.stamp(response) if failure else response


@may(Permission.ENROLLMENT_INVITE)
def google_code(call: Call, uid: str) -> Response:
    """The code with which the phone of an invitation enrols by Google's management; made when somebody asks for it."""
    found = enrollments.invitation(call, uid)
    here = url_for("google_code", uid=uid)
    failure: Failure | None = None
    if request.method == "POST":
        try:
            tokens.ask(call, found, kiosk=text("kiosk") == "yes")
            return done(gettext("The code is made at Google. It is here in a few seconds."), here)
        except HavenmeesterError as error:
            failure = refused(call, error)
    token = tokens.of_invitation(call, found.id)
    shown = tokens.code(current_app.extensions[SEAL], token) if token is not None else None
    open_ = standing(found, call.now) is Standing.OPEN
    response = page(
        "phones/google_code.html",
        invitation=found,
        made=token,
        code=shown if open_ else None,
        qr=_qr(shown.link if token and token.mode == "work_profile" else shown.qr) if shown and open_ else "",
        ready=(tie := account.present(call)) is not None and tie.step == Step.READY,
        failure=failure,
    )
    response.headers["Cache-Control"] = "no-store"
    return failure.stamp(response) if failure else response


def _qr(content: str) -> str:
    return segno.make(content, error="l").svg_data_uri(border=2, scale=4, dark="#000", light="#fff")


def _upload(name: str) -> bytes:
    file = request.files.get(name)
    found = file.read(FILE_MOST + 1) if file and file.filename else b""
    if not found or len(found) > FILE_MOST:
        sentence = N_("Choose a file of at most 16 KB. Nothing was changed.")
        raise InvalidError(sentence, fields={name: sentence})
    return found


ROUTES: tuple[Route, ...] = (
    ("/settings/google", "google", google, GET),
    ("/settings/google/change", "google_change", google_change, POST),
    ("/settings/google/return", "google_return", google_return, BOTH),
    ("/enrollment/<uid>/google", "google_code", google_code, BOTH),
)
