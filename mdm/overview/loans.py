"""The lists of loans: reservations, and what is overdue."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true

from mdm.core.errors import N_
from mdm.core.permissions import Permission
from mdm.desk.loans.model import AHEAD, OPEN, LoanState, OverdueLoan, Reservation
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.overview import cells, desk_words, words
from mdm.overview.devices import places, point_of
from mdm.overview.listing import Column, Filter, Listing, any_id, any_of, any_place, text_order
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.scoping import has_words, within

WHEN = {
    "open": N_("Not ended"),
    "now": N_("Running now"),
    "today": N_("Begins or ends within 24 hours"),
    "prepare": N_("To prepare within 24 hours"),
    "late": N_("Not brought back in time"),
    "all": N_("At any time"),
}


def loans_of(call: Call) -> Select[Any]:
    """Reservations at the actor's places, with person, place and device."""
    return (
        select(Reservation.id)
        .join(Person, Person.id == Reservation.person_id)
        .join(ServicePoint, ServicePoint.id == Reservation.service_point_id)
        .outerjoin(Device, Device.id == Reservation.device_id)
        .where(within(call.actor.scope(Permission.DESK_VIEW), Reservation.service_point_id, None))
    )


def _words(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return and_(true(), *(or_(has_words(Person.search, value), has_words(Device.search, value)) for value in values))


def _when(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    ahead, now = Reservation.state.in_([state.value for state in AHEAD]), call.now
    out = Reservation.state == LoanState.COLLECTED.value
    tomorrow = now + timedelta(days=1)
    conditions = {
        "all": true(),
        "open": Reservation.state.in_([state.value for state in OPEN]),
        "now": or_(out, and_(ahead, Reservation.begins_at <= now, Reservation.ends_at > now)),
        "today": or_(
            and_(ahead, Reservation.begins_at.between(now, tomorrow)),
            and_(out, Reservation.ends_at.between(now, tomorrow)),
        ),
        "prepare": and_(Reservation.state == LoanState.RESERVED.value, Reservation.prepare_by <= tomorrow),
        "late": and_(out, Reservation.ends_at < now),
    }
    return or_(*(conditions[value] for value in values if value in conditions)) if values else true()


def standing(now: datetime) -> ColumnElement[str]:
    """The state as a list shows it: ``late`` for what should be back."""
    return case(
        (and_(Reservation.state == LoanState.COLLECTED.value, Reservation.ends_at < now), "late"),
        else_=Reservation.state,
    )


def _standing(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return standing(call.now).in_(values)


def loans(now: datetime) -> Listing:
    """The list of reservations as it stands now."""
    state = standing(now)
    return Listing(
        name="loans",
        permission=Permission.DESK_VIEW,
        base=loans_of,
        id=Reservation.id,
        sort="begins",
        extra=(
            Reservation.uid.label("_loan"),
            Reservation.person_id.label("_person_id"),
            Person.name.label("_name"),
            ServicePoint.name.label("_place"),
            func.coalesce(Device.uid, "").label("_uid"),
        ),
        columns=(
            Column("person", N_("Person"), Person.name, "loan", True, text_order(Person.name)),
            Column("state", N_("State"), state, "loan_state", True, state),
            Column("kind", N_("Kind"), Reservation.kind, "kind", True, Reservation.kind),
            Column(
                "service_point", N_("Service point"), ServicePoint.name, "text", True, text_order(ServicePoint.name)
            ),
            Column("begins", N_("From"), Reservation.begins_at, "moment", True, Reservation.begins_at),
            Column("ends", N_("Until"), Reservation.ends_at, "moment", True, Reservation.ends_at),
            Column("device", N_("Device"), Device.name, "device_link", True, text_order(Device.name)),
            Column("prepare_by", N_("Ready by"), Reservation.prepare_by, "moment", False, Reservation.prepare_by),
            Column("created", N_("Reserved"), Reservation.created_at, "seen", False, Reservation.created_at),
            Column("by", N_("Reserved by"), Reservation.created_by, "text", False, Reservation.created_by),
            Column("note", N_("Note"), Reservation.note, "text", False),
        ),
        filters=(
            Filter("q", N_("Search"), _words, shown=False),
            Filter("when", N_("When"), _when, words=WHEN),
            Filter("state", N_("State"), _standing, words=desk_words.LOAN_STATES),
            Filter("kind", N_("Kind"), any_of(Reservation.kind), words=words.KINDS),
            Filter(
                "service_point", N_("Service point"), any_place(Reservation.service_point_id, point_of), choices=places
            ),
            Filter("person", N_("Person"), any_id(Reservation.person_id), shown=False),
            Filter("device", N_("Device"), any_of(Device.uid), shown=False),
        ),
    )


def overdue_of(call: Call) -> Select[Any]:
    """Loans that should be back and are not, at the actor's places."""
    return (
        select(OverdueLoan.id)
        .join(Person, Person.id == OverdueLoan.person_id)
        .join(Device, Device.id == OverdueLoan.device_id)
        .outerjoin(ServicePoint, ServicePoint.id == OverdueLoan.service_point_id)
        .where(
            OverdueLoan.closed_at.is_(None),
            within(call.actor.scope(Permission.DESK_VIEW), OverdueLoan.service_point_id, None),
        )
    )


_DECISION = case((OverdueLoan.decision != "", OverdueLoan.decision), else_="")

OVERDUE = Listing(
    name="overdue-loans",
    permission=Permission.DESK_VIEW,
    base=overdue_of,
    id=OverdueLoan.id,
    sort="due",
    extra=(
        *cells.DEVICE,
        OverdueLoan.person_id.label("_person_id"),
        ServicePoint.name.label("_place"),
    ),
    columns=(
        Column("device", N_("Device"), Device.name, "overdue", True, text_order(Device.name)),
        Column("person", N_("Person"), Person.name, "person", True, text_order(Person.name)),
        Column("step", N_("Step"), OverdueLoan.step, "loan_step", True, OverdueLoan.step),
        Column("decision", N_("Decided"), _DECISION, "loan_decision", True, _DECISION),
        Column("due", N_("Due"), OverdueLoan.due_at, "seen", True, OverdueLoan.due_at),
        Column("service_point", N_("Service point"), ServicePoint.name, "text", True, text_order(ServicePoint.name)),
        Column("reminded", N_("Reminded"), OverdueLoan.reminded_at, "moment", False),
        Column("lead_told", N_("Team lead told"), OverdueLoan.lead_told_at, "moment", False),
        Column("lead", N_("Team lead"), OverdueLoan.lead_email, "text", False),
        Column("proposed", N_("Lock proposed"), OverdueLoan.proposed_at, "moment", False),
    ),
    filters=(
        Filter("q", N_("Search"), _words, shown=False),
        Filter("step", N_("Step"), any_of(OverdueLoan.step), words=desk_words.LOAN_STEPS),
        Filter("decision", N_("Decided"), any_of(_DECISION), words=desk_words.LOAN_DECISIONS),
        Filter("service_point", N_("Service point"), any_place(OverdueLoan.service_point_id, point_of), choices=places),
        Filter("person", N_("Person"), any_id(OverdueLoan.person_id), shown=False),
    ),
)
