"""Setting up a device oneself: which one, what will happen, one step at a time, until it is green."""

import segno
from flask import current_app, flash, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import force_locale, gettext

from mdm.core.errors import N_, ConflictError, NotFoundError
from mdm.enrollment.links import Links
from mdm.enrollment.progress import ORDER, Standing
from mdm.guidance import asking
from mdm.inventory.model import Platform
from mdm.people import employee
from mdm.platforms.android.files import agent
from mdm.platforms.android.headwind.numbers import Place, provision
from mdm.platforms.apple.enrollment_profile import MIME_TYPE
from mdm.platforms.apple.handout import Here, for_invitation
from mdm.platforms.apple.pushing import topic
from mdm.portal import enrolling, own
from mdm.portal.enrolling import LAST, Under
from mdm.portal.families import CHOICES, PLATFORMS, Family, family_of, guess
from mdm.portal.inviting import OWN_FAMILIES, Limits
from mdm.signing.client import SignerClient
from mdm.storage.call import Call
from mdm.storage.seal import load_seal
from web.common.authority import authority
from web.common.failures import failure_of
from web.common.guard import signed_in
from web.portal.helpers import BOTH, GET, POST, Route, page, settings, text
from web.portal.language import LANGUAGES
from web.portal.words import FAMILIES, STEPS


def links() -> Links:
    """What addresses of invitations are made of here. Raises UnavailableError when the signer has never answered."""
    return Links.of(settings(), authority(current_app).fingerprint)


def _limits() -> Limits:
    return Limits(settings().portal_private, settings().portal_devices)


@signed_in()
def enrol(call: Call) -> Response:
    """Which device: those in one's name that wait, and one's own where the city allows it."""
    person = employee.me(call)
    return page(
        "enrol",
        devices=[(one, family_of(one.platform, one.kind, one.model)) for one in enrolling.waiting(call)],
        private=settings().portal_private,
        under=enrolling.under_way(call),
        point=enrolling.point_of(call, person, None),
        guessed=guess(request.user_agent.string) or Family.IPHONE,
        families=FAMILIES,
    )


@signed_in(write=None)
def enrol_begin(call: Call) -> Response:
    """What it is and what will happen; then it begins."""
    uid = (request.values.get("device") or "")[:32] or None
    device = own.device(call, uid) if uid else None
    if device is None and not settings().portal_private:
        raise NotFoundError(N_("Choose a device that is in your name. Nothing was begun."))
    known = family_of(device.platform, device.kind, device.model) if device else None
    asked = text("family", 16)
    chosen = known or (Family(asked) if asked in set(Family) else guess(request.user_agent.string))
    failure = None
    if request.method == "POST":
        try:
            invitation = enrolling.begin(call, links(), _limits(), chosen or Family.IPHONE, uid)
            return make_response(redirect(url_for("enrol_step", uid=invitation.uid), 303))
        except ConflictError as error:
            failure = failure_of(error)
    response = page(
        "enrol_begin",
        device=device,
        known=known,
        chosen=chosen,
        choices=[one for one in CHOICES if one in OWN_FAMILIES or one is Family.ANDROID],
        families=FAMILIES,
        failure=failure,
        point=enrolling.point_of(call, employee.me(call), device),
    )
    return failure.stamp(response) if failure else response


@signed_in()
def enrol_step(call: Call, uid: str) -> Response:
    """One step, big; where the page was closed it goes on by itself."""
    under = enrolling.mine(call, uid)
    return _step(call, under, _number(under))


def _number(under: Under) -> int:
    """The step that was asked for, else where the person was. Nobody goes back behind what the device has done."""
    platform = under.invitation.platform
    here = enrolling.resume(platform, under.progress)
    asked = request.args.get("step", "")
    if under.progress.standing is Standing.USED or not (asked.isascii() and asked.isdigit()):
        return here
    return max(1, min(int(asked[:2]), LAST[platform]))


def _step(call: Call, under: Under, number: int, command: str = "", code: str = "") -> Response:
    if under.progress.green:
        return page("enrol_done", under=under)
    platform = under.invitation.platform
    return page(
        "enrol_step",
        under=under,
        elsewhere=_elsewhere(platform, number),
        number=number,
        last=LAST[platform],
        ready=_ready(call, platform),
        expired=under.progress.standing is Standing.EXPIRED,
        command=command,
        code=code,
        steps=[(STEPS[step], step in under.progress.done) for step in ORDER[2:]],
        families=FAMILIES,
    )


def _elsewhere(platform: str, number: int) -> bool:
    """Whether the page is surely looked at on something else than what is being set up, at a step that is done there.

    An Android phone is set up from another screen, and the first and the last step may be read anywhere.
    """
    looking = guess(request.user_agent.string)
    if looking is None or platform == Platform.ANDROID or not 1 < number < LAST[platform]:
        return False
    return PLATFORMS[looking].value != platform


