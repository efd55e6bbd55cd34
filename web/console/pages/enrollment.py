"""Enrollment: inviting, the list of invitations, one invitation for the desk, and the page for the invited person."""

from collections.abc import Mapping
from typing import Any

import segno
from flask import current_app, request, url_for
from flask.wrappers import Response
from flask_babel import force_locale, gettext

from mdm.core.actor import ActorKind
from mdm.core.errors import ConflictError, GoneError, HavenmeesterError
from mdm.core.permissions import Permission
from mdm.enrollment import queries, service
from mdm.enrollment.links import Links
from mdm.enrollment.model import Invitation
from mdm.enrollment.progress import OF_SOMEBODY, ORDER, SENTENCES, Progress, Step, standing
from mdm.inventory.model import Platform
from mdm.org.model import ServicePoint
from mdm.org.queries import service_points
from mdm.overview import words
from mdm.overview.invitations import listing
from mdm.people.model import Person
from mdm.people.queries import person as one_person
from mdm.platforms.android.headwind.numbers import Place, provision
from mdm.platforms.apple.enrollment_profile import MIME_TYPE
from mdm.platforms.apple.handout import Here, for_token
from mdm.platforms.apple.pushing import topic
from mdm.signing.client import SignerClient
from mdm.storage.call import Call
from web.common.authority import authority
from web.common.failures import Failure
from web.common.guard import may, public
from web.common.language import LANGUAGES
from web.common.sealed import SEAL
from web.console.identity import settings
from web.console.lists import export, show
from web.console.pages.helpers import BOTH, GET, POST, Route, done, page, refused, text


def links() -> Links:
    """What addresses of invitations are made of here. Raises UnavailableError when the signer has never answered."""
    return Links.of(settings(), authority(current_app).fingerprint)


@may(Permission.ENROLLMENT_VIEW)
def enrollment(call: Call) -> Response:
    """The list of invitations."""
    return page("enrollment/list.html", list=show(call, listing(call.now), "enrollment"))


@may(Permission.ENROLLMENT_VIEW, write=True)
def enrollment_file(call: Call) -> Response:
    """The list as a file."""
    return export(call, listing(call.now))


def _form(call: Call, failure: Failure | None = None) -> Response:
    known = request.args.get("person", "")
    who = one_person(call, int(known)) if known.isascii() and known.isdigit() and len(known) < 15 else None
    values: dict[str, Any] = dict(request.form) if failure else {}
    if who is not None and not failure:
        point = call.session.get(ServicePoint, who.service_point_id) if who.service_point_id else None
        values = {"email": who.email or "", "name": who.name, "service_point": point.code if point else ""}
    values.setdefault("service_point", request.args.get("service_point", ""))
    points = [(point.code, point.name) for point in service_points(call)]
    response = page(
        "enrollment/invite.html",
        failure=failure,
        values=values,
        points=points,
        words=words,
        platforms=[(key, words.PLATFORMS[key]) for key in words.PLATFORMS],
        hours=settings().invitation_hours,
    )
    return failure.stamp(response) if failure else response


@may(Permission.ENROLLMENT_INVITE)
def invite(call: Call) -> Response:
    """Invites somebody. The address is shown once, on the answer itself: it is stored nowhere."""
    if request.method == "GET":
        return _form(call)
    try:
        made, url = service.invite(
            call,
            links(),
            email=text("email"),
            name=text("name") or None,
            platform=text("platform"),
            service_point_code=text("service_point"),
            kind=text("kind"),
            ownership=text("ownership") or "city",
        )
    except HavenmeesterError as error:
        return _form(call, refused(call, error))
    person = call.session.get_one(Person, made.person_id)
    return page("enrollment/invited.html", invitation=made, person=person, url=url, qr=_qr(url), command=_command(url))


def _command(url: str) -> str:
    return f"sudo havenmeester-agent enroll '{url}' --state /var/lib/havenmeester-agent"


def _qr(content: str) -> str:
    return segno.make(content, error="m").svg_data_uri(border=2, scale=4, dark="#000", light="#fff")


@may(Permission.ENROLLMENT_VIEW)
def invitation(call: Call, uid: str) -> Response:
    """One invitation as the desk sees it, with its steps."""
    found = queries.invitation(call, uid)
    return page(
        "enrollment/invitation.html",
        invitation=found,
        person=call.session.get_one(Person, found.person_id),
        point=call.session.get(ServicePoint, found.service_point_id),
        standing=standing(found, call.now),
        **_steps(queries.invitation_progress(call.session, found, call.now), OF_SOMEBODY),
    )


@may(Permission.ENROLLMENT_VIEW)
def invitation_steps(call: Call, uid: str) -> Response:
    """The steps alone, for the page that waits."""
    found = queries.invitation(call, uid)
    progress = queries.invitation_progress(call.session, found, call.now)
    return page("enrollment/_steps.html", poll=url_for("invitation_steps", uid=uid), **_steps(progress, OF_SOMEBODY))


