"""Reads of custody. All take the ``Call`` and give only what lies at the actor's places (``desk:view``)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, select

from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.desk.custody.agreement import Line, kit_lines
from mdm.desk.custody.kit import pieces_of
from mdm.desk.custody.model import Custody, KitKind, KitLine, KitPiece, Paper, Photo, PieceState
from mdm.desk.custody.papers import papers_select
from mdm.inventory import queries as devices
from mdm.inventory.model import Device
from mdm.people import queries as people
from mdm.storage.call import Call
from mdm.storage.scoping import within

PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Held:
    """One device that somebody has now, with the kit that went along and is still out."""

    device: Device
    custody: Custody | None
    """None where the row of the device is newer than its custody: the worker has it follow within seconds."""
    kit: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Outstanding:
    """All that one person still has: what somebody who leaves is asked for."""

    devices: tuple[Held, ...]
    missing: tuple[Line, ...]
    """Kit of devices that are back already."""
    pieces: tuple[KitPiece, ...]
    """Every numbered piece in the person's name."""

    @property
    def all_back(self) -> bool:
        """Whether nothing at all is out."""
        return not (self.devices or self.missing or self.pieces)


@dataclass(frozen=True, slots=True)
class HandOver:
    """One custody with its papers and the pictures of its end, as far as the actor may see them."""

    custody: Custody
    out: Paper | None
    back: Paper | None
    photos: tuple[Photo, ...]


def _visible(call: Call) -> ColumnElement[bool]:
    return within(call.actor.scope(Permission.DESK_VIEW), Custody.service_point_id, Custody.unit_id)


def custody_select(call: Call) -> Select[Custody]:
    """Custodies that began, or whose holder's unit is, at the actor's places."""
    return select(Custody).where(_visible(call))


def custody(call: Call, uid: str) -> Custody:
    """One custody; NotFoundError when it is not there or not the actor's."""
    found = call.session.scalar(custody_select(call).where(Custody.uid == uid))
    if found is None:
        raise NotFoundError(N_("There is no such hand-over, or it is not one of yours."))
    return found


def open_for(call: Call, device: Device) -> Custody | None:
    """Who has this device, which the actor has been given already; None where nobody does."""
    return call.session.scalar(select(Custody).where(Custody.device_id == device.id, Custody.to_at.is_(None)))


def history(call: Call, device_uid: str, *, before: int | None = None, limit: int = PAGE) -> Sequence[Custody]:
    """Who had this device, newest first, as far as the actor may see them; NotFoundError for a device that they may not."""
    query = custody_select(call).where(Custody.device_id == devices.device_by_uid(call, device_uid).id)
    if before is not None:
        query = query.where(Custody.id < before)
    return call.session.scalars(query.order_by(Custody.id.desc()).limit(limit)).all()


def hand_overs(call: Call, device_uid: str, *, limit: int = PAGE) -> list[HandOver]:
    """``history`` with papers and pictures, in three statements however long it is."""
    rows = history(call, device_uid, limit=limit)
    numbers = {one for row in rows for one in (row.out_paper_id, row.in_paper_id) if one is not None}
    found = {one.id: one for one in call.session.scalars(papers_select(call).where(Paper.id.in_(numbers)))}
    pictures: dict[int, list[Photo]] = {}
    for photo in call.session.scalars(
        select(Photo).where(Photo.custody_id.in_([row.id for row in rows])).order_by(Photo.id)
    ):
        if call.actor.may(Permission.DESK_VIEW, photo.where) and photo.custody_id is not None:
            pictures.setdefault(photo.custody_id, []).append(photo)
    return [
        HandOver(
            row,
            found.get(row.out_paper_id or 0),
            found.get(row.in_paper_id or 0),
            tuple(pictures.get(row.id, ())),
        )
        for row in rows
    ]


def held_by(call: Call, person_id: int) -> list[Held]:
    """What one person has now of the actor's devices, with the kit still out; NotFoundError for an unknown person."""
    person = people.person(call, person_id)
    rows = call.session.execute(
        devices.devices_select(call)
        .add_columns(Custody)
        .outerjoin(
            Custody,
            (Custody.device_id == Device.id) & Custody.to_at.is_(None) & (Custody.person_id == person.id),
        )
        .where(Device.person_id == person.id)
        .order_by(Device.name, Device.id)
    ).all()
    kit = kit_of(call, [row[1].id for row in rows if row[1] is not None])
    return [Held(row[0], row[1], kit.get(row[1].id, ()) if row[1] is not None else ()) for row in rows]


def kit_of(call: Call, custody_ids: Sequence[int]) -> dict[int, tuple[Line, ...]]:
    """The kit that is still out, by custody. For custodies that the actor has been given already."""
    found: dict[int, list[Line]] = {}
    for line in kit_lines(call, custody_ids) if custody_ids else ():
        if line.lacking:
            found.setdefault(line.row.custody_id, []).append(line)
    return {number: tuple(lines) for number, lines in found.items()}


def outstanding(call: Call, person_id: int) -> Outstanding:
    """All that one person still has at the actor's places: devices, kit that did not come back, pieces in their name."""
    held = held_by(call, person_id)
    rows = call.session.execute(
        select(KitLine, KitKind, KitPiece)
        .join(Custody, Custody.id == KitLine.custody_id)
        .join(KitKind, KitKind.id == KitLine.kind_id)
        .outerjoin(KitPiece, KitPiece.id == KitLine.piece_id)
        .where(
            Custody.person_id == person_id,
            Custody.to_at.is_not(None),
            KitLine.quantity > KitLine.returned,
            KitKind.returned.is_(True),
            KitLine.piece_id.is_(None) | (KitPiece.person_id == person_id),
            _visible(call),
        )
        .order_by(KitLine.id)
    )
    missing = tuple(Line(line, kind, piece, 0) for line, kind, piece in rows)
    pieces = tuple(one for one in pieces_of(call, person_id) if one.state != PieceState.RETIRED)
    return Outstanding(tuple(held), missing, pieces)


def due(call: Call, before: datetime, *, limit: int = 500) -> list[tuple[Custody, Device]]:
    """Open loans that are due before that moment, the longest overdue first."""
    rows = call.session.execute(
        select(Custody, Device)
        .join(Device, Device.id == Custody.device_id)
        .where(_visible(call), Custody.to_at.is_(None), Custody.due_at < before)
        .order_by(Custody.due_at, Custody.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]
