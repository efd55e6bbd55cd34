"""Loans for a person themselves, as the employees' page offers them: where, what is mine, reserve, cancel, extend.

Whoever calls has made sure who the person is; nothing here asks for a right of the desk, and nothing shows another person.
The rules are those of the desk: windows, limits, the wait list.
"""

from datetime import datetime

from sqlalchemy import select

from mdm.core.errors import N_, NotFoundError
from mdm.desk.loans import booking, room
from mdm.desk.loans.model import OPEN, LoanPlace, Reservation
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.storage.call import Call


def places(call: Call) -> list[tuple[LoanPlace, ServicePoint, list[str]]]:
    """Every place that lends now, by name, with the kinds of device that its pool has."""
    query = (
        select(LoanPlace, ServicePoint)
        .join(ServicePoint, ServicePoint.id == LoanPlace.service_point_id)
        .where(LoanPlace.closed_at.is_(None))
        .order_by(ServicePoint.name, ServicePoint.id)
    )
    found = call.session.execute(query).all()
    return [(row[0], row[1], room.kinds(call, row[1].id)) for row in found]


def anywhere(call: Call) -> bool:
    """Whether any place lends now: what a first page asks, with one statement."""
    return (
        call.session.scalar(select(LoanPlace.service_point_id).where(LoanPlace.closed_at.is_(None)).limit(1))
        is not None
    )


def mine(call: Call, person: Person) -> list[tuple[Reservation, ServicePoint]]:
    """What the person has reserved, waits for or has on loan, soonest first."""
    query = (
        select(Reservation, ServicePoint)
        .join(ServicePoint, ServicePoint.id == Reservation.service_point_id)
        .where(Reservation.person_id == person.id, Reservation.state.in_([state.value for state in OPEN]))
        .order_by(Reservation.begins_at, Reservation.id)
    )
    return [(row[0], row[1]) for row in call.session.execute(query)]


def reserve(
    call: Call,
    person: Person,
    *,
    service_point_id: int,
    kind: str,
    begins: datetime,
    ends: datetime,
    wait: bool = False,
    note: str = "",
    key: str = "",
) -> Reservation:
    """Reserves for the person themselves. Raises as ``service.reserve``, but for rights."""
    place = room.lock_place(call, service_point_id)
    return booking.book(call, place, person, kind=kind, begins=begins, ends=ends, wait=wait, note=note, key=key)


def cancel(call: Call, person: Person, uid: str) -> Reservation:
    """Takes the person's own reservation back; twice is like once.

    Raises NotFoundError for another's, ConflictError (``loan_ended``) for one that was collected or has ended otherwise.
    """
    row, place = _own(call, person, uid)
    return booking.cancel(call, place, row)


def extend(call: Call, person: Person, uid: str, ends: datetime) -> Reservation:
    """Lets the person's own loan end later, when nobody waits. Raises as ``service.extend``, NotFoundError for another's."""
    row, place = _own(call, person, uid)
    return booking.extend(call, place, row, ends)


def _own(call: Call, person: Person, uid: str) -> tuple[Reservation, LoanPlace]:
    row = call.session.scalar(select(Reservation).where(Reservation.uid == uid, Reservation.person_id == person.id))
    if row is None:
        raise NotFoundError(N_("There is no such reservation of yours."))
    place = room.lock_place(call, row.service_point_id)
    call.session.refresh(row)
    return row, place
