"""Why a person's record cannot be erased now: what must be finished first, so that nothing is lost that somebody owes."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, func, or_, select

from mdm.access.model import Operator
from mdm.core.errors import N_
from mdm.desk.cases.model import Case, CaseState
from mdm.desk.custody.model import Custody, KitPiece
from mdm.desk.loans.model import OPEN, Reservation
from mdm.desk.repairs.model import Repair
from mdm.inventory.model import Device
from mdm.orders.model import Order
from mdm.people.model import Person
from mdm.privacy.model import Departure, Erasure
from mdm.storage.call import Call
from mdm.storage.metadata import all_tables


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, as a sentence for the catalogues that ``params`` fill."""

    code: str
    text: str
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """The filled English sentence."""
        return (self.text % self.params).rstrip()


NAMED: Final = 3
"""Things of one kind that a reason calls by their number."""
PROOF: Final = timedelta(days=365)
"""So long after a device of theirs was wiped, their record is not erased by itself: who asked for it may have to be shown."""


def reasons(call: Call, person: Person, *, by_itself: bool = False) -> list[Reason]:
    """Everything that stands in the way now; empty when the record can be erased.

    ``by_itself``: nobody asked, so what is evidence of late is waited for too.
    """
    found = []
    if person.left_on is None or person.left_on > call.now.date():
        found.append(Reason("still_here", N_("They still work here. Note their last day first.")))
    kept = call.session.get(Departure, person.id)
    if kept is not None and kept.kept_until is not None and kept.kept_until >= call.now.date():
        found.append(
            Reason(
                "kept",
                N_("It is kept until %(day)s, by %(by)s: %(why)s"),
                {"day": kept.kept_until.isoformat(), "by": kept.kept_by, "why": kept.kept_why},
            )
        )
    for code, text, query in _open(call, person):
        number = call.session.scalar(query) or 0
        if number:
            found.append(Reason(code, text, {"number": number, "which": _which(call, person, code)}))
    if by_itself and call.session.scalar(_wiped(person, call.now - PROOF)):
        found.append(
            Reason("wiped", N_("A device of theirs was wiped less than a year ago: it may have to be explained."))
        )
    return found


def _wiped(person: Person, after: datetime) -> Any:
    return select(func.count()).select_from(Order).where(Order.holder_id == person.id, Order.finished_at > after)


def _which(call: Call, person: Person, code: str) -> str:
    """The numbers of the first few, so that they are found; empty for what has none."""
    panics = all_tables().tables["panic_alarm"]
    queries: dict[str, Any] = {
        "devices": select(Device).where(Device.person_id == person.id).order_by(Device.id),
        "cases": _cases(person).with_only_columns(Case).order_by(Case.id),
        "repairs": _repairs(person).with_only_columns(Repair).order_by(Repair.id),
    }
    if code == "panic":
        ids = call.session.scalars(_panics(person).with_only_columns(panics.c.id).order_by(panics.c.id).limit(NAMED))
        return ", ".join(f"H-{number:05d}" for number in ids)
    if code not in queries:
        return ""
    rows = call.session.scalars(queries[code].limit(NAMED))
    return ", ".join(row.label if code == "devices" else row.number for row in rows)


def _cases(person: Person) -> Select[Any]:
    return select(func.count()).select_from(Case).where(Case.person_id == person.id, Case.state == CaseState.OPEN.value)


def _repairs(person: Person) -> Select[Any]:
    return select(func.count()).select_from(Repair).where(Repair.person_id == person.id, Repair.closed_at.is_(None))


def _panics(person: Person) -> Select[Any]:
    # By its table: this room and that of the panic button do not know each other.
    table = all_tables().tables["panic_alarm"]
    return select(func.count()).select_from(table).where(table.c.person_id == person.id, table.c.closed_at.is_(None))


def _duties(person: Person, today: date) -> Select[Any]:
    table = all_tables().tables["panic_duty"]
    still = or_(table.c.until_day.is_(None), table.c.until_day >= today)
    return select(func.count()).select_from(table).where(table.c.person_id == person.id, still)


def _open(call: Call, person: Person) -> list[tuple[str, str, Any]]:
    """What may be open, each with its sentence and the query that counts it."""
    mine = person.id
    devices = select(Device.id).where(Device.person_id == mine)
    handed = select(Custody.device_id).where(Custody.person_id == mine, Custody.to_at.is_(None))
    held = select(func.count()).select_from(Device).where(or_(Device.id.in_(devices), Device.id.in_(handed)))
    return [
        ("devices", N_("Devices in their hands: %(number)s. Take them back first. %(which)s"), held),
        (
            "kit",
            N_("Pieces of a kit in their hands: %(number)s. Take them back first."),
            select(func.count()).select_from(KitPiece).where(KitPiece.person_id == mine),
        ),
        (
            "cases",
            N_("Open cases about them: %(number)s. Close them first. %(which)s"),
            _cases(person),
        ),
        (
            "panic",
            N_("Calls for help of theirs that are open: %(number)s. Answer and close them first. %(which)s"),
            _panics(person),
        ),
        (
            "duty",
            N_("Lines of the roster of duty that name them: %(number)s. Put somebody else there first."),
            _duties(person, call.now.date()),
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
            N_("Repairs that are not closed: %(number)s. Close them first. %(which)s"),
            _repairs(person),
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
