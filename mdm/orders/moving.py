"""The one place that changes the state of an order: table of moves, diary, what waits for the device, the post."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mdm.access.model import ApiToken
from mdm.audit import service as audit
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Where
from mdm.inventory.model import Device
from mdm.inventory.waiting import add_waiting
from mdm.orders import states
from mdm.orders.model import Order, OrderBatch, OrderState
from mdm.outbox import service as outbox
from mdm.storage.call import Call

TOLD = frozenset(OrderState) - {OrderState.APPROVED, OrderState.FETCHED, OrderState.REQUESTED}
"""Steps of which people are told by mail. That it was asked, or goes on, whoever does that tells; the rest follows at once."""


def who(actor: Actor) -> str:
    """Kind and id of an actor as statements name people: ``operator:7``, ``token:3``, ``command_line:root``."""
    name = "".join(character if character.isascii() and character.isalnum() else "-" for character in actor.name)
    return f"{actor.kind.value}:{(name if actor.id is None else str(actor.id))[:40] or '-'}"


def requester(session: Session, actor: Actor) -> str:
    """``who``, but for a token the person who made it: nobody asks by a program and approves by hand."""
    if actor.kind is ActorKind.TOKEN and actor.id is not None:
        maker = session.scalar(select(ApiToken.created_by_id).where(ApiToken.id == actor.id))
        if maker is not None:
            return f"{ActorKind.OPERATOR.value}:{maker}"
    return who(actor)


def where(order: Order) -> Where:
    """The place of the device when the order was asked for."""
    return Where(order.service_point_id, order.unit_id)


def places(session: Session, order: Order) -> list[Where]:
    """Where the device stood when it was asked, and where it stands now: rights are asked at both."""
    device = session.get(Device, order.device_id) if order.device_id is not None else None
    now = [device.where] if device is not None else []
    return [where(order), *(place for place in now if place != where(order))]


def locked(session: Session, order_id: str) -> Order | None:
    """The order, kept from everybody else until the transaction ends; None when it is not there."""
    return session.scalar(
        select(Order).where(Order.id == order_id).with_for_update().execution_options(populate_existing=True)
    )


def locked_batch(session: Session, batch_id: str) -> tuple[OrderBatch, list[Order]] | None:
    """The batch with its orders, kept from everybody else until the transaction ends; None when it is not there."""
    batch = session.scalar(select(OrderBatch).where(OrderBatch.id == batch_id).with_for_update())
    if batch is None:
        return None
    orders = session.scalars(
        select(Order)
        .where(Order.batch_id == batch_id)
        .order_by(Order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    return batch, list(orders)


def missing() -> NotFoundError:
    """What is answered for an order that is not there, or not yours."""
    return NotFoundError(N_("There is no such order, or it is not one of yours."))


def move(call: Call, order: Order, to: OrderState, action: str, details: dict[str, Any] | None = None) -> None:
    """Takes the order one step on, writes the diary, and has those concerned told.

    Raises ConflictError when the step is not in the table.
    """
    before = OrderState(order.state)
    states.check(before, to)
    delta = (to in states.DELIVERABLE) - (before in states.DELIVERABLE)
    if delta and order.device_id is not None:
        add_waiting(call, (order.device_id,), delta)
    order.state = to.value
    if to not in states.OPEN:
        order.finished_at = call.now
    note(call, order, action, {"state": to.value, **(details or {})})
    if to in TOLD:
        tell(call, order, to.value)


def tell(call: Call, order: Order, step: str) -> None:
    """Has requester, approvers and holder told of a step, by the worker."""
    outbox.post(call, "order.told", {"order": order.id, "step": step})


def note(call: Call, order: Order, action: str, details: dict[str, Any]) -> None:
    """Writes one line about this order into the diary."""
    audit.record(
        call,
        action,
        ("order", order.id),
        name=order.device_label,
        where=where(order),
        details={"device": order.device_uid, "verb": order.verb, **details},
    )
