"""Walking round: a list of kiosks, a tick for each, a repair for what is broken. Asks ``desk:work`` at each kiosk's place."""

from collections.abc import Collection

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.kiosks import queries
from mdm.desk.kiosks.model import KioskRound, KioskStop, Paper, Seen
from mdm.desk.repairs import queries as repairs_known
from mdm.desk.repairs import service as repairs
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.storage.call import Call

MOST = 500
"""Kiosks on one round."""
NOTE = 1000


def start(call: Call, service_points: Collection[int]) -> KioskRound:
    """Begins a round along the kiosks of these places, in the order of the places' names.

    Raises ConflictError (``kiosks_none``) where no kiosk stands that the actor may look after.
    """
    query = (
        queries.kiosks_select(call, Permission.DESK_WORK)
        .join(ServicePoint, ServicePoint.id == Device.service_point_id)
        .where(Device.service_point_id.in_(service_points))
        .order_by(ServicePoint.name, ServicePoint.id, Device.name, Device.id)
        .limit(MOST)
    )
    found = call.session.scalars(query).all()
    if not found:
        raise ConflictError(
            N_("No kiosk stands at these places. Nothing was begun; choose other places."), code="kiosks_none"
        )
    made = KioskRound(uid=new_uid(), started_at=call.now, started_by=clean(call.actor.name))
    call.session.add(made)
    call.session.flush()
    call.session.add_all(
        KioskStop(round_id=made.id, position=number, device_id=device.id, service_point_id=device.service_point_id)
        for number, device in enumerate(found, start=1)
    )
    call.session.flush()
    _record(call, "kiosk_round.started", made, len(found))
    return made


def tick(
    call: Call,
    uid: str,
    device_uid: str,
    *,
    seen: str,
    paper: str = "",
    faults: Collection[str] = (),
    note: str = "",
) -> KioskStop:
    """Notes what was seen at a kiosk, and when; what is wrong opens a repair, or joins the one that is open.

    The same tick again changes nothing. Raises InvalidError where nothing was chosen (``seen_missing``) and for something
    wrong without a fault, ConflictError for a round that is finished, NotFoundError for a kiosk that is not on it.
    """
    row, device = _stop(call, uid, device_uid)
    if seen not in (Seen.GOOD, Seen.WRONG, Seen.ABSENT) or paper not in set(Paper):
        sentence = N_("Say what you see: good, something is wrong, or not there.")
        raise InvalidError(sentence, fields={"seen": sentence}, code="seen_missing")
    said = clean(note, NOTE, lines=True)
    if (row.seen, row.paper, row.note) == (seen, paper, said):
        return row
    row.seen, row.paper, row.note = seen, paper, said
    row.seen_at, row.seen_by = call.now, clean(call.actor.name)
    if seen == Seen.WRONG:
        opened = repairs_known.open_for(call, device) or repairs.open(call, device, faults=faults, note=said)
        row.repair_id = opened.id
    details = {key: value for key, value in {"seen": seen, "paper": paper, "note": said}.items() if value}
    audit.record(call, "kiosk.seen", ("device", device.uid), name=device.label, where=device.where, details=details)
    return row


def finish(call: Call, uid: str) -> KioskRound:
    """Ends a round; what was not ticked stays unseen. Twice is like once."""
    row = queries.round_(call, uid)
    stops = queries.stops(call, row)
    if not any(call.actor.may(Permission.DESK_WORK, stop.row.where) for stop in stops):
        require(call.actor, Permission.DESK_WORK)
    if row.finished_at is None:
        row.finished_at = call.now
        _record(call, "kiosk_round.finished", row, sum(stop.row.seen_at is not None for stop in stops))
    return row


def _record(call: Call, action: str, row: KioskRound, kiosks: int) -> None:
    audit.record(call, action, ("kiosk_round", row.uid), name=row.started_by, details={"kiosks": kiosks})


def _stop(call: Call, uid: str, device_uid: str) -> tuple[KioskStop, Device]:
    walk = queries.round_(call, uid)
    query = select(KioskStop, Device).join(Device, Device.id == KioskStop.device_id)
    query = query.where(KioskStop.round_id == walk.id, Device.uid == device_uid)
    found = call.session.execute(query.with_for_update(of=KioskStop)).first()
    if found is None or not call.actor.may(Permission.DESK_VIEW, found[0].where):
        raise NotFoundError(N_("This kiosk is not on the round, or it is not at one of your places."))
    require(call.actor, Permission.DESK_WORK, found[0].where)
    if walk.finished_at is not None:
        raise ConflictError(N_("This round is finished. Nothing was noted; begin another one."), code="round_finished")
    return found[0], found[1]
