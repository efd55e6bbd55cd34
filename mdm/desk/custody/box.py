"""A box of devices that come back: scan, scan, scan, undo the last one, finish. Each scan counts at once and costs the same.

Nobody signs for a box, and nobody has looked at the devices yet. What goes wrong becomes a line that stays; the rest goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import case, func, or_, select, update

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, HavenmeesterError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean
from mdm.desk.custody import agreement, papers, returning
from mdm.desk.custody.asked import Seen, TakeIn
from mdm.desk.custody.follow import locked
from mdm.desk.custody.model import BoxLine, BoxOutcome, BoxRun, Custody, Paper, PaperKind
from mdm.desk.custody.standing_in import stand_in_again
from mdm.desk.paper import codes
from mdm.inventory import queries as devices
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, LifeCycle
from mdm.orders.queries import open_for as open_order
from mdm.storage.call import Call

MAX_LINES: Final = 1000
_RESTORED: Final = ("state", "person_id", "persona", "unit_id", "holder_search", "service_point_id", "shelf_id")
_T = BoxOutcome


@dataclass(frozen=True, slots=True)
class Counts:
    """How many lines of a run ended how."""

    taken: int = 0
    errors: int = 0
    undone: int = 0


def start(call: Call, service_point_id: int) -> BoxRun:
    """A new run at this service point; the one that this person left open there goes on instead."""
    require(call.actor, Permission.DESK_WORK, Where(service_point_id))
    for one in open_runs(call, service_point_id):
        if (one.started_by_id, one.started_by) == (call.actor.id, call.actor.name):
            return one
    made = BoxRun(
        uid=new_uid(),
        service_point_id=service_point_id,
        started_by=call.actor.name,
        started_by_id=call.actor.id,
        started_at=call.now,
    )
    call.session.add(made)
    call.session.flush()
    return made


def open_runs(call: Call, service_point_id: int) -> Sequence[BoxRun]:
    """Runs of this service point that nobody has finished, newest first; not the actor's place gives none."""
    if not call.actor.may(Permission.DESK_VIEW, Where(service_point_id)):
        return ()
    return call.session.scalars(
        select(BoxRun)
        .where(BoxRun.service_point_id == service_point_id, BoxRun.finished_at.is_(None))
        .order_by(BoxRun.id.desc())
    ).all()


def run(call: Call, uid: str) -> BoxRun:
    """One run; NotFoundError when it is not there or not at one of the actor's places."""
    found = call.session.scalar(select(BoxRun).where(BoxRun.uid == uid))
    if found is None or not call.actor.may(Permission.DESK_VIEW, found.where):
        raise NotFoundError(N_("There is no such box, or it is not one of yours."))
    return found


def lines(call: Call, found: BoxRun, *, limit: int = MAX_LINES) -> Sequence[BoxLine]:
    """The lines of a run: errors on top, then the others, each the newest first."""
    return call.session.scalars(
        select(BoxLine)
        .where(BoxLine.run_id == found.id)
        .order_by(case((BoxLine.outcome == _T.ERROR.value, 0), else_=1), BoxLine.number.desc())
        .limit(limit)
    ).all()


def counts(call: Call, found: BoxRun) -> Counts:
    """How many of each, in one statement."""
    rows = call.session.execute(
        select(BoxLine.outcome, func.count()).where(BoxLine.run_id == found.id).group_by(BoxLine.outcome)
    )
    told = {str(row[0]): int(row[1]) for row in rows}
    return Counts(told.get(_T.TAKEN, 0), told.get(_T.ERROR, 0), told.get(_T.UNDONE, 0))


def scan(call: Call, uid: str, code: str, *, key: str = "") -> BoxLine:
    """Takes in what has this code, or keeps a line that says why not; the line. The same ``key`` again gives it again.

    Raises NotFoundError and ConflictError (``box_finished``, ``box_full``) for the run; never for what was scanned.
    """
    found = _locked(call, uid)
    if key:
        before = call.session.scalar(select(BoxLine).where(BoxLine.run_id == found.id, BoxLine.key == key[:128]))
        if before is not None:
            return before
    if found.last >= MAX_LINES:
        raise ConflictError(N_("This box is full. Finish it, and start another one."), code="box_full")
    read = codes.read(code)
    found.last += 1
    line = BoxLine(
        run_id=found.id,
        number=found.last,
        key=key[:128] or None,
        code=clean(read.text, 255),
        outcome=_T.ERROR.value,
        at=call.now,
    )
    try:
        _take(call, found, line, _device(call, read))
    except HavenmeesterError as error:
        line.message = error.message
        line.params = {name: str(value)[:255] for name, value in error.params.items()}
    call.session.add(line)
    call.session.flush()
    return line