def _steps(progress: Progress, sentences: Mapping[Step, str]) -> dict[str, Any]:
    return {"progress": progress, "order": ORDER, "sentences": sentences}


@may(Permission.ENROLLMENT_INVITE)
def invitation_withdraw(call: Call, uid: str) -> Response:
    """Makes an unused invitation worthless."""
    service.withdraw(call, uid)
    return done(gettext("The invitation was withdrawn. Its address does not work any more."), url_for("enrollment"))


def _language_of(call: Call, found: Invitation) -> str:
    """What this visitor chose, else the invited person's own, else the browser's (a person may read Turkish), else the city's."""
    person = call.session.get_one(Person, found.person_id)
    for one in (request.cookies.get("hm_language"), person.language):
        if one in LANGUAGES:
            return str(one)
    return request.accept_languages.best_match(list(LANGUAGES)) or settings().language


@public("the invitation page: whoever has the token may see how to enrol and how far it is", write=True)
def welcome(call: Call, token: str) -> Response:
    """What will happen, the command to paste, the QR code, the steps. In the invited person's language."""
    found = service.opened(call, token)
    address = links().url(token)
    with force_locale(_language_of(call, found)):
        return page(
            "enrollment/welcome.html",
            invitation=found,
            person=call.session.get_one(Person, found.person_id),
            point=call.session.get(ServicePoint, found.service_point_id),
            command=_command(address),
            profile=_profile(token) if found.platform == Platform.IOS else "",
            ready=found.platform != Platform.IOS or topic(call.session, call.now) is not None,
            qr=_qr(_profile(token) if found.platform == Platform.IOS else address),
            code=_android_code(call, found, token),
            token_of=token,
            language=_language_of(call, found),
            stranger=call.actor.kind is ActorKind.VISITOR,
            **_steps(queries.progress(call.session, token, call.now), SENTENCES),
        )


def _android_code(call: Call, found: Invitation, token: str) -> str:
    """The QR code that sets up an Android phone, as a picture; empty where this invitation has none."""
    if found.platform != Platform.ANDROID:
        return ""
    try:
        seal, place = current_app.extensions[SEAL], Place(settings().android_base, settings().organisation)
        return _qr(provision(call, seal, place, found, token))
    except (ConflictError, GoneError):
        return ""


def _profile(token: str) -> str:
    """Where a phone gets its profile: an address that is a plain link and ends as phones expect it."""
    return settings().console_base + url_for("welcome_profile", token=token)


def _consent() -> tuple[tuple[str, str], ...]:
    """What whoever installs a profile agrees to, in every language of ours."""
    told = []
    for code in LANGUAGES:
        with force_locale(code):
            text = gettext(
                "%(organisation)s manages this device: it sees its system, security state and applications, and gives it "
                "settings and applications. It never sees your messages, your photos, or what you look at.",
                organisation=settings().organisation,
            )
        told.append((code, text))
    return (("default", dict(told)[settings().language]), *told)


@public("the profile of an invitation: whoever has the token may enrol one phone", write=True)
def welcome_profile(call: Call, token: str) -> Response:
    """A profile with a challenge of its own, signed. Each download gives a new one; the first phone takes it all."""
    signer = SignerClient(settings().signer_socket)
    here = Here.of(
        settings().organisation, settings().gateway_base, authority(current_app).certificate, signer.phone_ca()
    )
    made = for_token(call, here, token, _consent())
    # The signer is a neighbour, and nothing leaves inside a transaction.
    call.session.commit()
    return Response(signer.sign_profile(made), content_type=MIME_TYPE, headers={"Cache-Control": "no-store"})


@public("the steps of an invitation, for the page that waits until they are done")
def welcome_steps(call: Call, token: str) -> Response:
    """The steps alone."""
    found = queries.by_token(call.session, token)
    if found is None:
        raise queries.unknown_invitation()
    with force_locale(_language_of(call, found)):
        progress = queries.progress(call.session, token, call.now)
        return page("enrollment/_steps.html", poll=url_for("welcome_steps", token=token), **_steps(progress, SENTENCES))


ROUTES: tuple[Route, ...] = (
    ("/enrollment", "enrollment", enrollment, GET),
    ("/enrollment/file", "enrollment_file", enrollment_file, GET),
    ("/enrollment/invite", "invite", invite, BOTH),
    ("/enrollment/<uid>", "invitation", invitation, GET),
    ("/enrollment/<uid>/steps", "invitation_steps", invitation_steps, GET),
    ("/enrollment/<uid>/withdraw", "invitation_withdraw", invitation_withdraw, POST),
    ("/e/<token>", "welcome", welcome, GET),
    ("/e/<token>/steps", "welcome_steps", welcome_steps, GET),
    ("/e/<token>/havenmeester.mobileconfig", "welcome_profile", welcome_profile, GET),
)
