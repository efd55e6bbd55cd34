"""What waits for a second person: the list, one order or batch with everything that an approver must see, the receipt."""

from collections.abc import Sequence
from typing import Any

from flask import g, jsonify, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from agent.proof import read_statement
from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission, Where
from mdm.core.risk import RISKS
from mdm.orders import queries, receipt_pdf, service, states
from mdm.orders.acts import queries as acts
from mdm.orders.dossier import Dossier
from mdm.orders.model import Order, OrderState
from mdm.orders.roster import queries as rosters
from mdm.overview.orders import ORDERS
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.budgets import budgets
from web.console.kernel import kernel
from web.console.lists import export, show
from web.console.pages.helpers import GET, POST, Route, done, page, refused, text
from web.console.signing import given_proofs, paper, signing
from web.console.told import event_counts


@may(Permission.ORDER_VIEW)
def approvals(call: Call) -> Response:
    """What waits for this person, and the list of all orders."""
    decides = call.actor.may_somewhere(Permission.ORDER_APPROVE)
    return page(
        "orders/list.html",
        list=show(call, ORDERS, "approvals"),
        waiting=_grouped(queries.to_approve(call)) if decides else [],
        acts=acts.to_approve(call) if decides else [],
        words={risk.value: str(gettext(row.words)) for risk, row in RISKS.items()},
        proposals=rosters.to_sign(call),
        kernel=kernel(call),
    )


def _grouped(orders: Sequence[Order]) -> list[tuple[Order, int]]:
    """Orders that are decided with one signature as one line: the first of them, and how many."""
    found: dict[str, tuple[Order, int]] = {}
    for order in orders:
        first, number = found.get(order.batch_id or order.id, (order, 0))
        found[order.batch_id or order.id] = (first, number + 1)
    return list(found.values())


@may(Permission.ORDER_VIEW, write=True)
def approvals_file(call: Call) -> Response:
    """The list as a file."""
    return export(call, ORDERS)


@may(Permission.ORDER_VIEW)
def approval(call: Call, number: str) -> Response:
    """One order or batch: what is asked, the decision, how far it is."""
    return _page(call, number)


def _page(call: Call, number: str, failure: Failure | None = None) -> Response:
    found = queries.dossier(call, number)
    response = page(
        "orders/order.html",
        number=number,
        dossier=found,
        order=found.order,
        statement=read_statement(found.text, "batch" if found.batch else "order"),
        signing=signing(call, found.text) if found.may_approve else None,
        receipt=None if found.batch else queries.receipt(call, found.order.id),
        counts=event_counts(found.requester_acts),
        states=_states(found),
        may_approve=_approves(call, found),
        mine=found.why_not == "own_order",
        can_cancel=any(device.state in states.CANCELLABLE for device in found.devices) and _may_cancel(call, found),
        now=call.now,
        kernel=kernel(call),
        budgets=budgets(
            lane=found.order.lane,
            place=found.order.place,
            requester=found.order.requested_by_id,
            token=found.order.token,
        ),
        failure=failure,
    )
    return failure.stamp(response) if failure else response


def _states(found: Dossier) -> list[tuple[str, int]]:
    """Each state of the orders of a batch, and how many are in it."""
    counted: dict[str, int] = {}
    for device in found.devices:
        counted[device.state] = counted.get(device.state, 0) + 1
    return sorted(counted.items())


def _approves(call: Call, found: Dossier) -> bool:
    order = found.order
    return call.actor.may(Permission.ORDER_APPROVE, Where(order.service_point_id, order.unit_id))


def _may_cancel(call: Call, found: Dossier) -> bool:
    order = found.order
    where = Where(order.service_point_id, order.unit_id)
    mine = order.requested_by_id == f"{call.actor.kind.value}:{call.actor.id}"
    return mine or call.actor.may(Permission.ORDER_APPROVE, where) or call.actor.may(Permission.ORDER_REQUEST, where)


@may(Permission.ORDER_VIEW)
def approval_decide(call: Call, number: str) -> Response:
    """Yes, with a signature over exactly what the page showed; or no, with a reason."""
    try:
        if text("decision") == "approve":
            lacking = 0
            for proof in given_proofs(call, queries.dossier(call, number).text):
                lacking = service.take_proof(call, number, proof)
            return done(_taken(lacking), url_for("approval", number=number))
        if not g.get("fresh"):
            return make_response(redirect(url_for("prove", next=url_for("approval", number=number)), 303))
        service.reject(call, number, text("reason"))
    except HavenmeesterError as error:
        return _page(call, number, refused(call, error))
    return done(gettext("Rejected. Nothing happens to the device."), url_for("approval", number=number))


def _taken(lacking: int) -> str:
    if lacking:
        return str(gettext("Your signature was taken. People who must still sign: %(count)s.", count=lacking))
    return str(gettext("Your signature was taken. It was the last one that was needed; the signer is asked now."))


@may(Permission.ORDER_VIEW)
def approval_cancel(call: Call, number: str) -> Response:
    """Takes an order back until the device has fetched it."""
    try:
        service.cancel(call, number, text("reason"))
    except HavenmeesterError as error:
        return _page(call, number, refused(call, error))
    return done(gettext("The order was taken back. Nothing happens to the device."), url_for("approval", number=number))


@may(Permission.ORDER_APPROVE)
def approval_lift(call: Call, number: str) -> Response:
    """Ends the holder's pause."""
    if not g.get("fresh"):
        return make_response(redirect(url_for("prove", next=url_for("approval", number=number)), 303))
    try:
        service.lift(call, number, text("reason"))
    except HavenmeesterError as error:
        return _page(call, number, refused(call, error))
    return done(gettext("The pause has ended; the order goes on."), url_for("approval", number=number))


@may(Permission.ORDER_VIEW)
def approval_paper(call: Call, number: str) -> Response:
    """What is signed, as a file for havenmeester approve."""
    found = queries.dossier(call, number)
    more: dict[str, Any] = {}
    if found.batch is None:
        more = {"label": found.order.device_label, "serial": found.order.device_serial}
    else:
        seen = {device.order_id for device in found.devices}
        _batch, orders = queries.batch(call, found.batch.id)
        more = {"orders": [order.canonical for order in orders if order.id in seen]}
    return paper(found.text, f"{'batch' if found.batch else 'order'}-{found.id}", **more)


@may(Permission.ORDER_VIEW)
def receipt(call: Call, number: str) -> Response:
    """The receipt of one order, as a page for print, as JSON or as PDF (``as``)."""
    found = queries.receipt(call, number)
    kind = request.args.get("as", "")
    if kind == "json":
        return jsonify(found.as_dict())
    if kind == "pdf":
        response = Response(receipt_pdf.pdf(found), mimetype="application/pdf")
        response.headers["Content-Disposition"] = f'attachment; filename="receipt-{found.order.id}.pdf"'
        return response
    return page("orders/receipt.html", receipt=found, order=found.order, finished=found.order.state == OrderState.DONE)


ROUTES: tuple[Route, ...] = (
    ("/approvals", "approvals", approvals, GET),
    ("/approvals/file", "approvals_file", approvals_file, GET),
    ("/approvals/<number>", "approval", approval, GET),
    ("/approvals/<number>/decide", "approval_decide", approval_decide, POST),
    ("/approvals/<number>/cancel", "approval_cancel", approval_cancel, POST),
    ("/approvals/<number>/lift", "approval_lift", approval_lift, POST),
    ("/approvals/<number>/statement.json", "approval_paper", approval_paper, GET),
    ("/approvals/<number>/receipt", "receipt", receipt, GET),
)
