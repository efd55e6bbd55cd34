"""Orders."""

from datetime import datetime

from apiflask import APIBlueprint
from flask import current_app, g
from sqlalchemy import tuple_

from mdm.access.service import PROOF_NEEDED
from mdm.core.errors import N_, DeniedError
from mdm.core.permissions import Permission
from mdm.orders import model, queries, service
from mdm.settings import Settings
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, walk
from web.api.shapes import orders as shapes
from web.api.shapes.orders import Order
from web.common.app import SETTINGS

api = APIBlueprint(
    "orders", __name__, tag={"name": "Orders", "description": "Wipes: asked by one person, approved by another."}
)
VIEW, REQUEST, APPROVE = Permission.ORDER_VIEW, Permission.ORDER_REQUEST, Permission.ORDER_APPROVE
ONE = "/orders/<uid:order_id>"


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

    It waits for somebody else's approval. 409 for a private device, one that is not enrolled, and one with an open order.
    """
    return _shown(service.request_wipe(call, body.device, body.reason))


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


def _proved_lately() -> None:
    """Deciding asks for a recent proof of who sits there, as in the console; a program is refused by the use case."""
    if g.get("fresh") is False:
        raise DeniedError(
            N_("Show in the console once more that it is you, and repeat this. Nothing was changed."),
            code=PROOF_NEEDED,
        )


@operation(api, "POST", f"{ONE}/approve", APPROVE, body=shapes.Yes, answer=Order)
def approve_order(call: Call, order_id: str, body: shapes.Yes) -> Order:
    """Approve somebody else's order.

    For people only: 403 for an API token, for whoever asked for it, and (`proof_needed`) for a session whose last proof
    of identity is older than five minutes. 409 when somebody was faster.
    """
    _proved_lately()
    settings: Settings = current_app.extensions[SETTINGS]
    return _shown(service.approve(call, order_id, body.reason, hours=settings.order_hours))


@operation(api, "POST", f"{ONE}/reject", APPROVE, body=shapes.No, answer=Order)
def reject_order(call: Call, order_id: str, body: shapes.No) -> Order:
    """Say no to an order.

    For people only. A reason is needed. 409 when somebody was faster.
    """
    _proved_lately()
    return _shown(service.reject(call, order_id, body.reason))


@operation(api, "POST", f"{ONE}/cancel", VIEW, body=shapes.Yes, answer=Order)
def cancel_order(call: Call, order_id: str, body: shapes.Yes) -> Order:
    """Take an order back.

    Until the device has fetched it. Whoever may ask or approve there may also cancel. Twice is like once.
    """
    return _shown(service.cancel(call, order_id, body.reason))
