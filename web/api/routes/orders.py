"""Orders."""

from datetime import datetime

from apiflask import APIBlueprint
from flask import Response, current_app, g
from sqlalchemy import tuple_

from mdm.access.service import PROOF_NEEDED
from mdm.core.errors import N_, DeniedError
from mdm.core.permissions import Permission
from mdm.orders import model, queries, receipt_pdf, service, statement
from mdm.settings import Settings
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, walk
from web.api.shapes import orders as shapes
from web.api.shapes.orders import Order
from web.common.app import SETTINGS

api = APIBlueprint(
    "orders", __name__, tag={"name": "Orders", "description": "Wipes: asked by one person, signed by two others."}
)
VIEW, REQUEST, APPROVE = Permission.ORDER_VIEW, Permission.ORDER_REQUEST, Permission.ORDER_APPROVE
HAND_IN = Permission.ORDER_HAND_IN
ONE = "/orders/<uid:order_id>"
BATCH = "/order-batches/<uid:order_batch_id>"


def _shown(order: model.Order) -> Order:
    return Order.model_validate(order)


@operation(api, "GET", "/orders", VIEW, query=shapes.OrderQuery, answer=shapes.OrderPage)
def list_orders(call: Call, query: shapes.OrderQuery) -> Page[Order]:
    """List orders.

    Newest first; only those at your places.
    """
    filters = queries.Filters(
        states=query.state or (),
        device_uid=query.device or "",
        service_point_id=query.service_point_id,
        words=query.search,
        since=query.since,
    )
    place = tuple_(model.Order.requested_at, model.Order.id)

    def fetch(mark: tuple[str, str] | None, limit: int) -> list[model.Order]:
        wanted = queries.orders_select(call, filters)
        if mark is not None:
            wanted = wanted.where(place < (datetime.fromisoformat(mark[0]), mark[1]))
        return list(call.session.scalars(wanted.limit(limit)))

    rows, following = walk(query, fetch, lambda row: (row.requested_at.isoformat(), row.id))
    items = [_shown(row) for row in rows]
    return shapes.OrderPage(items=items, next=following, total=queries.count(call, filters))


@operation(api, "POST", "/orders", REQUEST, body=shapes.WipeRequest, answer=Order, status=201, problems=(404,))
def request_wipe(call: Call, body: shapes.WipeRequest) -> Order:
    """Ask for the wipe of a device.

    It waits for the signatures of two approvers. 409 for a private device, one that is not enrolled, and one with an open
    order.
    """
    order = service.request_wipe(
        call, body.device, body.reason, lane=model.Lane(body.lane), report=body.report, hours=_hours()
    )
    return _shown(order)


@operation(
    api, "POST", "/orders/hand-in", HAND_IN, body=shapes.HandInRequest, answer=Order, status=201, problems=(404,)
)
def request_hand_in(call: Call, body: shapes.HandInRequest) -> Order:
    """Wipe a device that lies on the counter.

    Nobody approves it: the code that the device itself shows proves that it is there. Whether the code is right, only the
    device can say: its answer is in the receipt.
    """
    order = service.request_wipe(
        call, body.device, body.reason, lane=model.Lane.HAND_IN, presence=body.presence, hours=_hours()
    )
    return _shown(order)


@operation(
    api,
    "POST",
    "/order-batches",
    REQUEST,
    body=shapes.BatchRequest,
    answer=shapes.OrderBatch,
    status=201,
    problems=(404,),
)
def request_wipes(call: Call, body: shapes.BatchRequest) -> shapes.OrderBatch:
    """Ask for the wipe of several devices.

    One list, approved by one signature of each approver. More than five devices are a mass order: more approvers, and 24
    hours of cooling. Private devices are left out, and listed so.
    """
    batch = service.request_wipes(call, body.devices, body.reason, hours=_hours())
    return get_batch(call, batch.id)


def get_batch(call: Call, batch_id: str) -> shapes.OrderBatch:
    """A batch as it is shown."""
    batch, orders = queries.batch(call, batch_id)
    said = {name: getattr(batch, name) for name in shapes.OrderBatch.model_fields if name not in ("orders", "left_out")}
    left_out = [shapes.LeftOut(**one) for one in batch.left_out]
    return shapes.OrderBatch(**said, orders=[_shown(order) for order in orders], left_out=left_out)


@operation(api, "GET", BATCH, VIEW, answer=shapes.OrderBatch)
def get_order_batch(call: Call, order_batch_id: str) -> shapes.OrderBatch:
    """Read a batch.

    With those of its orders that are at your places.
    """
    return get_batch(call, order_batch_id)


@operation(api, "GET", ONE, VIEW, answer=Order)
def get_order(call: Call, order_id: str) -> Order:
    """Read one order.

    It stays readable when the record of the device is gone.
    """
    return _shown(queries.order(call, order_id))


@operation(api, "GET", f"{ONE}/receipt", VIEW, answer=shapes.Receipt)
def get_order_receipt(call: Call, order_id: str) -> shapes.Receipt:
    """Read the receipt of an order.

    Who asked and decided, what was signed, and what the device answered, word for word.
    """
    return shapes.Receipt.model_validate(queries.receipt(call, order_id).as_dict())


