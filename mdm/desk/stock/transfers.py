"""Moving devices between service points: listed, sent, received with differences.

From sending until it arrives a device is on nobody's shelf and stays in the books of the sender. Whoever receives has the
right over exactly the listed devices, by the transfer itself. What does not arrive is missing on the transfer, not lost:
it can still be found at either end.
"""

from collections.abc import Sequence

from sqlalchemy import or_, select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean
from mdm.desk.paper import codes
from mdm.desk.stock import look, queries
from mdm.desk.stock.model import LineState, Shelf, Transfer, TransferLine, TransferState
from mdm.inventory import service as inventory
from mdm.inventory.lifecycle import STORED
from mdm.inventory.model import Device
from mdm.org import queries as org
from mdm.org.model import ServicePoint
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

LINES_MOST = 500


def open_transfer(call: Call, from_id: int, to_code: str, *, note: str = "") -> Transfer:
    """Begins a list of devices that go to another service point.

    The other one is named by its code, as its door and its labels say it: a desk need not see another desk's stock, or even
    a list of desks, to send something there. Raises InvalidError for a code that there is not, and for the same place.
    """
    start = org.service_point(call, from_id)
    require(call.actor, Permission.DESK_WORK, Where(start.id))
    goal = call.session.scalar(
        select(ServicePoint).where(ServicePoint.code == clean(to_code, 64).upper(), ServicePoint.closed_on.is_(None))
    )
    if goal is None or goal.id == start.id:
        sentence = N_("Give the code of another service point that is open.")
        raise InvalidError(N_("The transfer was not begun: no such service point."), fields={"to": sentence})
    transfer = Transfer(
        uid=new_uid(),
        from_id=start.id,
        to_id=goal.id,
        note=clean(note, 500, lines=True),
        created_at=call.now,
        created_by=call.actor.name[:255],
    )
    call.session.add(transfer)
    call.session.flush()
    _record(call, "transfer.opened", transfer)
    return transfer


def add_device(call: Call, uid: str, code: str) -> TransferLine:
    """Lists the device with this code; listing it twice is like once.

    Raises NotFoundError for a code that is no device of the sender's, ConflictError when the device cannot be sent: not
    stored (``not_stored``), on another transfer (``in_transit``), standing elsewhere (``other_place``), or the list is closed.
    """
    transfer = _sender(call, uid, TransferState.OPEN)
    device = look.device(call, code)
    known = _line(call, transfer, device)
    if known is not None:
        return known
    _sendable(transfer, device)
    if len(queries.lines(call, transfer)) >= LINES_MOST:
        raise ConflictError(N_("A transfer lists at most 500 devices. Send this one and begin another."), code="full")
    line = TransferLine(transfer_id=transfer.id, device_id=device.id)
    call.session.add(line)
    flush_unique(
        call.session,
        ConflictError(
            N_("%(device)s is on another transfer already. It was not listed here."),
            code="in_transit",
            device=device.label,
        ),
    )
    return line


def drop_device(call: Call, uid: str, device_uid: str) -> None:
    """Takes a device off a list that was not sent yet; one that is not on it changes nothing."""
    transfer = _sender(call, uid, TransferState.OPEN)
    for line, device in queries.lines(call, transfer):
        if device.uid == device_uid:
            call.session.delete(line)
    call.session.flush()


def cancel_transfer(call: Call, uid: str) -> Transfer:
    """Ends a transfer that was not sent; its devices stay where they are. Twice is like once."""
    transfer = queries.transfer(call, uid)
    require(call.actor, Permission.DESK_WORK, Where(transfer.from_id))
    if transfer.state == TransferState.CANCELLED:
        return transfer
    _in_state(transfer, TransferState.OPEN)
    for line, _device in queries.lines(call, transfer):
        line.pending = False
    transfer.state = TransferState.CANCELLED.value
    _record(call, "transfer.cancelled", transfer)
    return transfer


