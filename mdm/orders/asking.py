"""Asking for a wipe, of one device or of many. The text of every order is fixed here: this is what people sign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from mdm.core.actor import Actor, ActorKind, require
from mdm.core.errors import N_, ConflictError, DeniedError, HavenmeesterError, InvalidError, TooLargeError
from mdm.core.ids import new_uid
from mdm.core.text import clean
from mdm.inventory import queries as inventory
from mdm.inventory.model import Device, LifeCycle, Ownership
from mdm.orders import kernel, lanes, statement
from mdm.orders.model import Lane, Order, OrderBatch, OrderState
from mdm.orders.moving import move, note, requester, tell
from mdm.orders.states import OPEN
from mdm.org.model import ServicePoint
from mdm.outbox import service as outbox
from mdm.people.model import Person
from mdm.signing.seals import OrderText
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

ORDER_HOURS = 72
"""How long an order is valid after it was asked, where the settings do not say less."""
MAX_REASON = 500
PRESENCE_DIGITS = 8

ASKERS = frozenset({ActorKind.OPERATOR, ActorKind.TOKEN, ActorKind.COMMAND_LINE})
"""Who may ask: people and the programs of people. Never a device, never the clock."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What all orders of one request have in common."""

    lane: Lane
    reason: str
    presence: str
    by: str
    requester: str
    token: str
    epoch: int
    approvers: int
    expires: datetime


def request_wipe(
    call: Call,
    device_uid: str,
    reason: str,
    *,
    lane: Lane = Lane.ORDINARY,
    presence: str = "",
    report: str = "",
    hours: int = ORDER_HOURS,
) -> Order:
    """Asks for the wipe of one device; what must happen next, its lane says. ``hours`` is how long it stays valid.

    ``stolen`` needs a device that is lost, or ``report``: which report says so. ``hand_in`` needs ``presence``, the code
    that the device shows; whether it is right, only the device can say. Raises NotFoundError, DeniedError, InvalidError
    that names the field, ConflictError with the code ``device_private``, ``device_not_enrolled`` or ``order_open`` (there
    is one open order per device at the most).
    """
    _people_only(call.actor)
    if lane is Lane.MASS:
        lane = Lane.ORDINARY
    device = inventory.device_by_uid(call, device_uid)
    require(call.actor, lanes.RULES[lane].permission, device.where)
    said = _said(reason, lane, device, report)
    wipeable(device)
    asked = _asked(call, lane, said, _presence(lane, presence), hours)
    order = _order(call, device, asked, _places(call, [device]))
    call.session.add(order)
    _flush(call)
    note(call, order, "order.requested", {"lane": lane.value, "reason": said})
    tell(call, order, "requested")
    if lane is Lane.HAND_IN:
        # Nobody approves at the counter: the device itself does, by its code.
        move(call, order, OrderState.APPROVED, "order.approved", {"presence": True})
        outbox.post(call, "order.release", {"order": order.id})
    return order


def request_wipes(call: Call, device_uids: Sequence[str], reason: str, *, hours: int = ORDER_HOURS) -> OrderBatch:
    """Asks for the wipe of several devices at once: one list, approved by one signature of each approver.

    More than five are a mass order: more approvers, a day of cooling. Private devices, devices that are not enrolled and
    devices with an open order are left out, and listed so. Raises as ``request_wipe``; TooLargeError above a thousand,
    ConflictError (``nothing_left``) when every device was left out. All or nothing otherwise.
    """
    _people_only(call.actor)
    uids = list(dict.fromkeys(device_uids))
    if not uids:
        raise InvalidError(N_("Choose at least one device. Nothing was asked."), code="nothing_chosen")
    if len(uids) > lanes.MAX_DEVICES:
        raise TooLargeError(
            N_("At most %(limit)s devices can be asked for at once. Nothing was asked."), limit=lanes.MAX_DEVICES
        )
    devices = [inventory.device_by_uid(call, uid) for uid in uids]
    for device in devices:
        require(call.actor, lanes.RULES[Lane.ORDINARY].permission, device.where)
    left, left_out = _left(call, devices)
    if not left:
        raise ConflictError(
            N_("None of these devices can be wiped: they are private, not enrolled, or have an open order."),
            code="nothing_left",
        )
    lane = lanes.lane_for(len(left))
    asked = _asked(call, lane, reason_given(reason), "", hours)
    return _batch(call, left, asked, left_out)


def _batch(call: Call, devices: Sequence[Device], asked: _Asked, left_out: list[dict[str, str]]) -> OrderBatch:
    places = _places(call, devices)
    orders = [_order(call, device, asked, places) for device in devices]
    batch_id = new_uid()
    batch = OrderBatch(
        id=batch_id,
        canonical=statement.batch_text(
            batch_id,
            (order.canonical for order in orders),
            lane=asked.lane.value,
            reason=asked.reason,
            requested_by=asked.by,
            requester=asked.requester,
            not_after=int(asked.expires.timestamp()),
        ),
        lane=asked.lane.value,
        reason=asked.reason,
        requested_by=asked.by,
        requested_by_id=asked.requester,
        requested_at=call.now,
        expires_at=asked.expires,
        left_out=left_out,
    )
    call.session.add(batch)
    for order in orders:
        order.batch_id = batch_id
    call.session.flush()
    call.session.add_all(orders)
    _flush(call)
    for order in orders:
        note(call, order, "order.requested", {"lane": asked.lane.value, "reason": asked.reason, "batch": batch_id})
    outbox.post(call, "order.told", {"batch": batch_id, "step": "requested"})
    return batch