@operation(api, "GET", f"{ONE}/receipt/pdf", VIEW, answer=None, media=("application/pdf",))
def get_order_receipt_pdf(call: Call, order_id: str) -> Response:
    """Read the receipt of an order as a PDF.

    The same as the receipt, for print and for the file of the case.
    """
    response = Response(receipt_pdf.pdf(queries.receipt(call, order_id)), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="receipt-{order_id}.pdf"'
    return response


@operation(api, "GET", f"{ONE}/envelope", VIEW, answer=shapes.Envelope)
def get_order_envelope(call: Call, order_id: str) -> shapes.Envelope:
    """Read an order as its device gets it.

    Its text, the signer's signature (empty while it has not signed), the approvals and the rosters. `havenmeester
    approve` reads and signs it, and `havenmeester-agent verify-order` says whether a device would take it.
    """
    return shapes.Envelope(**queries.envelope(call, order_id))


@operation(api, "GET", f"{ONE}/dossier", VIEW, answer=shapes.ToDecide)
def get_order_dossier(call: Call, order_id: str) -> shapes.ToDecide:
    """Read what an approver must know before signing.

    Also the statement that is signed. For an order of a batch it is the whole batch, as far as it is at your places.
    """
    found = queries.dossier(call, order_id)
    same = ("id", "text", "digest", "lane", "needed", "lacking", "asked_today", "why_not")
    asked = ("reason", "requested_by", "requested_at", "expires_at")
    return shapes.ToDecide(
        **{name: getattr(found, name) for name in same},
        **{name: getattr(found.order, name) for name in asked},
        requester=found.order.requested_by_id,
        people=list(found.people),
        places=dict(found.places),
        requester_acts=dict(found.requester_acts),
        devices=[shapes.DossierDevice.model_validate(device) for device in found.devices],
        left_out=[shapes.LeftOut(**one) for one in found.left_out],
    )


@operation(
    api, "POST", f"{ONE}/approvals", VIEW, body=shapes.ProofBody, answer=shapes.Taken, status=201, problems=(409,)
)
def give_approval(call: Call, order_id: str, body: shapes.ProofBody) -> shapes.Taken:
    """Hand in a person's signature over an order.

    Whoever may see the order may hand it in: the signature is the authority. For an order of a batch it is a signature
    over the batch. 403 names the rule that refuses; the requester's own signature never counts.
    """
    return shapes.Taken(lacking=service.take_proof(call, order_id, body.proof.model_dump(exclude_none=True)))


@operation(api, "POST", f"{ONE}/reject", APPROVE, body=shapes.No, answer=None, status=204)
def reject_order(call: Call, order_id: str, body: shapes.No) -> None:
    """Say no to an order.

    For people only. A reason is needed. Of a batch, every order that still waits. 409 when it is too late.
    """
    _proved_lately()
    service.reject(call, order_id, body.reason)


@operation(api, "POST", f"{ONE}/cancel", VIEW, body=shapes.Yes, answer=Order)
def cancel_order(call: Call, order_id: str, body: shapes.Yes) -> Order:
    """Take an order back.

    Until the device has fetched it. Whoever may ask or approve there may also cancel. Twice is like once.
    """
    return _shown(service.cancel(call, order_id, body.reason))


@operation(api, "POST", f"{ONE}/lift", APPROVE, body=shapes.Yes, answer=Order)
def lift_order(call: Call, order_id: str, body: shapes.Yes) -> Order:
    """End the holder's pause.

    For people only: an approver of the place who did not ask for it. 409 when it is not paused.
    """
    _proved_lately()
    return _shown(service.lift(call, order_id, body.reason))


@operation(api, "GET", "/kernel", VIEW, answer=shapes.Kernel)
def get_kernel(call: Call) -> shapes.Kernel:
    """Read whether orders go their way.

    The freeze, the version of the roster, and when the signer was last heard.
    """
    return get_kernel_state(call)


@operation(api, "POST", "/kernel/freeze", Permission.ORDER_FREEZE, body=shapes.Yes, answer=shapes.Kernel)
def freeze_orders(call: Call, body: shapes.Yes) -> shapes.Kernel:
    """Stop every order at once.

    The red button: nothing that is undelivered is delivered, and the signer signs nothing. Twice is like once.
    """
    service.freeze(call, body.reason)
    return get_kernel_state(call)


def get_kernel_state(call: Call) -> shapes.Kernel:
    """The mirror of the signer as it is shown."""
    return shapes.Kernel.model_validate(queries.kernel_state(call))


@operation(api, "POST", "/kernel/thaw", VIEW, answer=shapes.Statement)
def begin_thaw(call: Call) -> shapes.Statement:
    """Read what people sign to let orders go on.

    The same text for everybody, for a day. 409 when orders are not stopped.
    """
    text = service.begin_thaw(call)
    return shapes.Statement(text=text, digest=statement.digest(text))


@operation(api, "POST", "/kernel/thaw/approvals", VIEW, body=shapes.ProofBody, answer=shapes.Taken, status=201)
def give_thaw_approval(call: Call, body: shapes.ProofBody) -> shapes.Taken:
    """Hand in a person's signature over the end of the freeze.

    Once the threshold of the roster has signed, the signer ends the freeze.
    """
    return shapes.Taken(lacking=service.take_thaw_proof(call, body.proof.model_dump(exclude_none=True)))


def _hours() -> int:
    settings: Settings = current_app.extensions[SETTINGS]
    return settings.order_hours


def _proved_lately() -> None:
    """Deciding asks for a recent proof of who sits there, as in the console; a program is refused by the use case."""
    if g.get("fresh") is False:
        raise DeniedError(
            N_("Show in the console once more that it is you, and repeat this. Nothing was changed."),
            code=PROOF_NEEDED,
        )
