"""Reads of the stock. All take the ``Call`` and give only what stands at the actor's service points (``desk:view``)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select

from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.desk.stock.model import (
    Minimum,
    Shelf,
    StockScan,
    StockTake,
    Transfer,
    TransferLine,
    TransferState,
)
from mdm.inventory.lifecycle import STORED
from mdm.inventory.model import Device, LifeCycle, Ownership
from mdm.storage.call import Call
from mdm.storage.scoping import within

ON_THE_WAY = (TransferState.SENT.value, TransferState.RECEIVED.value)
"""States of a transfer in which a line that is still pending is on neither shelf."""
MOST = 500


@dataclass(frozen=True, slots=True)
class ShelfLine:
    """A shelf, and how many devices stand on it."""

    shelf: Shelf
    devices: int


def in_transit() -> ColumnElement[bool]:
    """Devices that were sent and have not arrived: they are on nobody's shelf, and they are not lost."""
    return exists(
        select(TransferLine.id)
        .join(Transfer, Transfer.id == TransferLine.transfer_id)
        .where(TransferLine.device_id == Device.id, TransferLine.pending, Transfer.state.in_(ON_THE_WAY))
        .correlate(Device)
    )


def stored() -> ColumnElement[bool]:
    """Devices that stand at their service point: in nobody's hands, on the way nowhere."""
    return Device.state.in_([state.value for state in STORED]) & Device.person_id.is_(None) & ~in_transit()


def ready() -> ColumnElement[bool]:
    """Devices that can be handed out now: prepared, the city's own, at their service point."""
    return (
        (Device.state == LifeCycle.IN_STOCK.value)
        & Device.person_id.is_(None)
        & (Device.ownership != Ownership.PRIVATE.value)
        & ~in_transit()
    )


def devices_here(call: Call) -> Select[Device]:
    """Devices at the actor's service points."""
    return select(Device).where(within(call.actor.scope(Permission.DESK_VIEW), Device.service_point_id, Device.unit_id))


def ready_devices(
    call: Call, service_point_id: int, *, kind: str = "", shelf_id: int | None = None, limit: int = MOST
) -> Sequence[Device]:
    """Devices of one service point that can be handed out now, by shelf and name; not the actor's place gives none."""
    query = devices_here(call).where(Device.service_point_id == service_point_id, ready())
    if kind:
        query = query.where(Device.kind == kind)
    if shelf_id is not None:
        query = query.where(Device.shelf_id == shelf_id)
    return call.session.scalars(query.order_by(Device.shelf_id, Device.name, Device.id).limit(limit)).all()


def shelves_select(call: Call) -> Select[Shelf]:
    """Shelves at the actor's service points."""
    return select(Shelf).where(within(call.actor.scope(Permission.DESK_VIEW), Shelf.service_point_id, None))


def shelves(call: Call, service_point_id: int, *, closed: bool = False) -> list[ShelfLine]:
    """The shelves of a service point by name, with how many devices stand on each."""
    query = shelves_select(call).where(Shelf.service_point_id == service_point_id)
    if not closed:
        query = query.where(Shelf.closed_at.is_(None))
    found = call.session.scalars(query.order_by(Shelf.name, Shelf.id)).all()
    rows = call.session.execute(
        select(Device.shelf_id, func.count())
        .where(Device.shelf_id.in_([shelf.id for shelf in found]), stored())
        .group_by(Device.shelf_id)
    )
    counted = {row[0]: row[1] for row in rows}
    return [ShelfLine(shelf, counted.get(shelf.id, 0)) for shelf in found]


def every_shelf(call: Call, *, service_point_id: int | None = None) -> Sequence[Shelf]:
    """The shelves at the actor's service points, closed ones as well, in the order in which they were made."""
    query = shelves_select(call)
    if service_point_id is not None:
        query = query.where(Shelf.service_point_id == service_point_id)
    return call.session.scalars(query.order_by(Shelf.id)).all()


def shelf(call: Call, shelf_id: int) -> Shelf:
    """One shelf; NotFoundError when it is not there or not at the actor's service points."""
    return _shelf(call, Shelf.id == shelf_id)


def shelf_by_code(call: Call, code: str) -> Shelf:
    """One shelf by what its label says, whatever the case; NotFoundError as ``shelf``."""
    return _shelf(call, Shelf.code == code.strip().upper())


def _shelf(call: Call, condition: ColumnElement[bool]) -> Shelf:
    found = call.session.scalar(shelves_select(call).where(condition))
    if found is None:
        raise NotFoundError(N_("There is no such shelf, or it is not at one of your service points."))
    return found


def shelf_names(call: Call, ids: Sequence[int | None]) -> dict[int, str]:
    """The names of shelves by row id; only those at the actor's service points."""
    wanted = {one for one in ids if one is not None}
    rows = call.session.execute(
        shelves_select(call).where(Shelf.id.in_(wanted)).with_only_columns(Shelf.id, Shelf.name)
    )
    return {row[0]: row[1] for row in rows}


