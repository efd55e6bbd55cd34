"""A SIM card or another numbered piece of kit that comes back without its device."""

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import N_, HavenmeesterError, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.custody import kit, returning
from mdm.people.model import Person
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.desk.frame import desk_page, worked_at
from web.console.desk.once import once
from web.console.pages.helpers import BOTH, Route, done, refused


@may(Permission.DESK_WORK)
def desk_take_piece(call: Call) -> Response:
    """Takes a SIM card or another numbered piece back without its device."""
    code = clean((request.form if request.method == "POST" else request.args).get("piece", ""), 64)
    return once(call, lambda: _take(call, code)) if request.method == "POST" else _show(call, code)


def _take(call: Call, code: str) -> Response:
    try:
        returning.take_piece(call, code, worked_at(call).id)
    except HavenmeesterError as error:
        return _show(call, code, refused(call, error))
    return done(gettext("%(piece)s is back in stock.", piece=code), url_for("desk", code=code))


def _show(call: Call, code: str, failure: Failure | None = None) -> Response:
    found = kit.piece(call, code)
    if found is None:
        raise NotFoundError(N_("There is no such piece, or it is not one of yours."))
    holder = call.session.get(Person, found.person_id) if found.person_id is not None else None
    wrong = failure.sentence if failure else ""
    response = desk_page(call, "desk/take_piece.html", piece=code, holder=holder, wrong=wrong)
    return failure.stamp(response) if failure else response


ROUTES: tuple[Route, ...] = (("/desk/take-piece", "desk_take_piece", desk_take_piece, BOTH),)