def _flush(call: Call) -> None:
    # The index decides, not a look beforehand: of two who ask at the same moment, one gets this answer.
    flush_unique(
        call.session,
        ConflictError(
            N_("There is an open order for this device already. Nothing was asked; see Approvals."), code="order_open"
        ),
    )


def _asked(call: Call, lane: Lane, reason: str, presence: str, hours: int) -> _Asked:
    actor = call.actor
    return _Asked(
        lane=lane,
        reason=reason,
        presence=presence,
        by=clean(actor.name) or actor.kind.value,
        requester=requester(call.session, actor),
        token=f"token:{actor.id}" if actor.kind is ActorKind.TOKEN else "",
        epoch=kernel.state(call.session).epoch,
        approvers=lanes.approvers(lane, kernel.ceremony(call.session)),
        expires=call.now.replace(microsecond=0) + timedelta(hours=max(1, min(hours, ORDER_HOURS))),
    )


def _order(call: Call, device: Device, asked: _Asked, places: dict[int, str]) -> Order:
    person = call.session.get(Person, device.person_id) if device.person_id is not None else None
    place = places.get(device.service_point_id or 0, "")
    wanted = OrderText(
        id=new_uid(),
        device=device.uid,
        enrollment=device.key_digest,
        lane=asked.lane.value,
        place=place,
        presence=asked.presence,
        reason=asked.reason,
        requested_by=asked.by,
        requester=asked.requester,
        epoch=asked.epoch,
        not_before=int(call.now.timestamp()),
        not_after=int(asked.expires.timestamp()),
    )
    return Order(
        id=wanted.id,
        device_id=device.id,
        device_uid=device.uid,
        device_label=clean(device.label),
        device_serial=device.serial or "",
        person_name=person.name if person is not None else "",
        holder_id=person.id if person is not None else None,
        service_point_id=device.service_point_id,
        unit_id=device.unit_id,
        place=place,
        verb="wipe",
        lane=asked.lane.value,
        presence=asked.presence,
        reason=asked.reason,
        requested_by=asked.by,
        requested_by_id=asked.requester,
        token=asked.token,
        epoch=asked.epoch,
        ownership=device.ownership,
        approvals_needed=asked.approvers,
        requested_at=call.now,
        expires_at=asked.expires,
        canonical=wanted.canonical,
    )


def _places(call: Call, devices: Sequence[Device]) -> dict[int, str]:
    ids = {device.service_point_id for device in devices if device.service_point_id is not None}
    rows = call.session.execute(select(ServicePoint.id, ServicePoint.code).where(ServicePoint.id.in_(ids)))
    return {row.id: row.code for row in rows}


def _left(call: Call, devices: Sequence[Device]) -> tuple[list[Device], list[dict[str, str]]]:
    """Devices that can be asked for, and the others with the reason, private ones first."""
    ordered = set(
        call.session.scalars(
            select(Order.device_uid).where(
                Order.device_uid.in_([device.uid for device in devices]), Order.state.in_([one.value for one in OPEN])
            )
        )
    )
    left: list[Device] = []
    out: list[dict[str, Any]] = []
    for device in devices:
        why = "order_open" if device.uid in ordered else ""
        try:
            wipeable(device)
        except HavenmeesterError as error:
            why = error.code
        if why:
            out.append({"device": device.uid, "label": clean(device.label), "why": why})
        else:
            left.append(device)
    return left, sorted(out, key=lambda one: (one["why"] != "device_private", one["label"]))


def _people_only(actor: Actor) -> None:
    if actor.kind not in ASKERS:
        raise DeniedError(N_("Only a person can ask for a wipe. Nothing was asked."), code="person_required")


def wipeable(device: Device) -> None:
    """Nothing when orders may be made for this device. Raises ConflictError: ``device_private``, ``device_not_enrolled``."""
    if device.ownership == Ownership.PRIVATE:
        raise ConflictError(
            N_("This is somebody's private device: it is never wiped in full. Nothing was changed."),
            code="device_private",
        )
    if device.enrolled_at is None or not device.key_digest:
        raise ConflictError(
            N_("This device is not enrolled, so no order can reach it. Nothing was changed."),
            code="device_not_enrolled",
        )


def reason_given(reason: str) -> str:
    """The reason, cleaned. Raises InvalidError (``reason_missing``) when nothing is left of it."""
    said = clean(reason, MAX_REASON)
    if not said:
        raise InvalidError(
            N_("A reason is needed. Nothing was changed."), fields={"reason": N_("Say why.")}, code="reason_missing"
        )
    return said


def _said(reason: str, lane: Lane, device: Device, report: str) -> str:
    said, reported = reason_given(reason), clean(report, 120)
    if lane is not Lane.STOLEN:
        return said
    if not reported and device.state != LifeCycle.LOST:
        raise InvalidError(
            N_("Nobody has reported this device lost. Nothing was asked; report it lost, or name the report."),
            fields={"report": N_("Which report says that it was stolen?")},
            code="not_reported",
        )
    return f"{said[: MAX_REASON - len(reported) - 3]} ({reported})" if reported else said


def _presence(lane: Lane, presence: str) -> str:
    if lane is not Lane.HAND_IN:
        return ""
    digits = "".join(character for character in presence if not character.isspace() and character not in "-.")
    if len(digits) != PRESENCE_DIGITS or not (digits.isascii() and digits.isdecimal()):
        raise InvalidError(
            N_("The code that the device shows has eight digits. Nothing was asked."),
            fields={"presence": N_("Eight digits, as the device shows them.")},
            code="presence_malformed",
        )
    return digits
