"""Reads of loans: at the actor's places only, by ``desk:view``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select

from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.desk.loans import room
from mdm.desk.loans.model import AHEAD, LadderStep, LoanPlace, LoanState, OverdueLoan, Reservation
from mdm.desk.loans.slots import most_at_once
from mdm.inventory.model import Device, LifeCycle, Ownership
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.scoping import within

KEEPS = tuple(state.value for state in (*AHEAD, LoanState.COLLECTED))
"""States in which a reservation has a place."""


@dataclass(frozen=True, slots=True)
class Booked:
    """One reservation with the names that people know."""

    row: Reservation
    person: Person
    device: Device | None


def places_select(call: Call) -> Select[LoanPlace]:
    """Places that lend and that the actor may see."""
    return select(LoanPlace).where(within(call.actor.scope(Permission.DESK_VIEW), LoanPlace.service_point_id, None))


def place(call: Call, service_point_id: int) -> LoanPlace:
    """One place that lends; NotFoundError when it lends nothing or is not the actor's."""
    found = call.session.scalar(places_select(call).where(LoanPlace.service_point_id == service_point_id))
    if found is None:
        raise room.no_place()
    return found


def place_by_code(call: Call, code: str) -> LoanPlace:
    """One place that lends, by the code of its service point; NotFoundError as ``place``."""
    query = places_select(call).join(ServicePoint, ServicePoint.id == LoanPlace.service_point_id)
    found = call.session.scalar(query.where(ServicePoint.code == code.strip().upper()))
    if found is None:
        raise room.no_place()
    return found


def offered(call: Call) -> list[tuple[LoanPlace, ServicePoint]]:
    """Places of the actor that lend, with their service points, by name."""
    query = (
        places_select(call)
        .join(ServicePoint, ServicePoint.id == LoanPlace.service_point_id)
        .add_columns(ServicePoint)
        .where(LoanPlace.closed_at.is_(None))
        .order_by(ServicePoint.name, ServicePoint.id)
    )
    return [(row[0], row[1]) for row in call.session.execute(query)]


def reservations_select(call: Call) -> Select[Reservation]:
    """Reservations at the actor's places."""
    scope = call.actor.scope(Permission.DESK_VIEW)
    return select(Reservation).where(within(scope, Reservation.service_point_id, None))


def reservation(call: Call, uid: str) -> Reservation:
    """One reservation; NotFoundError when it is not there or not the actor's."""
    found = call.session.scalar(reservations_select(call).where(Reservation.uid == uid))
    if found is None:
        raise NotFoundError(N_("There is no such reservation, or it is not at one of your places."))
    return found


def booked(call: Call, uid: str) -> Booked:
    """One reservation with its person and device; NotFoundError as ``reservation``."""
    row = reservation(call, uid)
    device = call.session.get(Device, row.device_id) if row.device_id else None
    return Booked(row, call.session.get_one(Person, row.person_id), device)


def of_person(call: Call, person_id: int) -> list[Reservation]:
    """What a person has reserved, waits for or has on loan by reservation, at the actor's places, soonest first."""
    query = reservations_select(call).where(
        Reservation.person_id == person_id, Reservation.state.in_((*KEEPS, LoanState.WAITING.value))
    )
    return list(call.session.scalars(query.order_by(Reservation.begins_at, Reservation.id)))


def for_pickup(call: Call, person_id: int, service_point_id: int) -> Reservation | None:
    """The reservation that a person most likely comes for now: at this place, not collected, the soonest one."""
    query = reservations_select(call).where(
        Reservation.person_id == person_id,
        Reservation.service_point_id == service_point_id,
        Reservation.state.in_([state.value for state in AHEAD]),
    )
    return call.session.scalar(query.order_by(Reservation.begins_at, Reservation.id).limit(1))


def position(call: Call, row: Reservation) -> int | None:
    """The place of a reservation on the wait list, 1 for the first; None when it does not wait."""
    if row.state != LoanState.WAITING:
        return None
    before = or_(
        Reservation.created_at < row.created_at,
        and_(Reservation.created_at == row.created_at, Reservation.id < row.id),
    )
    query = select(func.count(Reservation.id)).where(
        Reservation.service_point_id == row.service_point_id,
        Reservation.state == LoanState.WAITING.value,
        Reservation.begins_at < row.ends_at,
        Reservation.ends_at > row.begins_at,
        before,
    )
    return (call.session.scalar(query) or 0) + 1


def between(call: Call, service_point_id: int, begins: datetime, ends: datetime) -> list[Booked]:
    """What takes, took or waits for a place between two moments, by beginning; NotFoundError as ``place``."""
    place(call, service_point_id)
    shown = (*KEEPS, LoanState.WAITING.value, LoanState.RETURNED.value)
    query = (
        reservations_select(call)
        .where(
            Reservation.service_point_id == service_point_id,
            Reservation.begins_at < ends,
            Reservation.ends_at > begins,
            Reservation.state.in_(shown),
        )
        .join(Person, Person.id == Reservation.person_id)
        .outerjoin(Device, Device.id == Reservation.device_id)
        .add_columns(Person, Device)
        .order_by(Reservation.begins_at, Reservation.id)
        .limit(500)
    )
    return [Booked(row[0], row[1], row[2]) for row in call.session.execute(query)]


