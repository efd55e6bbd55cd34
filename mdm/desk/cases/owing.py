"""What somebody who leaves still has: written down when the case opens, ticked as the desk takes it in, chased by letter."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from mdm.core.actor import system
from mdm.desk.cases import keeping, letters, steps
from mdm.desk.cases.model import Case, CaseItem, CaseKind, CaseState
from mdm.desk.custody import queries as custody
from mdm.desk.custody.model import KitKind
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.storage.call import Call

AHEAD = timedelta(days=30)
"""So long before the last day a case opens by itself for somebody who has something."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that somebody has."""

    key: str
    label: str
    kind: str
    code: str = ""
    device_id: int | None = None


def things_of(call: Call, person_id: int) -> list[Thing]:
    """Everything that a person has, wherever it stands: devices, the kit that went along, pieces with a code of their own.

    For the machinery: not scoped, or a thing of another place would look as if it had come back.
    """
    out = custody.outstanding(call.by(system("cases")), person_id)
    found = {}
    for held in out.devices:
        one = held.device
        key = f"device:{one.id}"
        found[key] = Thing(key, one.label, one.kind, one.serial or one.tag or "", one.id)
    for line in (*(line for held in out.devices for line in held.kit), *out.missing):
        if line.piece is None:
            key = f"kit:{line.row.id}"
            many = f"{line.lacking} x " if line.lacking > 1 else ""
            found[key] = Thing(key, many + str(line.kind.names["en"]), line.kind.code)
    for piece in out.pieces:
        key = f"piece:{piece.id}"
        kind = call.session.get_one(KitKind, piece.kind_id)
        found[key] = Thing(key, str(kind.names["en"]), kind.code, piece.code)
    return list(found.values())


def follow_items(call: Call, case: Case) -> None:
    """Writes down what the person has got meanwhile and what came back; letters that are due are written. Twice is like once."""
    if case.kind != CaseKind.LEAVER or case.person_id is None or case.state != CaseState.OPEN:
        return
    items = items_of(call.session, case)
    held = {one.key: one for one in things_of(call, case.person_id)}
    for item in items:
        if item.thing not in held and item.returned_at is None:
            item.returned_at, item.missing = call.now, False
            keeping.line(call, case, "back", text=item.label)
    known = {item.thing for item in items if item.returned_at is None}
    for key, one in held.items():
        if key not in known:
            call.session.add(
                CaseItem(
                    case_id=case.id,
                    thing=key,
                    device_id=one.device_id,
                    label=one.label,
                    kind=one.kind,
                    code=one.code[:128],
                )
            )
    call.session.flush()
    _write(call, case)
    keeping.refresh(call, case)


def items_of(session: Session, case: Case) -> list[CaseItem]:
    """Everything that is or was owed in a case."""
    return list(session.scalars(select(CaseItem).where(CaseItem.case_id == case.id).order_by(CaseItem.id)))


def _write(call: Call, case: Case) -> None:
    """Writes the letter that is due by now: one at a time, however long nobody looked."""
    open_items = [one for one in items_of(call.session, case) if one.returned_at is None and not one.missing]
    day = case.last_day or call.now.date()
    wanted = steps.letters_due(day, call.now.date())
    if not open_items or case.letters >= wanted:
        return
    person = call.session.get_one(Person, case.person_id)
    values = {
        "day": day.isoformat(),
        "lock": (case.lock_on or day + steps.LOCK_AFTER).isoformat(),
        "things": letters.listed([f"{one.label} {one.code}".strip() for one in open_items]),
        "name": case.person_name,
        "case": case.uid,
    }
    first = case.letters == 0 and day >= call.now.date()
    sent = letters.write(call, "leaver" if first else "chase", person.email, person.language, values)
    if steps.LADDER[wanted - 1].desk_too:
        point = call.session.get(ServicePoint, case.service_point_id) if case.service_point_id is not None else None
        letters.write(call, "desk", point.email if point is not None else None, person.language, values)
    case.letters = wanted
    keeping.line(call, case, "letter" if sent else "no_address", about=str(wanted))


def leavers_to_open(session: Session, today: date, limit: int = 200) -> list[int]:
    """People who leave soon or have left, who have a device, and for whom no case is open."""
    has = select(Device.id).where(Device.person_id == Person.id).exists()
    open_case = select(Case.id).where(
        Case.person_id == Person.id, Case.slot.is_not(None), Case.kind == CaseKind.LEAVER.value
    )
    closed = select(Case.id).where(
        Case.person_id == Person.id,
        Case.kind == CaseKind.LEAVER.value,
        Case.state == CaseState.CLOSED.value,
        or_(Person.left_on.is_(None), Case.last_day == Person.left_on),
    )
    return list(
        session.scalars(
            select(Person.id)
            .where(Person.left_on <= today + AHEAD, has, ~open_case.exists(), ~closed.exists())
            .order_by(Person.id)
            .limit(limit)
        )
    )
