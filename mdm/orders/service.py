"""What people do with orders: ask, approve, reject, cancel. Nobody approves what they asked for themselves.

What the signer, the worker and the device do with them is in ``delivery.py``.
"""

from datetime import timedelta

from sqlalchemy import select

from mdm.core.actor import Actor, ActorKind, require
from mdm.core.errors import N_, ConflictError, DeniedError, InvalidError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.inventory import queries as inventory
from mdm.inventory.model import Device, Ownership
from mdm.orders import states
from mdm.orders.model import Approval, Order, OrderState
from mdm.orders.moving import locked, missing, move, note, places, requester, where, who
from mdm.outbox import service as outbox
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

REQUEST_LIFETIME = timedelta(days=7)
"""How long a request waits for somebody to approve it."""
ORDER_HOURS = 72
"""How long an approved order is valid where the settings do not say less."""
MAX_REASON = 500

ASKERS = frozenset({ActorKind.OPERATOR, ActorKind.TOKEN, ActorKind.COMMAND_LINE})
"""Who may ask: people and the programs of people. Never a device, never the clock."""


def request_wipe(call: Call, device_uid: str, reason: str) -> Order:
    """Asks for the wipe of one device; it waits for somebody else's approval.

    Raises NotFoundError, DeniedError, InvalidError without a reason, ConflictError with the code ``device_private``,
    ``device_not_enrolled`` or ``order_open`` (there is one open order per device at the most).
    """
    if call.actor.kind not in ASKERS:
        raise DeniedError(N_("Only a person can ask for a wipe. Nothing was asked."), code="person_required")
    device = inventory.device_by_uid(call, device_uid)
    require(call.actor, Permission.ORDER_REQUEST, device.where)
    said = _reason(reason)
    _wipeable(device)
    person = call.session.get(Person, device.person_id) if device.person_id is not None else None
    order = Order(
        id=new_uid(),
        device_id=device.id,
        device_uid=device.uid,
        device_label=clean(device.label),
        device_serial=device.serial or "",
        person_name=person.name if person is not None else "",
        service_point_id=device.service_point_id,
        unit_id=device.unit_id,
        verb="wipe",
        reason=said,
        requested_by=_name(call.actor),
        requested_by_id=requester(call.session, call.actor),
        requested_at=call.now,
        expires_at=call.now + REQUEST_LIFETIME,
    )
    # The index decides, not a look beforehand: of two who ask at the same moment, one gets this answer.
    call.session.add(order)
    flush_unique(
        call.session,
        ConflictError(
            N_("There is an open order for this device already. Nothing was asked; see Approvals."), code="order_open"
        ),
    )
    note(call, order, "order.requested", {"reason": said})
    return order


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
    said = _reason(reason)
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
    _wipeable(device)


def _wipeable(device: Device) -> None:
    if device.ownership == Ownership.PRIVATE:
        raise ConflictError(
            N_("This is somebody's private device: it is never wiped in full. Nothing was changed."),
            code="device_private",
        )
    if device.enrolled_at is None:
        raise ConflictError(
            N_("This device is not enrolled, so no order can reach it. Nothing was changed."),
            code="device_not_enrolled",
        )


def _reason(reason: str) -> str:
    said = clean(reason, MAX_REASON, lines=True)
    if not said:
        raise InvalidError(
            N_("A reason is needed. Nothing was changed."), fields={"reason": N_("Say why.")}, code="reason_missing"
        )
    return said


def _name(actor: Actor) -> str:
    return clean(actor.name) or actor.kind.value
