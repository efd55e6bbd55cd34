"""The holder's page: the link in a letter that says their device will be wiped, and the button that stops it."""

from flask import make_response, request
from flask.wrappers import Response
from flask_babel import force_locale

from mdm.orders import service
from mdm.orders.model import Order
from mdm.people.model import Person
from mdm.storage.call import Call
from web.common.guard import public
from web.common.language import LANGUAGES
from web.console.identity import settings
from web.console.pages.helpers import BOTH, Route, page


def _language_of(call: Call, order: Order) -> str:
    """The language in which the holder reads: their own, else the browser's, else the city's."""
    person = call.session.get(Person, order.holder_id) if order.holder_id is not None else None
    for one in (request.cookies.get("hm_language"), person.language if person else None):
        if one in LANGUAGES:
            return str(one)
    return request.accept_languages.best_match(list(LANGUAGES)) or settings().language


@public("the holder's link: whoever has the letter may stop the wipe of their device, once")
def pause(call: Call, secret: str) -> Response:
    """What is to happen, and the button; pressed, it has stopped. Opening the page changes nothing: mail is looked through."""
    order = service.pause(call, secret) if request.method == "POST" else service.paused_order(call, secret)
    language = _language_of(call, order)
    with force_locale(language):
        response = make_response(page("orders/pause.html", order=order, secret=secret, language=language))
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


ROUTES: tuple[Route, ...] = (("/pause/<secret>", "pause", pause, BOTH),)
