"""What the signer, the worker and the device do with orders that people have decided about.

Everything is proved again right before it counts: an order is stored, delivered or answered only when its state, its
time, its device and its signature are right at that moment.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from agent.wire import Command, Result
from mdm.core.clock import iso
from mdm.core.errors import N_, ConflictError, DeniedError, HavenmeesterError
from mdm.core.text import clean
from mdm.inventory import lifecycle
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, LifeCycle, Ownership
from mdm.orders import states
from mdm.orders.model import Order, OrderState, Release
from mdm.orders.moving import locked, missing, move, note
from mdm.outbox import service as outbox
from mdm.signing.v1 import OrderText, open_order
from mdm.storage.call import Call

MAX_DETAIL: Final = 2000
MAX_DATA: Final = 64


def take_release(call: Call, order_id: str, canonical: str, signature: str, *, order_key: str) -> Order:
    """Stores a signed order, so that the device gets it. The same one again changes nothing.

    An order that was cancelled, or has expired, while the signer was asked stays so and nothing is stored. Raises
    DeniedError when ``order_key`` (the signer's public key) does not prove it, ConflictError when it is another order.
    """
    order = locked(call.session, order_id)
    if order is None:
        raise missing()
    said = open_order(order_key, canonical, signature)
    if said.id != order.id or said.device != order.device_uid or said.verb != order.verb:
        raise ConflictError(N_("This signature is of another order. It was not stored."), code="order_differs")
    if order.state not in (OrderState.APPROVED, OrderState.HELD) or order.expires_at <= call.now:
        return order
    call.session.add(Release(order_id=order.id, canonical=canonical, signature=signature, released_at=call.now))
    order.held_why = ""
    move(call, order, OrderState.RELEASED, "order.released", {"not_after": said.not_after})
    if order.device_id is not None:
        outbox.ring(call, device_id=order.device_id)
    return order


def hold(call: Call, order_id: str, why: str, retry_after: int) -> Order:
    """Keeps an approved order back, says why, and has the signer asked again after ``retry_after`` seconds."""
    order = locked(call.session, order_id)
    if order is None:
        raise missing()
    if order.state not in (OrderState.APPROVED, OrderState.HELD):
        return order
    said = clean(why, MAX_DETAIL)
    if order.state == OrderState.APPROVED:
        move(call, order, OrderState.HELD, "order.held", {"why": said})
    elif order.held_why != said:
        note(call, order, "order.held", {"state": order.state, "why": said})
    order.held_why = said
    due = call.now + timedelta(seconds=max(1, retry_after))
    if due < order.expires_at:
        outbox.post(call, "order.release", {"order": order.id}, due=due)
    return order


def refuse(call: Call, order_id: str, why: str, code: str) -> Order:
    """The signer refuses the order for good. An order that people or time have ended stays as it is."""
    order = locked(call.session, order_id)
    if order is None:
        raise missing()
    if order.state in (OrderState.APPROVED, OrderState.HELD):
        order.held_why = clean(why, MAX_DETAIL)
        move(call, order, OrderState.REFUSED, "order.refused", {"why": order.held_why, "code": code})
    return order


def released_for(call: Call, device_id: int, *, order_key: str, key_digest: str) -> Command | None:
    """The order that this device shall carry out, as it goes over the wire; None when there is none.

    ``order_key`` is the signer's public key, ``key_digest`` that of the key by which the device has just identified
    itself. State, time, ownership, device, key and signature are proved at this moment; what fails is refused, noted,
    and not given. Asked again before an answer, it gives the same again: the device makes twice like once.
    """
    order = call.session.scalar(
        select(Order)
        .where(Order.device_id == device_id, Order.state.in_([state.value for state in states.DELIVERABLE]))
        .order_by(Order.requested_at)
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if order is None or order.expires_at <= call.now:
        return None
    release = call.session.get(Release, order.id)
    try:
        said = _proved(call, order, release, order_key, key_digest)
    except HavenmeesterError as error:
        if order.state == OrderState.RELEASED:
            order.held_why = clean(str(error), MAX_DETAIL)
            move(call, order, OrderState.REFUSED, "order.refused", {"why": order.held_why, "code": error.code})
        return None
    if order.state == OrderState.RELEASED:
        move(call, order, OrderState.FETCHED, "order.fetched")
    return Command(
        id=order.id,
        verb=said.verb,
        args={"order": said.canonical, "signature": release.signature if release else ""},
        expires=iso(order.expires_at),
    )


def _proved(call: Call, order: Order, release: Release | None, order_key: str, key_digest: str) -> OrderText:
    if release is None:
        raise DeniedError(N_("The order has no signature. It was not given."), code="order_signature")
    said = open_order(order_key, release.canonical, release.signature)
    device = call.session.scalar(
        select(Device).where(Device.id == order.device_id).execution_options(populate_existing=True)
    )
    if device is None or (said.id, said.device, said.device) != (order.id, order.device_uid, device.uid):
        raise DeniedError(N_("The signature is of another order or device. It was not given."), code="order_differs")
    if device.ownership == Ownership.PRIVATE:
        raise DeniedError(
            N_("The device has become private, so it is not wiped. The order was not given."), code="device_private"
        )
    if said.enrollment != key_digest:
        raise DeniedError(
            N_("The device has another key since. The order was not given; ask for it again."), code="device_key"
        )
    if not said.not_before <= call.now.timestamp() < said.not_after:
        raise DeniedError(N_("It is not the time of this order. It was not given."), code="order_time")
    return said


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
