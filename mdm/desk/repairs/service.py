"""What can be done to a repair. Every verb takes the device: it has at most one repair that is not closed.

A repair never takes a device from its holder: that is done over the counter, where it leaves its paper. Every verb asks
``desk:work`` at the place of the device.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.money import CURRENCY, MOST
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.repairs import queries, steps
from mdm.desk.repairs.model import Fault, Repair, RepairFault, RepairOutcome, RepairState
from mdm.inventory import lifecycle
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, LifeCycle
from mdm.org.model import ServicePoint
from mdm.outbox import service as outbox
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

NOTE = 2000
LETTER = """These repairs of {place} should be back and are not:

{lines}

Ask the supplier, or give them another date on the page of the repair. This letter comes once per date.
"""


def open(  # noqa: A001 -- the word of the trade
    call: Call,
    device: Device,
    *,
    faults: Collection[str],
    note: str = "",
    supplier: str = "",
    due_on: date | None = None,
    warranty: bool | None = None,
    loaner: Device | None = None,
) -> Repair:
    """Opens a repair: the device is in repair from now on, and still its holder's.

    ``warranty`` None: as the device's own date says. Raises InvalidError for no fault or one that there is not,
    ConflictError when a repair is open already (``repair_open``) or the device's state does not allow it (``life_cycle``).
    """
    require(call.actor, Permission.DESK_WORK, device.where)
    wrong = _faults(faults)
    if queries.open_for(call, device) is not None:
        raise _open_already(device)
    before = LifeCycle(device.state)
    if before is not LifeCycle.IN_REPAIR:
        lifecycle.check(before, LifeCycle.IN_REPAIR)
    in_warranty = device.warranty_until is not None and device.warranty_until >= call.now.date()
    repair = Repair(
        uid=new_uid(),
        device_id=device.id,
        person_id=device.person_id,
        loaner_id=loaner.id if loaner else None,
        state_before=before.value,
        supplier=clean(supplier, 128),
        warranty=in_warranty if warranty is None else warranty,
        due_on=due_on,
        note=clean(note, NOTE, lines=True),
        opened_at=call.now,
        opened_by=call.actor.name[:255],
    )
    call.session.add(repair)
    flush_unique(call.session, _open_already(device))
    call.session.add_all(RepairFault(repair_id=repair.id, fault=fault) for fault in wrong)
    if before is not LifeCycle.IN_REPAIR:
        inventory.apply_fields(call, device, {"state": LifeCycle.IN_REPAIR.value}, "device.moved")
    _record(call, "repair.opened", repair, device, {"faults": wrong, "warranty": repair.warranty})
    return repair


def send(
    call: Call,
    device: Device,
    *,
    supplier: str,
    reference: str = "",
    due_on: date | None = None,
    warranty: bool | None = None,
) -> Repair:
    """Sends the device to a supplier, for the first time or again; a supplier is needed. Raises as ``open``."""
    repair = _mine(call, device)
    name = clean(supplier, 128)
    if not name:
        raise InvalidError(N_("The repair was not sent: say to whom."), fields={"supplier": N_("Who repairs it?")})
    steps.check(RepairState(repair.state), RepairState.AT_SUPPLIER)
    repair.state, repair.sent_at, repair.back_at = RepairState.AT_SUPPLIER.value, call.now, None
    repair.supplier, repair.reference = name, clean(reference, 64) or repair.reference
    if due_on is not None and due_on != repair.due_on:
        repair.due_on, repair.reminded_at = due_on, None
    if warranty is not None:
        repair.warranty = warranty
    _record(call, "repair.sent", repair, device, {"supplier": name, "due": str(repair.due_on or "")})
    return repair


def take_back(call: Call, device: Device, *, note: str = "") -> Repair:
    """The device is back from the supplier; twice is like once."""
    repair = _mine(call, device)
    if repair.state == RepairState.BACK:
        return repair
    steps.check(RepairState(repair.state), RepairState.BACK)
    repair.state, repair.back_at = RepairState.BACK.value, call.now
    _more(repair, note)
    _record(call, "repair.back", repair, device, {})
    return repair


def edit(
    call: Call,
    device: Device,
    *,
    faults: Collection[str],
    note: str = "",
    supplier: str = "",
    reference: str = "",
    due_on: date | None = None,
    warranty: bool = False,
) -> Repair:
    """Corrects what is written of an open repair; another date may be reminded of again. Raises as ``open``."""
    repair = _mine(call, device)
    wanted: dict[str, Any] = {
        "note": clean(note, NOTE, lines=True),
        "supplier": clean(supplier, 128),
        "reference": clean(reference, 64),
        "due_on": due_on,
        "warranty": warranty,
    }
    if repair.state == RepairState.AT_SUPPLIER and not wanted["supplier"]:
        raise InvalidError(N_("The repair was not saved: say who has it."), fields={"supplier": N_("Who repairs it?")})
    wrong = _faults(faults)
    changed = {key: str(value) for key, value in wanted.items() if getattr(repair, key) != value}
    known = {row.fault: row for row in call.session.scalars(_fault_rows(repair))}
    if set(known) != set(wrong):
        changed["faults"] = ", ".join(wrong)
    if not changed:
        return repair
    for fault, row in known.items():
        if fault not in wrong:
            call.session.delete(row)
    call.session.add_all(RepairFault(repair_id=repair.id, fault=fault) for fault in wrong if fault not in known)
    if repair.due_on != due_on:
        repair.reminded_at = None
    for key, value in wanted.items():
        setattr(repair, key, value)
    _record(call, "repair.edited", repair, device, {"changed": changed})
    return repair


def link_loaner(call: Call, device: Device, loaner: Device | None) -> Repair:
    """Says which device the person uses meanwhile; None: none. Raises InvalidError for the broken one itself."""
    repair = _mine(call, device)
    if loaner is not None and loaner.id == device.id:
        raise InvalidError(N_("A device cannot stand in for itself."), fields={"loaner": N_("Scan another device.")})
    number = loaner.id if loaner else None
    if repair.loaner_id != number:
        repair.loaner_id = number
        _record(call, "repair.edited", repair, device, {"loaner": loaner.uid if loaner else ""})
    return repair


def close(
    call: Call,
    device: Device,
    *,
    outcome: str,
    cost_cents: int | None = None,
    currency: str = "",
    warranty: bool | None = None,
    replacement: Device | None = None,
    note: str = "",
) -> Repair:
    """Ends the repair with its outcome and its price.

    A mended device goes on where it was: with its holder it is handed out again; without, what was stock is stock, and what
    had come back waits to be wiped. One that is beyond repair or was replaced stays in repair while somebody holds it, so
    that the counter takes it in or swaps it; without a holder it waits to be retired. Raises InvalidError for no outcome and
    a wrong price, ConflictError when no repair is open.
    """
    repair = _mine(call, device)
    if outcome not in set(RepairOutcome):
        raise InvalidError(
            N_("The repair was not closed: say how it ended."), fields={"outcome": N_("Choose how it ended.")}
        )
    if cost_cents is not None and not 0 <= cost_cents <= MOST:
        raise InvalidError(N_("The repair was not closed: the cost is wrong."), fields={"cost": N_("Write 123.45.")})
    if replacement is not None and (outcome != RepairOutcome.REPLACED or replacement.id == device.id):
        raise InvalidError(
            N_("The repair was not closed: only a replaced device has another one instead."),
            fields={"replacement": N_("Leave this empty, or choose the outcome replaced.")},
        )
    steps.check(RepairState(repair.state), RepairState.CLOSED)
    repair.state, repair.outcome = RepairState.CLOSED.value, outcome
    repair.closed_at, repair.closed_by = call.now, call.actor.name[:255]
    repair.cost_cents = cost_cents
    repair.currency = (clean(currency, 3).upper() or CURRENCY) if cost_cents is not None else ""
    repair.replacement_id = replacement.id if replacement else None
    if warranty is not None:
        repair.warranty = warranty
    _more(repair, note)
    _go_on(call, device, repair)
    _record(call, "repair.closed", repair, device, {"outcome": outcome, "cost_cents": cost_cents})
    return repair


def remind(call: Call) -> int:
    """Writes one letter per service point about repairs that are newly overdue; how many letters. For the clock."""
    rows = call.session.execute(
        select(Repair, Device)
        .join(Device, Device.id == Repair.device_id)
        .where(queries.overdue(call.now.date()), Repair.reminded_at.is_(None))
        .order_by(Repair.due_on, Repair.id)
    ).all()
    late: dict[int | None, list[tuple[Repair, Device]]] = {}
    for repair, device in rows:
        repair.reminded_at = call.now
        late.setdefault(device.service_point_id, []).append((repair, device))
    letters = 0
    for place, found in late.items():
        point = call.session.get(ServicePoint, place) if place is not None else None
        if point is not None and point.email and point.closed_on is None:
            outbox.post(call, "mail", _letter(point, found))
            letters += 1
    return letters


def _letter(point: ServicePoint, late: Sequence[tuple[Repair, Device]]) -> dict[str, str]:
    lines = "\n".join(
        f"- {repair.number} {device.label} ({device.product}), {repair.supplier or 'not sent yet'}, due {repair.due_on}"
        for repair, device in late
    )
    return {
        "to": point.email,
        "subject": f"{len(late)} overdue repairs at {point.name}",
        "text": LETTER.format(place=point.name, lines=lines),
    }


def _go_on(call: Call, device: Device, repair: Repair) -> None:
    if device.state != LifeCycle.IN_REPAIR:
        return
    mended = repair.outcome in (RepairOutcome.REPAIRED, RepairOutcome.NO_FAULT)
    if device.person_id is not None:
        if not mended:
            return
        loan = repair.state_before == LifeCycle.ON_LOAN
        after = LifeCycle.ON_LOAN if loan else LifeCycle.HANDED_OUT
    elif mended and repair.state_before in (LifeCycle.IN_STOCK, LifeCycle.WIPED):
        after = LifeCycle.IN_STOCK
    else:
        after = LifeCycle.RETURNED
    inventory.apply_fields(call, device, {"state": after.value}, "device.moved")


def _mine(call: Call, device: Device) -> Repair:
    require(call.actor, Permission.DESK_WORK, device.where)
    repair = queries.open_for(call, device)
    if repair is None:
        raise NotFoundError(N_("%(device)s has no open repair. Nothing was changed."), device=device.label)
    return repair


def _faults(given: Collection[str]) -> list[str]:
    wrong = sorted(set(given))
    if not wrong or not set(wrong) <= set(Fault):
        raise InvalidError(
            N_("The repair was not saved: say what is wrong."), fields={"faults": N_("Choose at least one.")}
        )
    return wrong


def _fault_rows(repair: Repair) -> Any:
    return select(RepairFault).where(RepairFault.repair_id == repair.id)


def _more(repair: Repair, note: str) -> None:
    written = clean(note, NOTE, lines=True)
    if written:
        repair.note = f"{repair.note}\n{written}".strip()[-NOTE:]


def _open_already(device: Device) -> ConflictError:
    return ConflictError(
        N_("%(device)s has an open repair already. Nothing was opened; go on with that one."),
        code="repair_open",
        device=device.label,
    )


def _record(call: Call, action: str, repair: Repair, device: Device, details: dict[str, Any]) -> None:
    inventory.note(call, device, action.replace(".", "_"), {"repair": repair.number, **details})
    audit.record(
        call,
        action,
        ("repair", repair.uid),
        name=f"{repair.number} {device.label}",
        where=device.where,
        details={"device": device.uid, **details},
    )
