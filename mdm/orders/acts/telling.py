"""Who hears what about an act: whoever asked, those who may agree, and the one whom it is about."""

from typing import Final

from sqlalchemy import select

from mdm.access.model import Operator
from mdm.core.risk import RISKS, Risk
from mdm.inventory.model import Device
from mdm.orders import kernel
from mdm.orders.model import Act, ActApproval, ActState
from mdm.outbox import service as outbox
from mdm.people.model import Person
from mdm.storage.call import Call

ENDS: Final[dict[ActState, str]] = {
    ActState.REQUESTED: "It waits for somebody else to agree.",
    ActState.APPROVED: "Enough people have agreed; it is done soon, and can still be taken back.",
    ActState.HELD: "It is held: {why}",
    ActState.DONE: "It was done.",
    ActState.FAILED: "It was not done: {why}",
    ActState.REJECTED: "Somebody said no. Nothing was changed.",
    ActState.CANCELLED: "It was taken back. Nothing was changed.",
    ActState.EXPIRED: "Its time has passed. Nothing was changed.",
}


def tell(call: Call, act: Act) -> None:
    """Writes to everybody concerned what has become of the act."""
    state = ActState(act.state)
    words = RISKS[Risk(act.verb)].words
    text = "\n".join(
        (
            f"{act.requested_by} asked for this: {words} ({act.subject_name}).",
            f"Why: {act.reason}",
            ENDS[state].format(why=act.why or "-"),
            "",
            f"Number {act.id}; see Approvals in the console.",
        )
    )
    for address in sorted(_addresses(call, act, state)):
        outbox.post(call, "mail", {"to": address, "subject": f"{words}: {act.subject_name}", "text": text})


def _addresses(call: Call, act: Act, state: ActState) -> set[str]:
    people = {act.requested_by_id}
    if state is ActState.REQUESTED:
        roster = kernel.people(call.session)
        people |= {one for one, places in roster.items() if "*" in places or act.place in places}
    else:
        people |= set(call.session.scalars(select(ActApproval.approver_id).where(ActApproval.act_id == act.id)))
    if act.subject_kind == "operator":
        people.add(f"operator:{act.subject_id}")
    ids = [int(number) for kind, _colon, number in (one.partition(":") for one in people) if _row(kind, number)]
    found = set(
        call.session.scalars(select(Operator.email).where(Operator.id.in_(ids), Operator.disabled_at.is_(None)))
    )
    return found | _holder(call, act)


def _row(kind: str, number: str) -> bool:
    return kind == "operator" and number.isascii() and number.isdigit() and len(number) < 15


def _holder(call: Call, act: Act) -> set[str]:
    if act.subject_kind != "device":
        return set()
    email = call.session.scalar(
        select(Person.email).join(Device, Device.person_id == Person.id).where(Device.uid == act.subject_id)
    )
    return {email} if email else set()
