"""Which facts stand on the papers of a case. Making the declaration ticks its step: the paper is there."""

from mdm.core.errors import N_, ConflictError
from mdm.desk.cases import handling, keeping, queries
from mdm.desk.cases.documents import Declaration, Item, Returned
from mdm.desk.cases.documents import declaration as draw_declaration
from mdm.desk.cases.documents import receipt as draw_receipt
from mdm.desk.cases.model import GONE, CaseKind, CaseState, StepState
from mdm.desk.cases.owing import follow_items
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.storage.call import Call


def declaration(call: Call, uid: str, owner: str) -> bytes:
    """The declaration of loss or theft as a PDF, in the holder's language; it stands in the time line and ticks its step.

    Raises NotFoundError, DeniedError, ConflictError (``case_kind``) for a case of another kind.
    """
    case = keeping.locked(call, uid)
    device = keeping.device_of(call, case)
    if case.kind not in GONE or device is None:
        raise _other_kind(case.number)
    person = call.session.get(Person, case.person_id) if case.person_id is not None else None
    if case.state == CaseState.OPEN:
        handling.step(call, uid, "declaration", StepState.DONE)
    keeping.line(call, case, "paper", about="declaration")
    facts = {
        **_device_facts(device),
        "holder": " ".join(part for part in (case.person_name, person.number if person else "") if part),
        "seen_on": case.seen_on.isoformat() if case.seen_on else "",
        "seen_where": case.seen_where,
        "account": case.account,
        "police": case.police_report,
        "police_on": case.police_on.isoformat() if case.police_on else "",
        "reported": case.opened_at.strftime("%Y-%m-%d %H:%M UTC"),
        "place": _place(call, case.service_point_id),
    }
    return draw_declaration(
        Declaration(
            case.number,
            owner,
            case.kind == CaseKind.STOLEN,
            facts,
            call.now,
            person.language if person is not None else "nl",
        )
    )


def receipt(call: Call, uid: str, owner: str) -> bytes:
    """The receipt of what somebody who leaves brought back, as a PDF in their language. Raises as ``declaration``."""
    case = keeping.locked(call, uid)
    if case.kind != CaseKind.LEAVER or case.person_id is None:
        raise _other_kind(case.number)
    follow_items(call, case)
    person = call.session.get_one(Person, case.person_id)
    items = [
        Item(one.label, one.code, one.returned_at.date().isoformat() if one.returned_at else "", one.missing)
        for one in queries.items(call, case)
    ]
    keeping.line(call, case, "paper", about="receipt")
    facts = {
        "left": case.last_day.isoformat() if case.last_day else "",
        "place": _place(call, case.service_point_id),
    }
    return draw_receipt(Returned(case.number, owner, case.person_name, facts, items, call.now, person.language))


def _device_facts(device: Device) -> dict[str, str]:
    return {
        "device": device.label,
        "product": device.product,
        "serial": device.serial or "",
        "imei": device.imei or "",
        "tag": device.tag or "",
        "phone": device.phone_number,
        "value": device.purchased_on.isoformat() if device.purchased_on else "",
    }


def _place(call: Call, service_point_id: int | None) -> str:
    point = call.session.get(ServicePoint, service_point_id) if service_point_id is not None else None
    return ", ".join(part for part in (point.name, point.address) if part) if point is not None else ""


def _other_kind(number: str) -> ConflictError:
    return ConflictError(
        N_("The case %(number)s has no such paper. Nothing was made."), code="case_kind", number=number
    )
