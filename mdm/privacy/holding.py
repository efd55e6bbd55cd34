"""Why a person's record cannot be erased now: what must be finished first, so that nothing is lost that somebody owes."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, or_, select

from mdm.access.model import Operator
from mdm.core.errors import N_
from mdm.desk.cases.model import Case, CaseState
from mdm.desk.custody.model import Custody, KitPiece
from mdm.desk.loans.model import OPEN, Reservation
from mdm.desk.repairs.model import Repair
from mdm.inventory.model import Device
from mdm.orders.model import Order
from mdm.people.model import Person
from mdm.privacy.model import Erasure
from mdm.storage.call import Call


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, as a sentence for the catalogues that ``params`` fill."""

    code: str
    text: str
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """The filled English sentence."""
        return self.text % self.params


def reasons(call: Call, person: Person) -> list[Reason]:
    """Everything that stands in the way now; empty when the record can be erased."""
    found = []
    if person.left_on is None or person.left_on > call.now.date():
        found.append(Reason("still_here", N_("They still work here. Note their last day first.")))
    for code, text, query in _open(person):
        number = call.session.scalar(query) or 0
        if number:
            found.append(Reason(code, text, {"number": number}))
    return found


def _open(person: Person) -> list[tuple[str, str, Any]]:
    """What may be open, each with its sentence and the query that counts it."""
    mine = person.id
    devices = select(Device.id).where(Device.person_id == mine)
    handed = select(Custody.device_id).where(Custody.person_id == mine, Custody.to_at.is_(None))
    held = select(func.count()).select_from(Device).where(or_(Device.id.in_(devices), Device.id.in_(handed)))
    return [
        ("devices", N_("Devices in their hands: %(number)s. Take them back first."), held),
        (
            "kit",
            N_("Pieces of a kit in their hands: %(number)s. Take them back first."),
            select(func.count()).select_from(KitPiece).where(KitPiece.person_id == mine),
        ),
        (
            "cases",
            N_("Open cases about them: %(number)s. Close them first."),
            select(func.count()).select_from(Case).where(Case.person_id == mine, Case.state == CaseState.OPEN.value),
        ),
        (
            "loans",
            N_("Reservations that have not ended: %(number)s. End them first."),
            select(func.count())
            .select_from(Reservation)
            .where(Reservation.person_id == mine, Reservation.state.in_([state.value for state in OPEN])),
        ),
        (
            "repairs",
            N_("Repairs that are not closed: %(number)s. Close them first."),
            select(func.count()).select_from(Repair).where(Repair.person_id == mine, Repair.closed_at.is_(None)),
        ),
        (
            "orders",
            N_("Orders to wipe a device of theirs that are not finished: %(number)s."),
            select(func.count()).select_from(Order).where(Order.holder_id == mine, Order.finished_at.is_(None)),
        ),
        (
            "account",
            N_("They can still sign in to this console. Shut their account out first."),
            select(func.count())
            .select_from(Operator)
            .where(Operator.email == person.email, Operator.disabled_at.is_(None)),
        ),
        (
            "erased",
            N_("Their record was erased already, or is being erased."),
            select(func.count()).select_from(Erasure).where(Erasure.person_id == mine),
        ),
    ]
