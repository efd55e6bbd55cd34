"""Deciding about orders: the signatures of people are taken, counted, and refused; a no; taking back.

Whoever hands a signature in, it is the signature that counts: it is proved here against the mirrored roster, again by the
signer against its own, and again by the device.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.crypto import holds
from agent.proof import RefusedError, Roster, check_approvals, need, read_roster
from mdm.access.model import Operator
from mdm.core.actor import Actor, ActorKind, require
from mdm.core.errors import N_, ConflictError, DeniedError, HavenmeesterError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.inventory.model import Device
from mdm.orders import kernel, states
from mdm.orders.asking import MAX_REASON, reason_given, wipeable
from mdm.orders.model import Approval, Order, OrderBatch, OrderState
from mdm.orders.moving import locked, locked_batch, missing, move, note, places, where, who
from mdm.org.model import ServicePoint
from mdm.outbox import service as outbox
from mdm.signing.refusals import as_error
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

Proof = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is decided about: one order, or a batch of them."""

    orders: tuple[Order, ...]
    batch: OrderBatch | None = None

    @property
    def text(self) -> str:
        """The statement that people sign."""
        return self.batch.canonical if self.batch is not None else self.orders[0].canonical

    @property
    def requester(self) -> str:
        """The person who asked."""
        return self.orders[0].requested_by_id

    @property
    def approvals(self) -> Any:
        """Which approvals are over this statement."""
        return Approval.batch_id == self.batch.id if self.batch else Approval.order_id == self.orders[0].id


def subject_of(call: Call, number: str) -> Subject:
    """The order or the batch with this id, locked; NotFoundError when it is not there. An order of a batch is its batch."""
    order = locked(call.session, number)
    if order is not None and order.batch_id is None:
        return Subject((order,))
    found = locked_batch(call.session, order.batch_id if order is not None and order.batch_id else number)
    if found is None:
        raise missing()
    return Subject(tuple(found[1]), found[0])


def proofs_of(session: Session, order: Order) -> list[dict[str, Any]]:
    """The signatures over this order, or over its batch, in the order in which they were given."""
    same = Approval.batch_id == order.batch_id if order.batch_id else Approval.order_id == order.id
    rows = session.scalars(select(Approval.proof).where(same, Approval.approved).order_by(Approval.id))
    return [proof for proof in rows if proof is not None]


def take_proof(call: Call, number: str, proof: Proof) -> int:
    """Takes one person's signature over an order, or over a batch; how many people still lack.

    Whoever may see the order may hand it in. Raises NotFoundError; ConflictError (``order_state``, ``order_expired``,
    ``decided``, ``no_roster``, ``device_private`` …); DeniedError or InvalidError whose code is the rule of
    ``agent/proof`` that refuses, ``own_order`` for the requester's own signature, ``approver_disabled``: what was refused
    so stands in the diary.
    """
    subject = subject_of(call, number)
    _visible(call, subject)
    waiting = _waiting(call, subject)
    roster = read_roster(str(kernel.state(call.session).roster_text or _no_roster()))
    before = call.session.scalars(select(Approval).where(subject.approvals)).all()
    try:
        person = _proved(call, subject, waiting, roster, proof)
    except HavenmeesterError as error:
        error.keep = True
        said = {"why": error.code, "person": clean(proof.get("person"), 64), "key": clean(proof.get("key"), 64)}
        note(call, waiting[0], "order.approval_failed", said)
        raise
    if any(one.approver_id == person for one in before):
        raise ConflictError(N_("You have decided about this already. Nothing was changed."), code="decided")
    waiting = _wipeable_of(call, subject, waiting)
    _keep(call, subject, roster, person, proof)
    proofs = [*(dict(one.proof) for one in before if one.approved and one.proof), dict(proof)]
    return _count(call, subject, waiting, roster, person, proofs)


def reject(call: Call, number: str, reason: str) -> None:
    """Says no, for every order of a batch; a reason is needed. Only for a signed-in approver of each place.

    Raises NotFoundError, DeniedError (``own_order``, ``person_required``), ConflictError (``order_state``, ``decided``).
    """
    subject = subject_of(call, number)
    _may_decide(call, subject)
    waiting = [order for order in subject.orders if OrderState.REJECTED in states.MOVES[OrderState(order.state)]]
    if not waiting:
        states.check(OrderState(subject.orders[0].state), OrderState.REJECTED)
    said = reason_given(reason)
    call.session.add(
        Approval(
            order_id=None if subject.batch else subject.orders[0].id,
            batch_id=subject.batch.id if subject.batch else None,
            approver_id=who(call.actor),
            approver_name=clean(call.actor.name),
            approved=False,
            reason=said,
            at=call.now,
        )
    )
    flush_unique(
        call.session,
        ConflictError(N_("You have decided about this already. Nothing was changed."), code="decided"),
    )
    for order in waiting:
        move(call, order, OrderState.REJECTED, "order.rejected", {"reason": said})
        outbox.post(call, "order.void", {"order": order.id})


