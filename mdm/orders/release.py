"""Asking the signer about one approved order: read, ask, write. No transaction is open while the signer is asked."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from mdm.core.actor import system
from mdm.core.clock import Clock, utcnow
from mdm.core.errors import N_, HavenmeesterError, UnavailableError
from mdm.inventory.model import Device, Ownership
from mdm.orders import delivery
from mdm.orders.model import Approval, Order, OrderState
from mdm.signing.client import Ownership as Owned
from mdm.signing.client import SignerClient, Withheld
from mdm.signing.shapes import Approved
from mdm.signing.v1 import OrderText
from mdm.storage.call import Call
from mdm.storage.engine import transaction

WAITS = frozenset({OrderState.APPROVED, OrderState.HELD})
NO_KEY = N_("The device holds no valid certificate, so the order cannot be bound to it.")


@dataclass(frozen=True, slots=True)
class Dossier:
    """What the signer is told of one order."""

    order: Order
    approvals: tuple[Approved, ...]
    ownership: Owned

    def text(self, key_digest: str) -> str:
        """The canonical text, made of what is stored alone: asked again, it is the same to the letter."""
        return OrderText(
            id=self.order.id,
            device=self.order.device_uid,
            enrollment=key_digest,
            verb=self.order.verb,
            reason=self.order.reason,
            requested_by=self.order.requested_by,
            approved_by=tuple(one.name for one in self.approvals),
            not_before=min(one.at for one in self.approvals),
            not_after=int(self.order.expires_at.timestamp()),
        ).canonical


def release(engine: Engine, client: SignerClient, order_id: str, *, clock: Clock = utcnow) -> OrderState | None:
    """Has the order signed and stored, held, or refused: its state afterwards, None when nothing waits for the signer.

    For the worker, on ``order.release``; twice is like once. A signer that is down holds the order and says so; nothing
    is raised for it. Raises only what the database raises.
    """
    with transaction(engine, write=False) as session:
        dossier = _dossier(session, order_id)
    if dossier is None:
        return None
    try:
        key_digest = client.device_key(dossier.order.device_uid)
        if key_digest is None:
            return _write(engine, clock, lambda call: delivery.refuse(call, order_id, NO_KEY, "device_unknown"))
        text = dossier.text(key_digest)
        answer = client.sign_order_v1(
            text,
            requester_id=dossier.order.requested_by_id,
            approvals=dossier.approvals,
            place=str(dossier.order.service_point_id or ""),
            ownership=dossier.ownership,
        )
        order_key = client.ca().order_key
    except UnavailableError as error:
        why, retry_after = str(error), error.retry_after
        return _write(engine, clock, lambda call: delivery.hold(call, order_id, why, max(30, retry_after)))
    except HavenmeesterError as error:
        why, code = str(error), error.code
        return _write(engine, clock, lambda call: delivery.refuse(call, order_id, why, code))
    if isinstance(answer, Withheld):
        return _write(engine, clock, lambda call: delivery.hold(call, order_id, answer.why, answer.retry_after))
    return _write(
        engine,
        clock,
        lambda call: delivery.take_release(call, order_id, text, answer.signature, order_key=order_key),
    )


def _write(engine: Engine, clock: Clock, step: Callable[[Call], Order]) -> OrderState:
    now = clock()
    with transaction(engine) as session:
        return OrderState(step(Call(system("worker"), session, now)).state)


def _dossier(session: Session, order_id: str) -> Dossier | None:
    order = session.get(Order, order_id)
    if order is None or order.state not in WAITS:
        return None
    ownership = session.scalar(select(Device.ownership).where(Device.id == order.device_id))
    approvals = session.scalars(
        select(Approval).where(Approval.order_id == order_id, Approval.approved).order_by(Approval.id)
    ).all()
    if ownership is None or not approvals:
        return None
    return Dossier(
        order,
        tuple(
            Approved(approver_id=one.approver_id, name=one.approver_name, at=int(one.at.timestamp()))
            for one in approvals
        ),
        _owned(ownership),
    )


def _owned(ownership: str) -> Owned:
    """The word for the signer. What is not known to be the city's counts as private."""
    if ownership == Ownership.CITY:
        return "city"
    return "loan_pool" if ownership == Ownership.LOAN_POOL else "private"
