"""Guides: what there is with "did this help?", writing one, taking one off the page."""

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.guidance import guides as service
from mdm.guidance.fitting import hosts
from mdm.guidance.guides import Draft
from mdm.guidance.model import Guide
from mdm.guidance.texts import said
from mdm.overview.words import KINDS, LANGUAGES, PLATFORMS
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.frame import translated
from web.console.identity import settings as configuration
from web.console.pages.helpers import BOTH, GET, POST, Route, done, page, refused, text


@may(Permission.GUIDANCE_VIEW)
def guides(call: Call) -> Response:
    """The list."""
    return page("guidance/guides.html", lines=service.guides(call), said=said, offered=LANGUAGES)


def _language() -> str:
    wanted = request.values.get("language", "nl")
    return wanted if wanted in LANGUAGES else "nl"


def _draft() -> Draft:
    place = text("position")
    return Draft(
        language=_language(),
        title=text("title"),
        text=text("text"),
        film=text("film"),
        platform=text("platform"),
        kind=text("kind"),
        model=text("model"),
        position=int(place) if place.isascii() and place.isdigit() and len(place) < 5 else -1,
    )


def _form(call: Call, found: Guide | None, failure: Failure | None = None) -> Response:
    response = page(
        "guidance/guide_form.html",
        guide=found,
        votes=service.votes(call, found) if found else [],
        language=_language(),
        offered=list(LANGUAGES.items()),
        platforms=translated(PLATFORMS),
        kinds=translated(KINDS),
        films=sorted(hosts(configuration().film_hosts)),
        values=request.form if failure else None,
        failure=failure,
        said=said,
        languages_of=LANGUAGES,
    )
    return failure.stamp(response) if failure else response


@may(Permission.GUIDANCE_MANAGE)
def guide_new(call: Call) -> Response:
    """Writes a new guide."""
    if request.method == "GET":
        return _form(call, None)
    try:
        made = service.create(call, _draft(), hosts(configuration().film_hosts))
    except HavenmeesterError as error:
        return _form(call, None, refused(call, error))
    return done(gettext("The guide was saved."), url_for("guide", uid=made.uid, language=_language()))


@may(Permission.GUIDANCE_MANAGE)
def guide(call: Call, uid: str) -> Response:
    """Writes one language of a guide, and what holds for all."""
    if request.method == "GET":
        return _form(call, service.guide(call, uid))
    try:
        service.edit(call, uid, _draft(), hosts(configuration().film_hosts))
    except HavenmeesterError as error:
        failure = refused(call, error)
        return _form(call, service.guide(call, uid), failure)
    return done(gettext("The guide was saved."), url_for("guide", uid=uid, language=_language()))


@may(Permission.GUIDANCE_MANAGE)
def guide_hide(call: Call, uid: str) -> Response:
    """Takes a guide off the employees' page, or puts it back."""
    service.hide(call, uid, hidden=text("step") != "show")
    return done(gettext("Saved."), url_for("guides"))


ROUTES: tuple[Route, ...] = (
    ("/guidance/guides", "guides", guides, GET),
    ("/guidance/guides/new", "guide_new", guide_new, BOTH),
    ("/guidance/guides/<uid>", "guide", guide, BOTH),
    ("/guidance/guides/<uid>/hide", "guide_hide", guide_hide, POST),
)
