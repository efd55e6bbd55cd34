"""What can be done at a desk with reservations: reserve, prepare, collect, extend, cancel.

Every verb asks ``desk:work`` at the place, writes the diary, and moves the wait list up where it made room. Reservations of a
page on which employees help themselves go through ``booking`` in the same way, by whoever knows that person.
"""

from datetime import datetime

from sqlalchemy import select

from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.custody import service as custody
from mdm.desk.loans import booking, queries, room
from mdm.desk.loans.model import AHEAD, LoanPlace, LoanState, Reservation
from mdm.enrollment.links import Links
from mdm.inventory.model import Device, LifeCycle, Ownership
from mdm.inventory.queries import device as one_device
from mdm.people.queries import person as one_person
from mdm.storage.call import Call

READY = (LifeCycle.IN_STOCK.value, LifeCycle.WIPED.value)
"""States from which a device can be lent."""


def reserve(
    call: Call,
    person_id: int,
    *,
    service_point_id: int,
    kind: str,
    begins: datetime,
    ends: datetime,
    wait: bool = False,
    note: str = "",
    key: str = "",
) -> Reservation:
    """Reserves a device of a kind at a place for a person; with ``wait`` onto the wait list where there is no room.

    Raises InvalidError for a window that makes no sense there, ConflictError ``loan_full`` (which says what is full, and when
    there is room) or ``loan_twice``, NotFoundError for a person or a place that is not the actor's. The same ``key`` again
    gives the same reservation, and nothing is done twice.
    """
    place = _place(call, service_point_id)
    person = one_person(call, person_id)
    return booking.book(call, place, person, kind=kind, begins=begins, ends=ends, wait=wait, note=note, key=key)


def cancel(call: Call, uid: str, reason: str = "") -> Reservation:
    """Takes a reservation back, also one that waits. Twice is like once.

    Raises ConflictError (``loan_ended``) for one that was collected or has ended otherwise.
    """
    row, place = _mine(call, uid)
    return booking.cancel(call, place, row, clean(reason, 500))


def prepare(call: Call, uid: str, device_key: str) -> Reservation:
    """Lays a device of the pool ready for a reservation; another one may take its place until it is collected.

    Raises ConflictError where the device is of another kind or pool, is not ready, or lies ready for somebody else.
    """
    row, place = _mine(call, uid)
    if row.state not in AHEAD:
        raise booking.ended(row)
    device = _lendable(call, place, row, device_key)
    if row.device_id == device.id:
        return row
    row.device_id, row.state = device.id, LoanState.PREPARED.value
    booking.record(call, "loan.prepared", row, {"device": device.uid})
    return row


def collect(
    call: Call,
    uid: str,
    device_key: str = "",
    *,
    signed: custody.Signed | None = None,
    unsigned: str = "",
    links: Links | None = None,
) -> Reservation:
    """Hands the device out as a loan that is due at the end of the reservation; without a key the one that lies ready.

    Signature, paper and mail are the counter's (``custody.service.hand_out``). Collecting the same device twice is like once.
    Raises ConflictError as ``prepare``, InvalidError (``loan_which``) where nothing lies ready and no device was named, and
    as the counter does (``signature_missing`` for neither a signature nor a reason why there is none).
    """
    row, place = _mine(call, uid)
    if row.state == LoanState.COLLECTED and (not device_key or one_device(call, device_key).id == row.device_id):
        return row
    if row.state not in AHEAD:
        raise booking.ended(row)
    device = _to_collect(call, place, row, device_key)
    wanted = custody.HandOut(
        person_id=row.person_id,
        devices=(device.uid,),
        service_point_id=place.service_point_id,
        loan=True,
        due_at=row.ends_at,
        note=row.note,
        signed=signed,
        unsigned=unsigned,
        key=f"loan-{row.uid}",
    )
    (handed,) = custody.hand_out(call, wanted, links).custodies
    booking.follow(call, row, handed)
    return row


def extend(call: Call, uid: str, ends: datetime) -> Reservation:
    """Lets a loan, or a reservation that nobody came for yet, end later.

    Raises ConflictError ``loan_waited_for`` when somebody waits for that time, ``loan_full`` when there is no room in it,
    InvalidError for an end that makes no sense there.
    """
    row, place = _mine(call, uid)
    return booking.extend(call, place, row, ends)


def _place(call: Call, service_point_id: int) -> LoanPlace:
    """The place, locked; NotFoundError where it is not the actor's, DeniedError where they may only look."""
    found = queries.place(call, service_point_id)
    require(call.actor, Permission.DESK_WORK, found.where)
    return room.lock_place(call, service_point_id)


def _mine(call: Call, uid: str) -> tuple[Reservation, LoanPlace]:
    """The reservation as it is once its place is locked."""
    row = queries.reservation(call, uid)
    place = _place(call, row.service_point_id)
    call.session.refresh(row)
    return row, place


def _to_collect(call: Call, place: LoanPlace, row: Reservation, key: str) -> Device:
    if key:
        return _lendable(call, place, row, key)
    if row.device_id is None:
        sentence = N_("Say which device they get: nothing lies ready yet.")
        raise InvalidError(sentence, fields={"device": sentence}, code="loan_which")
    return _lendable(call, place, row, call.session.get_one(Device, row.device_id).uid)


def _lendable(call: Call, place: LoanPlace, row: Reservation, key: str) -> Device:
    """The device, when it may go out for this reservation; ConflictError that says what is wrong with it otherwise."""
    device = one_device(call, key)
    if device.ownership != Ownership.LOAN_POOL or device.service_point_id != place.service_point_id:
        raise ConflictError(N_("This device is not of the pool of this place. Nothing was changed."), code="loan_pool")
    if device.kind != row.kind:
        raise ConflictError(
            N_("Reserved was another kind of device (%(kind)s). Nothing was changed."), code="loan_kind", kind=row.kind
        )
    if device.state not in READY:
        raise ConflictError(
            N_("This device is %(state)s and cannot be lent now. Nothing was changed."),
            code="loan_not_ready",
            state=device.state.replace("_", " "),
        )
    other = call.session.scalar(
        select(Reservation.id).where(
            Reservation.device_id == device.id,
            Reservation.state == LoanState.PREPARED.value,
            Reservation.id != row.id,
            Reservation.begins_at < row.ends_at,
            Reservation.ends_at > row.begins_at,
        )
    )
    if other is not None:
        raise ConflictError(
            N_("This device lies ready for somebody else in that time. Nothing was changed."), code="loan_promised"
        )
    return device
