"""The one place that changes the state of an act: table of moves, diary, mails."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mdm.access.model import Operator
from mdm.audit import service as audit
from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Where
from mdm.orders.acts import states
from mdm.orders.acts.telling import tell
from mdm.orders.model import Act, ActState
from mdm.storage.call import Call


def locked(session: Session, act_id: str) -> Act | None:
    """The act, kept from everybody else until the transaction ends; None when it is not there."""
    return session.scalar(
        select(Act).where(Act.id == act_id).with_for_update().execution_options(populate_existing=True)
    )


def where(act: Act) -> Where:
    """The place whose approvers may agree."""
    return Where(act.service_point_id, act.unit_id)


def disabled(session: Session, person: str) -> bool:
    """Whether a person of the roster (``operator:7``) is an operator who has been shut out."""
    kind, _colon, number = person.partition(":")
    if kind != "operator" or not (number.isascii() and number.isdigit() and len(number) < 15):
        return False
    found = session.scalar(select(Operator.id).where(Operator.id == int(number), Operator.disabled_at.is_not(None)))
    return found is not None


def missing() -> NotFoundError:
    """What is answered for an act that is not there, or not yours."""
    return NotFoundError(N_("There is no such request, or it is not one of yours."))


def move(call: Call, act: Act, to: ActState, details: dict[str, Any] | None = None) -> None:
    """Takes the act one step on, writes the diary and tells those who are concerned. Raises ConflictError (``act_state``)."""
    states.check(ActState(act.state), to)
    act.state = to.value
    if to not in states.OPEN:
        act.finished_at = call.now
        # A policy's secrets stay where they are needed, and no longer.
        act.private = {}
    note(call, act, f"act.{to.value}", details or {})
    tell(call, act)


def note(call: Call, act: Act, action: str, details: dict[str, Any]) -> None:
    """Writes one line about this act into the diary."""
    said = {"verb": act.verb, "subject": f"{act.subject_kind}:{act.subject_id}", **details}
    audit.record(call, action, ("act", act.id), name=act.subject_name, where=where(act), details=said)