def undo(call: Call, uid: str) -> BoxLine | None:
    """Undoes the last take-in of this run: who had the device has it again. The line; None when there is nothing to undo.

    Raises ConflictError (``undo_late``) when something else was done with the device meanwhile.
    """
    found = _locked(call, uid)
    line = call.session.scalar(
        select(BoxLine)
        .where(BoxLine.run_id == found.id, BoxLine.outcome == _T.TAKEN.value)
        .order_by(BoxLine.number.desc())
        .limit(1)
    )
    if line is None:
        return None
    custody = call.session.get(Custody, line.custody_id) if line.custody_id is not None else None
    if line.device_id is None or custody is None:
        raise _late(line)
    device = locked(call, line.device_id)
    if device.state != LifeCycle.RETURNED or device.person_id is not None or open_order(call, device.uid) is not None:
        raise _late(line)
    before = dict(line.before)
    stood_in, ring = before.pop("stood_in", {}), str(before.pop("ring", ""))
    custody.to_at, custody.in_by, custody.back_at_id = None, "", None
    custody.condition, custody.condition_note, custody.light, custody.locks = "", "", "", []
    inventory.apply_fields(call, device, before, "device.take_in_undone")
    stand_in_again(call, custody, device, stood_in, ring)
    line.outcome = _T.UNDONE.value
    call.session.flush()
    return line


def finish(call: Call, uid: str) -> BoxRun:
    """Ends a run with one paper that lists what came back; a run in which nothing came back leaves none. Twice is like once."""
    found = _locked(call, uid, finished=True)
    if found.finished_at is not None:
        return found
    found.finished_at = call.now
    taken = call.session.scalars(
        select(BoxLine).where(BoxLine.run_id == found.id, BoxLine.outcome == _T.TAKEN.value).order_by(BoxLine.number)
    ).all()
    if not taken:
        return found
    paper = _paper(call, found, taken)
    found.paper_id = paper.id
    call.session.execute(
        update(Custody)
        .where(Custody.id.in_([line.custody_id for line in taken if line.custody_id is not None]))
        .values(in_paper_id=paper.id)
    )
    details = {"devices": len(taken)}
    audit.record(call, "desk.box_finished", ("paper", paper.uid), name=paper.number, where=found.where, details=details)
    return found


def _locked(call: Call, uid: str, *, finished: bool = False) -> BoxRun:
    """The run, kept from everybody else until the transaction ends: two clerks with one box never share a number."""
    mine = run(call, uid)
    require(call.actor, Permission.DESK_WORK, mine.where)
    found = call.session.scalars(
        select(BoxRun).where(BoxRun.id == mine.id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if found.finished_at is not None and not finished:
        raise ConflictError(N_("This box is finished. Nothing was changed; start another one."), code="box_finished")
    return found


def _device(call: Call, read: codes.Read) -> Device:
    some = read.spellings
    keys = or_(Device.uid.in_(some), Device.serial.in_(some), Device.tag.in_(some), Device.imei.in_(some))
    rows = call.session.scalars(devices.devices_select(call, Permission.DESK_WORK).where(keys).limit(2)).all()
    if not rows and read.bad_check:
        raise NotFoundError(N_("%(value)s has a wrong check digit. Scan it once more."), value=read.text)
    if not rows:
        raise NotFoundError(
            N_("Nothing at your service points has the code %(value)s. Lay it aside."), value=read.text or "-"
        )
    if len(rows) > 1:
        raise ConflictError(
            N_("%(value)s means two devices. Lay it aside, and scan its serial number."), value=read.text
        )
    return rows[0]


def _take(call: Call, found: BoxRun, line: BoxLine, device: Device) -> None:
    line.device_id, line.label = device.id, device.label
    earlier = call.session.scalar(
        select(BoxLine.number).where(
            BoxLine.run_id == found.id, BoxLine.device_id == device.id, BoxLine.outcome == _T.TAKEN.value
        )
    )
    if earlier is not None:
        raise ConflictError(
            N_("%(device)s is in this box already, as number %(number)s. Nothing was changed."),
            device=device.label,
            number=earlier,
        )
    require(call.actor, Permission.DEVICE_MANAGE, device.where)
    require(call.actor, Permission.DEVICE_MANAGE, found.where)
    ready = agreement.coming(call, TakeIn(device.uid, found.service_point_id))
    line.before = _before(ready.device, ready.custody)
    line.holder, line.custody_id = ready.person.name, ready.custody.id
    returning.take_back(call, ready, Seen(), found.service_point_id, None)
    line.outcome = _T.TAKEN.value


def _before(device: Device, custody: Custody) -> dict[str, Any]:
    kept: dict[str, Any] = {name: getattr(device, name) for name in _RESTORED}
    return {**kept, "ring": device.ring, "stood_in": dict(custody.stood_in)}


def _paper(call: Call, found: BoxRun, taken: Sequence[BoxLine]) -> Paper:
    numbers = [line.device_id for line in taken if line.device_id is not None]
    rows = {row.id: row for row in call.session.scalars(select(Device).where(Device.id.in_(numbers)))}
    listed = [
        {**agreement.named(rows[line.device_id]), "holder": line.holder, "condition": "unseen"}
        for line in taken
        if line.device_id in rows
    ]
    point = agreement.place(call, found.where)
    return papers.write(call, PaperKind.BOX, found.where, {"kind": "box", "place": point, "back": listed}, person=None)


def _late(line: BoxLine) -> ConflictError:
    return ConflictError(
        N_("Something else was done with %(device)s meanwhile, so it stays taken in."),
        code="undo_late",
        device=line.label,
    )
