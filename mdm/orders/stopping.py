"""Stopping orders: the holder's pause, and the red button. Stopping is easy and takes one; going on takes others."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from agent.crypto import holds
from agent.proof import RefusedError, check_approvals, read_roster
from mdm.audit import service as audit
from mdm.core.actor import ActorKind
from mdm.core.errors import N_, ConflictError, DeniedError, GoneError, NotFoundError
from mdm.core.ids import secret_digest
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.orders import kernel, statement, states
from mdm.orders.asking import MAX_REASON
from mdm.orders.deciding import approved_now
from mdm.orders.model import KernelState, Order, OrderState
from mdm.orders.moving import locked, missing, move, places, tell, who
from mdm.outbox import service as outbox
from mdm.signing.refusals import as_error
from mdm.storage.call import Call

THAW_LIFETIME = 24 * 3600
"""Seconds for which a thaw statement that somebody has begun may be signed; then it is begun anew."""


def paused_order(call: Call, secret: str) -> Order:
    """The order that a link in the holder's mail is about; for everybody who has the link.

    Raises NotFoundError for an unknown link, GoneError (``too_late``) once nothing can be stopped any more.
    """
    order = call.session.scalar(
        select(Order).where(Order.pause_digest == secret_digest(secret)).execution_options(populate_existing=True)
    )
    if order is None:
        raise NotFoundError(N_("This link is not known, or it was used already."), code="link_unknown")
    if order.state not in states.PAUSABLE and order.state != OrderState.PAUSED:
        raise GoneError(N_("This order can no longer be stopped: it has ended, or the device has it."), code="too_late")
    return order


def pause(call: Call, secret: str) -> Order:
    """Stops an order in its holder's name until an approver of the place lifts it. The link works once.

    Raises as ``paused_order``. An alarm goes out with it: somebody's device is to be wiped, and they say no.
    """
    number = paused_order(call, secret).id
    order = locked(call.session, number)
    if order is None or order.pause_digest != secret_digest(secret):
        raise NotFoundError(N_("This link is not known, or it was used already."), code="link_unknown")
    order.pause_digest = None
    if order.state != OrderState.PAUSED:
        order.paused_at = call.now
        order.paused_by = order.person_name
        move(call, order, OrderState.PAUSED, "order.paused", {"by": "holder"})
    return order


def lift(call: Call, order_id: str, reason: str = "") -> Order:
    """Ends the holder's pause: the order goes on where it stood, and the signer is asked anew.

    Only for a signed-in approver of the place who did not ask for it. Raises NotFoundError, DeniedError (``own_order``,
    ``person_required``), ConflictError (``order_state``) when it is not paused.
    """
    order = locked(call.session, order_id)
    if order is None:
        raise missing()
    here = places(call.session, order)
    if not all(call.actor.may(Permission.ORDER_APPROVE, place) for place in here):
        if not any(call.actor.may(Permission.ORDER_VIEW, place) for place in here):
            raise missing()
        raise DeniedError(N_("Only an approver of the place ends a pause. Nothing was changed."))
    if call.actor.kind is not ActorKind.OPERATOR:
        raise DeniedError(
            N_("Only a person who has signed in ends a pause. Nothing was changed."), code="person_required"
        )
    if who(call.actor) == order.requested_by_id:
        raise DeniedError(
            N_("You asked for this order, so somebody else must decide about it. Nothing was changed."),
            code="own_order",
        )
    if order.state != OrderState.PAUSED:
        raise ConflictError(N_("This order is not paused. Nothing was changed."), code="order_state")
    order.paused_at, order.paused_by = None, ""
    ready = order.lane == "hand_in" or approved_now(call, order)
    to = OrderState.APPROVED if ready else OrderState.REQUESTED
    move(call, order, to, "order.lifted", {"reason": clean(reason, MAX_REASON)})
    tell(call, order, "lifted")
    if ready:
        outbox.post(call, "order.release", {"order": order.id})
    return order


def freeze(call: Call, why: str) -> KernelState:
    """The red button: from this transaction on nothing that is undelivered is delivered, and the signer signs nothing.

    For everybody who holds ``order:freeze`` anywhere, and for the command line. Twice is like once. Raises DeniedError.
    """
    if not call.actor.may_somewhere(Permission.ORDER_FREEZE):
        raise DeniedError(N_("You are not allowed to stop all orders. Nothing was changed."))
    row = kernel.locked(call)
    if row.frozen_at is None:
        row.frozen_at = call.now
        row.frozen_by = clean(call.actor.name) or call.actor.kind.value
        row.frozen_why = clean(why, MAX_REASON)
        row.thaw_text, row.thaw_proofs, row.freezes = "", [], 0
        audit.record(call, "orders.frozen", ("kernel", 1), name="orders", details={"why": row.frozen_why})
    # Also when it is frozen here already: the signer is told again, in case it was not reached.
    outbox.post(call, "kernel.freeze", {"who": who(call.actor), "why": row.frozen_why})
    return row


def begin_thaw(call: Call) -> str:
    """The statement that people sign to end the freeze; the same for everybody until a day has passed.

    Raises ConflictError ``not_frozen``, ``freeze_unknown`` while the signer has not confirmed the freeze.
    """
    _may_thaw(call)
    row = kernel.locked(call)
    if row.frozen_at is None:
        raise ConflictError(N_("Orders are not stopped. Nothing was changed."), code="not_frozen")
    if row.freezes == 0:
        raise ConflictError(
            N_("The signer has not confirmed the stop yet. Nothing was changed; try again in a moment."),
            code="freeze_unknown",
        )
    now = int(call.now.timestamp())
    if row.thaw_text != statement.thaw_text(row.freezes, _issued(row)) or now - _issued(row) > THAW_LIFETIME:
        row.thaw_text, row.thaw_proofs = statement.thaw_text(row.freezes, now), []
        audit.record(call, "orders.thaw_begun", ("kernel", 1), name="orders", details={"freeze": row.freezes})
    return row.thaw_text


def take_thaw_proof(call: Call, proof: Mapping[str, Any]) -> int:
    """Takes one person's signature over the thaw statement; how many people still lack. At none, the signer is asked.

    Raises ConflictError (``not_frozen``, ``no_roster``, ``decided``), or the error whose code is the rule that refuses.
    """
    _may_thaw(call)
    text = begin_thaw(call)
    row = kernel.locked(call)
    if not row.roster_text:
        raise ConflictError(N_("No roster of approvers has been founded. Nothing was changed."), code="no_roster")
    roster, now = read_roster(row.roster_text), int(call.now.timestamp())
    try:
        (person,) = check_approvals(text, [dict(proof)], roster, holds, requester="", place=None, now=now, need=1)
    except RefusedError as refused:
        error = as_error(refused)
        error.keep = True
        said = {"why": refused.rule, "person": clean(proof.get("person"), 64)}
        audit.record(call, "approval.failed", ("kernel", 1), name="orders", details=said)
        raise error from refused
    if any(one["person"] == person for one in row.thaw_proofs):
        raise ConflictError(N_("You have signed this already. Nothing was changed."), code="decided")
    row.thaw_proofs = [*row.thaw_proofs, dict(proof)]
    lacking = max(0, roster.threshold - len(row.thaw_proofs))
    audit.record(
        call, "orders.thaw_signed", ("kernel", 1), name="orders", details={"person": person, "lacking": lacking}
    )
    if lacking == 0:
        outbox.post(call, "kernel.thaw", {"statement": text})
    return lacking


def thawed(call: Call, number: int) -> None:
    """Notes that the signer has ended this freeze: orders go on, and devices that wait are woken. Twice is like once."""
    row = kernel.locked(call)
    if row.frozen_at is None or row.freezes != number:
        return
    row.frozen_at, row.frozen_by, row.frozen_why = None, "", ""
    row.thaw_text, row.thaw_proofs = "", []
    audit.record(call, "orders.thawed", ("kernel", 1), name="orders", details={"freeze": number})
    waiting = call.session.execute(
        select(Order.id, Order.device_id, Order.state).where(
            Order.state.in_([state.value for state in states.WAITS_FOR_SIGNER | states.DELIVERABLE])
        )
    ).all()
    for number_, device_id, state in waiting:
        if state in states.WAITS_FOR_SIGNER:
            outbox.post(call, "order.release", {"order": number_})
        elif device_id is not None:
            outbox.ring(call, device_id=device_id)


def _may_thaw(call: Call) -> None:
    """Whoever may stop orders, or sees them, may hand in signatures: it is the signatures that count."""
    if not (call.actor.may_somewhere(Permission.ORDER_FREEZE) or call.actor.may_somewhere(Permission.ORDER_VIEW)):
        raise DeniedError(N_("You are not allowed to let orders go on. Nothing was changed."))


def _issued(row: KernelState) -> int:
    if not row.thaw_text:
        return 0

    return int(json.loads(row.thaw_text)["issued"])
