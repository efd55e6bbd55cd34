"""Phones under Settings: the push certificate, Apple's list of the city's devices, private phones by account."""

from pathlib import Path

from flask import current_app, g, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission
from mdm.platforms.apple import account, addresses, push_request, pushing, sessions
from mdm.platforms.apple.automated import ties, token
from mdm.platforms.apple.model import Approval
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.common.sealed import SEAL
from web.console.identity import settings as configuration
from web.console.pages.helpers import BOTH, GET, POST, Route, done, page, refused, text

FILE_MOST = 64 * 1024
ENTRIES = 200
PEM = "application/x-pem-file"


def _phones(call: Call, failure: Failure | None = None) -> Response:
    configured = configuration()
    response = page(
        "phones/phones.html",
        standing=pushing.standing(call),
        requests=push_request.waiting(call.session),
        vendor=bool(configured.apple_vendor),
        lines=ties.lines(call),
        private=account.enrolled(call.session),
        waiting=len(sessions.waiting(call)),
        by_hand=configured.apple_approve_by_hand,
        anchors=bool(configured.apple_device_anchors),
        oidc=bool(configured.oidc_issuer),
        well_known=addresses.WELL_KNOWN,
        gateway=configured.gateway_base,
        fresh=g.fresh,
        failure=failure,
        values=request.form,
    )
    return failure.stamp(response) if failure else response


@may(Permission.SETTINGS_VIEW)
def phones(call: Call) -> Response:
    """What this installation needs of Apple's, and how it stands with each."""
    return _phones(call)


@may(Permission.PHONES_MANAGE)
def push_certificate(call: Call) -> Response:
    """Makes a request for a push certificate, or brings one in."""
    seal = current_app.extensions[SEAL]
    if text("step") == "request":
        push_request.begin(call, seal, configuration().organisation)
        return done(gettext("The request was made. Download it below."), url_for("phones"))
    again = _fresh(url_for("phones"))
    if again is not None:
        return again
    try:
        certificate = _pem("certificate")
        if not certificate:
            raise InvalidError(
                N_("Choose the file that Apple's portal gave. Nothing was changed."),
                fields={"certificate": N_("This is needed.")},
            )
        held = pushing.bring(call, seal, certificate, _pem("key"), text("account"))
    except HavenmeesterError as error:
        return _phones(call, refused(call, error))
    return done(
        gettext("The push certificate is in use until %(day)s.", day=f"{held.not_after:%Y-%m-%d}"), url_for("phones")
    )


@may(Permission.PHONES_MANAGE)
def push_request_file(call: Call, uid: str) -> Response:
    """A request as a file: signed by the vendor where this installation has its key, plain elsewhere."""
    found = push_request.by_uid(call, uid)
    vendor = configuration().apple_vendor
    if vendor:
        return _file(push_request.signed(found, Path(vendor)), "push-request.plist", "application/octet-stream")
    return _file(found.csr.encode(), "push-request.csr", "application/pkcs10")


@may(Permission.PHONES_MANAGE)
def tie_new(call: Call) -> Response:
    """Begins a tie with Apple's list."""
    made = token.begin(call, current_app.extensions[SEAL], configuration().organisation)
    return done(
        gettext("The tie was begun. Upload its certificate at Apple's portal."), url_for("phone_tie", uid=made.uid)
    )


def _tie(call: Call, uid: str, failure: Failure | None = None) -> Response:
    after = request.args.get("after", "")[:128]
    entries = ties.entries(call, uid, after=after, limit=ENTRIES + 1)
    response = page(
        "phones/tie.html",
        line=ties.line(call, uid),
        entries=entries[:ENTRIES],
        following=entries[ENTRIES - 1].serial if len(entries) > ENTRIES else "",
        after=after,
        now=call.now,
        fresh=g.fresh,
        failure=failure,
        values=request.form,
    )
    return failure.stamp(response) if failure else response


@may(Permission.SETTINGS_VIEW)
def phone_tie(call: Call, uid: str) -> Response:
    """One tie: its token, its list, what Apple says of each device."""
    return _tie(call, uid)


