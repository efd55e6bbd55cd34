"""The quest of the first week: taking part, the assignments with a ring, a colleague's code, the draw."""

from flask import flash, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.guidance import playing
from mdm.storage.call import Call
from web.common.guard import signed_in
from web.portal.helpers import BOTH, GET, POST, Route, page, text


@signed_in(write=True)
def quests(call: Call) -> Response:
    """The quests that are for this person, with what their devices say as of now."""
    playing.look(call)
    return page("quest", quests=playing.mine(call), by_itself=playing.by_itself)


@signed_in()
def quest_join(call: Call, uid: str) -> Response:
    """Takes part, or no more."""
    if text("step") == "leave":
        playing.leave(call, uid)
        flash(gettext("You do not take part any more. Your progress was deleted."), "sent")
    else:
        playing.join(call, uid)
    return _back()


@signed_in()
def quest_word(call: Call, uid: str, number: int) -> Response:
    """One's own word for an assignment."""
    playing.give_word(call, uid, number)
    return _back(uid, number)


@signed_in(write=True)
def quest_open(call: Call, uid: str, number: int) -> Response:
    """On to the address of an assignment; that somebody went there is noted."""
    return make_response(redirect(playing.visit(call, uid, number), 303))


@signed_in()
def quest_helped(call: Call, uid: str, number: int) -> Response:
    """The code of a colleague who was helped."""
    if not playing.helped(call, uid, number, text("code", 32)):
        flash(gettext("This code does not fit. Ask your colleague for a new one."), "error")
    return _back(uid, number)


@signed_in()
def quest_consent(call: Call, uid: str) -> Response:
    """In the draw, or not."""
    playing.consent(call, uid, given=text("given") == "yes")
    return _back()


@signed_in(write=None)
def thanks(call: Call) -> Response:
    """For somebody who was helped: the code that they show."""
    found = playing.show_code(call) if request.method == "POST" else None
    return page("thanks", code=found)


def _back(uid: str = "", number: int = 0) -> Response:
    return make_response(redirect(url_for("quests", _anchor=f"task-{uid}-{number}" if number else None), 303))


ROUTES: tuple[Route, ...] = (
    ("/quest", "quests", quests, GET),
    ("/quest/<uid>/join", "quest_join", quest_join, POST),
    ("/quest/<uid>/<int:number>/word", "quest_word", quest_word, POST),
    ("/quest/<uid>/<int:number>/open", "quest_open", quest_open, GET),
    ("/quest/<uid>/<int:number>/helped", "quest_helped", quest_helped, POST),
    ("/quest/<uid>/consent", "quest_consent", quest_consent, POST),
    ("/thanks", "thanks", thanks, BOTH),
)
