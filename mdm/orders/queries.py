"""Reads of orders. They give only what lies in the actor's scope of ``order:view``, by the place it was asked at."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from mdm.core.permissions import Permission
from mdm.orders import envelope as envelopes
from mdm.orders import kernel
from mdm.orders.dossier import dossier
from mdm.orders.lanes import MAX_DEVICES
from mdm.orders.model import Approval, KernelState, Order, OrderBatch, OrderState, Release
from mdm.orders.moving import missing, who
from mdm.orders.receipt import Receipt, receipt_of
from mdm.orders.states import OPEN
from mdm.storage.call import Call
from mdm.storage.scoping import within

__all__ = [
    "Filters",
    "Receipt",
    "approvals",
    "batch",
    "count",
    "count_to_approve",
    "dossier",
    "envelope",
    "kernel_state",
    "open_for",
    "order",
    "orders",
    "orders_select",
    "paper",
    "receipt",
    "to_approve",
]

PAGE = 50
MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of orders may be narrowed by; empty means all."""

    states: Collection[OrderState] = ()
    device_uid: str = ""
    service_point_id: int | None = None
    words: str = ""
    since: datetime | None = None
    batch_id: str = ""


def orders_select(call: Call, filters: Filters | None = None) -> Select[Order]:
    """Orders that the actor may see, narrowed by ``filters``, newest first."""
    query = select(Order).where(within(call.actor.scope(Permission.ORDER_VIEW), Order.service_point_id, Order.unit_id))
    wanted = filters or Filters()
    if wanted.states:
        query = query.where(Order.state.in_([state.value for state in wanted.states]))
    if wanted.device_uid:
        query = query.where(Order.device_uid == wanted.device_uid)
    if wanted.service_point_id is not None:
        query = query.where(Order.service_point_id == wanted.service_point_id)
    if wanted.batch_id:
        query = query.where(Order.batch_id == wanted.batch_id)
    if wanted.since is not None:
        query = query.where(Order.requested_at >= wanted.since)
    for word in wanted.words.split()[:8]:
        columns = (Order.device_label, Order.device_serial, Order.person_name, Order.requested_by, Order.reason)
        query = query.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return query.order_by(Order.requested_at.desc(), Order.id.desc())


def orders(
    call: Call, filters: Filters | None = None, *, after: tuple[datetime, str] | None = None, limit: int = PAGE
) -> Sequence[Order]:
    """One page of orders, newest first; ``after`` is (requested_at, id) of the last one of the page before."""
    query = orders_select(call, filters)
    if after is not None:
        moment, order_id = after
        query = query.where(or_(Order.requested_at < moment, and_(Order.requested_at == moment, Order.id < order_id)))
    return call.session.scalars(query.limit(max(1, min(limit, MAX_PAGE)))).all()


def count(call: Call, filters: Filters | None = None) -> int:
    """How many orders the actor may see under ``filters``."""
    return call.session.scalar(select(func.count()).select_from(orders_select(call, filters).subquery())) or 0


def order(call: Call, order_id: str) -> Order:
    """One order; NotFoundError when it is not there or not the actor's."""
    found = call.session.scalar(orders_select(call).where(Order.id == order_id))
    if found is None:
        raise missing()
    return found


def to_approve(call: Call, limit: int = MAX_PAGE) -> Sequence[Order]:
    """Orders that wait for this actor's decision: at a place where they may approve, and not asked by themselves."""
    return call.session.scalars(select(Order).where(*_for(call)).order_by(Order.requested_at).limit(limit)).all()


def count_to_approve(call: Call) -> int:
    """How many orders ``to_approve`` would give, in one statement; 0 without asking for those who approve nowhere."""
    if not call.actor.may_somewhere(Permission.ORDER_APPROVE):
        return 0
    return call.session.scalar(select(func.count(Order.id)).where(*_for(call))) or 0


def _for(call: Call) -> tuple[ColumnElement[bool], ...]:
    return (
        within(call.actor.scope(Permission.ORDER_APPROVE), Order.service_point_id, Order.unit_id),
        Order.state == OrderState.REQUESTED.value,
        Order.expires_at > call.now,
        Order.requested_by_id != who(call.actor),
    )


def open_for(call: Call, device_uid: str) -> Order | None:
    """The open order for one device, if there is one that the actor may see."""
    return call.session.scalar(orders_select(call, Filters(states=OPEN, device_uid=device_uid)).limit(1))


def approvals(call: Call, order_id: str) -> Sequence[Approval]:
    """Who decided what about one order, or about its batch, in order; NotFoundError as ``order``."""
    found = order(call, order_id)
    same = Approval.batch_id == found.batch_id if found.batch_id else Approval.order_id == order_id
    return call.session.scalars(select(Approval).where(same).order_by(Approval.id)).all()


def batch(call: Call, batch_id: str) -> tuple[OrderBatch, Sequence[Order]]:
    """A batch with those of its orders that the actor may see; NotFoundError when it is not there or none is."""
    seen = call.session.scalars(orders_select(call, Filters(batch_id=batch_id)).limit(MAX_DEVICES)).all()
    if not seen:
        raise missing()
    return call.session.get_one(OrderBatch, batch_id), seen


def receipt(call: Call, order_id: str) -> Receipt:
    """The receipt of one order, also of one that is not finished yet; NotFoundError as ``order``."""
    return receipt_of(call, order(call, order_id), approvals(call, order_id))


def envelope(call: Call, order_id: str) -> dict[str, Any]:
    """The order with its signatures as its device gets it; NotFoundError as ``order``.

    It holds every roster, also those that the device knows already and passes over. While the signer has not signed it,
    its signature is empty, and no device takes it; people can read and sign it.
    """
    found = order(call, order_id)
    signed = call.session.get(Release, order_id) is not None
    return envelopes.envelope(call, found, envelopes.signature_of(call, found) if signed else "")


def paper(call: Call, number: str) -> dict[str, Any]:
    """What people read and sign, as a file: the envelope of an order, or a batch with its orders. NotFoundError."""
    if call.session.get(OrderBatch, number) is None:
        return envelope(call, number)
    found, seen = batch(call, number)
    return {
        "batch": found.canonical,
        "orders": [one.canonical for one in seen],
        "rosters": envelopes.rosters(call),
    }


def kernel_state(call: Call) -> KernelState:
    """What is mirrored of the signer: freeze, roster, epoch, cooling. For everybody who has signed in."""
    return kernel.state(call.session)
