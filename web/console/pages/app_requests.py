"""Who asked for which application, the answers, and what may be asked for."""

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import N_, HavenmeesterError, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.overview.words import LANGUAGES, PERSONAS, PLATFORMS
from mdm.portal import app_answers
from mdm.portal.model import AppState
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.frame import translated
from web.console.pages.helpers import BOTH, GET, POST, Route, done, page, refused, text

ANSWERED = (AppState.GRANTED, AppState.REFUSED, AppState.WITHDRAWN)
STEPS = {"grant": AppState.GRANTED, "refuse": AppState.REFUSED, "take": AppState.WITHDRAWN}


def _list(call: Call, failure: Failure | None = None, about: str = "") -> Response:
    answered = request.args.get("show") == "answered"
    response = page(
        "applications/requests.html",
        wishes=app_answers.wishes(call, ANSWERED if answered else (AppState.ASKED,)),
        answered=answered,
        waiting=app_answers.waiting(call),
        failure=failure,
        about=about,
        most=app_answers.SHOWN,
    )
    return failure.stamp(response) if failure else response


@may(Permission.APPLICATION_DECIDE)
def app_requests(call: Call) -> Response:
    """The wishes at the actor's places that wait, or those that were answered."""
    return _list(call)


@may(Permission.APPLICATION_DECIDE)
def app_request(call: Call, uid: str) -> Response:
    """The answer to one wish."""
    step = STEPS.get(text("step"))
    if step is None:
        raise NotFoundError(N_("There is no such answer."))
    try:
        app_answers.answer(call, uid, step, text("answer"))
    except HavenmeesterError as error:
        return _list(call, refused(call, error), uid)
    return done(
        gettext("The answer was sent."), url_for("app_requests", show="answered" if step == "withdrawn" else None)
    )


def _about() -> dict[str, str]:
    return {language: text(f"about_{language}") for language in LANGUAGES}


@may(Permission.POLICY_EDIT)
def app_offers(call: Call) -> Response:
    """What may be asked for; offering one more."""
    failure = None
    if request.method == "POST":
        try:
            made = app_answers.offer(
                call,
                name=text("name"),
                about=_about(),
                platform=text("platform"),
                identifier=text("identifier"),
                personas=request.form.getlist("personas"),
            )
            return done(gettext("%(name)s can be asked for now.", name=made.name), url_for("app_offers"))
        except HavenmeesterError as error:
            failure = refused(call, error)
    response = page(
        "applications/offers.html",
        offers=app_answers.offers(call),
        platforms=translated(PLATFORMS),
        personas=translated(PERSONAS),
        languages_=LANGUAGES,
        values=request.form,
        chosen=request.form.getlist("personas"),
        failure=failure,
    )
    return failure.stamp(response) if failure else response


@may(Permission.POLICY_EDIT, write=None)
def app_offer(call: Call, uid: str) -> Response:
    """What one is good for, by language, and who may ask for it; stopping to offer it, offering it again."""
    if request.method == "GET":
        return _offer(call, uid)
    if text("step") in ("close", "reopen"):
        app_answers.close(call, uid, closed=text("step") == "close")
        return done(gettext("Saved."), url_for("app_offers"))
    try:
        app_answers.edit(call, uid, about=_about(), personas=request.form.getlist("personas"))
    except InvalidError as error:
        failure = refused(call, error)
        return failure.stamp(_offer(call, uid, failure))
    return done(gettext("Saved."), url_for("app_offers"))


def _offer(call: Call, uid: str, failure: Failure | None = None) -> Response:
    found = app_answers.one(call, uid)
    said = app_answers.sentences(found)
    return page(
        "applications/offer.html",
        offer=found,
        personas=translated(PERSONAS),
        languages_=LANGUAGES,
        values=request.form if failure else {f"about_{language}": sentence for language, sentence in said.items()},
        chosen=request.form.getlist("personas") if failure else found.personas,
        failure=failure,
    )


ROUTES: tuple[Route, ...] = (
    ("/applications/requests", "app_requests", app_requests, GET),
    ("/applications/requests/<uid>", "app_request", app_request, POST),
    ("/applications/offers", "app_offers", app_offers, BOTH),
    ("/applications/offers/<uid>", "app_offer", app_offer, BOTH),
)
