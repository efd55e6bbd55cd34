"""What an approver must see before signing: every device, person and place, and what the requester has been doing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select

from agent.crypto import holds
from agent.proof import Roster, check_approvals, need, read_roster
from mdm.access.model import ApiToken
from mdm.audit.model import AuditEntry
from mdm.audit.queries import Filters, Line, lines_select
from mdm.core.actor import ActorKind
from mdm.core.permissions import Permission
from mdm.inventory.model import Device
from mdm.orders import kernel, statement
from mdm.orders.lanes import MAX_DEVICES
from mdm.orders.model import Approval, Lane, Order, OrderBatch, OrderState
from mdm.orders.moving import missing, who
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.scoping import within

LOOK_BACK = timedelta(hours=24)
MAX_LINES = 100


@dataclass(frozen=True, slots=True)
class DossierDevice:
    """One device of the list, as it is now; what only its record knows is empty when that is gone."""

    order_id: str
    state: str
    uid: str
    label: str
    serial: str
    kind: str
    product: str
    ownership: str
    life: str
    person: str
    place: str
    place_now: str
    """Where it stands now, where that is another place than when it was asked."""
    contact_at: datetime | None
    """Its last contact, as exactly as people are told it: see ``inventory.contact``."""
    contact_exact: bool


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything that a page of approval shows; ``text`` is what is signed."""

    id: str
    batch: OrderBatch | None
    order: Order
    """The order, or the first of the batch."""
    text: str
    digest: str
    lane: Lane
    devices: tuple[DossierDevice, ...]
    left_out: Sequence[dict[str, str]]
    """Devices of the choice that are not in it, private ones first: ``device``, ``label``, ``why``."""
    approvals: Sequence[Approval]
    needed: int
    lacking: int
    requester_acts: tuple[tuple[str, int], ...]
    """What the requester, by hand or by token, did in the last 24 hours: action and how often, wherever it was."""
    requester_lines: Sequence[Line]
    """The lines of the diary about it at places of this actor, newest first."""
    asked_today: int
    """Orders that the requester asked for in the last 24 hours, these among them."""
    why_not: str
    """Why this actor cannot sign: ``own_order``, ``not_in_roster``, ``waiting``, ``place``, ``decided``, ``state``,
    ``no_roster``, ``not_a_person``; empty when they can."""
    since: datetime | None
    """From when on this actor's signature counts, where that is still to come."""

    @property
    def private(self) -> list[dict[str, str]]:
        """Private devices of the choice: they are not in it, and never are."""
        return [one for one in self.left_out if one["why"] == "device_private"]

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who holds one of the devices, by name."""
        return tuple(sorted({device.person for device in self.devices if device.person}))

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        """Each place with how many of the devices stand there."""
        counted: dict[str, int] = {}
        for device in self.devices:
            counted[device.place] = counted.get(device.place, 0) + 1
        return tuple(sorted(counted.items()))

    @property
    def may_approve(self) -> bool:
        """Whether this actor's signature would count now."""
        return not self.why_not


def dossier(call: Call, number: str) -> Dossier:
    """The dossier of an order or a batch, of as much of it as lies at the actor's places; NotFoundError for nothing.

    Who sees a part of a batch only sees that part, and cannot sign for what they do not see: signatures are counted per
    order by the places of the roster.
    """
    orders = _orders(call, number)
    if not orders:
        raise missing()
    first = orders[0]
    batch = call.session.get(OrderBatch, first.batch_id) if first.batch_id else None
    text = batch.canonical if batch else first.canonical
    roster = _roster(call)
    approvals = call.session.scalars(
        select(Approval)
        .where(Approval.batch_id == batch.id if batch else Approval.order_id == first.id)
        .order_by(Approval.id)
    ).all()
    needed = need(first.lane, roster) if roster else first.approvals_needed
    why_not, since = _why_not(call, orders, approvals, roster)
    return Dossier(
        id=batch.id if batch else first.id,
        batch=batch,
        order=first,
        text=text,
        digest=statement.digest(text),
        lane=Lane(first.lane),
        devices=_devices(call, orders),
        left_out=batch.left_out if batch else (),
        approvals=approvals,
        needed=needed,
        lacking=_lacking(call, orders, text, approvals, roster, needed),
        requester_acts=_acts(call, first.requested_by_id),
        requester_lines=_lines(call, first.requested_by_id),
        asked_today=_asked_today(call, first.requested_by_id),
        why_not=why_not,
        since=since,
    )


