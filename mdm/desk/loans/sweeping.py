"""What time does to reservations, for the clock: returned, released, expired, to be prepared, moved up."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session, aliased

from mdm.core.actor import require
from mdm.core.permissions import Permission
from mdm.desk.custody.model import Custody
from mdm.desk.loans import booking, opening, room, telling
from mdm.desk.loans.model import AHEAD, LoanPlace, LoanState, OverdueLoan, Reservation
from mdm.inventory.model import Device, Ownership
from mdm.org.model import ServicePoint
from mdm.storage.call import Call

EARLY = timedelta(days=1)
"""So long before its time a loan of the counter is taken for the reserved one."""
other = aliased(Reservation)
TELL_BEFORE = timedelta(days=1)
"""So long before a device must lie ready its keeper is told."""


def places_to_sweep(call: Call) -> list[int]:
    """Places at which something is open. One transaction for each: a place is locked only while it is looked at."""
    require(call.actor, Permission.DESK_WORK)
    open_states = [state.value for state in (*AHEAD, LoanState.WAITING, LoanState.COLLECTED)]
    query = select(Reservation.service_point_id).where(Reservation.state.in_(open_states)).distinct()
    return list(call.session.scalars(query.order_by(Reservation.service_point_id)))


def sweep(call: Call, service_point_id: int) -> int:
    """Looks at one place; how many reservations changed."""
    require(call.actor, Permission.DESK_WORK)
    place = room.lock_place(call, service_point_id)
    point = call.session.get_one(ServicePoint, service_point_id)
    changed = (
        tie(call, place)
        + close_returned(call, place)
        + _release(call, place, point)
        + len(booking.move_up(call, place))
        + _expire(call, place)
    )
    _tell_keeper(call, place)
    return changed


def tie(call: Call, place: LoanPlace) -> int:
    """Ties loans of the counter to the reservations that they fulfil: the same person, a device of the kind from this pool."""
    query = (
        select(Reservation, Custody)
        .join(Custody, Custody.person_id == Reservation.person_id)
        .join(Device, Device.id == Custody.device_id)
        .where(
            Reservation.service_point_id == place.service_point_id,
            Reservation.state.in_([state.value for state in AHEAD]),
            Reservation.begins_at <= call.now + EARLY,
            Custody.loan.is_(True),
            Custody.to_at.is_(None),
            Custody.from_at >= Reservation.created_at,
            Device.kind == Reservation.kind,
            Device.service_point_id == place.service_point_id,
            Device.ownership == Ownership.LOAN_POOL.value,
            ~exists().where(other.custody_id == Custody.id),
        )
        .order_by(Reservation.begins_at, Reservation.id)
    )
    rows: set[int] = set()
    custodies: set[int] = set()
    for row, custody in call.session.execute(query).all():
        if row.id not in rows and custody.id not in custodies:
            rows.add(row.id)
            custodies.add(custody.id)
            booking.follow(call, row, custody)
            # The counter knows the day at most, the reservation knows the hour.
            custody.due_at = row.ends_at
    return len(rows)


def close_returned(call: Call, place: LoanPlace) -> int:
    """Closes reservations whose device was taken in, over whichever counter; and loans that became hand-outs for good."""
    query = (
        select(Reservation, Custody)
        .outerjoin(Custody, Custody.id == Reservation.custody_id)
        .where(
            Reservation.service_point_id == place.service_point_id,
            Reservation.state == LoanState.COLLECTED.value,
            or_(Custody.id.is_(None), Custody.to_at.is_not(None)),
        )
    )
    found = call.session.execute(query).all()
    for row, custody in found:
        booking.end(call, place, row, LoanState.RETURNED)
        if custody is not None:
            row.finished_at = custody.to_at
        booking.record(call, "loan.returned", row, {"device": row.device_id})
    return len(found)


def _release(call: Call, place: LoanPlace, point: ServicePoint) -> int:
    """Releases what nobody came for within the opening hours that it is kept."""
    kept, zone = timedelta(hours=place.no_show_hours), ZoneInfo(place.zone)
    query = select(Reservation).where(
        Reservation.service_point_id == place.service_point_id,
        Reservation.state.in_([state.value for state in AHEAD]),
        Reservation.begins_at < call.now,
    )
    released = 0
    for row in call.session.scalars(query).all():
        until = opening.after_open_time(point.opening_hours, row.begins_at, zone, kept)
        if call.now >= min(until, row.ends_at):
            booking.end(call, place, row, LoanState.NO_SHOW)
            booking.record(call, "loan.released", row, {})
            telling.tell_person(call, place, row, "no_show")
            released += 1
    return released


def _expire(call: Call, place: LoanPlace) -> int:
    """Ends the waiting of those whose time has begun without a place for them."""
    query = select(Reservation).where(
        Reservation.service_point_id == place.service_point_id,
        Reservation.state == LoanState.WAITING.value,
        Reservation.begins_at <= call.now,
    )
    rows = call.session.scalars(query).all()
    for row in rows:
        booking.end(call, place, row, LoanState.EXPIRED)
        booking.record(call, "loan.expired", row, {})
        telling.tell_person(call, place, row, "expired")
    return len(rows)


def _tell_keeper(call: Call, place: LoanPlace) -> None:
    """Writes once to the keeper for each device that must lie ready within a day."""
    query = select(Reservation).where(
        Reservation.service_point_id == place.service_point_id,
        Reservation.state == LoanState.RESERVED.value,
        Reservation.prepare_told_at.is_(None),
        Reservation.prepare_by <= call.now + TELL_BEFORE,
    )
    for row in call.session.scalars(query).all():
        row.prepare_told_at = call.now
        telling.tell_keeper(call, place, row, "prepare")


def forget(session: Session, before: datetime, limit: int = 1000) -> int:
    """Forgets up to ``limit`` reservations that ended before then, and loans that were late before then; how many.

    Who had which device stays in custody, for as long as that is kept.
    """
    old = session.scalars(select(Reservation.id).where(Reservation.finished_at < before).limit(limit)).all()
    session.execute(delete(Reservation).where(Reservation.id.in_(old)))
    late = session.scalars(select(OverdueLoan.id).where(OverdueLoan.closed_at < before).limit(limit)).all()
    session.execute(delete(OverdueLoan).where(OverdueLoan.id.in_(late)))
    return len(old) + len(late)
