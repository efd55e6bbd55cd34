"""Apple's side of phones: the push certificate, Apple's list of devices, certificates by hand, a look at a profile."""

import base64
import binascii
from pathlib import Path

from apiflask import APIBlueprint
from flask import current_app, g

from mdm.access.service import PROOF_NEEDED
from mdm.core.errors import N_, DeniedError, InvalidError
from mdm.core.permissions import Permission
from mdm.platforms.apple import inspect, push_request, pushing, sessions
from mdm.platforms.apple.automated import ties, token
from mdm.platforms.apple.model import Approval
from mdm.platforms.apple.schema.table import Target, version
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.seal import Seal, create_key, load_seal
from web.api.operation import operation
from web.api.paging import Page, PageQuery, cut, walk
from web.api.shapes import phones as shapes
from web.api.shapes.phones import PushCertificate, Tie
from web.api.versions import unchanged
from web.common.app import SETTINGS

api = APIBlueprint("phones", __name__, tag={"name": "Phones", "description": "What iPhones and iPads need of Apple's."})
VIEW, MANAGE, INVITE = Permission.SETTINGS_VIEW, Permission.PHONES_MANAGE, Permission.ENROLLMENT_INVITE
TIE = "/phones/ties/<uid:tie_uid>"


def settings() -> Settings:
    """The configuration in force."""
    found: Settings = current_app.extensions[SETTINGS]
    return found


def seal() -> Seal:
    """The seal of this installation."""
    folder = settings().home / "keys"
    create_key(folder)
    return load_seal(folder)


def proved_lately() -> None:
    """Nothing for a program, or for somebody who showed a moment ago who they are; DeniedError (``proof_needed``) else."""
    if g.get("fresh") is False:
        raise DeniedError(
            N_("Show in the console once more that it is you, and repeat this. Nothing was changed."),
            code=PROOF_NEEDED,
        )