def cancel(call: Call, number: str, reason: str = "") -> Order:
    """Takes an order back until the device has fetched it; of a batch, whatever of it no device has fetched.

    Whoever may ask or approve there may also cancel; whoever asked may in any case. The signer never signs it from then
    on. Cancelling what is cancelled changes nothing. Raises NotFoundError, DeniedError, ConflictError (``order_state``)
    when it is too late. Gives one of the orders.
    """
    order = locked(call.session, number)
    orders = (order,) if order is not None else subject_of(call, number).orders
    for one in orders:
        _may_cancel(call, one)
    open_ = [one for one in orders if one.state in states.CANCELLABLE]
    if not open_ and not any(one.state == OrderState.CANCELLED for one in orders):
        states.check(OrderState(orders[0].state), OrderState.CANCELLED)
    for one in open_:
        move(call, one, OrderState.CANCELLED, "order.cancelled", {"reason": clean(reason, MAX_REASON)})
        outbox.post(call, "order.void", {"order": one.id})
    return orders[0]


def approved_now(call: Call, order: Order) -> bool:
    """Whether the signatures that are kept for this order are enough by the mirrored roster at this moment."""
    text = kernel.state(call.session).roster_text
    if not text:
        return False
    batch = call.session.get(OrderBatch, order.batch_id) if order.batch_id else None
    return enough(
        order, batch.canonical if batch else order.canonical, proofs_of(call.session, order), read_roster(text), call
    )


def enough(order: Order, text: str, proofs: Sequence[Proof], roster: Roster, call: Call) -> bool:
    """Whether these signatures over ``text`` approve this order."""
    try:
        _counted(order, text, proofs, roster, int(call.now.timestamp()), need(order.lane, roster))
    except RefusedError:
        return False
    return True


def _counted(
    order: Order, text: str, proofs: Sequence[Proof], roster: Roster, now: int, wanted: int
) -> tuple[str, ...]:
    return check_approvals(
        text,
        [dict(proof) for proof in proofs],
        roster,
        holds,
        requester=order.requested_by_id,
        place=order.place,
        now=now,
        need=wanted,
    )


def _proved(call: Call, subject: Subject, waiting: Sequence[Order], roster: Roster, proof: Proof) -> str:
    """The person who signed, when that counts for one of these orders at least."""
    now, refused = int(call.now.timestamp()), RefusedError("approvals", "There is no approval.")
    for order in {one.place: one for one in waiting}.values():
        try:
            (person,) = _counted(order, subject.text, [proof], roster, now, 1)
        except RefusedError as error:
            refused = error
        else:
            _not_disabled(call, person)
            _also_where_it_is_now(call, waiting, roster, person)
            return person
    if refused.rule == "requester":
        raise DeniedError(
            N_("You asked for this order, so somebody else must decide about it. Nothing was changed."),
            code="own_order",
        )
    raise as_error(refused)


def _also_where_it_is_now(call: Call, waiting: Sequence[Order], roster: Roster, person: str) -> None:
    """Who approves for a device that has moved since must be entitled at its new place, too."""
    ids = [order.device_id for order in waiting if order.device_id is not None]
    moved = (
        select(ServicePoint.code)
        .join(Device, Device.service_point_id == ServicePoint.id)
        .join(Order, Order.device_id == Device.id)
        .where(Device.id.in_(ids), Order.finished_at.is_(None), ServicePoint.code != Order.place)
        .distinct()
    )
    if not all(roster.people[person].entitled(code) for code in call.session.scalars(moved)):
        raise DeniedError(
            N_("A device has moved, and the approver may not approve where it is now. Nothing was changed."),
            code="place",
        )


def _not_disabled(call: Call, person: str) -> None:
    kind, _, number = person.partition(":")
    if kind != ActorKind.OPERATOR or not number.isdecimal():
        return
    operator = call.session.get(Operator, int(number))
    if operator is not None and operator.disabled_at is not None:
        raise DeniedError(
            N_("This approver's account is disabled. The approval was not taken."), code="approver_disabled"
        )


