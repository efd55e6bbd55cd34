"""The link of an SMS or a letter: whoever got it says that they are coming, without signing in."""

from flask import make_response, request
from flask.wrappers import Response
from flask_babel import force_locale

from mdm.access.model import Operator
from mdm.panic import queries, service
from mdm.panic.model import PanicCall
from mdm.storage.call import Call
from web.common.guard import public
from web.common.language import LANGUAGES
from web.console.identity import settings
from web.console.pages.helpers import BOTH, Route, page
from web.console.panic.bar import changed


@public("the link that only somebody on duty got: who called for help, and one button")
def panic_come(call: Call, secret: str) -> Response:
    """Who needs help, where; and the button. Opening the page changes nothing: messages are looked through by machines."""
    alarm, told = service.by_link(call, secret)
    if request.method == "POST":
        alarm = service.acknowledge_by_link(call, secret)
        changed()
    language = _language_of(call, told)
    with force_locale(language):
        shown = page(
            "panic/come.html",
            alarm=alarm,
            told=told,
            place_name=queries.places_of(call, [alarm])[alarm.id],
            secret=secret,
            language=language,
        )
    response = make_response(shown)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _language_of(call: Call, told: PanicCall) -> str:
    operator = call.session.get(Operator, told.operator_id) if told.operator_id else None
    for one in (request.cookies.get("hm_language"), operator.language if operator else None):
        if one in LANGUAGES:
            return str(one)
    return request.accept_languages.best_match(list(LANGUAGES)) or settings().language


ROUTES: tuple[Route, ...] = (("/panic/come/<secret>", "panic_come", panic_come, BOTH),)
