"""What the signer, the worker and the device do with orders that people have decided about.

Everything is proved again right before it counts: an order is stored, delivered or answered only when its state, its
time, its device and its signature are right at that moment.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from agent.wire import Command, Result
from mdm.core.clock import iso
from mdm.core.errors import N_, DeniedError, HavenmeesterError
from mdm.core.text import clean
from mdm.inventory import lifecycle
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, LifeCycle, Ownership
from mdm.orders import envelope as envelopes
from mdm.orders import states
from mdm.orders.model import KernelState, Order, OrderState, Release
from mdm.orders.moving import locked, missing, move, note
from mdm.outbox import service as outbox
from mdm.signing.seals import open_order
from mdm.storage.call import Call

MAX_DETAIL: Final = 2000
MAX_DATA: Final = 64
COOLING: Final = "cooling"
"""The signer's code for an order whose cooling time runs."""


def take_release(call: Call, order_id: str, signature: str, *, order_key: str) -> Order:
    """Stores the signature of an order, so that the device gets it. The same one again changes nothing.

    An order that was cancelled, paused, or has expired, while the signer was asked stays so, and nothing is stored. Raises
    NotFoundError, DeniedError when ``order_key`` (the signer's public key) does not prove it.
    """
    order = locked(call.session, order_id)
    if order is None:
        raise missing()
    said = open_order(order_key, order.canonical, signature)
    if order.state not in states.WAITS_FOR_SIGNER or order.expires_at <= call.now:
        return order
    kept = call.session.get(Release, order.id)
    if kept is None:
        call.session.add(
            Release(order_id=order.id, canonical=order.canonical, signature=signature, released_at=call.now)
        )
    else:
        kept.canonical, kept.signature = order.canonical, signature
    order.held_why = ""
    order.cools_until = None
    move(call, order, OrderState.RELEASED, "order.released", {"not_after": said.not_after})
    if order.device_id is not None:
        outbox.ring(call, device_id=order.device_id)
    return order


def hold(call: Call, order_id: str, why: str, retry_after: int, *, code: str) -> Order:
    """Keeps an approved order back, says why, and has the signer asked again after ``retry_after`` seconds.

    With the ``code`` ``cooling`` it cools, and ``cools_until`` says until when; with any other it is held.
    """
    order = locked(call.session, order_id)
    if order is None:
        raise missing()
    if order.state not in states.WAITS_FOR_SIGNER:
        return order
    said, due = clean(why, MAX_DETAIL), call.now + timedelta(seconds=max(1, retry_after))
    to = OrderState.COOLING if code == COOLING else OrderState.HELD
    action = f"order.{to.value}"
    if order.state != to and to in states.MOVES[OrderState(order.state)]:
        move(call, order, to, action, {"why": said, "code": code})
    elif order.held_why != said:
        note(call, order, action, {"state": order.state, "why": said, "code": code})
    order.held_why = "" if to is OrderState.COOLING else said
    order.cools_until = due if to is OrderState.COOLING else None
    if due < order.expires_at:
        outbox.post(call, "order.release", {"order": order.id}, due=due)
    return order


def refuse(call: Call, order_id: str, why: str, code: str) -> Order:
    """The signer refuses the order for good. An order that people or time have ended stays as it is."""
    order = locked(call.session, order_id)
    if order is None:
        raise missing()
    if order.state in states.WAITS_FOR_SIGNER:
        order.held_why = clean(why, MAX_DETAIL)
        move(call, order, OrderState.REFUSED, "order.refused", {"why": order.held_why, "code": code})
    return order


