"""Opening a case: one click at the card or at the device. What a lost device needs at once is done by one person."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from mdm.commands import service as commands
from mdm.commands.model import Verb
from mdm.commands.verbs import RULES
from mdm.core.actor import require
from mdm.core.errors import N_, ApprovalNeededError, ConflictError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean
from mdm.desk.cases import keeping, letters, steps
from mdm.desk.cases.model import GONE, Case, CaseKind, CaseState, CaseStep
from mdm.desk.cases.owing import follow_items
from mdm.inventory import queries as devices
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, LifeCycle, Platform
from mdm.org.model import ServicePoint
from mdm.people import queries as people
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

MAX_LINE = 255


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody has told about it; everything can be told later."""

    account: str = ""
    seen_on: date | None = None
    seen_where: str = ""
    police_report: str = ""
    police_on: date | None = None


def open_lost(call: Call, device_uid: str, told: Told | None = None) -> Case:
    """Opens the case of a lost device; it is locked and in lost mode at once. One that is open already is given back.

    Raises NotFoundError, DeniedError, ConflictError for a device that is retired.
    """
    return _open_gone(call, CaseKind.LOST, device_uid, told or Told())


def open_stolen(call: Call, device_uid: str, told: Told | None = None) -> Case:
    """As ``open_lost`` for a device that was stolen; a case of a lost one becomes that of a stolen one."""
    return _open_gone(call, CaseKind.STOLEN, device_uid, told or Told())


def open_broken(call: Call, device_uid: str, told: Told | None = None) -> Case:
    """Opens the case of a broken device; nothing is locked. One that is open already is given back."""
    device = _device(call, device_uid)
    known = open_in(call, f"broken:{device.id}")
    if known is not None:
        return known
    if device.state in (LifeCycle.RETIRED, LifeCycle.LOST):
        raise ConflictError(
            N_("%(device)s is lost or retired, so it cannot be brought in broken. Nothing was opened."),
            code="case_state",
            device=device.label,
        )
    case = _begin(call, CaseKind.BROKEN, device, told or Told())
    keeping.refresh(call, case)
    return case


def open_leaver(call: Call, person_id: int, last_day: date | None = None, lock_on: date | None = None) -> Case:
    """Opens the case of somebody who leaves: what they have is written down, and they get the first letter.

    One that is open already is given back. ``last_day`` is today where nobody knows. Raises NotFoundError, DeniedError.
    """
    person = people.person(call, person_id)
    require(call.actor, Permission.CASE_MANAGE, person.where)
    known = open_in(call, f"leaver:{person.id}")
    if known is not None:
        return known
    day = last_day or person.left_on or call.now.date()
    case = Case(
        kind=CaseKind.LEAVER.value,
        slot=f"leaver:{person.id}",
        person_id=person.id,
        person_name=person.name,
        last_day=day,
        lock_on=lock_on or day + steps.LOCK_AFTER,
    )
    _keep(call, case, person.where)
    follow_items(call, case)
    return case


def open_in(call: Call, slot: str) -> Case | None:
    """The open case that occupies this slot."""
    return call.session.scalar(select(Case).where(Case.slot == slot))


def _open_gone(call: Call, kind: CaseKind, device_uid: str, told: Told) -> Case:
    device = _device(call, device_uid)
    known = open_in(call, f"gone:{device.id}")
    if known is not None:
        if kind is CaseKind.STOLEN:
            become_stolen(call, known)
        return known
    case = _begin(call, kind, device, told)
    inventory.move(call, device.uid, LifeCycle.LOST, reason=case.number)
    secure(call, case, device)
    letters.to_holder(call, "lost", case.person_id, device)
    keeping.refresh(call, case)
    return case