def on_shelf(call: Call, shelf_id: int, *, limit: int = MOST) -> Sequence[Device]:
    """The devices on one shelf, by name; NotFoundError as ``shelf``."""
    found = shelf(call, shelf_id)
    query = devices_here(call).where(Device.shelf_id == found.id, stored())
    return call.session.scalars(query.order_by(Device.name, Device.id).limit(limit)).all()


def without_shelf(call: Call, service_point_id: int, *, limit: int = MOST) -> Sequence[Device]:
    """Devices that stand at a service point and on no shelf of it, by name."""
    query = devices_here(call).where(Device.service_point_id == service_point_id, Device.shelf_id.is_(None), stored())
    return call.session.scalars(query.order_by(Device.name, Device.id).limit(limit)).all()


def transfers_select(call: Call) -> Select[Transfer]:
    """Transfers from or to the actor's service points."""
    scope = call.actor.scope(Permission.DESK_VIEW)
    return select(Transfer).where(or_(within(scope, Transfer.from_id, None), within(scope, Transfer.to_id, None)))


def transfers(
    call: Call, *, service_point_id: int | None = None, states: Sequence[str] = (), limit: int = 100
) -> Sequence[Transfer]:
    """Transfers, newest first."""
    query = transfers_select(call)
    if service_point_id is not None:
        query = query.where(or_(Transfer.from_id == service_point_id, Transfer.to_id == service_point_id))
    if states:
        query = query.where(Transfer.state.in_(states))
    return call.session.scalars(query.order_by(Transfer.id.desc()).limit(limit)).all()


def transfer(call: Call, uid: str) -> Transfer:
    """One transfer; NotFoundError when it is not there or at neither end one of the actor's service points."""
    found = call.session.scalar(transfers_select(call).where(Transfer.uid == uid))
    if found is None:
        raise NotFoundError(N_("There is no such transfer, or it is not one of your service points'."))
    return found


def lines(call: Call, transfer_: Transfer) -> list[tuple[TransferLine, Device]]:
    """The devices of a transfer that the actor may see, in the order in which they were listed.

    Both ends see the whole list: whoever receives must know what was sent.
    """
    rows: Sequence[Any] = call.session.execute(
        select(TransferLine, Device)
        .join(Device, Device.id == TransferLine.device_id)
        .where(TransferLine.transfer_id == transfer_.id)
        .order_by(TransferLine.id)
    ).all()
    return [(row[0], row[1]) for row in rows]


def line_counts(call: Call, ids: Sequence[int]) -> dict[int, int]:
    """How many devices each of these transfers lists."""
    rows = call.session.execute(
        select(TransferLine.transfer_id, func.count())
        .where(TransferLine.transfer_id.in_(ids))
        .group_by(TransferLine.transfer_id)
    )
    return {row[0]: row[1] for row in rows}


def transfer_of(call: Call, device: Device) -> Transfer | None:
    """The transfer that a device of the actor is on, listed or sent; None when it stands where it is recorded."""
    return call.session.scalar(
        select(Transfer)
        .join(TransferLine, TransferLine.transfer_id == Transfer.id)
        .where(TransferLine.device_id == device.id, TransferLine.pending)
    )


def takes_select(call: Call) -> Select[StockTake]:
    """Stock-takes at the actor's service points."""
    return select(StockTake).where(within(call.actor.scope(Permission.DESK_VIEW), StockTake.service_point_id, None))


def takes(call: Call, service_point_id: int, *, limit: int = 20) -> Sequence[StockTake]:
    """The stock-takes of a service point, newest first."""
    query = takes_select(call).where(StockTake.service_point_id == service_point_id)
    return call.session.scalars(query.order_by(StockTake.id.desc()).limit(limit)).all()


def take(call: Call, take_id: int) -> StockTake:
    """One stock-take; NotFoundError when it is not there or not at the actor's service points."""
    found = call.session.scalar(takes_select(call).where(StockTake.id == take_id))
    if found is None:
        raise NotFoundError(N_("There is no such stock-take, or it is not at one of your service points."))
    return found


def scans(call: Call, take_id: int, *, limit: int = 5000) -> list[tuple[StockScan, Device | None]]:
    """What was read in a stock-take, newest first, with the device where the actor may see it; NotFoundError as ``take``."""
    found = take(call, take_id)
    mine = within(call.actor.scope(Permission.DEVICE_VIEW), Device.service_point_id, Device.unit_id)
    rows: Sequence[Any] = call.session.execute(
        select(StockScan, Device)
        .outerjoin(Device, (Device.id == StockScan.device_id) & mine)
        .where(StockScan.take_id == found.id)
        .order_by(StockScan.id.desc())
        .limit(limit)
    ).all()
    return [(row[0], row[1]) for row in rows]


def minimums(call: Call, service_point_id: int | None = None) -> Sequence[Minimum]:
    """The levels that are kept at the actor's service points."""
    query = select(Minimum).where(within(call.actor.scope(Permission.DESK_VIEW), Minimum.service_point_id, None))
    if service_point_id is not None:
        query = query.where(Minimum.service_point_id == service_point_id)
    return call.session.scalars(query.order_by(Minimum.service_point_id, Minimum.kind, Minimum.product)).all()