def _keep(call: Call, subject: Subject, roster: Roster, person: str, proof: Proof) -> None:
    call.session.add(
        Approval(
            order_id=None if subject.batch else subject.orders[0].id,
            batch_id=subject.batch.id if subject.batch else None,
            approver_id=person,
            approver_name=roster.people[person].name,
            approved=True,
            at=call.now,
            proof=dict(proof),
            key_id=str(proof["key"]),
        )
    )
    flush_unique(
        call.session,
        ConflictError(N_("You have decided about this already. Nothing was changed."), code="decided"),
    )


def _count(
    call: Call, subject: Subject, waiting: Sequence[Order], roster: Roster, person: str, proofs: Sequence[Proof]
) -> int:
    """Moves on what has enough approvals now; how many people lack where most do."""
    now, lacking = int(call.now.timestamp()), 0
    counted: dict[str, int] = {}
    for order in waiting:
        if order.place not in counted:
            counted[order.place] = len(_counted(order, subject.text, proofs, roster, now, 0))
        order.approvals_needed = need(order.lane, roster)
        lacks = max(0, order.approvals_needed - counted[order.place])
        lacking = max(lacking, lacks)
        note(call, order, "order.proof_taken", {"person": person, "lacking": lacks})
        if lacks == 0:
            move(call, order, OrderState.APPROVED, "order.approved", {"people": counted[order.place]})
            outbox.post(call, "order.release", {"order": order.id})
    return lacking


def _waiting(call: Call, subject: Subject) -> list[Order]:
    waiting = [order for order in subject.orders if order.state == OrderState.REQUESTED]
    if not waiting:
        states.check(OrderState(subject.orders[0].state), OrderState.APPROVED)
        raise ConflictError(
            N_("The holder has paused this order. Lift the pause first; nothing was changed."), code="order_paused"
        )
    if waiting[0].expires_at <= call.now:
        raise ConflictError(
            N_("The time of this request has passed. Nothing was changed; ask for it again."), code="order_expired"
        )
    return waiting


def _wipeable_of(call: Call, subject: Subject, waiting: Sequence[Order]) -> list[Order]:
    """Those whose device may still be wiped. The others of a batch are refused; for one order alone it is raised."""
    left = []
    for order in waiting:
        try:
            _still_wipeable(call, order)
        except ConflictError as error:
            if subject.batch is None:
                raise
            order.held_why = str(error)
            move(call, order, OrderState.REFUSED, "order.refused", {"why": order.held_why, "code": error.code})
        else:
            left.append(order)
    return left


def _no_roster() -> str:
    raise ConflictError(
        N_("No roster of approvers has been founded, so nothing can be approved. Nothing was changed."),
        code="no_roster",
    )


def _visible(call: Call, subject: Subject) -> None:
    seen = (Permission.ORDER_VIEW, Permission.ORDER_APPROVE)
    for order in subject.orders:
        if any(call.actor.may(right, place) for right in seen for place in places(call.session, order)):
            return
    raise missing()


def _may_decide(call: Call, subject: Subject) -> None:
    for order in subject.orders:
        if not all(call.actor.may(Permission.ORDER_APPROVE, place) for place in places(call.session, order)):
            _not_yours(call, order)
    if call.actor.kind is not ActorKind.OPERATOR:
        raise DeniedError(
            N_("Only a person who has signed in can decide about an order. Nothing was changed."),
            code="person_required",
        )
    if who(call.actor) == subject.requester:
        raise DeniedError(
            N_("You asked for this order, so somebody else must decide about it. Nothing was changed."),
            code="own_order",
        )


def _may_cancel(call: Call, order: Order) -> None:
    allowed = (Permission.ORDER_REQUEST, Permission.ORDER_APPROVE)
    here = places(call.session, order)
    if any(call.actor.may(permission, place) for permission in allowed for place in here):
        return
    if not _asked_it(call.actor, order):
        _not_yours(call, order)


def _asked_it(actor: Actor, order: Order) -> bool:
    return who(actor) == order.requested_by_id or (bool(order.token) and who(actor) == order.token)


def _not_yours(call: Call, order: Order) -> None:
    """Raises NotFoundError for who may not even see the order, DeniedError for who sees it and may not do this."""
    if not any(call.actor.may(Permission.ORDER_VIEW, place) for place in places(call.session, order)):
        raise missing()
    require(call.actor, Permission.ORDER_APPROVE, where(order))
    raise DeniedError(N_("You are not allowed to do this where the device is now. Nothing was changed."))


def _still_wipeable(call: Call, order: Order) -> None:
    device = call.session.scalar(
        select(Device).where(Device.id == order.device_id).execution_options(populate_existing=True)
    )
    if device is None:
        raise ConflictError(N_("The device is no longer here. Nothing was changed."), code="device_gone")
    wipeable(device)
