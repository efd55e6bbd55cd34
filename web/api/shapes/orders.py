"""Orders: what cannot be undone, asked by one person and approved by another."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from mdm.orders.model import Lane, OrderState
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
    lane: Lane
    batch_id: str | None = Field(description="The batch in which it was asked, where there is one.")
    place: str = Field(description="Code of the service point at which it was asked.")
    approvals_needed: int
    cools_until: datetime | None = Field(description="Until when the signer lets it rest.")
    paused_at: datetime | None


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
    lane: Literal["ordinary", "stolen"] = Field(
        default="ordinary", description="`stolen` has no cooling time; it needs a device that is lost, or a report."
    )
    report: str = Field(default="", max_length=120, description="Which report says that it was stolen.")


class HandInRequest(Body):
    """A device that lies on the counter."""

    device: Uid
    reason: str = Reason
    presence: str = Field(min_length=8, max_length=16, description="The eight digits that the device shows.")


class BatchRequest(Body):
    """Several devices, and why."""

    devices: list[Uid] = Field(min_length=1, max_length=1000)
    reason: str = Reason


class LeftOut(Answer):
    """A device of the choice that is not in the batch."""

    device: str
    label: str
    why: str = Field(description="`device_private`, `device_not_enrolled` or `order_open`.")


class OrderBatch(Answer):
    """Orders that were asked together and are approved together."""

    id: str
    lane: Lane
    reason: str
    requested_by: str
    requested_by_id: str
    requested_at: datetime
    expires_at: datetime
    orders: list[Order]
    left_out: list[LeftOut]


class SignatureProof(Body):
    """One person's signature over a statement: by a key file, or by a passkey."""

    person: str = Field(max_length=64)
    key: str = Field(max_length=64)
    type: Literal["ed25519", "webauthn"]
    signature: str = Field(max_length=4096)
    authenticator_data: str | None = Field(default=None, max_length=4096)
    client_data: str | None = Field(default=None, max_length=8192)


class ProofBody(Body):
    """A signature over the statement of an order, a batch, or the end of a freeze."""

    proof: SignatureProof


class Taken(Answer):
    """The signature counts."""

    lacking: int = Field(description="How many people still lack.")


class Statement(Answer):
    """What is to be signed."""

    text: str = Field(description="Canonical JSON. Its SHA-256 is the challenge of a passkey.")
    digest: str


class DossierDevice(Answer):
    """One device of the list, as it is now."""

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
    last_seen_at: datetime | None = Field(
        validation_alias="contact_at", description="As a device's own page tells it: the day while somebody holds it."
    )


class ToDecide(Statement):
    """What an approver must know before signing."""

    id: str
    lane: Lane
    reason: str
    requested_by: str
    requester: str
    requested_at: datetime
    expires_at: datetime
    needed: int
    lacking: int
    devices: list[DossierDevice]
    left_out: list[LeftOut]
    people: list[str]
    places: dict[str, int]
    asked_today: int = Field(description="Orders that the requester asked for in the last 24 hours.")
    requester_acts: dict[str, int] = Field(
        description="What the requester did in the last 24 hours: action, how often."
    )
    why_not: str = Field(description="Why you cannot sign this; empty when you can.")


class Envelope(Answer):
    """An order with its signatures as its device gets it."""

    order: str
    signature: str
    approvals: list[dict[str, Any]]
    batch: str | None = None
    rosters: list[dict[str, Any]]


class Kernel(Answer):
    """What the database knows of the signer."""

    frozen_at: datetime | None = Field(description="Since when nothing is delivered; null when orders go their way.")
    frozen_by: str
    frozen_why: str
    roster_version: int = Field(description="0 while no roster has been founded.")
    epoch: int
    cooling_minutes: int
    mirrored_at: datetime | None = Field(description="When the signer was last heard.")


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
    key: str = Field(description="Which of the person's keys signed; empty for a no.")
    kind: str


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
    batch: str | None
    verb: str
    lane: Lane
    state: OrderState
    device: ReceiptDevice
    place: str
    ownership: str
    person: str
    reason: str
    requested_by: Who
    decisions: list[Decision]
    expires_at: datetime
    cools_until: datetime | None
    held_why: str
    signed: Signed | None
    answer: dict[str, Any] | None = Field(description="What the device said it did, word for word.")
    method: str = Field(description="How the device says that it wiped itself.")
    finished_at: datetime | None
    history: list[ReceiptLine]


OrderPage = page_model(Order)
