"""Counting what stands at a service point: open, scan, look at the differences, close.

Each scan keeps how its device was recorded at that moment, and the count is in the database at once: a line that drops, or
a colleague who goes on, loses nothing. What is missing is found when the count is closed, and written down then.
"""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean
from mdm.desk.paper import codes
from mdm.desk.stock import look, queries
from mdm.desk.stock.model import Shelf, Standing, StockScan, StockTake, TakeState
from mdm.inventory import service as inventory
from mdm.inventory.lifecycle import STORED
from mdm.inventory.model import Device, DeviceEvent
from mdm.org import queries as org
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

SCANS_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Read:
    """What came of one scan: a shelf that is counted from now on, or a device, or a code that nobody knows."""

    shelf: Shelf | None = None
    scan: StockScan | None = None
    device: Device | None = None
    again: bool = False
    """Whether this code was counted already, by whomever."""


def open_take(call: Call, service_point_id: int, *, shelf_id: int | None = None, note: str = "") -> StockTake:
    """Begins a count of a service point, or of one shelf; the one that is open there already is given back.

    Raises ConflictError when the open one counts something else.
    """
    point = org.service_point(call, service_point_id)
    require(call.actor, Permission.DESK_WORK, Where(point.id))
    if shelf_id is not None and queries.shelf(call, shelf_id).service_point_id != point.id:
        raise NotFoundError(N_("There is no such shelf, or it is not at one of your service points."))
    known = call.session.scalar(
        select(StockTake).where(StockTake.service_point_id == point.id, StockTake.state == TakeState.OPEN.value)
    )
    if known is not None:
        if known.shelf_id == shelf_id:
            return known
        raise ConflictError(
            N_("Another count is open at this service point. Nothing was begun; go on with it, or close it."),
            code="take_open",
        )
    take = StockTake(
        service_point_id=point.id,
        shelf_id=shelf_id,
        opened_at=call.now,
        opened_by=call.actor.name[:255],
        note=clean(note, 500, lines=True),
    )
    call.session.add(take)
    flush_unique(
        call.session,
        ConflictError(N_("Somebody opened a count here at this moment. Go on with that one."), code="take_open"),
    )
    _record(call, "stock_take.opened", take)
    return take


def scan(call: Call, take_id: int, code: str, *, shelf_id: int | None = None) -> Read:
    """Counts one code; counted before, by whomever, it changes nothing but the shelf. A shelf's own code chooses the shelf.

    A code that nobody knows is kept as such: the report names it. Raises InvalidError for an empty code, ConflictError when
    the count is closed or has 20,000 codes.
    """
    take = _open(call, take_id)
    wanted = codes.read(code).text[:128]
    if not wanted:
        raise InvalidError(N_("Nothing was scanned. Scan again."), fields={"code": N_("Scan a label.")})
    chosen = look.shelf(call, code)
    if chosen is not None and chosen.service_point_id == take.service_point_id:
        return Read(shelf=chosen)
    at = shelf_id if shelf_id is not None else take.shelf_id
    if at is not None and queries.shelf(call, at).service_point_id != take.service_point_id:
        raise NotFoundError(N_("There is no such shelf, or it is not at one of your service points."))
    try:
        device = look.device(call, code)
    except NotFoundError:
        device = None
    key = device.uid if device is not None else wanted
    known = call.session.scalar(select(StockScan).where(StockScan.take_id == take.id, StockScan.code == key))
    if known is not None:
        if device is not None and at is not None and known.shelf_id != at:
            known.shelf_id, known.standing = at, _standing(take, device, at).value
        return Read(scan=known, device=device, again=True)
    if _size(call, take) >= SCANS_MOST:
        raise ConflictError(N_("A count has at most 20,000 codes. Close this one and begin another."), code="full")
    row = StockScan(
        take_id=take.id,
        code=key,
        device_id=device.id if device else None,
        shelf_id=at,
        standing=_standing(take, device, at).value,
        recorded=_recorded(device),
        at=call.now,
        by=call.actor.name[:255],
    )
    call.session.add(row)
    flush_unique(
        call.session,
        ConflictError(N_("A colleague scanned this at the same moment. It is counted once."), code="scanned_twice"),
    )
    return Read(scan=row, device=device)


def undo(call: Call, take_id: int, scan_id: int | None = None) -> StockScan | None:
    """Takes back one scan: the one with this number, else the actor's own last one. None when there is none."""
    take = _open(call, take_id)
    query = select(StockScan).where(StockScan.take_id == take.id)
    if scan_id is None:
        query = query.where(StockScan.by == call.actor.name[:255]).order_by(StockScan.id.desc())
    else:
        query = query.where(StockScan.id == scan_id)
    row = call.session.scalar(query.limit(1))
    if row is not None:
        call.session.delete(row)
        call.session.flush()
    return row


