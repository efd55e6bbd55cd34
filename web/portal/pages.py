"""Every page of the employees' door."""

from datetime import date
from zoneinfo import ZoneInfo

from flask import current_app, flash, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.access import tries
from mdm.access.service import Visit
from mdm.adoption import reminders
from mdm.core.actor import ActorKind
from mdm.core.errors import N_, ConflictError, InvalidError, LimitedError
from mdm.desk.custody.photos import Files
from mdm.desk.loans import own as loans
from mdm.guidance import asking as asking_them
from mdm.guidance import playing, reading
from mdm.panic import location
from mdm.panic import own as panic
from mdm.people import employee
from mdm.people.model import Person
from mdm.portal import apps, asking, keys, own, sessions
from mdm.portal.model import Way
from mdm.privacy import own as privacy
from mdm.storage.call import Call
from mdm.storage.seal import Seal
from web.common.accessibility import statement
from web.common.failures import failure_of
from web.common.guard import public, signed_in
from web.common.person_export import as_zip
from web.common.sealed import SEAL
from web.portal import places
from web.portal.cookie import brought_cookie, give_cookie, over_tls, take_cookie
from web.portal.helpers import BOTH, GET, POST, Route, page, settings, text
from web.portal.language import COOKIE, LANGUAGES, chosen_language
from web.portal.words import APP_STATES, KINDS, LOAN_STATES

YEAR = 31_536_000
SENT = N_(
    "If we know this address, a letter with a link is on its way. Open it on this phone. Look in the junk mail too."
)
CODE_REFUSED = N_("This code is not right, or it was used already. Look at it again, or ask the desk for a new one.")
NOT_HERE = N_(
    "This device is reported lost already, or it is not in use any more. Nothing was sent. Ask your service point."
)
LINK_REFUSED = N_("This link was used already, or it is too old. Ask for a new one here.")


@public("the employees' first page")
def home(call: Call) -> Response:
    """The four cards of whoever is in; the way in for everybody else."""
    if call.actor.kind is not ActorKind.EMPLOYEE:
        return make_response(redirect(url_for("come_in"), 303))
    return page(
        "home",
        calling=panic.any_open(call),
        owns=own.devices_of(call),
        deeds=own.deeds(call, 3),
        wishes=apps.mine(call)[:3],
        app_states=APP_STATES,
        loans=loans.mine(call, employee.me(call)),
        lends=loans.anywhere(call),
        loan_states=LOAN_STATES,
        kinds=KINDS,
        quests=playing.mine(call),
        ambassador=asking_them.me_as_ambassador(call),
    )


@public("the ways in")
def come_in(call: Call) -> Response:
    """The two ways in that need nothing else: a link by e-mail, the code on a paper."""
    if call.actor.kind is ActorKind.EMPLOYEE:
        return make_response(redirect(url_for("home"), 303))
    return page("come_in")


@public("asking for a link by e-mail")
def ask_link(call: Call) -> Response:
    """Says the same whether or not somebody has this address."""
    visit = Visit(request.remote_addr)
    tries.braked(call, "", visit)
    email = text("email", 255)
    if not keys.ask_link(call, email, settings().portal_base + url_for("link", secret="")):
        # An unknown address counts as a wrong try, so that nobody asks a whole list.
        tries.note(call, "", visit, succeeded=False)
    flash(gettext(SENT), "sent")
    return make_response(redirect(url_for("come_in"), 303))


@public("the link of a letter", write=None)
def link(call: Call, secret: str) -> Response:
    """A page with one button: programs that look into letters follow links, and must not use this one up."""
    if request.method != "POST" and keys.works(call, secret, Way.MAIL):
        return page("link", secret=secret)
    person = keys.redeem(call, secret, Way.MAIL) if request.method == "POST" else None
    if person is None:
        flash(gettext(LINK_REFUSED), "error")
        return make_response(redirect(url_for("come_in"), 303))
    return _in(call, person, Way.MAIL)


@public("the code of a paper")
def code(call: Call) -> Response:
    """Lets in whoever types the code that the desk printed."""
    visit = Visit(request.remote_addr)
    try:
        tries.braked(call, "", visit)
    except LimitedError as error:
        failure = failure_of(error)
        return failure.stamp(page("come_in", sentence=failure.sentence))
    person = keys.redeem(call, keys.as_written(text("code", 64)), Way.PAPER)
    if person is None:
        tries.note(call, "", visit, succeeded=False)
        return page("come_in", 422, sentence=gettext(CODE_REFUSED), code=text("code", 64))
    return _in(call, person, Way.PAPER)


def _in(call: Call, person: Person, way: Way) -> Response:
    secret = sessions.start(call, person, way, brought_cookie())
    return places.forget(give_cookie(make_response(redirect(places.kept(), 303)), secret))


@signed_in()
def sign_out(call: Call) -> Response:
    """Ends this session, or all of one's own."""
    if request.form.get("everywhere"):
        asking.sign_out_everywhere(call)
    sessions.sign_out(call, brought_cookie() or "")
    return places.leave(take_cookie(make_response(redirect(url_for("come_in"), 303))))


@public("choosing a language")
def language(_call: Call) -> Response:
    """Keeps the language on this phone."""
    wanted = request.form.get("language", "")
    response = make_response(redirect(places.here(), 303))
    if wanted in LANGUAGES:
        response.set_cookie(COOKIE, wanted, max_age=YEAR, samesite="Lax", httponly=True, secure=over_tls(settings()))
    return response