def send(call: Call, uid: str) -> Transfer:
    """Sends what is listed: from now on it is on nobody's shelf. Sending twice is like once.

    Raises ConflictError for an empty list, and when a listed device was handed out or taken elsewhere meanwhile; it names it.
    """
    transfer = queries.transfer(call, uid)
    require(call.actor, Permission.DESK_WORK, Where(transfer.from_id))
    if transfer.state == TransferState.SENT:
        return transfer
    _in_state(transfer, TransferState.OPEN)
    listed = [device for _line, device in queries.lines(call, transfer)]
    if not listed:
        raise ConflictError(N_("The list is empty. Nothing was sent; scan a device first."), code="empty")
    for device in listed:
        _sendable(transfer, device)
    for device in listed:
        inventory.apply_fields(call, device, {"shelf_id": None}, None)
        inventory.note(call, device, "transfer_sent", {"transfer": transfer.number, "to": transfer.to_id})
    transfer.state, transfer.sent_at, transfer.sent_by = TransferState.SENT.value, call.now, call.actor.name[:255]
    _record(call, "transfer.sent", transfer, {"devices": [device.uid for device in listed]})
    return transfer


def arrive(call: Call, uid: str, code: str, *, shelf: Shelf | None = None) -> TransferLine:
    """Receives one device at the other end, and puts it on a shelf there where one is given; twice is like once.

    A device of the sender that was not listed is taken as extra. Raises NotFoundError for a code that is neither listed nor
    the sender's, ConflictError when the transfer is not on its way or the device is in somebody's hands.
    """
    transfer = _receiver(call, uid, TransferState.SENT)
    wanted = codes.read(code).spellings
    line, device = _listed(call, transfer, wanted) or _extra(call, transfer, wanted)
    if not line.pending:
        return line
    state = LineState.EXTRA if line.state == LineState.EXTRA else LineState.ARRIVED
    _settle(call, transfer, line, device, state, place=transfer.to_id, shelf=shelf)
    return line


def finish(call: Call, uid: str, *, note: str = "") -> Transfer:
    """Ends receiving: what has not arrived is missing. Twice is like once."""
    transfer = queries.transfer(call, uid)
    require(call.actor, Permission.DESK_WORK, Where(transfer.to_id))
    if transfer.state == TransferState.RECEIVED:
        return transfer
    _in_state(transfer, TransferState.SENT)
    missing, arrived = [], []
    for line, device in queries.lines(call, transfer):
        if line.pending:
            line.state, line.settled_at, line.settled_by = LineState.MISSING.value, call.now, call.actor.name[:255]
            inventory.note(call, device, "transfer_missing", {"transfer": transfer.number})
            missing.append(device.uid)
        else:
            arrived.append(device.uid)
    transfer.state = TransferState.RECEIVED.value
    transfer.received_at, transfer.received_by = call.now, call.actor.name[:255]
    transfer.received_note = clean(note, 1000, lines=True)
    _record(call, "transfer.received", transfer, {"arrived": arrived, "missing": missing})
    return transfer


def found(call: Call, uid: str, device_uid: str, service_point_id: int) -> TransferLine:
    """Ends the search for a missing device: it stands at one of the two service points. Twice is like once.

    Raises NotFoundError for a device that is not on the transfer, ConflictError while receiving has not ended.
    """
    transfer = queries.transfer(call, uid)
    if service_point_id not in (transfer.from_id, transfer.to_id):
        raise NotFoundError(N_("There is no such transfer, or it is not one of your service points'."))
    require(call.actor, Permission.DESK_WORK, Where(service_point_id))
    _in_state(transfer, TransferState.RECEIVED)
    for line, device in queries.lines(call, transfer):
        if device.uid == device_uid:
            if line.pending:
                _settle(call, transfer, line, device, LineState.FOUND, place=service_point_id)
                details = {"device": device.uid, "place": service_point_id}
                _record(call, "transfer.found", transfer, details)
            return line
    raise NotFoundError(N_("This device is not on the transfer."))


def _sender(call: Call, uid: str, state: TransferState) -> Transfer:
    transfer = queries.transfer(call, uid)
    require(call.actor, Permission.DESK_WORK, Where(transfer.from_id))
    _in_state(transfer, state)
    return transfer