def differences(call: Call, take: StockTake) -> list[tuple[Device, Standing]]:
    """What is recorded here and was not scanned, by name: missing, or moved while the count was open."""
    query = queries.devices_here(call).where(Device.service_point_id == take.service_point_id, queries.stored())
    if take.shelf_id is not None:
        query = query.where(Device.shelf_id == take.shelf_id)
    scanned = select(StockScan.device_id).where(StockScan.take_id == take.id, StockScan.device_id.is_not(None))
    absent = call.session.scalars(
        query.where(Device.id.not_in(scanned)).order_by(Device.name, Device.id).limit(SCANS_MOST)
    ).all()
    if not absent:
        return []
    lately = set(
        call.session.scalars(
            select(DeviceEvent.device_id)
            .join(Device, Device.id == DeviceEvent.device_id)
            .where(
                Device.service_point_id == take.service_point_id,
                DeviceEvent.at > take.opened_at,
                DeviceEvent.kind.in_(("moved", "relocated", "recorded", "shelved")),
            )
        )
    )
    return [(device, Standing.MOVED if device.id in lately else Standing.MISSING) for device in absent]


def close_take(call: Call, take_id: int, *, note: str = "", tidy: bool = False) -> StockTake:
    """Ends the count and keeps its report; closing twice is like once.

    ``tidy`` records devices that stand on another shelf of this service point where they were scanned. Nothing else is
    changed: what is missing is looked for by people, what is another place's goes back by a transfer.
    """
    take = queries.take(call, take_id)
    require(call.actor, Permission.DESK_WORK, Where(take.service_point_id))
    if take.state == TakeState.CLOSED:
        return take
    _still_open(take)
    for device, standing in differences(call, take):
        call.session.add(
            StockScan(
                take_id=take.id,
                code=device.uid,
                device_id=device.id,
                shelf_id=None,
                standing=standing.value,
                recorded=_recorded(device),
                at=call.now,
                by="",
            )
        )
    call.session.flush()
    if tidy:
        _tidy(call, take)
    counted = Counter(call.session.scalars(select(StockScan.standing).where(StockScan.take_id == take.id)).all())
    take.counts = dict(sorted(counted.items()))
    take.state, take.closed_at, take.closed_by = TakeState.CLOSED.value, call.now, call.actor.name[:255]
    if note:
        take.note = clean(note, 1000, lines=True)
    _record(call, "stock_take.closed", take, {"counts": take.counts, "tidied": tidy})
    return take


def cancel_take(call: Call, take_id: int) -> StockTake:
    """Ends a count without a report; cancelling twice is like once."""
    take = queries.take(call, take_id)
    require(call.actor, Permission.DESK_WORK, Where(take.service_point_id))
    if take.state != TakeState.CANCELLED:
        _still_open(take)
        take.state, take.closed_at, take.closed_by = TakeState.CANCELLED.value, call.now, call.actor.name[:255]
        _record(call, "stock_take.cancelled", take)
    return take


def _tidy(call: Call, take: StockTake) -> None:
    rows = call.session.execute(
        select(StockScan.shelf_id, Device)
        .join(Device, Device.id == StockScan.device_id)
        .where(StockScan.take_id == take.id, StockScan.shelf_id.is_not(None), queries.stored())
        .where(Device.service_point_id == take.service_point_id)
    ).all()
    for shelf_id, device in rows:
        if device.shelf_id != shelf_id:
            inventory.apply_fields(call, device, {"shelf_id": shelf_id}, "device.shelved")


def _standing(take: StockTake, device: Device | None, shelf_id: int | None) -> Standing:
    if device is None:
        return Standing.UNKNOWN
    if device.service_point_id != take.service_point_id:
        return Standing.ELSEWHERE
    if device.state not in STORED or device.person_id is not None:
        return Standing.EXTRA
    if shelf_id is not None and device.shelf_id not in (None, shelf_id):
        return Standing.ELSEWHERE
    return Standing.RIGHT


def _recorded(device: Device | None) -> dict[str, object]:
    if device is None:
        return {}
    return {"state": device.state, "shelf": device.shelf_id, "service_point": device.service_point_id}


def _size(call: Call, take: StockTake) -> int:
    return call.session.scalar(select(func.count()).select_from(StockScan).where(StockScan.take_id == take.id)) or 0


def _open(call: Call, take_id: int) -> StockTake:
    take = queries.take(call, take_id)
    require(call.actor, Permission.DESK_WORK, Where(take.service_point_id))
    _still_open(take)
    return take


def _still_open(take: StockTake) -> None:
    if take.state != TakeState.OPEN:
        raise ConflictError(
            N_("This count is %(state)s. Nothing was counted; open another one."), code="take_state", state=take.state
        )


def _record(call: Call, action: str, take: StockTake, details: dict[str, object] | None = None) -> None:
    shown = {"shelf": take.shelf_id, **(details or {})}
    where = Where(take.service_point_id)
    audit.record(call, action, ("stock_take", take.id), name=f"S-{take.id:05d}", where=where, details=shown)
