"""Asking for a wipe: of one device, in the lane that fits, or of several at once."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import g, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext
from sqlalchemy import func, select

from mdm.core.actor import require
from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission
from mdm.inventory import queries as inventory
from mdm.inventory.model import Device, LifeCycle
from mdm.orders import lanes, queries, service
from mdm.orders.model import Lane, Order
from mdm.orders.moving import who
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may, signed_in
from web.console.budgets import budgets
from web.console.identity import settings
from web.console.kernel import kernel
from web.console.pages.helpers import BOTH, POST, Route, done, page, refused, text

DAY = timedelta(days=1)
MOST = 1000


@dataclass(frozen=True, slots=True)
class Share:
    """What one wipe is for its place: how many devices are there, and how many of them are to be wiped already."""

    place: str
    devices: int
    asked_today: int

    @property
    def percent(self) -> int:
        """The share of the place's devices that would be gone, this one among them."""
        return round(100 * (self.asked_today + 1) / max(1, self.devices))


def _fresh(goal: str) -> Response | None:
    return None if g.get("fresh") else make_response(redirect(url_for("prove", next=goal), 303))


@signed_in()
def wipe(call: Call, uid: str) -> Response:
    """Asks for the wipe of one device: the facts, the lane, a reason, and the typed serial."""
    device = inventory.device_by_uid(call, uid)
    offered = _lanes(call, device)
    if not offered:
        require(call.actor, Permission.ORDER_REQUEST, device.where)
    again = _fresh(url_for("wipe", uid=uid))
    if again is not None:
        return again
    must_be = device.serial or device.tag or device.label
    failure = None
    if request.method == "POST":
        try:
            order = _ask(call, uid, must_be)
        except HavenmeesterError as error:
            failure = refused(call, error)
        else:
            return done(_asked(order), url_for("approval", number=order.id))
    return _page(call, device, offered, must_be, failure)


def _lanes(call: Call, device: Device) -> list[Lane]:
    lanes_here = (Lane.ORDINARY, Lane.STOLEN, Lane.HAND_IN)
    return [one for one in lanes_here if call.actor.may(lanes.RULES[one].permission, device.where)]


def _ask(call: Call, uid: str, must_be: str) -> Order:
    if text("typed").casefold() != must_be.casefold():
        sentence = N_("This is not what stands on the device. Nothing was asked.")
        raise InvalidError(sentence, fields={"typed": sentence})
    try:
        lane = Lane(text("lane") or Lane.ORDINARY.value)
    except ValueError as error:
        sentence = N_("Choose one from the list.")
        raise InvalidError(sentence, fields={"lane": sentence}) from error
    return service.request_wipe(
        call,
        uid,
        text("reason"),
        lane=lane,
        presence=text("presence"),
        report=text("report"),
        hours=settings().order_hours,
    )


def _asked(order: Order) -> str:
    if order.lane == Lane.HAND_IN:
        return str(gettext("The signer is asked now. The device wipes itself when its code is right."))
    return str(gettext("The wipe waits for two other people. It can be taken back here."))


def _page(call: Call, device: Device, offered: list[Lane], must_be: str, failure: Failure | None) -> Response:
    holder = call.session.get(Person, device.person_id) if device.person_id else None
    place = call.session.get(ServicePoint, device.service_point_id) if device.service_point_id else None
    response = page(
        "orders/wipe.html",
        device=device,
        holder=holder,
        must_be=must_be,
        lanes=[one.value for one in offered],
        lost=device.state == LifeCycle.LOST.value,
        share=_share(call, device, place),
        budgets=budgets(lane=Lane.ORDINARY.value, place=place.code if place else "", requester=who(call.actor)),
        kernel=kernel(call),
        open_order=queries.open_for(call, device.uid),
        failure=failure,
        values=request.form,
    )
    return failure.stamp(response) if failure else response


def _share(call: Call, device: Device, place: ServicePoint | None) -> Share:
    at = Device.service_point_id == device.service_point_id
    if place is None:
        at = Device.service_point_id.is_(None)
    same = Order.service_point_id == device.service_point_id
    if place is None:
        same = Order.service_point_id.is_(None)
    devices = call.session.scalar(select(func.count(Device.id)).where(at, Device.enrolled_at.is_not(None)))
    asked = call.session.scalar(select(func.count(Order.id)).where(same, Order.requested_at > call.now - DAY))
    return Share(place.name if place else "", devices or 0, asked or 0)


@may(Permission.ORDER_REQUEST)
def wipe_many(call: Call) -> Response:
    """Asks for the wipe of several devices: the list, what is left out, a reason, and the typed number."""
    uids = list(dict.fromkeys(request.values.getlist("uid")))[: MOST + 1]
    again = _fresh(url_for("devices"))
    if again is not None:
        return again
    failure = None
    if request.method == "POST" and text("sure"):
        try:
            if text("typed") != str(len(uids)):
                sentence = N_("This is not the number of devices. Nothing was asked.")
                raise InvalidError(sentence, fields={"typed": sentence})
            batch = service.request_wipes(call, uids, text("reason"), hours=settings().order_hours)
        except HavenmeesterError as error:
            failure = refused(call, error)
        else:
            return done(
                gettext("The wipes wait for other people. They can be taken back here."),
                url_for("approval", number=batch.id),
            )
    return _page_of_many(call, uids, failure)


def wipe_chosen(call: Call, uids: list[str]) -> Response:
    """The form for devices that were chosen in a list. Raises DeniedError for somebody who may ask for no wipe."""
    if not call.actor.may_somewhere(Permission.ORDER_REQUEST):
        require(call.actor, Permission.ORDER_REQUEST)
    if not uids:
        raise InvalidError(N_("Choose at least one device. Nothing was asked."), code="nothing_chosen")
    return _fresh(url_for("devices")) or _page_of_many(call, uids[: MOST + 1])


def _page_of_many(call: Call, uids: list[str], failure: Failure | None = None) -> Response:
    response = page("orders/wipe_many.html", **_many(call, uids), failure=failure, values=request.form)
    return failure.stamp(response) if failure else response


def _many(call: Call, uids: list[str]) -> dict[str, Any]:
    devices = [inventory.device_by_uid(call, uid) for uid in uids[:MOST]]
    names = dict(
        call.session.execute(
            select(Person.id, Person.name).where(Person.id.in_([one.person_id for one in devices if one.person_id]))
        ).all()
    )
    left = [one for one in devices if one.ownership != "private" and one.enrolled_at]
    return {
        "devices": devices,
        "holders": names,
        "left": left,
        "private": [one for one in devices if one.ownership == "private"],
        "mass": lanes.lane_for(len(left)) is Lane.MASS,
        "ceremony": lanes.approvers(lanes.lane_for(len(left)), 0),
        "kernel": kernel(call),
    }


ROUTES: tuple[Route, ...] = (
    ("/devices/<uid>/wipe", "wipe", wipe, BOTH),
    ("/devices/wipe", "wipe_many", wipe_many, POST),
)