def _orders(call: Call, number: str) -> list[Order]:
    seen = or_(
        *(
            within(call.actor.scope(right), Order.service_point_id, Order.unit_id)
            for right in (Permission.ORDER_VIEW, Permission.ORDER_APPROVE)
        )
    )
    batch_id = call.session.scalar(select(Order.batch_id).where(Order.id == number))
    which = Order.batch_id.in_([number, batch_id]) if batch_id else or_(Order.id == number, Order.batch_id == number)
    query = select(Order).where(which, seen).order_by(Order.place, Order.device_label, Order.id).limit(MAX_DEVICES)
    return list(call.session.scalars(query))


def _roster(call: Call) -> Roster | None:
    text = kernel.state(call.session).roster_text
    return read_roster(text) if text else None


def _devices(call: Call, orders: Sequence[Order]) -> tuple[DossierDevice, ...]:
    ids = [order.device_id for order in orders if order.device_id is not None]
    rows = call.session.execute(
        select(Device, Person.name, ServicePoint.code)
        .outerjoin(Person, Person.id == Device.person_id)
        .outerjoin(ServicePoint, ServicePoint.id == Device.service_point_id)
        .where(Device.id.in_(ids))
    )
    known = {row[0].id: row for row in rows}
    return tuple(_device(order, *known.get(order.device_id or 0, (None, None, None))) for order in orders)


def _device(order: Order, device: Device | None, person: str | None, place: str | None) -> DossierDevice:
    return DossierDevice(
        order_id=order.id,
        state=order.state,
        uid=order.device_uid,
        label=order.device_label,
        serial=order.device_serial,
        kind=device.kind if device else "",
        product=device.product if device else "",
        ownership=device.ownership if device else order.ownership,
        life=device.state if device else "",
        person=(person or "") if device else order.person_name,
        place=order.place,
        place_now=place if place and place != order.place else "",
        contact_at=device.contact_at if device else None,
        contact_exact=device is None or device.contact_exact,
    )


def _lacking(
    call: Call, orders: Sequence[Order], text: str, approvals: Sequence[Approval], roster: Roster | None, needed: int
) -> int:
    """How many people lack, where most do, among the orders that wait."""
    if roster is None:
        return needed
    proofs = [dict(one.proof) for one in approvals if one.approved and one.proof]
    now, lacking = int(call.now.timestamp()), 0
    for order in {one.place: one for one in orders}.values():
        counted = check_approvals(
            text, proofs, roster, holds, requester=order.requested_by_id, place=order.place, now=now, need=0
        )
        lacking = max(lacking, needed - len(counted))
    return lacking


def _why_not(
    call: Call, orders: Sequence[Order], approvals: Sequence[Approval], roster: Roster | None
) -> tuple[str, datetime | None]:
    me = who(call.actor)
    if call.actor.kind is not ActorKind.OPERATOR:
        return "not_a_person", None
    if roster is None:
        return "no_roster", None
    approver = roster.people.get(me)
    since = datetime.fromtimestamp(approver.since, call.now.tzinfo) if approver else None
    if not any(one.state == OrderState.REQUESTED and one.expires_at > call.now for one in orders):
        return "state", None
    if me == orders[0].requested_by_id:
        return "own_order", None
    if approver is None:
        return "not_in_roster", None
    if since is not None and since > call.now:
        return "waiting", since
    if not any(approver.entitled(one.place) for one in orders):
        return "place", None
    return ("decided", None) if any(one.approver_id == me for one in approvals) else ("", None)


def _by(requester: str) -> ColumnElement[bool]:
    """Lines of the diary by this person: by hand, and by the tokens that they made."""
    kind, _, number = requester.partition(":")
    if kind != ActorKind.OPERATOR or not number.isdecimal():
        return (AuditEntry.actor_kind == kind) & AuditEntry.actor_id.is_(None)
    tokens = select(ApiToken.id).where(ApiToken.created_by_id == int(number))
    return or_(
        (AuditEntry.actor_kind == kind) & (AuditEntry.actor_id == int(number)),
        (AuditEntry.actor_kind == ActorKind.TOKEN.value) & AuditEntry.actor_id.in_(tokens),
    )


def _acts(call: Call, requester: str) -> tuple[tuple[str, int], ...]:
    rows = call.session.execute(
        select(AuditEntry.action, func.count())
        .where(_by(requester), AuditEntry.at > call.now - LOOK_BACK)
        .group_by(AuditEntry.action)
        .order_by(func.count().desc(), AuditEntry.action)
    )
    return tuple((action, number) for action, number in rows)


def _lines(call: Call, requester: str) -> Sequence[Line]:
    query = lines_select(call, Filters(since=call.now - LOOK_BACK), permission=Permission.ORDER_VIEW)
    return call.session.scalars(query.where(_by(requester)).limit(MAX_LINES)).all()


def _asked_today(call: Call, requester: str) -> int:
    query = select(func.count(Order.id)).where(
        Order.requested_by_id == requester, Order.requested_at > call.now - LOOK_BACK
    )
    return call.session.scalar(query) or 0