def _receiver(call: Call, uid: str, state: TransferState) -> Transfer:
    transfer = queries.transfer(call, uid)
    require(call.actor, Permission.DESK_WORK, Where(transfer.to_id))
    _in_state(transfer, state)
    return transfer


def _in_state(transfer: Transfer, state: TransferState) -> None:
    if transfer.state != state:
        raise ConflictError(
            N_("Transfer %(number)s is %(state)s, so this is not possible any more. Nothing was changed."),
            code="transfer_state",
            number=transfer.number,
            state=transfer.state,
        )


def _line(call: Call, transfer: Transfer, device: Device) -> TransferLine | None:
    return call.session.scalar(
        select(TransferLine).where(TransferLine.transfer_id == transfer.id, TransferLine.device_id == device.id)
    )


def _sendable(transfer: Transfer, device: Device) -> None:
    if device.state not in STORED or device.person_id is not None:
        raise ConflictError(
            N_("%(device)s is not taken in, so it cannot be sent. Nothing was changed; take it in first."),
            code="not_stored",
            device=device.label,
        )
    if device.service_point_id != transfer.from_id:
        raise ConflictError(
            N_("%(device)s is not recorded at the service point that sends. Nothing was changed."),
            code="other_place",
            device=device.label,
        )


def _listed(call: Call, transfer: Transfer, wanted: Sequence[str]) -> tuple[TransferLine, Device] | None:
    for line, device in queries.lines(call, transfer):
        if {device.uid, device.tag, device.serial, device.imei} & set(wanted):
            return line, device
    return None


def _extra(call: Call, transfer: Transfer, wanted: Sequence[str]) -> tuple[TransferLine, Device]:
    """A device that came along unlisted. Only the sender's own, and only by its whole code: what the box itself shows."""
    device = call.session.scalar(
        select(Device)
        .where(
            or_(*(column.in_(wanted) for column in (Device.uid, Device.tag, Device.serial, Device.imei))),
            Device.service_point_id == transfer.from_id,
            queries.stored(),
        )
        .limit(1)
    )
    if device is None:
        raise NotFoundError(
            N_("This is not on the list, and nothing of the sender's has this code. Put it aside and ask the sender.")
        )
    line = TransferLine(transfer_id=transfer.id, device_id=device.id, state=LineState.EXTRA.value)
    call.session.add(line)
    flush_unique(
        call.session,
        ConflictError(
            N_("%(device)s is on another transfer already. It was not received here."),
            code="in_transit",
            device=device.label,
        ),
    )
    return line, device


def _settle(
    call: Call,
    transfer: Transfer,
    line: TransferLine,
    device: Device,
    state: LineState,
    *,
    place: int,
    shelf: Shelf | None = None,
) -> None:
    if device.person_id is not None:
        raise ConflictError(
            N_("%(device)s is recorded as being in somebody's hands. It was not received; take it in first."),
            code="not_stored",
            device=device.label,
        )
    if shelf is not None and (shelf.service_point_id != place or shelf.closed_at is not None):
        raise ConflictError(
            N_("This shelf is not in use at this service point. Nothing was received."), code="other_place"
        )
    line.state, line.pending = state.value, False
    line.settled_at, line.settled_by = call.now, call.actor.name[:255]
    call.session.flush()
    inventory.apply_fields(
        call, device, {"service_point_id": place, "shelf_id": shelf.id if shelf else None}, "device.relocated"
    )
    inventory.note(call, device, "transfer_arrived", {"transfer": transfer.number, "as": state.value})


def _record(call: Call, action: str, transfer: Transfer, details: dict[str, object] | None = None) -> None:
    place = transfer.to_id if action in ("transfer.received", "transfer.found") else transfer.from_id
    shown = {"from": transfer.from_id, "to": transfer.to_id, **(details or {})}
    audit.record(call, action, ("transfer", transfer.uid), name=transfer.number, where=Where(place), details=shown)