def _over(under: Under) -> Response | None:
    """The page that says how it stands, where nothing can be fetched or stopped any more: it was taken, or took too long."""
    if under.progress.standing is Standing.OPEN:
        return None
    return make_response(redirect(url_for("enrol_step", uid=under.invitation.uid), 303))


def _ready(call: Call, platform: str) -> bool:
    """Whether the city has what such a device needs to be set up."""
    if platform == Platform.IOS:
        return topic(call.session, call.now) is not None
    return platform != Platform.ANDROID or agent(call.session) is not None


@signed_in()
def enrol_code(call: Call, uid: str) -> Response:
    """The QR code for an Android phone; an earlier one does not work any more."""
    if over := _over(enrolling.mine(call, uid)):
        return over
    invitation, token = enrolling.fresh_token(call, uid)
    place = Place(settings().android_base, settings().organisation)
    content = provision(call, load_seal(settings().home / "keys"), place, invitation, token)
    picture = segno.make(content, error="m").svg_data_uri(border=2, scale=4, dark="#000", light="#fff")
    response = _step(call, enrolling.mine(call, uid), enrolling.FETCHED, code=picture)
    response.headers["Cache-Control"] = "no-store"
    return response


@signed_in()
def enrol_line(call: Call, uid: str) -> Response:
    """The line for the computer; an earlier one does not work any more."""
    if over := _over(enrolling.mine(call, uid)):
        return over
    command = enrolling.line(call, links(), uid)
    response = _step(call, enrolling.mine(call, uid), enrolling.FETCHED, command)
    response.headers["Cache-Control"] = "no-store"
    return response


@signed_in(write=True)
def enrol_profile(call: Call, uid: str) -> Response:
    """A profile of one's own, signed. Each download gives a new one; the first phone takes it all."""
    under = enrolling.mine(call, uid)
    if under.invitation.platform != Platform.IOS:
        raise NotFoundError(N_("This device needs no profile. Nothing was changed."))
    if over := _over(under):
        return over
    invitation = enrolling.fetched(call, uid)
    signer = SignerClient(settings().signer_socket)
    here = Here.of(
        settings().organisation, settings().gateway_base, authority(current_app).certificate, signer.phone_ca()
    )
    made = for_invitation(call, here, invitation, _consent())
    # The signer is a neighbour, and nothing leaves inside a transaction.
    call.session.commit()
    return Response(signer.sign_profile(made), content_type=MIME_TYPE, headers={"Cache-Control": "no-store"})


def _consent() -> tuple[tuple[str, str], ...]:
    """What whoever installs a profile agrees to, in every language of this page."""
    told = []
    for code in LANGUAGES:
        with force_locale(code):
            sentence = gettext(
                "The city looks after this device. It sees the system and the applications. It never sees your messages, "
                "your photos, or what you look at."
            )
        told.append((code, sentence))
    return (("default", dict(told)[settings().language]), *told)


@signed_in(write=None)
def enrol_stuck(call: Call, uid: str) -> Response:
    """Who helps: where, when, by which number; and a letter to them, once."""
    under = enrolling.mine(call, uid)
    asked = request.values.get("step", "1")
    number = max(1, min(int(asked), LAST[under.invitation.platform])) if asked in tuple("123456789") else 1
    if request.method == "POST":
        if enrolling.stuck(call, uid, number):
            flash(gettext("Your service point knows that you are stuck. They get in touch with you."), "sent")
        return make_response(redirect(url_for("enrol_stuck", uid=uid, step=number), 303))
    return page("enrol_stuck", under=under, number=number, helpers=asking.helpers(call, 3), spoken_names=LANGUAGES)


@signed_in()
def enrol_stop(call: Call, uid: str) -> Response:
    """Stops it; begun anew whenever one likes."""
    if enrolling.mine(call, uid).progress.standing is Standing.USED:
        flash(
            gettext("It is too late to stop: the device was faster. Ask your service point if you want it undone."),
            "error",
        )
        return make_response(redirect(url_for("enrol_step", uid=uid), 303))
    enrolling.stop(call, uid)
    flash(gettext("You stopped. Nothing was changed on your device."), "sent")
    return make_response(redirect(url_for("home"), 303))


ROUTES: tuple[Route, ...] = (
    ("/enrol", "enrol", enrol, GET),
    ("/enrol/begin", "enrol_begin", enrol_begin, BOTH),
    ("/enrol/<uid>", "enrol_step", enrol_step, GET),
    ("/enrol/<uid>/code", "enrol_code", enrol_code, POST),
    ("/enrol/<uid>/line", "enrol_line", enrol_line, POST),
    ("/enrol/<uid>/havenmeester.mobileconfig", "enrol_profile", enrol_profile, GET),
    ("/enrol/<uid>/stuck", "enrol_stuck", enrol_stuck, BOTH),
    ("/enrol/<uid>/stop", "enrol_stop", enrol_stop, POST),
)
