"""Orders: what cannot be undone, asked by one person and approved by another."""

from datetime import datetime
from typing import Any

from pydantic import Field

from mdm.orders.model import OrderState
from web.api.paging import PageQuery, page_model
from web.api.shapes.fields import Id, Moment, Search, Uid
from web.api.strict import Answer, Body

Reason = Field(min_length=1, max_length=500)


class Order(Answer):
    """A request for a wipe of one device."""

    id: str
    device_uid: str
    device_label: str
    device_serial: str
    person_name: str
    service_point_id: int | None
    unit_id: int | None
    verb: str
    state: OrderState
    reason: str
    requested_by: str
    requested_by_id: str = Field(description="Kind and id of whoever asked: `operator:7`.")
    requested_at: datetime
    expires_at: datetime
    held_why: str = Field(description="Why the signer holds it back, where it does.")
    finished_at: datetime | None


class OrderQuery(PageQuery):
    """Filters of the list of orders."""

    search: Search = ""
    state: list[OrderState] | None = Field(default=None, max_length=20, description="May be given more than once.")
    device: Uid | None = None
    service_point_id: Id | None = None
    since: Moment | None = Field(default=None, description="Asked from this moment on.")


class WipeRequest(Body):
    """Which device, and why."""

    device: Uid
    reason: str = Reason


class Yes(Body):
    """Why, where there is something to say."""

    reason: str = Field(default="", max_length=500)


class No(Body):
    """Why not."""

    reason: str = Reason


class Who(Answer):
    """Somebody at a moment."""

    name: str
    id: str
    at: datetime


class Decision(Who):
    """One person's yes or no."""

    approved: bool
    reason: str


class Signed(Answer):
    """What the signer signed, word for word."""

    order: str
    signature: str
    at: datetime


class ReceiptDevice(Answer):
    """The device as it was."""

    id: str
    name: str
    serial: str


class ReceiptLine(Answer):
    """One line of the diary."""

    at: datetime
    action: str
    by: str
    details: dict[str, Any]


class Receipt(Answer):
    """Everything about one order: asked, decided, signed, answered."""

    id: str
    verb: str
    state: OrderState
    device: ReceiptDevice
    person: str
    reason: str
    requested_by: Who
    decisions: list[Decision]
    expires_at: datetime
    held_why: str
    signed: Signed | None
    answer: dict[str, Any] | None = Field(description="What the device said it did, word for word.")
    finished_at: datetime | None
    history: list[ReceiptLine]


OrderPage = page_model(Order)
