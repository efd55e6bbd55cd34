"""Booking, moving up and ending, for whoever has asked for the right already: a clerk, the clock, a person for themselves.

The place must be locked (``room.lock_place``) by the caller.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.ids import new_uid
from mdm.core.text import clean
from mdm.desk.custody import lending
from mdm.desk.custody.model import Custody
from mdm.desk.loans import opening, room, telling, window
from mdm.desk.loans.model import AHEAD, OPEN, TOGETHER, LoanPlace, LoanState, Reservation
from mdm.desk.loans.slots import begin_of, slot_of
from mdm.inventory.model import DeviceKind
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.storage.call import Call

LONGEST_KEY = 128
MOST_EACH = 10
"""Reservations that one person may have open at a time, so that nobody keeps a pool for themselves."""


def book(
    call: Call,
    place: LoanPlace,
    person: Person,
    *,
    kind: str,
    begins: datetime,
    ends: datetime,
    wait: bool = False,
    note: str = "",
    key: str = "",
) -> Reservation:
    """Makes the reservation and tells the person. Raises as ``service.reserve``."""
    before = _same(call, place, person, key)
    if before is not None:
        return before
    point = call.session.get_one(ServicePoint, place.service_point_id)
    _check(call, place, point, person, kind)
    window.checked(place, point.opening_hours, point.closed_on, begins, ends, call.now)
    _refuse_more(call, person, kind, begins, ends)
    row = Reservation(
        uid=new_uid(),
        service_point_id=place.service_point_id,
        kind=kind,
        person_id=person.id,
        begins_at=begins,
        ends_at=ends,
        state=LoanState.RESERVED.value,
        note=clean(note, 500, lines=True),
        created_by=clean(call.actor.name),
        created_at=call.now,
        key=key or None,
        prepare_by=opening.prepare_by(
            point.opening_hours,
            begins,
            ZoneInfo(place.zone),
            place.prepare_days,
            call.now.replace(second=0, microsecond=0),
        ),
    )
    full = room.take(call, place, row, begins, ends)
    if full is not None:
        if not wait:
            raise full_error(call, place, kind, full, begins, ends)
        row.state = LoanState.WAITING.value
        call.session.add(row)
        call.session.flush()
    record(call, "loan.waiting" if full else "loan.reserved", row, {"kind": kind, "person": person.id})
    telling.tell_person(call, place, row, "waiting" if full else "reserved")
    return row


def _same(call: Call, place: LoanPlace, person: Person, key: str) -> Reservation | None:
    """The reservation that this key made before; ConflictError where it was for somebody or somewhere else."""
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise InvalidError(N_("An idempotency key has 1 to 128 printable characters."), code="idempotency_key_invalid")
    found = call.session.scalar(select(Reservation).where(Reservation.key == key)) if key else None
    if found is not None and (found.person_id, found.service_point_id) != (person.id, place.service_point_id):
        raise ConflictError(
            N_("This idempotency key was used for another request. Nothing was changed; use a new key."),
            code="idempotency_key_reused",
        )
    return found


def _check(call: Call, place: LoanPlace, point: ServicePoint, person: Person, kind: str) -> None:
    if place.closed_at is not None or (point.closed_on is not None and point.closed_on <= call.now.date()):
        raise ConflictError(N_("This place does not lend any more. Nothing was reserved."), code="loan_place_closed")
    if kind not in set(DeviceKind):
        sentence = N_("Choose from phone, tablet, laptop and kiosk.")
        raise InvalidError(sentence, fields={"kind": sentence}, code="loan_kind")
    if person.left_on is not None and person.left_on <= call.now.date():
        raise ConflictError(
            N_("%(name)s has left, so nothing can be reserved for them."), code="person_left", name=person.name
        )


def _refuse_more(call: Call, person: Person, kind: str, begins: datetime, ends: datetime) -> None:
    mine = call.session.scalars(
        select(Reservation).where(
            Reservation.person_id == person.id, Reservation.state.in_([state.value for state in OPEN])
        )
    ).all()
    if any(one.kind == kind and one.begins_at < ends and one.ends_at > begins for one in mine):
        raise ConflictError(
            N_("%(name)s has a reservation of this kind in that time already. Nothing was reserved."),
            code="loan_twice",
            name=person.name,
        )
    if len(mine) >= MOST_EACH:
        raise ConflictError(
            N_("%(name)s has %(count)s open reservations, and nobody may have more. Nothing was reserved."),
            code="loan_many",
            name=person.name,
            count=len(mine),
        )


def full_error(
    call: Call, place: LoanPlace, kind: str, full: room.Full, begins: datetime, ends: datetime
) -> ConflictError:
    """What is answered where there is no room: what is full and when, and from when on there is room for as long."""
    zone = ZoneInfo(place.zone)
    if full.what != TOGETHER and full.most < 1:
        return ConflictError(
            N_("No device of this kind can be lent at this place at that time. Nothing was reserved."), code="loan_full"
        )
    point = call.session.get_one(ServicePoint, place.service_point_id)
    offered = window.beginnings(place, point.opening_hours, begins, ends - begins)
    free = room.first_free(call, place, kind, ends - begins, offered)
    at = f"{full.at.astimezone(zone):%Y-%m-%d %H:%M}"
    if free is None:
        return ConflictError(
            N_("Full on %(at)s: at most %(most)s at a time. Nothing was reserved; you can join the wait list."),
            code="loan_full",
            most=full.most,
            at=at,
        )
    return ConflictError(
        N_(
            "Full on %(at)s: at most %(most)s at a time. Nothing was reserved; there is room from %(free)s on, or you can "
            "join the wait list."
        ),
        code="loan_full",
        free=f"{free.astimezone(zone):%Y-%m-%d %H:%M}",
        most=full.most,
        at=at,
    )


def move_up(call: Call, place: LoanPlace) -> list[Reservation]:
    """Gives every place that came free to those who wait, in the order in which they came; who got one."""
    if place.closed_at is not None:
        return []
    waiting = call.session.scalars(
        select(Reservation)
        .where(
            Reservation.service_point_id == place.service_point_id,
            Reservation.state == LoanState.WAITING.value,
            Reservation.begins_at >= begin_of(slot_of(call.now)),
        )
        .order_by(Reservation.created_at, Reservation.id)
    ).all()
    moved = []
    for row in waiting:
        if room.take(call, place, row, row.begins_at, row.ends_at) is None:
            row.state = LoanState.RESERVED.value
            record(call, "loan.moved_up", row, {})
            telling.tell_person(call, place, row, "moved_up")
            moved.append(row)
    return moved


def end(call: Call, place: LoanPlace, row: Reservation, state: LoanState, why: str = "") -> None:  # noqa: ARG001 -- who ends has locked it
    """Ends a reservation and gives its half hours back; who waits moves up with ``move_up``."""
    room.give_up(call, row)
    if row.state in AHEAD:
        row.device_id = None
    row.state, row.finished_at, row.why = state.value, call.now, why


def follow(call: Call, row: Reservation, handed: Custody) -> None:
    """Ties a hand-over to the reservation that it fulfils."""
    row.state, row.device_id, row.custody_id = LoanState.COLLECTED.value, handed.device_id, handed.id
    row.collected_at = handed.from_at
    record(call, "loan.collected", row, {"device": handed.device_id})


def cancel(call: Call, place: LoanPlace, row: Reservation, why: str = "") -> Reservation:
    """Takes a reservation back, tells the person, and lets who waits move up. Raises as ``service.cancel``."""
    if row.state == LoanState.CANCELLED:
        return row
    if row.state not in AHEAD | {LoanState.WAITING}:
        raise ended(row)
    end(call, place, row, LoanState.CANCELLED, why)
    record(call, "loan.cancelled", row, {"reason": why} if why else {})
    telling.tell_person(call, place, row, "cancelled")
    move_up(call, place)
    return row


def extend(call: Call, place: LoanPlace, row: Reservation, ends: datetime) -> Reservation:
    """Moves the end of a reservation or loan. Raises as ``service.extend``."""
    if row.state not in AHEAD | {LoanState.COLLECTED}:
        raise ended(row)
    if ends <= row.ends_at:
        sentence = N_("Choose an end that is later than the one it has.")
        raise InvalidError(sentence, fields={"ends_at": sentence}, code="loan_order")
    point = call.session.get_one(ServicePoint, place.service_point_id)
    # Of a loan that has begun only the end is asked about.
    window.checked(place, point.opening_hours, point.closed_on, row.begins_at, ends, min(call.now, row.begins_at))
    since = max(row.ends_at, call.now)
    if ends <= since:
        sentence = N_("This has passed already. Choose a later end.")
        raise InvalidError(sentence, fields={"ends_at": sentence}, code="loan_past")
    if waited_for(call, place, row, since, ends):
        raise ConflictError(
            N_("Somebody waits for this time. Nothing was changed; the device is expected back as agreed."),
            code="loan_waited_for",
        )
    full = room.take(call, place, row, since, ends)
    if full is not None:
        raise full_error(call, place, row.kind, full, since, ends)
    before, row.ends_at = row.ends_at, ends
    if row.custody_id is not None:
        lending.set_due(call, row.custody_id, ends)
    record(call, "loan.extended", row, {"ends": [before.isoformat(), ends.isoformat()]})
    telling.tell_person(call, place, row, "extended")
    return row


def ended(row: Reservation) -> ConflictError:
    """What is answered where a reservation is past the point at which this could be done."""
    return ConflictError(
        N_("This reservation is %(state)s: this cannot be done any more. Nothing was changed."),
        code="loan_ended",
        state=row.state.replace("_", " "),
    )


def waited_for(call: Call, place: LoanPlace, row: Reservation, begins: datetime, ends: datetime) -> bool:
    """Whether somebody waits for the same thing in that time: the same kind, or any where the place has a limit."""
    query = select(Reservation.id).where(
        Reservation.service_point_id == place.service_point_id,
        Reservation.state == LoanState.WAITING.value,
        Reservation.begins_at < ends,
        Reservation.ends_at > begins,
    )
    if place.at_most is None:
        query = query.where(Reservation.kind == row.kind)
    return call.session.scalar(query.limit(1)) is not None


def record(call: Call, action: str, row: Reservation, details: dict[str, Any]) -> None:
    """One line in the diary, named after the person."""
    person = call.session.get_one(Person, row.person_id)
    audit.record(call, action, ("loan", row.uid), name=person.name, where=row.where, details=details)
