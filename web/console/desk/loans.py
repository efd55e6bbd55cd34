"""Loans at the desk: the list, one reservation, reserving."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext
from sqlalchemy import or_

from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.custody.queries import custody_select
from mdm.desk.loans import pools as pooled
from mdm.desk.loans import queries, service
from mdm.desk.loans.model import LoanPlace, LoanState
from mdm.desk.loans.opening import local_moment, open_time
from mdm.desk.loans.slots import HALF_HOUR, begin_of, slot_of
from mdm.inventory.model import DeviceKind
from mdm.org.model import ServicePoint
from mdm.overview import words
from mdm.overview.loans import loans as listing
from mdm.people.model import Person
from mdm.people.queries import Filters, people, people_select
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console import lists
from web.console.desk.frame import desk_page
from web.console.desk.place import desk_place
from web.console.pages.helpers import BOTH, GET, POST, Route, done, number, refused, text

CANDIDATES = 9
EDITABLE = frozenset({LoanState.RESERVED, LoanState.PREPARED, LoanState.WAITING})


@may(Permission.DESK_VIEW)
def loans(call: Call) -> Response:
    """The list of reservations; where nothing is asked for, of those that have not ended."""
    if not request.args:
        return make_response(redirect(url_for("desk_loans", when="open"), 303))
    shown = lists.show(call, listing(call.now), "desk_loans")
    return desk_page(
        call, "desk/loans/list.html", list=shown, lends=bool(queries.offered(call)), decide=queries.due(call)
    )


@may(Permission.DESK_VIEW, write=True)
def loans_file(call: Call) -> Response:
    """The same as a file."""
    return lists.export(call, listing(call.now))


@may(Permission.DESK_VIEW)
def loan(call: Call, uid: str) -> Response:
    """One reservation."""
    return _loan(call, uid)


def _loan(call: Call, uid: str, failure: Failure | None = None) -> Response:
    shown = queries.booked(call, uid)
    row = shown.row
    place = queries.place(call, row.service_point_id)
    ahead = row.state in (LoanState.RESERVED, LoanState.PREPARED)
    response = desk_page(
        call,
        "desk/loans/loan.html",
        one=shown,
        row=row,
        at=call.session.get_one(ServicePoint, row.service_point_id),
        position=queries.position(call, row),
        lendable=queries.lendable(call, row) if ahead else [],
        custody=call.session.scalar(custody_select(call).filter_by(id=row.custody_id)) if row.custody_id else None,
        due=row.ends_at.astimezone(ZoneInfo(place.zone)),
        soon=row.begins_at <= call.now + timedelta(days=1),
        late=row.state == LoanState.COLLECTED and row.ends_at < call.now,
        works=call.actor.may(Permission.DESK_WORK, row.where),
        cancellable=row.state in EDITABLE,
        extendable=row.state in (LoanState.RESERVED, LoanState.PREPARED, LoanState.COLLECTED),
        values=request.form,
        failure=failure,
    )
    return failure.stamp(response) if failure else response


@may(Permission.DESK_WORK)
def loan_change(call: Call, uid: str) -> Response:
    """Lays a device ready, lets the loan end later, or cancels it."""
    here = url_for("desk_loan", uid=uid)
    try:
        step = text("step")
        if step == "cancel":
            service.cancel(call, uid, text("reason"))
            return done(gettext("The reservation was cancelled."), here)
        if step == "extend":
            place = queries.place(call, queries.reservation(call, uid).service_point_id)
            service.extend(call, uid, moment_field("ends", place))
            return done(gettext("The loan ends later now."), here)
        service.prepare(call, uid, text("device"))
    except HavenmeesterError as error:
        failure = refused(call, error)
        return _loan(call, uid, failure)
    return done(gettext("The device lies ready."), here)


def moment_field(name: str, place: LoanPlace) -> datetime:
    """A local date and time of the form as a moment; raises InvalidError, at the field, for anything else."""
    day, at = text(f"{name}_on"), text(f"{name}_at")
    field = f"{name}_at"
    try:
        return local_moment(datetime.fromisoformat(day).date(), time.fromisoformat(at), ZoneInfo(place.zone), field)
    except ValueError as error:
        sentence = N_("Choose a day and an hour.")
        raise InvalidError(sentence, fields={field: sentence}, code="moment_invalid") from error


@may(Permission.DESK_WORK)
def reserve(call: Call) -> Response:
    """Reserves: who, where, what, from when to when."""
    if request.method == "GET":
        return _reserve(call)
    try:
        person = _person(call)
        if person is None:
            return _reserve(call, candidates=_candidates(call))
        at = number("service_point_id")
        place = queries.place(call, at or 0)
        row = service.reserve(
            call,
            person.id,
            service_point_id=place.service_point_id,
            kind=text("kind"),
            begins=moment_field("begins", place),
            ends=moment_field("ends", place),
            wait=text("wait") == "yes",
            note=text("note"),
            key=text("key"),
        )
    except HavenmeesterError as error:
        failure = refused(call, error)
        return _reserve(call, failure)
    sentence = (
        gettext("%(name)s is on the wait list.", name=person.name)
        if row.state == LoanState.WAITING
        else gettext("It is reserved for %(name)s.", name=person.name)
    )
    return done(sentence, url_for("desk_loan", uid=row.uid))


def _person(call: Call) -> Person | None:
    """Who it is for: chosen from a list, or by badge, number, or a name that only one person here has."""
    chosen = number("person_id")
    if chosen:
        return _by_id(call, chosen)
    entry = clean(text("person"), 100)
    if not entry:
        return None
    exact = or_(Person.number == entry, Person.badge == entry, Person.email == entry.lower())
    found = call.session.scalars(people_select(call).where(exact).limit(2)).all()
    found = found or people(call, Filters(search=entry), limit=2)
    return found[0] if len(found) == 1 else None


def _by_id(call: Call, key: int | None) -> Person | None:
    """The person with this row id at the clerk's places; None for nobody."""
    return call.session.scalar(people_select(call).where(Person.id == key)) if key is not None else None


