"""Borrowing a device: what is mine and until when, reserving, staying longer, cancelling."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from flask import flash, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import N_, ConflictError, HavenmeesterError, InvalidError, NotFoundError
from mdm.desk.loans import own as loans_of
from mdm.desk.loans.model import AHEAD, LoanPlace, LoanState, Reservation
from mdm.org.model import ServicePoint
from mdm.people import employee
from mdm.storage.call import Call
from web.common.failures import Failure, failure_of
from web.common.guard import signed_in
from web.portal.helpers import BOTH, GET, Route, page, text
from web.portal.words import KINDS, LOAN_STATES

MAY_CANCEL = frozenset({*AHEAD, LoanState.WAITING})
MAY_EXTEND = frozenset({*AHEAD, LoanState.COLLECTED})


@signed_in()
def loans(call: Call) -> Response:
    """Everything that is reserved, waited for or borrowed."""
    mine = loans_of.mine(call, employee.me(call))
    return page("loans", mine=mine, states=LOAN_STATES, kinds=KINDS, may_cancel=MAY_CANCEL, may_extend=MAY_EXTEND)


@signed_in(write=None)
def loans_new(call: Call) -> Response:
    """Reserves a device: where, which kind, from when, until when."""
    places = [one for one in loans_of.places(call) if one[2]]
    if request.method == "GET":
        return _form(places)
    try:
        place, kind = _chosen(places)
        made = loans_of.reserve(
            call,
            employee.me(call),
            service_point_id=place.service_point_id,
            kind=kind,
            begins=_moment(place, "begins"),
            ends=_moment(place, "ends"),
            wait=bool(request.form.get("wait")),
            key=text("key", 64),
        )
    except HavenmeesterError as error:
        call.session.rollback()
        failure = failure_of(error)
        return failure.stamp(_form(loans_of.places(call), failure))
    waits = made.state == LoanState.WAITING
    flash(
        gettext("You are on the wait list. You get a letter.") if waits else gettext("It is reserved for you."), "sent"
    )
    return make_response(redirect(url_for("loans"), 303))


@signed_in(write=None)
def loan(call: Call, uid: str) -> Response:
    """One of one's own: until when, staying longer, cancelling."""
    row, point, place = _mine(call, uid)
    failure: Failure | None = None
    if request.method == "POST":
        me = employee.me(call)
        try:
            if text("step") == "cancel":
                loans_of.cancel(call, me, uid)
                flash(gettext("Your reservation was cancelled."), "sent")
            else:
                loans_of.extend(call, me, uid, _moment(place, "ends"))
                flash(gettext("You may keep it longer."), "sent")
            return make_response(redirect(url_for("loans"), 303))
        except (ConflictError, InvalidError) as error:
            call.session.rollback()
            failure = failure_of(error)
            row, point, place = _mine(call, uid)
    ends = row.ends_at.astimezone(ZoneInfo(place.zone))
    response = page(
        "loan",
        row=row,
        point=point,
        ends=ends,
        failure=failure,
        states=LOAN_STATES,
        kinds=KINDS,
        may_cancel=MAY_CANCEL,
        may_extend=MAY_EXTEND,
    )
    return failure.stamp(response) if failure else response


def _mine(call: Call, uid: str) -> tuple[Reservation, ServicePoint, LoanPlace]:
    for row, point in loans_of.mine(call, employee.me(call)):
        if row.uid == uid:
            return row, point, call.session.get_one(LoanPlace, row.service_point_id)
    raise NotFoundError(N_("There is no such reservation of yours, or it has ended."))


def _form(places: list[tuple[LoanPlace, ServicePoint, list[str]]], failure: Failure | None = None) -> Response:
    return page("loans_new", places=[one for one in places if one[2]], kinds=KINDS, failure=failure)


def _chosen(places: list[tuple[LoanPlace, ServicePoint, list[str]]]) -> tuple[LoanPlace, str]:
    """What was chosen is one word, ``7:laptop``: no kind can be chosen where it is not lent."""
    number, _colon, kind = text("what", 40).partition(":")
    for place, _point, kinds in places:
        if str(place.service_point_id) == number and kind in kinds:
            return place, kind
    raise InvalidError(N_("Nothing was sent yet."), fields={"what": N_("Choose what you need, and where.")})


def _moment(place: LoanPlace, name: str) -> datetime:
    """Day and hour of the form, as the clock on the wall of the place shows them."""
    try:
        day = date.fromisoformat(text(f"{name}_day", 10))
        hour = time.fromisoformat(text(f"{name}_hour", 8))
        return datetime.combine(day, hour.replace(tzinfo=None), ZoneInfo(place.zone))
    except ValueError as error:
        raise InvalidError(N_("Nothing was sent yet."), fields={f"{name}_at": N_("Give a day and an hour.")}) from error


ROUTES: tuple[Route, ...] = (
    ("/loans", "loans", loans, GET),
    ("/loans/new", "loans_new", loans_new, BOTH),
    ("/loans/<uid>", "loan", loan, BOTH),
)
