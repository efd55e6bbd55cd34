"""Orders: asking for a wipe, deciding about it, the receipt."""

import json
from datetime import timedelta

from flask import g, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext
from sqlalchemy import func, select

from mdm.access.queries import approver_since
from mdm.core.actor import ActorKind
from mdm.core.errors import N_, DeniedError, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission, Where
from mdm.inventory import queries as inventory
from mdm.inventory.model import Device
from mdm.orders import queries, service
from mdm.orders.model import Order
from mdm.overview.orders import ORDERS
from mdm.people.model import Person
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.identity import settings
from web.console.lists import export, show
from web.console.pages.helpers import BOTH, GET, POST, Route, done, page, refused, text

DAY = timedelta(days=1)


def _fresh(goal: str) -> Response | None:
    """To the page that asks again who somebody is, when that was too long ago; else None."""
    return None if g.get("fresh") else make_response(redirect(url_for("prove", next=goal), 303))


@may(Permission.ORDER_VIEW)
def approvals(call: Call) -> Response:
    """What waits for this person, and the list of all orders."""
    waiting = queries.to_approve(call) if call.actor.may_somewhere(Permission.ORDER_APPROVE) else []
    return page("orders/list.html", list=show(call, ORDERS, "approvals"), waiting=waiting)


@may(Permission.ORDER_VIEW, write=True)
def approvals_file(call: Call) -> Response:
    """The list as a file."""
    return export(call, ORDERS)


@may(Permission.ORDER_VIEW)
def approval(call: Call, number: str) -> Response:
    """One order: the facts, the decision, the receipt."""
    return _order(call, number)


def _order(call: Call, number: str, failure: Failure | None = None) -> Response:
    receipt = queries.receipt(call, number)
    order = receipt.order
    device = call.session.get(Device, order.device_id) if order.device_id else None
    today = call.session.scalar(
        select(func.count())
        .select_from(Order)
        .where(Order.requested_by_id == order.requested_by_id, Order.requested_at > call.now - DAY)
    )
    decides = (
        call.actor.may(Permission.ORDER_APPROVE, Where(order.service_point_id, order.unit_id))
        and order.state == "requested"
    )
    response = page(
        "orders/order.html",
        order=order,
        receipt=receipt,
        device=device,
        holder=call.session.get(Person, device.person_id) if device and device.person_id else None,
        asked_today=today,
        mine=order.requested_by_id == f"{call.actor.kind.value}:{call.actor.id}",
        decides=decides,
        approver_since=approver_since(call, call.actor.id) if decides and call.actor.id else None,
        can_cancel=order.state in ("requested", "held", "approved", "released"),
        failure=failure,
    )
    return failure.stamp(response) if failure else response


@may(Permission.ORDER_APPROVE)
def approval_decide(call: Call, number: str) -> Response:
    """Yes or no."""
    if call.actor.kind is not ActorKind.OPERATOR:
        raise DeniedError(N_("Only a person who has signed in can decide about an order. Nothing was changed."))
    again = _fresh(url_for("approval", number=number))
    if again is not None:
        return again
    try:
        if text("decision") == "approve":
            service.take_proof(call, number, _signature())
            return done(gettext("Your signature was taken."), url_for("approval", number=number))
        service.reject(call, number, text("reason"))
    except HavenmeesterError as error:
        return _order(call, number, refused(call, error))
    return done(gettext("Rejected. Nothing happens to the device."), url_for("approval", number=number))


def _signature() -> dict[str, object]:
    """The signature that was made on the page. Raises InvalidError for what is no JSON object."""
    try:
        value = json.loads(text("proof"))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise InvalidError(N_("The signature did not arrive. Nothing was changed; sign again."), code="proof_form")
    return value


@may(Permission.ORDER_VIEW)
def approval_cancel(call: Call, number: str) -> Response:
    """Takes an order back until the device has fetched it."""
    try:
        service.cancel(call, number, text("reason"))
    except HavenmeesterError as error:
        return _order(call, number, refused(call, error))
    return done(gettext("The order was taken back. Nothing happens to the device."), url_for("approval", number=number))


@may(Permission.ORDER_REQUEST)
def wipe(call: Call, uid: str) -> Response:
    """Asks for the wipe of one device: the facts, a reason, and the typed tag."""
    device = inventory.device_by_uid(call, uid)
    again = _fresh(url_for("wipe", uid=uid))
    if again is not None:
        return again
    must_be = device.tag or device.serial or device.label
    failure = None
    if request.method == "POST":
        if text("typed") != must_be:
            sentence = gettext("This is not what stands on the device. Nothing was asked.")
            failure = Failure(422, "invalid", sentence, fields={"typed": sentence})
        else:
            try:
                order = service.request_wipe(call, uid, text("reason"), hours=settings().order_hours)
            except HavenmeesterError as error:
                failure = refused(call, error)
            else:
                sentence = gettext("The wipe waits for a second person. It can be taken back here.")
                return done(sentence, url_for("approval", number=order.id))
    holder = call.session.get(Person, device.person_id) if device.person_id else None
    response = page(
        "orders/wipe.html", device=device, holder=holder, must_be=must_be, failure=failure, values=request.form
    )
    return failure.stamp(response) if failure else response


ROUTES: tuple[Route, ...] = (
    ("/approvals", "approvals", approvals, GET),
    ("/approvals/file", "approvals_file", approvals_file, GET),
    ("/approvals/<number>", "approval", approval, GET),
    ("/approvals/<number>/decide", "approval_decide", approval_decide, POST),
    ("/approvals/<number>/cancel", "approval_cancel", approval_cancel, POST),
    ("/devices/<uid>/wipe", "wipe", wipe, BOTH),
)