def _candidates(call: Call) -> list[Person]:
    entry = clean(text("person"), 100)
    found = people(call, Filters(search=entry), limit=CANDIDATES) if entry else []
    if not found:
        sentence = N_("Nobody here is known by that. Scan the badge, or type a name or number.")
        raise InvalidError(sentence, fields={"person": sentence}, code="person_unknown")
    return found


def _reserve(call: Call, failure: Failure | None = None, candidates: list[Person] | None = None) -> Response:
    offered, values = queries.offered(call), request.form if request.method == "POST" else request.args
    mine = desk_place(call)
    wanted = values.get("service_point_id", "")
    chosen = next((one for one in offered if str(one[0].service_point_id) == wanted), None)
    chosen = (
        chosen or next((one for one in offered if mine and one[1].id == mine.id), None) or next(iter(offered), None)
    )
    begins, ends = _suggested(call, *chosen) if chosen else (call.now, call.now)
    status = failure.status if failure else 200
    response = desk_page(
        call,
        "desk/loans/reserve.html",
        status,
        offered=offered,
        chosen=chosen[1].id if chosen else None,
        kinds=[(kind.value, words.KINDS[kind.value]) for kind in _kinds(call, chosen)],
        begins=begins,
        ends=ends,
        values=values,
        who=_by_id(call, number("person_id", values)) if not failure or values.get("person_id") else None,
        candidates=candidates,
        full=failure is not None and failure.code == "loan_full",
        failure=failure,
    )
    return failure.stamp(response) if failure else response


def _kinds(call: Call, chosen: tuple[LoanPlace, ServicePoint] | None) -> list[DeviceKind]:
    """The kinds that the chosen place has first, then the others: without script the page cannot follow a choice."""
    here = next((line.kinds for line in pooled.pools(call, only=chosen[1].id)), []) if chosen else []
    first = [DeviceKind(line.kind) for line in here]
    return [*first, *(kind for kind in (DeviceKind.LAPTOP, DeviceKind.TABLET, DeviceKind.PHONE) if kind not in first)]


def _suggested(call: Call, place: LoanPlace, point: ServicePoint) -> tuple[datetime, datetime]:
    """The next half hour at which somebody is there, and the close of that day."""
    zone = ZoneInfo(place.zone)
    since = begin_of(slot_of(call.now) + 1)
    begin, end = next(
        ((begin, end) for begin, end in open_time(point.opening_hours, since, zone, 14) if end - begin >= HALF_HOUR),
        (since, since + timedelta(hours=4)),
    )
    return begin_of(slot_of(begin + HALF_HOUR - timedelta(seconds=1))).astimezone(zone), end.astimezone(zone)


ROUTES: tuple[Route, ...] = (
    ("/desk/loans", "desk_loans", loans, GET),
    ("/desk/loans/file", "desk_loans_file", loans_file, GET),
    ("/desk/loans/reserve", "desk_reserve", reserve, BOTH),
    ("/desk/loans/<uid>", "desk_loan", loan, GET),
    ("/desk/loans/<uid>/change", "desk_loan_change", loan_change, POST),
)