@may(Permission.PHONES_MANAGE)
def phone_tie_change(call: Call, uid: str) -> Response:
    """Brings a token in, has the list read or the profile given anew, asks for a newer system, ends the tie."""
    step, here = text("step"), url_for("phone_tie", uid=uid)
    again = _fresh(here) if step in ("token", "remove", "assign") else None
    if again is not None:
        return again
    try:
        if step == "token":
            token.bring_in(call, current_app.extensions[SEAL], uid, _upload("file"))
            ties.read_now(call, uid)
            return done(gettext("The token was brought in. The list is read now."), here)
        if step == "read":
            ties.read_now(call, uid)
            return done(gettext("The list is read in a moment."), here)
        if step == "assign":
            ties.assign_anew(call, uid)
            return done(gettext("The profile is made anew and given to every device of the list in a moment."), here)
        if step == "remove":
            ties.remove(call, uid)
            return done(gettext("The tie was removed. Phones that are enrolled stay."), url_for("phones"))
        ties.demand(call, uid, text("least_version"))
    except HavenmeesterError as error:
        return _tie(call, uid, refused(call, error))
    return done(gettext("Saved."), here)


@may(Permission.SETTINGS_VIEW)
def phone_tie_certificate(call: Call, uid: str) -> Response:
    """The certificate that is uploaded at Apple's portal."""
    return _file(ties.line(call, uid).tie.certificate.encode(), "apple-portal.pem", PEM)


@may(Permission.ENROLLMENT_INVITE)
def phone_certificates(call: Call) -> Response:
    """Phones that wait for their first certificate; says yes or no to one."""
    if request.method == "POST":
        approval = Approval.REFUSED if text("decision") == "refuse" else Approval.APPROVED
        sessions.decide(call, text("uid"), approval)
        said = (
            gettext("Refused. The phone gets no certificate.")
            if approval is Approval.REFUSED
            else gettext("Approved. The phone fetches its certificate when it asks next.")
        )
        return done(said, url_for("phone_certificates"))
    return page(
        "phones/certificates.html",
        waiting=sessions.waiting_for(call),
        by_hand=configuration().apple_approve_by_hand,
    )


def _fresh(goal: str) -> Response | None:
    return None if g.get("fresh") else make_response(redirect(url_for("prove", next=goal), 303))


def _upload(name: str) -> bytes:
    file = request.files.get(name)
    found = file.read(FILE_MOST + 1) if file and file.filename else b""
    if not found or len(found) > FILE_MOST:
        sentence = N_("Choose a file of at most 64 KB. Nothing was changed.")
        raise InvalidError(sentence, fields={name: sentence})
    return found


def _pem(name: str) -> str:
    """A file in PEM, or what was pasted in its place; empty where there is neither."""
    file = request.files.get(name)
    found = file.read(FILE_MOST + 1) if file and file.filename else text(f"{name}_text").encode()
    if len(found) > FILE_MOST:
        sentence = N_("Choose a file of at most 64 KB. Nothing was changed.")
        raise InvalidError(sentence, fields={name: sentence})
    return found.decode("ascii", "replace")


def _file(content: bytes, name: str, kind: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, content_type=kind, headers=headers)


ROUTES: tuple[Route, ...] = (
    ("/settings/phones", "phones", phones, GET),
    ("/settings/phones/push-certificate", "push_certificate", push_certificate, POST),
    ("/settings/phones/push-certificate/<uid>/request", "push_request_file", push_request_file, GET),
    ("/settings/phones/ties", "phone_tie_new", tie_new, POST),
    ("/settings/phones/ties/<uid>", "phone_tie", phone_tie, GET),
    ("/settings/phones/ties/<uid>/change", "phone_tie_change", phone_tie_change, POST),
    ("/settings/phones/ties/<uid>/certificate.pem", "phone_tie_certificate", phone_tie_certificate, GET),
    ("/enrollment/certificates", "phone_certificates", phone_certificates, BOTH),
)
