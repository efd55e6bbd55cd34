"""The terms that people sign when they get a device: the city's own texts, a version for every change."""

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.desk.custody import terms as room
from mdm.overview import words
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.pages.helpers import GET, POST, Route, done, page, refused, text


def _show(call: Call, language: str, failure: Failure | None = None) -> Response:
    texts = room.shown(call)
    chosen = language if language in texts else next(iter(texts))
    response = page(
        "settings/terms.html",
        offered=[(one, words.LANGUAGES[one]) for one in texts],
        language=chosen,
        shown=texts[chosen],
        versions=room.versions(call, chosen),
        values=request.form if failure else {"title": texts[chosen].title, "text": texts[chosen].text},
        failure=failure,
        longest=room.MAX_TEXT,
    )
    return failure.stamp(response) if failure else response


@may(Permission.SETTINGS_VIEW)
def terms(call: Call) -> Response:
    """The text in force in one language, and its versions."""
    return _show(call, request.args.get("language", ""))


@may(Permission.ORG_MANAGE)
def terms_save(call: Call) -> Response:
    """Puts a new text in force."""
    language = text("language")
    try:
        made = room.save(call, language, text("title"), request.form.get("text", "").replace("\r\n", "\n"))
    except HavenmeesterError as error:
        return _show(call, language, refused(call, error))
    return done(
        gettext("Version %(version)s is in force from now on.", version=made.version),
        url_for("terms", language=made.language),
    )


ROUTES: tuple[Route, ...] = (
    ("/settings/terms", "terms", terms, GET),
    ("/settings/terms", "terms_save", terms_save, POST),
)
