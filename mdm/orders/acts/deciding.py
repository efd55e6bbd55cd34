"""What people do with a request: agree with a signature over its text, say no, take it back."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from agent import crypto, proof
from mdm.core.actor import ActorKind
from mdm.core.errors import N_, ConflictError, DeniedError, InvalidError
from mdm.core.permissions import Permission
from mdm.core.risk import RISKS, Risk
from mdm.core.text import clean
from mdm.orders import kernel
from mdm.orders.acts import states
from mdm.orders.acts.asking import MAX_REASON, requester_id
from mdm.orders.acts.moving import disabled, locked, missing, move, note, where
from mdm.orders.model import Act, ActApproval, ActState
from mdm.outbox import service as outbox
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique


def approve(call: Call, act_id: str, given: Mapping[str, Any], reason: str = "") -> Act:
    """Takes one person's signature over the text of the request; with the last one that it needs, the worker performs it.

    ``given`` is a proof as ``agent/proof`` reads it. Somebody who has signed in hands in their own only; the server's own
    command line hands in what was signed elsewhere. Raises NotFoundError, DeniedError (``own_act``, ``person_required``, or
    the rule that the signature broke: then the line in the diary is kept), ConflictError (``act_state``, ``act_expired``,
    ``decided``, ``no_roster``).
    """
    act = _to_decide(call, act_id)
    roster = proof.read_roster(kernel.roster_text(call.session))
    if call.actor.kind is ActorKind.OPERATOR and given.get("person") != f"operator:{call.actor.id}":
        raise DeniedError(N_("Everybody hands in their own signature. Nothing was changed."), code="not_yours")
    try:
        (approver,) = proof.check_approvals(
            act.canonical,
            [dict(given)],
            roster,
            crypto.holds,
            requester=act.requested_by_id,
            place=act.place,
            now=int(call.now.timestamp()),
            need=1,
        )
    except proof.RefusedError as refused:
        raise _refused(call, act, refused) from None
    if disabled(call.session, approver):
        raise DeniedError(N_("This approver has been shut out. Nothing was changed."), code="approver_disabled")
    _decided(call, act, approver, roster.people[approver].name, reason, dict(given))
    if _approvals(call, act) >= act.approvals_needed:
        act.due_at = call.now + RISKS[Risk(act.verb)].cooling
        move(call, act, ActState.APPROVED, {"approver": approver})
        outbox.post(call, "act.perform", {"act": act.id}, due=act.due_at)
    return act


def reject(call: Call, act_id: str, reason: str) -> Act:
    """Says no; a reason is needed. Raises as ``approve``."""
    act = _to_decide(call, act_id)
    said = clean(reason, MAX_REASON, lines=True)
    if not said:
        raise InvalidError(
            N_("A reason is needed. Nothing was changed."), fields={"reason": N_("Say why.")}, code="reason_missing"
        )
    person = requester_id(call)
    act.why = said
    _decided(call, act, person, clean(call.actor.name), said, None)
    move(call, act, ActState.REJECTED, {"reason": said})
    return act


def cancel(call: Call, act_id: str, reason: str = "") -> Act:
    """Takes a request back until it is done: whoever asked, and who may ask for or approve orders there. Twice is like once."""
    act = locked(call.session, act_id)
    if act is None:
        raise missing()
    mine = act.requested_by_id == requester_id(call)
    allowed = (Permission.ORDER_APPROVE, Permission.ORDER_REQUEST)
    if not (mine or any(call.actor.may(permission, where(act)) for permission in allowed)):
        _not_yours(call, act)
    if act.state != ActState.CANCELLED:
        move(call, act, ActState.CANCELLED, {"reason": clean(reason, MAX_REASON, lines=True)})
    return act


def _refused(call: Call, act: Act, refused: proof.RefusedError) -> DeniedError:
    """The refusal of a signature: its line in the diary is kept, and is an alarm, though nothing else is."""
    note(call, act, "act.approval_failed", {"rule": refused.rule, "why": str(refused)})
    error = DeniedError(
        N_("This approval does not count: %(why)s Nothing was changed."), code=refused.rule, why=str(refused)
    )
    error.keep = True
    return error


def _to_decide(call: Call, act_id: str) -> Act:
    """The act, locked, once it is sure that this actor may decide about it."""
    act = locked(call.session, act_id)
    if act is None:
        raise missing()
    if call.actor.kind is ActorKind.COMMAND_LINE:
        return _waiting(call, act)
    if not call.actor.may(Permission.ORDER_APPROVE, where(act)):
        _not_yours(call, act)
    if call.actor.kind is not ActorKind.OPERATOR:
        raise DeniedError(
            N_("Only a person who has signed in can decide about this. Nothing was changed."), code="person_required"
        )
    if act.requested_by_id == requester_id(call):
        raise DeniedError(
            N_("You asked for this, so somebody else must decide about it. Nothing was changed."), code="own_act"
        )
    return _waiting(call, act)


def _waiting(call: Call, act: Act) -> Act:
    if act.state != ActState.REQUESTED:
        states.check(ActState(act.state), ActState.REJECTED)
    if act.expires_at <= call.now:
        raise ConflictError(
            N_("The time of this request has passed. Nothing was changed; ask for it again."), code="act_expired"
        )
    return act


def _not_yours(call: Call, act: Act) -> None:
    if not call.actor.may(Permission.ORDER_VIEW, where(act)):
        raise missing()
    raise DeniedError(N_("You are not allowed to decide about this. Nothing was changed."))


def _decided(call: Call, act: Act, person: str, name: str, reason: str, given: dict[str, Any] | None) -> None:
    call.session.add(
        ActApproval(
            act_id=act.id,
            approver_id=person,
            approver_name=name,
            approved=given is not None,
            reason=clean(reason, MAX_REASON, lines=True),
            at=call.now,
            proof=given,
        )
    )
    flush_unique(
        call.session,
        ConflictError(N_("You have decided about this already. Nothing was changed."), code="decided"),
    )


def _approvals(call: Call, act: Act) -> int:
    query = select(func.count()).select_from(ActApproval).where(ActApproval.act_id == act.id, ActApproval.approved)
    return call.session.scalar(query) or 0
