"""Shelves: make, rename, close, and put devices on them. Every verb asks ``desk:work`` at the shelf's service point."""

import secrets
from typing import Final

from sqlalchemy import func, select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean
from mdm.desk.stock import queries
from mdm.desk.stock.model import Shelf
from mdm.inventory import service as inventory
from mdm.inventory.lifecycle import STORED
from mdm.inventory.model import Device
from mdm.org import queries as org
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""What nobody reads wrongly from a label: neither 0 nor O, neither 1 nor I."""
PREFIX: Final = "SHELF-"


def create_shelf(call: Call, service_point_id: int, name: str, *, note: str = "") -> Shelf:
    """Makes a shelf with a code of its own. Raises InvalidError without a name, ConflictError when the name is taken there."""
    point = org.service_point(call, service_point_id)
    require(call.actor, Permission.DESK_WORK, Where(point.id))
    code = PREFIX + "".join(secrets.choice(LETTERS) for _ in range(6))
    shelf = Shelf(
        service_point_id=point.id, name=_name(name), code=code, note=clean(note, 500, lines=True), created_at=call.now
    )
    call.session.add(shelf)
    flush_unique(call.session, _taken(shelf.name))
    _record(call, "shelf.created", shelf)
    return shelf


def edit_shelf(call: Call, shelf_id: int, *, name: str, note: str = "") -> Shelf:
    """Renames a shelf; its code stays, because it is stuck to the wood. Raises as ``create_shelf``."""
    shelf = _mine(call, shelf_id)
    wanted = {"name": _name(name), "note": clean(note, 500, lines=True)}
    changed = {key: [getattr(shelf, key), value] for key, value in wanted.items() if getattr(shelf, key) != value}
    if not changed:
        return shelf
    shelf.name, shelf.note = wanted["name"], wanted["note"]
    flush_unique(call.session, _taken(shelf.name))
    _record(call, "shelf.edited", shelf, {"changed": changed})
    return shelf


def close_shelf(call: Call, shelf_id: int) -> Shelf:
    """Ends a shelf that is empty; closing it twice is like once. Raises ConflictError while devices stand on it."""
    shelf = _mine(call, shelf_id)
    if shelf.closed_at is not None:
        return shelf
    full = call.session.scalar(select(func.count()).select_from(Device).where(Device.shelf_id == shelf.id)) or 0
    if full:
        raise ConflictError(
            N_("%(number)s devices stand on this shelf. It was not closed; put them on another shelf first."),
            code="shelf_full",
            number=full,
        )
    shelf.closed_at = call.now
    _record(call, "shelf.closed", shelf)
    return shelf


def reopen_shelf(call: Call, shelf_id: int) -> Shelf:
    """Takes a closed shelf into use again."""
    shelf = _mine(call, shelf_id)
    if shelf.closed_at is not None:
        shelf.closed_at = None
        _record(call, "shelf.reopened", shelf)
    return shelf


def shelve(call: Call, device: Device, shelf: Shelf) -> Device:
    """Puts a device on a shelf of the service point at which it stands; where it is already, nothing changes.

    Raises ConflictError for a device that is in somebody's hands, in repair, lost or retired (``not_stored``), that is on a
    transfer (``in_transit``), or that is recorded at another service point (``other_place``), and for a closed shelf.
    """
    require(call.actor, Permission.DESK_WORK, shelf.where)
    require(call.actor, Permission.DESK_WORK, device.where)
    if device.shelf_id == shelf.id:
        return device
    if shelf.closed_at is not None:
        raise ConflictError(
            N_("This shelf is closed. The device stays where it was; scan another shelf."), code="closed"
        )
    if device.state not in STORED or device.person_id is not None:
        raise ConflictError(
            N_("%(device)s is not taken in, so it cannot stand on a shelf. Take it in first."),
            code="not_stored",
            device=device.label,
        )
    if queries.transfer_of(call, device) is not None:
        raise ConflictError(
            N_("%(device)s is on a transfer. Receive it, or take it off the list; then put it on a shelf."),
            code="in_transit",
            device=device.label,
        )
    if device.service_point_id not in (None, shelf.service_point_id):
        raise ConflictError(
            N_("%(device)s is recorded at another service point. Transfer it; then put it on a shelf."),
            code="other_place",
            device=device.label,
        )
    inventory.apply_fields(
        call, device, {"shelf_id": shelf.id, "service_point_id": shelf.service_point_id}, "device.shelved"
    )
    return device


def unshelve(call: Call, device: Device) -> Device:
    """Takes a device off its shelf; it stays at its service point. Off no shelf nothing changes."""
    require(call.actor, Permission.DESK_WORK, device.where)
    if device.shelf_id is not None:
        inventory.apply_fields(call, device, {"shelf_id": None}, "device.shelved")
    return device


def _mine(call: Call, shelf_id: int) -> Shelf:
    shelf = queries.shelf(call, shelf_id)
    require(call.actor, Permission.DESK_WORK, shelf.where)
    return shelf


def _name(value: str) -> str:
    written = clean(value, 64)
    if not written:
        raise InvalidError(
            N_("The shelf was not saved: it needs a name."), fields={"name": N_("Give the shelf a name, such as A1.")}
        )
    return written


def _taken(name: str) -> ConflictError:
    return ConflictError(
        N_("This service point has a shelf called %(name)s already. Nothing was saved."), code="shelf_taken", name=name
    )


def _record(call: Call, action: str, shelf: Shelf, details: dict[str, object] | None = None) -> None:
    audit.record(
        call,
        action,
        ("shelf", shelf.id),
        name=shelf.name,
        where=shelf.where,
        details={"code": shelf.code, **(details or {})},
    )
