"""What people do with orders: ask, approve, reject, cancel. Nobody approves what they asked for themselves.

What the signer, the worker and the device do with them is in ``delivery.py``.
"""

from datetime import timedelta

from sqlalchemy import select

from mdm.core.actor import Actor, ActorKind, require
from mdm.core.errors import N_, ConflictError, DeniedError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.inventory.model import Device
from mdm.orders import states
from mdm.orders.asking import MAX_REASON, ORDER_HOURS, reason_given, request_wipe, request_wipes, wipeable
from mdm.orders.model import Approval, Order, OrderState
from mdm.orders.moving import locked, missing, move, places, where, who
from mdm.outbox import service as outbox
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

__all__ = ["ORDER_HOURS", "REQUEST_LIFETIME", "approve", "cancel", "reject", "request_wipe", "request_wipes"]

REQUEST_LIFETIME = timedelta(hours=ORDER_HOURS)
"""How long a request waits for somebody to approve it."""


def approve(call: Call, order_id: str, reason: str = "", *, hours: int = ORDER_HOURS) -> Order:
    """Approves somebody else's order; the signer is asked next. ``hours`` is how long it is valid from now on.

    Raises NotFoundError, DeniedError (``own_order``, ``person_required`` or without the right), ConflictError
    (``order_state`` when somebody was faster, ``order_expired``, ``device_private``, ``device_not_enrolled``,
    ``device_gone``).
    """
    order = _to_decide(call, order_id)
    states.check(OrderState(order.state), OrderState.APPROVED)
    _still_wipeable(call, order)
    _decided(call, order, approved=True, reason=reason)
    order.expires_at = call.now + timedelta(hours=min(hours, ORDER_HOURS))
    move(call, order, OrderState.APPROVED, "order.approved", {"reason": clean(reason, MAX_REASON, lines=True)})
    outbox.post(call, "order.release", {"order": order.id})
    return order


def reject(call: Call, order_id: str, reason: str) -> Order:
    """Says no to an order that waits for approval; a reason is needed. Raises as ``approve``."""
    order = _to_decide(call, order_id)
    states.check(OrderState(order.state), OrderState.REJECTED)
    said = reason_given(reason)
    _decided(call, order, approved=False, reason=said)
    move(call, order, OrderState.REJECTED, "order.rejected", {"reason": said})
    return order


def cancel(call: Call, order_id: str, reason: str = "") -> Order:
    """Takes an order back until the device has fetched it. Whoever may ask or approve there may also cancel.

    Cancelling what is cancelled changes nothing. Raises ConflictError (``order_state``) when it is too late.
    """
    order = locked(call.session, order_id)
    if order is None:
        raise missing()
    here = places(call.session, order)
    actor = call.actor
    allowed = (Permission.ORDER_REQUEST, Permission.ORDER_APPROVE)
    if not any(actor.may(permission, place) for permission in allowed for place in here):
        _not_yours(call, order)
    if order.state != OrderState.CANCELLED:
        move(call, order, OrderState.CANCELLED, "order.cancelled", {"reason": clean(reason, MAX_REASON, lines=True)})
    return order


def _to_decide(call: Call, order_id: str) -> Order:
    """The order, locked, once it is sure that this actor may decide about it."""
    order = locked(call.session, order_id)
    if order is None:
        raise missing()
    if not all(call.actor.may(Permission.ORDER_APPROVE, place) for place in places(call.session, order)):
        _not_yours(call, order)
    if call.actor.kind is not ActorKind.OPERATOR:
        raise DeniedError(
            N_("Only a person who has signed in can decide about an order. Nothing was changed."),
            code="person_required",
        )
    if who(call.actor) == order.requested_by_id:
        raise DeniedError(
            N_("You asked for this order, so somebody else must decide about it. Nothing was changed."),
            code="own_order",
        )
    if order.state == OrderState.REQUESTED and order.expires_at <= call.now:
        raise ConflictError(
            N_("The time of this request has passed. Nothing was changed; ask for it again."), code="order_expired"
        )
    return order


def _not_yours(call: Call, order: Order) -> None:
    """Raises NotFoundError for who may not even see the order, DeniedError for who sees it and may not do this."""
    if not any(call.actor.may(Permission.ORDER_VIEW, place) for place in places(call.session, order)):
        raise missing()
    require(call.actor, Permission.ORDER_APPROVE, where(order))
    raise DeniedError(N_("You are not allowed to do this where the device is now. Nothing was changed."))


def _decided(call: Call, order: Order, *, approved: bool, reason: str) -> None:
    said = clean(reason, MAX_REASON, lines=True)
    call.session.add(
        Approval(
            order_id=order.id,
            approver_id=who(call.actor),
            approver_name=_name(call.actor),
            approved=approved,
            reason=said,
            at=call.now,
        )
    )
    flush_unique(
        call.session,
        ConflictError(N_("You have decided about this order already. Nothing was changed."), code="decided"),
    )


def _still_wipeable(call: Call, order: Order) -> None:
    device = call.session.scalar(
        select(Device).where(Device.id == order.device_id).execution_options(populate_existing=True)
    )
    if device is None:
        raise ConflictError(N_("The device is no longer here. Nothing was changed."), code="device_gone")
    wipeable(device)


def _name(actor: Actor) -> str:
    return clean(actor.name) or actor.kind.value
