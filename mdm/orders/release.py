"""Asking the signer about one approved order: read, ask, write. No transaction is open while the signer is asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from mdm.core.actor import system
from mdm.core.clock import Clock, utcnow
from mdm.core.errors import HavenmeesterError, UnavailableError
from mdm.inventory.model import Device, Ownership
from mdm.orders import delivery
from mdm.orders.deciding import proofs_of
from mdm.orders.model import Order, OrderBatch, OrderState
from mdm.orders.states import WAITS_FOR_SIGNER
from mdm.signing.client import Ownership as Owned
from mdm.signing.client import SignerClient, Withheld
from mdm.storage.call import Call
from mdm.storage.engine import transaction

DOWN_AGAIN = 30
"""Seconds after which a signer that does not answer is asked again."""


@dataclass(frozen=True, slots=True)
class Papers:
    """What the signer is told of one order."""

    order: str
    batch: str | None
    proofs: list[dict[str, Any]]
    ownership: Owned
    token: str


def release(engine: Engine, client: SignerClient, order_id: str, *, clock: Clock = utcnow) -> OrderState | None:
    """Has the order signed and stored, kept cooling, held, or refused: its state afterwards, None when none waits.

    For the worker, on ``order.release``; twice is like once. A signer that is down holds the order and says so; nothing
    is raised for it. Raises only what the database raises.
    """
    with transaction(engine, write=False) as session:
        papers = _papers(session, order_id)
    if papers is None:
        return None
    try:
        answer = client.sign_order(
            papers.order, batch=papers.batch, proofs=papers.proofs, ownership=papers.ownership, token=papers.token
        )
        order_key = client.ca().order_key
    except UnavailableError as error:
        why, wait = str(error), max(DOWN_AGAIN, error.retry_after)
        return _write(engine, clock, lambda call: delivery.hold(call, order_id, why, wait, code="signer_down"))
    except HavenmeesterError as error:
        why, code = str(error), error.code
        return _write(engine, clock, lambda call: delivery.refuse(call, order_id, why, code))
    if isinstance(answer, Withheld):
        return _write(
            engine, clock, lambda call: delivery.hold(call, order_id, answer.why, answer.retry_after, code=answer.code)
        )
    return _write(
        engine, clock, lambda call: delivery.take_release(call, order_id, answer.signature, order_key=order_key)
    )


def _write(engine: Engine, clock: Clock, step: Callable[[Call], Order]) -> OrderState:
    now = clock()
    with transaction(engine) as session:
        return OrderState(step(Call(system("worker"), session, now)).state)


def _papers(session: Session, order_id: str) -> Papers | None:
    order = session.get(Order, order_id)
    if order is None or order.state not in WAITS_FOR_SIGNER:
        return None
    batch = session.get(OrderBatch, order.batch_id) if order.batch_id else None
    ownership = session.scalar(select(Device.ownership).where(Device.id == order.device_id))
    return Papers(
        order.canonical, batch.canonical if batch else None, proofs_of(session, order), _owned(ownership), order.token
    )


def _owned(ownership: str | None) -> Owned:
    """The word for the signer. What is not known to be the city's, also a device that is gone, counts as private."""
    if ownership == Ownership.CITY:
        return "city"
    return "loan_pool" if ownership == Ownership.LOAN_POOL else "private"
