"""Making a request of what the gate has stopped; and what is let through while there is nobody who could agree."""

import hashlib
import re
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agent import wire
from mdm.audit import service as audit
from mdm.core.actor import ActorKind
from mdm.core.errors import N_, ApprovalNeededError, ConflictError, DeniedError, LimitedError, TooLargeError
from mdm.core.ids import new_uid
from mdm.core.risk import RISKS, Permit, Risk, Why, spelled
from mdm.core.text import clean
from mdm.orders import kernel
from mdm.orders.acts.moving import note
from mdm.orders.acts.telling import tell
from mdm.orders.model import Act, ActState
from mdm.orders.moving import requester
from mdm.org.model import ServicePoint
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

LIFETIME: Final = timedelta(hours=72)
"""How long a request may wait for people, for its cooling time and for room in its budget together."""
MAX_OPEN: Final = 50
"""Open requests of one requester: more would bury the approvers."""
MAX_REASON: Final = 500
LISTED: Final = 100
ASKERS = frozenset({ActorKind.OPERATOR, ActorKind.TOKEN, ActorKind.COMMAND_LINE})
"""Who may ask: people and the programs of people. Never a device, never the clock."""
HOSTS = frozenset({Risk.ROLE_GIVE, Risk.TOKEN_MAKE})
"""What the server's own command line may begin alone."""


def ask(call: Call, needed: ApprovalNeededError, reason: str = "") -> Act:
    """A request for what the gate has stopped, its text fixed from now on. The same one asked again is answered as it is.

    Raises DeniedError for who may not ask, LimitedError above fifty open ones, TooLargeError for more than fits one text.
    """
    if call.actor.kind not in ASKERS:
        raise DeniedError(N_("Only a person can ask for this. Nothing was asked."), code="person_required")
    risk = Risk(needed.risk)
    asker = requester_id(call)
    digest = _digest(needed)
    known = call.session.scalar(
        select(Act).where(Act.requested_by_id == asker, Act.digest == digest, Act.finished_at.is_(None))
    )
    if known is not None:
        return known
    _not_too_many(call, asker)
    said = clean(reason, MAX_REASON) or clean(needed.arguments.get("reason"), MAX_REASON) or RISKS[risk].words
    act = _act(call, needed, asker, digest, said)
    call.session.add(act)
    flush_unique(
        call.session,
        ConflictError(N_("The same was asked at this moment already. See Approvals."), code="act_open"),
    )
    note(call, act, "act.requested", {"reason": act.reason, "facts": act.facts})
    tell(call, act)
    return act


def requester_id(call: Call) -> str:
    """Who asks, as a statement names people: ``operator:7``; for a token its maker."""
    kind, _colon, name = requester(call.session, call.actor).partition(":")
    return f"{kind}:{re.sub('[^A-Za-z0-9-]', '-', name)[:40] or 'somebody'}"


def unfounded(session: Session) -> Permit | None:
    """A permit for whatever is asked, while nobody has founded a roster of approvers; None from the founding on."""
    return None if kernel.founded(session) else Permit(Why.NO_ROSTER)


def by_the_host(call: Call, risk: Risk, subject: tuple[str, object]) -> Call:
    """The call with a permit for what the server's own command line may begin alone: let in somebody new, make a token.

    Whoever can run it holds the database anyway; so it is done, written into the diary, and everybody concerned hears of
    it. It never touches the roster: who is new there waits, whatever roles they hold, and a token approves nothing.
    Raises DeniedError for another speaker and for another verb.
    """
    if call.actor.kind is not ActorKind.COMMAND_LINE or risk not in HOSTS:
        raise DeniedError(N_("Only the server's own command line can do this. Nothing was changed."))
    if call.permit is not None:
        return call
    return call.with_permit(Permit(Why.HOST, risk, (subject[0], str(subject[1]))))


def note_uses(call: Call) -> None:
    """Writes what a permit that nobody approved was used for into the diary, where it raises an alarm: one line per verb.

    For doors, before the commit. Uses that were noted are not noted again.
    """
    permit = call.permit
    if permit is None or permit.why not in (Why.NO_ROSTER, Why.HOST) or not permit.uses:
        return
    for risk in sorted({use.risk for use in permit.uses}):
        subjects = [use.subject for use in permit.uses if use.risk is risk]
        details = {
            "verb": risk.value,
            "why": permit.why.value,
            "subjects": [f"{kind}:{number}" for kind, number in subjects[:LISTED]],
        }
        audit.record(call, "act.performed_alone", subjects[0], details=details)
    permit.uses.clear()


def _act(call: Call, needed: ApprovalNeededError, asker: str, digest: str, reason: str) -> Act:
    kind, subject_id = needed.subject
    place = _place(call, needed)
    begins = int(call.now.timestamp())
    name = clean(needed.name) or f"{kind} {subject_id}"
    by = clean(call.actor.name) or call.actor.kind.value
    fixed: dict[str, Any] = {
        "args": {"does": needed.arguments, "facts": needed.facts, "name": name},
        "id": new_uid(),
        "kind": "act",
        "not_after": begins + int(LIFETIME.total_seconds()),
        "not_before": begins,
        "reason": reason,
        "requested_by": by,
        "requester": asker,
        "subject": clean(f"{kind}:{subject_id}"),
        "v": 1,
        "verb": needed.risk,
    }
    text = wire.canonical(fixed).decode()
    if len(text.encode()) > wire.MAX_ACT:
        raise TooLargeError(N_("This is more than anybody can look through. Nothing was asked; choose fewer at once."))
    return Act(
        id=fixed["id"],
        verb=needed.risk,
        subject_kind=kind,
        subject_id=subject_id,
        subject_name=name,
        service_point_id=needed.where.service_point_id,
        unit_id=needed.where.unit_id,
        place=place,
        canonical=text,
        arguments=needed.arguments,
        facts=needed.facts,
        private=needed.private,
        digest=digest,
        state=ActState.REQUESTED.value,
        approvals_needed=RISKS[Risk(needed.risk)].approvers,
        reason=reason,
        requested_by=by,
        requested_by_id=asker,
        actor_kind=call.actor.kind.value,
        actor_id=call.actor.id,
        requested_at=call.now,
        expires_at=call.now + LIFETIME,
    )


def _place(call: Call, needed: ApprovalNeededError) -> str:
    """The code of the service point whose approvers may agree; "" for what is the whole city's."""
    number = needed.where.service_point_id
    if number is None:
        return ""
    return call.session.scalar(select(ServicePoint.code).where(ServicePoint.id == number)) or ""


def _digest(needed: ApprovalNeededError) -> str:
    said = {"verb": needed.risk, "subject": list(needed.subject), "args": needed.arguments, "private": needed.private}
    return hashlib.sha256(spelled(said).encode()).hexdigest()


def _not_too_many(call: Call, asker: str) -> None:
    query = select(func.count()).select_from(Act).where(Act.requested_by_id == asker, Act.finished_at.is_(None))
    if (call.session.scalar(query) or 0) >= MAX_OPEN:
        raise LimitedError(
            N_("Fifty of your requests wait already. Nothing was asked; take some of them back first."),
            retry_after=3600,
        )