@signed_in()
def device(call: Call, uid: str) -> Response:
    """One device: how it is, how to mend it, what is on it."""
    found = own.device(call, uid)
    mine = next(one for one in own.devices_of(call) if one.device.id == found.id)
    return page("device", own=mine, apps=own.applications(call, uid), guides=reading.for_device(call, found))


@signed_in()
def check(call: Call, uid: str) -> Response:
    """Asks the device for a fresh report."""
    asking.check_again(call, uid)
    flash(gettext("Your device was asked. Look again in a minute."), "sent")
    return make_response(redirect(url_for("device", uid=uid), 303))


@signed_in(write=None)
def lost(call: Call, uid: str) -> Response:
    """Reports the device lost or stolen: locked at once, then the questions."""
    found = own.device(call, uid)
    if request.method == "GET":
        return page("lost", device=found)
    try:
        case = asking.lost(
            call, uid, where=text("where", 255), when=_day("when"), stolen=request.form.get("stolen") == "yes"
        )
    except ConflictError:
        raise ConflictError(NOT_HERE, code="portal_not_in_use") from None
    return page("lost_done", device=found, case=case)


@signed_in(write=None)
def broken(call: Call, uid: str) -> Response:
    """Reports the device broken."""
    found = own.device(call, uid)
    if request.method == "GET":
        return page("broken", device=found)
    try:
        case = asking.broken(call, uid, text("account", 2000))
    except InvalidError as error:
        failure = failure_of(error)
        return failure.stamp(page("broken", device=found, failure=failure))
    except ConflictError:
        raise ConflictError(NOT_HERE, code="portal_not_in_use") from None
    return page("broken_done", device=found, case=case)


@signed_in(write=None)
def leaving(call: Call) -> Response:
    """Says when the last day is; who has said it is not asked again."""
    if request.method == "GET":
        known = own.leaving(call)
        return page("leaving_done" if known else "leaving", case=known, owns=own.devices_of(call))
    try:
        case = asking.leaving(call, _day("last_day"))
    except InvalidError as error:
        failure = failure_of(error)
        return failure.stamp(page("leaving", owns=own.devices_of(call), failure=failure))
    return page("leaving_done", case=case, owns=own.devices_of(call), other=case.last_day != _day("last_day"))


@signed_in()
def seen(call: Call) -> Response:
    """What the city sees and does not see, with the values of now, and who looked or acted."""
    return page(
        "seen",
        owns=(owns := own.devices_of(call)),
        parts={one.device.uid: own.said(call, one.device.uid) for one in owns},
        contact=settings().privacy_contact,
        deeds=own.deeds(call),
        kept=privacy.summary(call, settings()),
        reminders=reminders.own_reminders(call),
    )


@public("the link under a letter, by which there are no more reminders", write=None)
def off(call: Call, secret: str) -> Response:
    """No reminders any more, by one click: also by the button of a mail program, which sends no cookie (RFC 8058)."""
    if request.method == "GET":
        return page("off", secret=secret, wanted=reminders.reminders_by(call, secret).no_reminders_at is None)
    reminders.want_reminders(call, secret, wanted=False)
    return make_response(redirect(url_for("off", secret=secret), 303))


@public("the way back to reminders")
def off_back(call: Call, secret: str) -> Response:
    """Reminders again."""
    reminders.want_reminders(call, secret, wanted=True)
    return make_response(redirect(url_for("off", secret=secret), 303))


@signed_in()
def own_reminders(call: Call) -> Response:
    """Reminders, or none, by one's own choice."""
    reminders.want_own_reminders(call, wanted=request.form.get("wanted") == "yes")
    flash(gettext("Your choice is kept."), "sent")
    return make_response(redirect(url_for("seen"), 303))


@signed_in(write=True)
def take(call: Call) -> Response:
    """Everything that is kept of oneself, as a file: once a day."""
    try:
        seal: Seal = current_app.extensions[SEAL]
        taken = privacy.export_own(call, Files(settings().home, seal))
        taken.add("panic_place", location.mine(call, seal))
        return as_zip(taken, ZoneInfo(settings().timezone))
    except LimitedError as error:
        flash(failure_of(error).sentence, "error")
        return make_response(redirect(url_for("seen"), 303))


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return None


@public("the accessibility statement")
def accessibility(_call: Call) -> Response:
    """How far these pages can be used by everybody, and where to say that they cannot."""
    return page("accessibility", statement=statement("portal", chosen_language(), settings()))


ROUTES: tuple[Route, ...] = (
    ("/accessibility", "accessibility", accessibility, GET),
    ("/", "home", home, GET),
    ("/in", "come_in", come_in, GET),
    ("/in/mail", "ask_link", ask_link, POST),
    ("/in/code", "code", code, POST),
    ("/in/link/<secret>", "link", link, BOTH),
    ("/off/<secret>", "off", off, BOTH),
    ("/off/<secret>/back", "off_back", off_back, POST),
    ("/reminders", "own_reminders", own_reminders, POST),
    ("/out", "sign_out", sign_out, POST),
    ("/language", "language", language, POST),
    ("/seen", "seen", seen, GET),
    ("/seen/take", "take", take, POST),
    ("/leaving", "leaving", leaving, BOTH),
    ("/d/<uid>", "device", device, GET),
    ("/d/<uid>/check", "check", check, POST),
    ("/d/<uid>/lost", "lost", lost, BOTH),
    ("/d/<uid>/broken", "broken", broken, BOTH),
)
"""The table of all addresses."""
