"""Loans that were not brought back: the list with the ladder's step, and the decision whether to lock."""

from typing import Any

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.desk.loans import overdue as ladder
from mdm.desk.loans import queries
from mdm.desk.loans.model import LadderStep, LockDecision, OverdueLoan
from mdm.inventory.model import Device
from mdm.overview.loans import OVERDUE
from mdm.people.model import Person
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console import lists
from web.console.desk.frame import desk_page
from web.console.pages.helpers import GET, POST, Route, done, refused, text


@may(Permission.DESK_VIEW)
def overdue(call: Call) -> Response:
    """The list."""
    return desk_page(call, "desk/loans/overdue.html", list=lists.show(call, OVERDUE, "desk_overdue"))


@may(Permission.DESK_VIEW, write=True)
def overdue_file(call: Call) -> Response:
    """The same as a file."""
    return lists.export(call, OVERDUE)


@may(Permission.DESK_VIEW)
def overdue_loan(call: Call, number: int) -> Response:
    """One of them, with what was done so far."""
    return _one(call, number)


def _one(call: Call, key: int, failure: Failure | None = None) -> Response:
    row = queries.overdue_loan(call, key)
    reservation = call.session.scalar(queries.reservations_select(call).filter_by(custody_id=row.custody_id))
    response = desk_page(
        call,
        "desk/loans/overdue_loan.html",
        row=row,
        device=call.session.get_one(Device, row.device_id),
        person=call.session.get_one(Person, row.person_id),
        reservation=reservation,
        open=row.step == LadderStep.LOCK and row.decision == LockDecision.OPEN,
        works=call.actor.may(Permission.DESK_WORK, row.where),
        steps=_steps(row),
        values=request.form,
        failure=failure,
    )
    return failure.stamp(response) if failure else response


def _steps(row: OverdueLoan) -> list[tuple[str, Any]]:
    """Each step of the ladder with the moment at which it was taken, None for one that has not come."""
    return [
        ("reminded", row.reminded_at),
        ("lead", row.lead_told_at),
        ("lock", row.proposed_at),
    ]


@may(Permission.DESK_WORK)
def overdue_decide(call: Call, number: int) -> Response:
    """Confirms the proposed lock, or turns it down."""
    try:
        if text("step") == "lock":
            ladder.lock(call, number, text("reason"))
            sentence = gettext("The device gets the command to lock itself.")
        else:
            ladder.spare(call, number, text("reason"))
            sentence = gettext("The device is not locked. The loan stays on this list until it is back.")
    except HavenmeesterError as error:
        failure = refused(call, error)
        return _one(call, number, failure)
    return done(sentence, url_for("desk_overdue"))


ROUTES: tuple[Route, ...] = (
    ("/desk/loans/overdue", "desk_overdue", overdue, GET),
    ("/desk/loans/overdue/file", "desk_overdue_file", overdue_file, GET),
    ("/desk/loans/overdue/<int:number>", "desk_overdue_loan", overdue_loan, GET),
    ("/desk/loans/overdue/<int:number>/decide", "desk_overdue_decide", overdue_decide, POST),
)