def to_prepare(call: Call, until: datetime) -> list[Booked]:
    """Reservations for which no device lies ready and one should by then, the most urgent first."""
    query = (
        reservations_select(call)
        .where(Reservation.state == LoanState.RESERVED.value, Reservation.prepare_by <= until)
        .join(Person, Person.id == Reservation.person_id)
        .add_columns(Person)
        .order_by(Reservation.prepare_by, Reservation.id)
        .limit(100)
    )
    return [Booked(row[0], row[1], None) for row in call.session.execute(query)]


def lendable(call: Call, row: Reservation) -> list[Device]:
    """Devices of the pool that could go out for this reservation now, by name."""
    promised = select(Reservation.device_id).where(
        Reservation.state == LoanState.PREPARED.value,
        Reservation.id != row.id,
        Reservation.device_id.is_not(None),
        Reservation.begins_at < row.ends_at,
        Reservation.ends_at > row.begins_at,
    )
    query = select(Device).where(
        within(call.actor.scope(Permission.DEVICE_VIEW), Device.service_point_id, Device.unit_id),
        Device.service_point_id == row.service_point_id,
        Device.ownership == Ownership.LOAN_POOL.value,
        Device.kind == row.kind,
        Device.state.in_((LifeCycle.IN_STOCK.value, LifeCycle.WIPED.value)),
        Device.id.not_in(promised),
    )
    return list(call.session.scalars(query.order_by(Device.name, Device.id).limit(100)))


def overdue_select(call: Call) -> Select[Any]:
    """Overdue loans that are still out, at the actor's places: row, device, person."""
    scope = call.actor.scope(Permission.DESK_VIEW)
    query: Any = (
        select(OverdueLoan, Device, Person)
        .join(Device, Device.id == OverdueLoan.device_id)
        .join(Person, Person.id == OverdueLoan.person_id)
        .where(OverdueLoan.closed_at.is_(None), within(scope, OverdueLoan.service_point_id, None))
    )
    found: Select[Any] = query
    return found


def overdue_loan(call: Call, number: int) -> OverdueLoan:
    """One overdue loan that is still out; NotFoundError when it is not there, came back, or is not the actor's."""
    found: OverdueLoan | None = call.session.scalar(overdue_select(call).where(OverdueLoan.id == number))
    if found is None:
        raise NotFoundError(N_("There is no such overdue loan, or it came back, or it is not at one of your places."))
    return found


def due(call: Call) -> int:
    """How many overdue loans wait for a decision whether to lock: for the strip of what needs somebody."""
    query = overdue_select(call).where(OverdueLoan.step == LadderStep.LOCK.value, OverdueLoan.decision == "")
    return call.session.scalar(query.with_only_columns(func.count(), maintain_column_froms=True)) or 0


def overbooked(call: Call, service_point_id: int, begins: datetime, ends: datetime) -> int:
    """How many reservations lie over each other at the most in that time: what a test of the rule asks."""
    windows = [
        (booked.row.begins_at, booked.row.ends_at)
        for booked in between(call, service_point_id, begins, ends)
        if booked.row.state in KEEPS
    ]
    return most_at_once(windows)


def reservations(
    call: Call,
    *,
    states: Sequence[str] = (),
    service_point_id: int | None = None,
    person_id: int | None = None,
    after: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> list[Reservation]:
    """One page of reservations by beginning; ``after`` is beginning and row id of the last one of the page before."""
    query = reservations_select(call)
    if states:
        query = query.where(Reservation.state.in_(states))
    if service_point_id is not None:
        query = query.where(Reservation.service_point_id == service_point_id)
    if person_id is not None:
        query = query.where(Reservation.person_id == person_id)
    if after is not None:
        begins, number = after
        query = query.where(
            or_(Reservation.begins_at > begins, and_(Reservation.begins_at == begins, Reservation.id > number))
        )
    return list(call.session.scalars(query.order_by(Reservation.begins_at, Reservation.id).limit(limit)))


def overdue(
    call: Call, *, step: str | None = None, after: int | None = None, limit: int = 50
) -> list[tuple[OverdueLoan, Device, Person]]:
    """One page of overdue loans by row id; ``after`` is the last one of the page before."""
    query = overdue_select(call)
    if step is not None:
        query = query.where(OverdueLoan.step == step)
    if after is not None:
        query = query.where(OverdueLoan.id > after)
    return [(row[0], row[1], row[2]) for row in call.session.execute(query.order_by(OverdueLoan.id).limit(limit))]


def overdue_count(call: Call) -> int:
    """How many loans should be back and are not, at the actor's places: as many as the list of them shows."""
    return call.session.scalar(overdue_select(call).with_only_columns(func.count(), maintain_column_froms=True)) or 0