def released_for(
    call: Call, device_id: int, *, order_key: str, key_digest: str, former: Collection[str] = ()
) -> Command | None:
    """The order that this device shall carry out, in its envelope as it goes over the wire; None when there is none.

    ``order_key`` is the signer's public key, ``key_digest`` that of the key by which the device has just identified
    itself, ``former`` those that it had under the same enrollment before: an order may have waited over a renewal. One
    statement reads state, time, freeze and epoch at this moment; then signature and approvals are proved again. What fails
    is refused, noted, and not given. Asked again before an answer, it gives the same again: the device makes twice like
    once.
    """
    row = call.session.execute(
        select(Order, Device, KernelState.epoch)
        .join(Device, Device.id == Order.device_id)
        .outerjoin(KernelState, KernelState.id == 1)
        .where(
            Order.device_id == device_id,
            Order.state.in_([state.value for state in states.DELIVERABLE]),
            Order.expires_at > call.now,
            KernelState.frozen_at.is_(None),
        )
        .order_by(Order.requested_at)
        .limit(1)
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        return None
    order, device, epoch = row
    try:
        made = _proved(call, order, device, epoch or 1, order_key, key_digest, former)
    except HavenmeesterError as error:
        if order.state == OrderState.RELEASED:
            order.held_why = clean(str(error), MAX_DETAIL)
            move(call, order, OrderState.REFUSED, "order.refused", {"why": order.held_why, "code": error.code})
        return None
    if order.state == OrderState.RELEASED:
        move(call, order, OrderState.FETCHED, "order.fetched")
    return Command(id=order.id, verb=order.verb, args=made, expires=iso(order.expires_at))


def _proved(
    call: Call, order: Order, device: Device, epoch: int, order_key: str, key_digest: str, former: Collection[str]
) -> envelopes.Envelope:
    if device.ownership == Ownership.PRIVATE:
        raise DeniedError(
            N_("The device has become private, so it is not wiped. The order was not given."), code="device_private"
        )
    known = envelopes.known_roster(call, device.id)
    made = envelopes.envelope(call, order, envelopes.signature_of(call, order), known=known)
    envelopes.proved(
        call, order, made, order_key=order_key, device=device.uid, key_digest=key_digest, former=former, epoch=epoch
    )
    return made


def take_answer(call: Call, device_id: int, result: Result) -> bool:
    """Takes a device's answer to one of its own orders and keeps it for good. Whether it was about an order of its own.

    ``busy`` and answers to an order that has an answer change nothing; so does an answer to what was never given.
    """
    order = locked(call.session, clean(result.get("id"), 32))
    if order is None or order.device_id != device_id:
        return False
    to = states.ANSWERS.get(clean(result.get("state"), 16))
    if to is None or order.state not in (OrderState.FETCHED, OrderState.UNANSWERED):
        return True
    order.answer = {
        "state": to.value,
        "at": iso(call.now),
        "detail": clean(result.get("detail"), MAX_DETAIL, lines=True),
        "data": harmless(result.get("data")),
    }
    move(call, order, to, f"order.{to.value}", {"answer": order.answer})
    if to is OrderState.DONE:
        _wiped(call, order, device_id)
    return True


def _wiped(call: Call, order: Order, device_id: int) -> None:
    """The device is wiped: its life goes on from there, and its certificate ends."""
    device = call.session.get_one(Device, device_id)
    if LifeCycle.WIPED in lifecycle.MOVES[LifeCycle(device.state)]:
        inventory.apply_fields(call, device, {"state": LifeCycle.WIPED.value}, "device.wiped")
    outbox.post(call, "device.wiped", {"device": device_id, "order": order.id})


def harmless(data: object, depth: int = 0) -> Any:
    """What a device answered as data, cut to what may be kept: small, shallow, and every text cleaned."""
    if isinstance(data, str):
        return clean(data, 500)
    if data is None or isinstance(data, bool | float):
        return data
    if isinstance(data, int):
        return data if abs(data) < 2**53 else str(data)[:40]
    if depth < 3 and isinstance(data, Mapping):
        return {clean(key, 64): harmless(value, depth + 1) for key, value in list(data.items())[:MAX_DATA]}
    if depth < 3 and isinstance(data, list):
        return [harmless(value, depth + 1) for value in data[:MAX_DATA]]
    return None


def expire_due(call: Call, limit: int = 200) -> int:
    """Ends orders whose time has passed; how many. What a device fetched and never answered is ``unanswered``."""
    ids = _due(call, limit)
    for order_id in ids:
        order = locked(call.session, order_id)
        if order is None or order.finished_at is not None or order.expires_at > call.now:
            continue
        if order.state == OrderState.FETCHED:
            move(call, order, OrderState.UNANSWERED, "order.unanswered")
        else:
            move(call, order, OrderState.EXPIRED, "order.expired")
    return len(ids)


def _due(call: Call, limit: int) -> list[str]:
    return list(
        call.session.scalars(
            select(Order.id)
            .where(Order.finished_at.is_(None), Order.expires_at <= call.now)
            .order_by(Order.expires_at)
            .limit(limit)
        )
    )
