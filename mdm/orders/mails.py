"""Who is told of a step of an order, by mail: the requester, the approvers of the place, the holder of the device.

For the worker, on ``order.told``. Of a batch, requester and approvers are told of each step once; every holder of theirs.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import func, select

from agent.proof import read_roster
from mdm.access.model import Operator
from mdm.core.actor import ActorKind
from mdm.core.ids import new_secret, secret_digest
from mdm.orders import kernel, letters
from mdm.orders.model import Lane, Order, OrderBatch
from mdm.orders.states import PAUSABLE
from mdm.outbox import service as outbox
from mdm.people.model import Person
from mdm.storage.call import Call


def told(call: Call, payload: Mapping[str, Any]) -> None:
    """Writes the letters of one step. An order that is gone is nothing."""
    step = str(payload["step"])
    if "batch" in payload:
        _batch(call, str(payload["batch"]), step)
        return
    order = call.session.get(Order, str(payload["order"]))
    if order is None:
        return
    if order.batch_id:
        _tell_staff_of_batch(call, order.batch_id, step)
    else:
        path = f"/approvals/{order.id}"
        _tell_staff(call, step, path, order.requested_by_id, {order.place}, lambda _tongue: order.device_label)
    _tell_holder(call, order, step)


def _batch(call: Call, batch_id: str, step: str) -> None:
    _tell_staff_of_batch(call, batch_id, step)
    for order in call.session.scalars(select(Order).where(Order.batch_id == batch_id).order_by(Order.id)):
        _tell_holder(call, order, step)


def _tell_staff_of_batch(call: Call, batch_id: str, step: str) -> None:
    batch = call.session.scalar(select(OrderBatch).where(OrderBatch.id == batch_id).with_for_update())
    if batch is None or step in batch.told:
        return
    batch.told = [*batch.told, step]
    size = call.session.scalar(select(func.count(Order.id)).where(Order.batch_id == batch_id)) or 0
    places = set(call.session.scalars(select(Order.place).where(Order.batch_id == batch_id).distinct()))
    path = f"/approvals/{batch_id}"
    _tell_staff(call, step, path, batch.requested_by_id, places, lambda tongue: letters.many(size, tongue))


def _tell_staff(
    call: Call, step: str, path: str, requester: str, places: set[str], device: Callable[[str], str]
) -> None:
    people = {requester, *_approvers(call, places)}
    for operator in call.session.scalars(select(Operator).where(Operator.id.in_(_numbers(people)))):
        if operator.disabled_at is None:
            subject, text = letters.staff(step, device(operator.language), path, operator.language)
            _post(call, operator.email, subject, text)


def _approvers(call: Call, places: set[str]) -> list[str]:
    """People of the mirrored roster who may approve at one of these places."""
    text = kernel.state(call.session).roster_text
    if not text:
        return []
    people = read_roster(text).people.values()
    return [one.person for one in people if any(one.entitled(place) for place in places)]


def _numbers(people: Iterable[str]) -> list[int]:
    parts = [person.partition(":") for person in people]
    return [int(number) for kind, _, number in parts if kind == ActorKind.OPERATOR and number.isdecimal()]


def _tell_holder(call: Call, order: Order, step: str) -> None:
    person = call.session.get(Person, order.holder_id) if order.holder_id is not None else None
    if person is None or not person.email:
        return
    secret = None
    if step == "requested" and order.lane != Lane.HAND_IN and order.state in PAUSABLE and not order.pause_digest:
        secret = new_secret()
        order.pause_digest = secret_digest(secret)
    subject, text = letters.holder(step, order.device_label, secret, person.language)
    _post(call, person.email, subject, text)


def _post(call: Call, to: str, subject: str, text: str) -> None:
    outbox.post(call, "mail", {"to": to, "subject": subject, "text": text})
