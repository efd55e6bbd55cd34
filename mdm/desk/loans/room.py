"""Is there room, and taking it: the one place that writes half hours.

Whoever books holds the row of the place until the end of their transaction, so that two who come at once come one after the
other. The key of ``LoanSlot`` holds even for code that forgets to.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from mdm.core.errors import N_, ConflictError, NotFoundError
from mdm.desk.custody.model import Custody
from mdm.desk.loans.model import TOGETHER, LoanPlace, LoanSlot, Reservation
from mdm.desk.loans.slots import begin_of, free_numbers, slot_of, slots_of
from mdm.inventory.model import Device, LifeCycle, Ownership
from mdm.storage.call import Call

GONE = (LifeCycle.RETIRED.value, LifeCycle.LOST.value, LifeCycle.IN_REPAIR.value)
"""States in which a device of the pool cannot be counted upon."""
LATE = timedelta(days=1)
"""For how long from now a device that is overdue is not counted upon."""


@dataclass(frozen=True, slots=True)
class Full:
    """There is no room: what of (a kind, or the place as a whole), from when, and how many there may be."""

    what: str
    at: datetime
    most: int


def lock_place(call: Call, service_point_id: int) -> LoanPlace:
    """The place, held until the transaction ends; NotFoundError where nothing is lent."""
    query = select(LoanPlace).where(LoanPlace.service_point_id == service_point_id)
    place = call.session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if place is None:
        raise no_place()
    return place


def no_place() -> NotFoundError:
    """What is answered for a place that lends nothing, or is not the actor's."""
    return NotFoundError(N_("Nothing is lent at this place, or it is not one of yours."))


def pool_size(call: Call, place: LoanPlace, kind: str) -> int:
    """How many devices of the kind the pool has, those that are lost, broken or retired not counted."""
    query = select(func.count(Device.id)).where(
        Device.service_point_id == place.service_point_id,
        Device.ownership == Ownership.LOAN_POOL.value,
        Device.kind == kind,
        Device.state.not_in(GONE),
    )
    return call.session.scalar(query) or 0


def kinds(call: Call, service_point_id: int) -> list[str]:
    """The kinds of device that the pool has, in the order of the alphabet."""
    query = (
        select(Device.kind)
        .where(
            Device.service_point_id == service_point_id,
            Device.ownership == Ownership.LOAN_POOL.value,
            Device.state != LifeCycle.RETIRED.value,
        )
        .distinct()
        .order_by(Device.kind)
    )
    return list(call.session.scalars(query))


def take(call: Call, place: LoanPlace, row: Reservation, begins: datetime, ends: datetime) -> Full | None:
    """Takes every half hour of the window for the reservation, of its kind and of the place; or says where there is no room.

    Nothing is written when there is none. Raises ConflictError (``loan_full``) where the database knows better.
    """
    wanted = slots_of(begins, ends)
    if not wanted:
        return None
    lines: list[dict[str, int | str]] = []
    for what, room in _rooms(call, place, row.kind, wanted).items():
        numbers = free_numbers(wanted, taken(call, place.service_point_id, what, wanted), room)
        if isinstance(numbers, int):
            return Full(what, begin_of(numbers), room[numbers])
        lines += [
            {"service_point_id": place.service_point_id, "what": what, "slot": slot, "number": number}
            for slot, number in numbers
        ]
    # The reservation itself first: its half hours point at it.
    call.session.add(row)
    call.session.flush()
    try:
        call.session.execute(insert(LoanSlot), [{**line, "reservation_id": row.id} for line in lines])
    except IntegrityError as error:
        raise ConflictError(
            N_("Somebody else took the last place at this moment. Nothing was reserved."), code="loan_full"
        ) from error
    return None


def give_up(call: Call, row: Reservation, since: datetime | None = None) -> None:
    """Gives the half hours of the reservation back, all or those from a moment on."""
    query = delete(LoanSlot).where(LoanSlot.reservation_id == row.id)
    if since is not None:
        query = query.where(LoanSlot.slot >= slot_of(since))
    call.session.execute(query)


def taken(call: Call, service_point_id: int, what: str, wanted: range) -> dict[int, set[int]]:
    """Which numbers are taken in these half hours."""
    found: dict[int, set[int]] = defaultdict(set)
    rows = call.session.execute(
        select(LoanSlot.slot, LoanSlot.number).where(
            LoanSlot.service_point_id == service_point_id,
            LoanSlot.what == what,
            LoanSlot.slot >= wanted.start,
            LoanSlot.slot < wanted.stop,
        )
    )
    for slot, number in rows:
        found[slot].add(number)
    return found


def _rooms(call: Call, place: LoanPlace, kind: str, wanted: range) -> dict[str, dict[int, int]]:
    """What there may be at a time in each half hour: of the kind, and of the place where it has a limit."""
    out = _out_besides(call, place, kind)
    size = pool_size(call, place, kind)
    rooms = {kind: {slot: size - sum(slot < until for until in out) for slot in wanted}}
    if place.at_most is not None:
        rooms[TOGETHER] = dict.fromkeys(wanted, place.at_most)
    return rooms


def _out_besides(call: Call, place: LoanPlace, kind: str) -> list[int]:
    """Until which half hour devices of the pool are out that no reservation accounts for: lent over the counter, or late."""
    query = (
        select(Custody.due_at, Reservation.ends_at)
        .select_from(Custody)
        .join(Device, Device.id == Custody.device_id)
        .outerjoin(Reservation, Reservation.custody_id == Custody.id)
        .where(
            Custody.to_at.is_(None),
            Device.service_point_id == place.service_point_id,
            Device.ownership == Ownership.LOAN_POOL.value,
            Device.kind == kind,
            Device.state.not_in(GONE),
            or_(Reservation.id.is_(None), Reservation.ends_at < call.now),
        )
    )
    return [_back_by(call.now, due or ends) for due, ends in call.session.execute(query)]


def _back_by(now: datetime, due: datetime | None) -> int:
    """The half hour from which a device that is out is counted upon again; one without a due date never is."""
    if due is None:
        return slot_of(now + timedelta(days=100 * 366))
    return slot_of(max(due, now + LATE) if due < now else due)


def first_free(
    call: Call, place: LoanPlace, kind: str, length: timedelta, begins: Iterable[datetime]
) -> datetime | None:
    """The first of these beginnings from which there is room for so long, None where there is none."""
    offered = list(begins)
    if not offered:
        return None
    whole = slots_of(min(offered), max(offered) + length)
    rooms = _rooms(call, place, kind, whole)
    found = {what: taken(call, place.service_point_id, what, whole) for what in rooms}
    for moment in offered:
        wanted = slots_of(moment, moment + length)
        if all(not isinstance(free_numbers(wanted, found[what], room), int) for what, room in rooms.items()):
            return moment
    return None