def given(text: str) -> bytes:
    """Bytes that were sent as Base64. Raises InvalidError."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidError(N_("This is not Base64. Nothing was changed."), code="base64") from error


def _push(call: Call) -> PushCertificate:
    found = pushing.standing(call)
    held = found.held
    return PushCertificate(
        level=found.level,
        topic=held.topic if held else None,
        account=held.account if held else None,
        not_after=held.not_after if held else None,
        days_left=found.days,
        listening=found.listening,
        unreached=found.unreached,
        refused_why=held.refused_why if held and held.refused_at else None,
    )


@operation(api, "GET", "/phones/push-certificate", VIEW, answer=PushCertificate)
def get_push_certificate(call: Call) -> PushCertificate:
    """Read how it stands with the push certificate.

    Level `none` where there is none yet. Mail and an alarm tell people 60, 30 and 7 days before it ends.
    """
    return _push(call)


@operation(api, "POST", "/phones/push-certificate", MANAGE, body=shapes.NewPushCertificate, answer=PushCertificate)
def bring_push_certificate(call: Call, body: shapes.NewPushCertificate) -> PushCertificate:
    """Bring in a push certificate.

    409 (`push_topic`) for a new one in the place of a renewed one while phones listen to the present topic.
    """
    proved_lately()
    pushing.bring(call, seal(), body.certificate, body.key, body.account)
    return _push(call)


@operation(api, "POST", "/phones/push-requests", MANAGE, answer=shapes.PushRequest, status=201)
def create_push_request(call: Call) -> shapes.PushRequest:
    """Make a request for a push certificate.

    The key is made on the server and never leaves it: bring in the certificate alone.
    """
    made = push_request.begin(call, seal(), settings().organisation)
    vendor = settings().apple_vendor
    signed = push_request.signed(made, Path(vendor)).decode() if vendor else None
    return shapes.PushRequest(id=made.uid, csr=made.csr, signed=signed, renews=made.renews, created_at=made.created_at)


def _tie(line: ties.Line) -> Tie:
    tie = line.tie
    return Tie(
        id=tie.uid,
        certificate=tie.certificate,
        token_ends_at=tie.token_ends_at,
        synced_at=tie.synced_at,
        problem=tie.problem,
        least_version=tie.least_version,
        listed=line.listed,
        given=line.given,
        refused=line.refused,
    )


@operation(api, "GET", "/phones/ties", VIEW, query=PageQuery, answer=shapes.TiePage)
def list_ties(call: Call, query: PageQuery) -> Page[Tie]:
    """List the ties with Apple's list of devices.

    By age, with the numbers of each list.
    """
    rows, following, total = cut(ties.lines(call), query, lambda row: row.tie.id)
    return shapes.TiePage(items=[_tie(row) for row in rows], next=following, total=total)


@operation(api, "POST", "/phones/ties", MANAGE, answer=Tie, status=201)
def begin_tie(call: Call) -> Tie:
    """Begin a tie with Apple's list of devices.

    Upload its certificate at Apple's portal, and bring the token in that is downloaded there.
    """
    made = token.begin(call, seal(), settings().organisation)
    return _tie(ties.line(call, made.uid))


@operation(api, "GET", TIE, VIEW, answer=Tie, tagged=True)
def get_tie(call: Call, tie_uid: str) -> Tie:
    """Read one tie.

    With what must be done at Apple's portal, where something must.
    """
    return _tie(ties.line(call, tie_uid))


@operation(api, "PATCH", TIE, MANAGE, body=shapes.TieEdit, answer=Tie, tagged=True, guarded=True)
def edit_tie(call: Call, tie_uid: str, body: shapes.TieEdit) -> Tie:
    """Say which system a phone must have before it is enrolled.

    One with an older system that can update itself does so first; empty: any system.
    """
    unchanged(_tie(ties.line(call, tie_uid)))
    if "least_version" in body.given():
        ties.demand(call, tie_uid, body.least_version)
    return _tie(ties.line(call, tie_uid))


@operation(api, "POST", f"{TIE}/token", MANAGE, body=shapes.TieToken, answer=Tie, problems=(404,))
def bring_tie_token(call: Call, tie_uid: str, body: shapes.TieToken) -> Tie:
    """Bring in the token of a tie.

    Also a new one in the place of one that ends. The list is read at once.
    """
    proved_lately()
    token.bring_in(call, seal(), tie_uid, given(body.file))
    ties.read_now(call, tie_uid)
    return _tie(ties.line(call, tie_uid))


@operation(api, "POST", f"{TIE}/read", MANAGE, answer=Tie, problems=(404,))
def read_tie(call: Call, tie_uid: str) -> Tie:
    """Have the list of a tie read now.

    By the worker, in a moment; 409 (`no_token`) before there is a token.
    """
    ties.read_now(call, tie_uid)
    return _tie(ties.line(call, tie_uid))


@operation(api, "POST", f"{TIE}/assign", MANAGE, answer=Tie, problems=(404,))
def assign_tie(call: Call, tie_uid: str) -> Tie:
    """Have the enrollment profile made anew and given to every device of the list.

    By the worker, in a moment: after the gateway's address or certificate has changed.
    """
    ties.assign_anew(call, tie_uid)
    return _tie(ties.line(call, tie_uid))


@operation(api, "DELETE", TIE, MANAGE, answer=None, status=204)
def remove_tie(call: Call, tie_uid: str) -> None:
    """End a tie.

    Its token and its list are forgotten; phones that are enrolled stay.
    """
    proved_lately()
    ties.remove(call, tie_uid)


@operation(api, "GET", f"{TIE}/devices", VIEW, query=PageQuery, answer=shapes.ListedDevicePage)
def list_tie_devices(call: Call, tie_uid: str, query: PageQuery) -> Page[shapes.ListedDevice]:
    """List the devices on Apple's list.

    By serial number, with Apple's word where it does not give our profile.
    """
    rows, following = walk(
        query,
        lambda mark, limit: ties.entries(call, tie_uid, after=mark[0] if mark else "", limit=limit),
        lambda row: (row.serial,),
    )
    items = [shapes.ListedDevice.model_validate(row) for row in rows]
    return shapes.ListedDevicePage(items=items, next=following)


@operation(api, "GET", "/phones/certificate-requests", INVITE, query=PageQuery, answer=shapes.CertificateRequestPage)
def list_certificate_requests(call: Call, query: PageQuery) -> Page[shapes.CertificateRequest]:
    """List the phones that wait for their first certificate.

    At your places, oldest first; only where certificates are given by hand.
    """
    rows, following, total = cut(sessions.waiting_for(call), query, lambda row: row.session.uid)
    items = [
        shapes.CertificateRequest(
            id=row.session.uid,
            person=row.person,
            email=row.email,
            serial=row.serial,
            key_digest=row.session.key_digest or "",
            since=row.session.challenge_used_at,
        )
        for row in rows
    ]
    return shapes.CertificateRequestPage(items=items, next=following, total=total)


@operation(
    api,
    "POST",
    "/phones/certificate-requests/<uid:certificate_request_uid>/decide",
    INVITE,
    body=shapes.CertificateDecision,
    answer=None,
    status=204,
    problems=(404,),
)
def decide_certificate_request(call: Call, certificate_request_uid: str, body: shapes.CertificateDecision) -> None:
    """Give a phone its first certificate, or refuse it.

    Twice is like once; 409 for one that was answered otherwise.
    """
    sessions.decide(call, certificate_request_uid, Approval.APPROVED if body.approve else Approval.REFUSED)


@operation(
    api,
    "POST",
    "/phones/profiles/check",
    Permission.POLICY_VIEW,
    body=shapes.ProfileFile,
    answer=shapes.ProfileFindings,
    write=False,
)
def preview_profile(call: Call, body: shapes.ProfileFile) -> shapes.ProfileFindings:  # noqa: ARG001 -- the guard gives it
    """Look at a configuration profile before it is saved.

    Every finding by Apple's own facts: what a device would refuse, what it would pass over, and what would lock people out.
    """
    target = Target(version(body.version), body.supervised, body.private)
    seen = inspect.look(given(body.mobileconfig), target)
    return shapes.ProfileFindings(
        identifier=seen.identifier,
        name=seen.name,
        payloads=list(seen.payloads),
        may_be_saved=seen.may_be_saved,
        findings=[
            shapes.ProfileFinding(severity=one.severity, path=one.path, code=one.code, text=one.text)
            for one in seen.findings
        ],
    )