def become_stolen(call: Call, case: Case) -> None:
    """A case of a lost device becomes that of a stolen one, with the steps that it lacks."""
    if case.kind == CaseKind.STOLEN:
        return
    case.kind = CaseKind.STOLEN.value
    has = {row.key for row in keeping.rows(call, case)}
    for key, due in steps.due(CaseKind.STOLEN, call.now).items():
        if key not in has:
            call.session.add(CaseStep(case_id=case.id, key=key, due_at=due))
    keeping.line(call, case, "stolen")
    keeping.record(call, case, "case.stolen")
    keeping.refresh(call, case)


def secure(call: Call, case: Case, device: Device) -> None:
    """Locks the device and puts it in lost mode, as far as it understands that; what is not possible stands in the case.

    Above so many locks within an hour somebody else must agree: then the lock waits, and the step stays open.
    """
    if device.enrolled_at is None:
        keeping.line(call, case, "not_reached")
        return
    reason = case.number
    try:
        commands.send(call, [device.uid], Verb.LOCK, reason=reason)
    except ApprovalNeededError:
        keeping.line(call, case, "lock_waits")
        return
    keeping.line(call, case, "asked", about=Verb.LOCK.value)
    if case.kind in GONE and Platform(device.platform) in RULES[Verb.LOST].platforms:
        commands.send(
            call, [device.uid], Verb.LOST, {"message": _screen(call, case, device)}, reason=reason, by_case=True
        )
        keeping.line(call, case, "asked", about=Verb.LOST.value)


def _screen(call: Call, case: Case, device: Device) -> str:
    point = call.session.get(ServicePoint, device.service_point_id) if device.service_point_id is not None else None
    person = call.session.get(Person, case.person_id) if case.person_id is not None else None
    place, phone = (point.name, point.phone) if point is not None else ("the owner", "")
    return letters.screen(place, phone, person.language if person is not None else "nl")


def _device(call: Call, uid: str) -> Device:
    device = devices.device_by_uid(call, uid)
    require(call.actor, Permission.CASE_MANAGE, device.where)
    return device


def _begin(call: Call, kind: CaseKind, device: Device, told: Told) -> Case:
    person = call.session.get(Person, device.person_id) if device.person_id is not None else None
    case = Case(
        kind=kind.value,
        slot=f"{'gone' if kind in GONE else 'broken'}:{device.id}",
        device_id=device.id,
        device_label=clean(device.label),
        person_id=device.person_id,
        person_name=person.name if person is not None else "",
        before=device.state,
        **checked(call, told),
    )
    _keep(call, case, device.where)
    return case


def checked(call: Call, told: Told) -> dict[str, object]:
    """What was told, cleaned; a day that is still to come is no day on which something was seen."""
    today = call.now.date() + timedelta(days=1)
    return {
        "account": clean(told.account, keeping.MAX_TEXT, lines=True),
        "seen_on": told.seen_on if told.seen_on is None or told.seen_on <= today else None,
        "seen_where": clean(told.seen_where, MAX_LINE),
        "police_report": clean(told.police_report, 64),
        "police_on": told.police_on if told.police_on is None or told.police_on <= today else None,
    }


def _keep(call: Call, case: Case, where: Where) -> None:
    case.uid = new_uid()
    case.state = CaseState.OPEN.value
    case.service_point_id, case.unit_id = where.service_point_id, where.unit_id
    case.opened_at, case.opened_by = call.now, clean(call.actor.name) or call.actor.kind.value
    call.session.add(case)
    flush_unique(
        call.session,
        ConflictError(
            N_("Somebody else opened this case at this moment. Nothing was opened twice; look at it in the list."),
            code="case_open",
        ),
    )
    for key, due in steps.due(CaseKind(case.kind), case.opened_at, case.last_day).items():
        call.session.add(CaseStep(case_id=case.id, key=key, due_at=due))
    keeping.line(call, case, "opened", about=case.kind, text=case.account)
    keeping.record(
        call,
        case,
        "case.opened",
        {"kind": case.kind, "device": case.device_label} if case.device_id else {"kind": case.kind},
    )
