"""Colleagues who help, and guides: asking an ambassador, the ambassador's own page, reading, "did this help?"."""

from flask import flash, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import InvalidError, LimitedError
from mdm.guidance import asking, reading
from mdm.guidance.texts import spoken
from mdm.portal import own
from mdm.storage.call import Call
from web.common.failures import Failure, failure_of
from web.common.guard import signed_in
from web.portal.helpers import BOTH, GET, POST, Route, page, settings, text
from web.portal.language import LANGUAGES, chosen_language
from web.portal.words import QUESTION_STATES


@signed_in()
def help_(call: Call) -> Response:
    """Who helps: colleagues, what one asked them, the guides."""
    return page(
        "help",
        helpers=asking.helpers(call),
        asked=asking.mine(call),
        states=QUESTION_STATES,
        guides=reading.guides(call),
        spoken_names=LANGUAGES,
    )


@signed_in(write=None)
def help_ask(call: Call, uid: str) -> Response:
    """Asks one colleague something."""
    helper = asking.helper(call, uid)
    failure: Failure | None = None
    if request.method == "POST":
        try:
            address = settings().portal_base + url_for("ambassador")
            asking.ask(call, uid, text("text", 2000), address=address, device_uid=text("device", 32))
            flash(gettext("Your question was sent. You see the answer here."), "sent")
            return make_response(redirect(url_for("help"), 303))
        except (InvalidError, LimitedError) as error:
            failure = failure_of(error)
    response = page("help_ask", helper=helper, owns=own.devices_of(call), failure=failure, spoken_names=LANGUAGES)
    return failure.stamp(response) if failure else response


def _ambassador(call: Call, failure: Failure | None = None, about: str = "") -> Response:
    asked = asking.asked_me(call)
    me = asking.me_as_ambassador(call)
    response = page("ambassador", me=me, asked=asked, states=QUESTION_STATES, failure=failure, about=about)
    return failure.stamp(response) if failure else response


@signed_in()
def ambassador(call: Call) -> Response:
    """The ambassador's own page: what colleagues see of them, and what they were asked."""
    return _ambassador(call)


@signed_in()
def ambassador_agree(call: Call) -> Response:
    """What colleagues see."""
    shown = set(request.form.getlist("shown"))
    asking.agree(call, helps=text("helps") == "yes", phone="phone" in shown, email="email" in shown)
    flash(gettext("Saved."), "sent")
    return make_response(redirect(url_for("ambassador"), 303))


@signed_in()
def ambassador_question(call: Call, uid: str) -> Response:
    """Takes, answers or hands on one question."""
    step = text("step", 16)
    try:
        if step == "take":
            asking.take(call, uid)
        elif step == "desk":
            asking.pass_on(call, uid)
            flash(gettext("The service point has it now."), "sent")
        else:
            asking.answer(call, uid, text("answer", 2000))
            flash(gettext("Your answer was sent."), "sent")
    except InvalidError as error:
        return _ambassador(call, failure_of(error), uid)
    return make_response(redirect(url_for("ambassador"), 303))


@signed_in()
def guide(call: Call, uid: str) -> Response:
    """One guide."""
    found, helped = reading.guide(call, uid)
    return page("guide", guide=found, helped=helped)


@signed_in()
def guide_vote(call: Call, uid: str) -> Response:
    """Whether it helped: one tap."""
    found, _helped = reading.guide(call, uid)
    read_in = spoken(found.text or found.title, chosen_language())
    reading.vote(call, uid, helped=text("helped", 8) == "yes", language=read_in)
    return make_response(redirect(url_for("guide", uid=uid, _anchor="helped"), 303))


ROUTES: tuple[Route, ...] = (
    ("/help", "help", help_, GET),
    ("/help/<uid>", "help_ask", help_ask, BOTH),
    ("/ambassador", "ambassador", ambassador, GET),
    ("/ambassador/agree", "ambassador_agree", ambassador_agree, POST),
    ("/ambassador/<uid>", "ambassador_question", ambassador_question, POST),
    ("/guides/<uid>", "guide", guide, GET),
    ("/guides/<uid>/helped", "guide_vote", guide_vote, POST),
)
