"""The list of orders: requests that two people decide."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true

from mdm.core.errors import N_
from mdm.core.permissions import Permission
from mdm.inventory.model import Device
from mdm.orders.model import Order
from mdm.overview import words
from mdm.overview.listing import Column, Filter, Listing, any_of, moment_order
from mdm.storage.call import Call
from mdm.storage.scoping import within

WAITING = ("requested", "held")


def orders_of(call: Call) -> Select[Any]:
    """Orders at the actor's places, also those whose device is not recorded any more."""
    scope = call.actor.scope(Permission.ORDER_VIEW)
    return (
        select(Order.id)
        .outerjoin(Device, Device.id == Order.device_id)
        .where(within(scope, Order.service_point_id, Order.unit_id))
    )


def _words(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    columns = (Order.device_label, Order.device_serial, Order.person_name, Order.requested_by)
    return and_(true(), *(or_(*(one.icontains(value, autoescape=True) for one in columns)) for value in values))


def waiting_count(call: Call) -> int:
    """How many orders wait for a second person."""
    query = (
        orders_of(call).where(Order.state == "requested").with_only_columns(func.count(), maintain_column_froms=True)
    )
    return call.session.scalar(query) or 0


ORDERS = Listing(
    name="orders",
    permission=Permission.ORDER_VIEW,
    base=orders_of,
    id=Order.id,
    sort="-requested",
    extra=(Order.device_label.label("_name"), func.coalesce(Device.uid, "").label("_uid")),
    columns=(
        Column("device", N_("Device"), Order.device_label, "order", True, Order.device_label),
        Column("verb", N_("Order"), Order.verb, "verb", True, Order.verb),
        Column("state", N_("State"), Order.state, "order_state", True, Order.state),
        Column("person", N_("Person"), Order.person_name, "text", True, Order.person_name),
        Column("by", N_("Requested by"), Order.requested_by, "text", True, Order.requested_by),
        Column("requested", N_("Requested"), Order.requested_at, "seen", True, Order.requested_at),
        Column("reason", N_("Reason"), Order.reason, "text", True),
        Column("expires", N_("Expires"), Order.expires_at, "moment", False, Order.expires_at),
        Column("finished", N_("Finished"), Order.finished_at, "moment", False, moment_order(Order.finished_at)),
        Column("serial", N_("Serial"), Order.device_serial, "code", False),
    ),
    filters=(
        Filter("q", N_("Search"), _words, shown=False),
        Filter("state", N_("State"), any_of(Order.state), words=words.ORDER_STATES),
    ),
)
