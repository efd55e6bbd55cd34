"""Orders, approvals, releases, receipts."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class OrderState(StrEnum):
    """The life of an order. ``MOVES`` in ``states.py`` says what may follow what: forward only."""

    APPROVED = "approved"
    CANCELLED = "cancelled"
    DONE = "done"
    EXPIRED = "expired"
    FAILED = "failed"
    FETCHED = "fetched"
    HELD = "held"
    REFUSED = "refused"
    REJECTED = "rejected"
    RELEASED = "released"
    REQUESTED = "requested"
    UNANSWERED = "unanswered"
    """Fetched, and its time ran out without an answer: nobody knows whether it was done. An answer may still come."""


class Order(Base):
    """A request for something that cannot be undone, on one device. Outlives the device's row."""

    __tablename__ = "wipe_order"
    __table_args__ = (
        Index(
            "uq_wipe_order_open",
            "device_uid",
            unique=True,
            postgresql_where=text("finished_at IS NULL"),
            sqlite_where=text("finished_at IS NULL"),
        ),
    )
    """One open order per device: held by the database, whoever races."""

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="SET NULL"), index=True)
    device_uid: Mapped[str] = mapped_column(String(32), index=True)
    device_label: Mapped[str] = mapped_column(String(255))
    device_serial: Mapped[str] = mapped_column(String(128), default="")
    person_name: Mapped[str] = mapped_column(String(255), default="")
    service_point_id: Mapped[int | None] = mapped_column(index=True)
    unit_id: Mapped[int | None]
    verb: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default=OrderState.REQUESTED.value, index=True)
    reason: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(String(255))
    requested_by_id: Mapped[str] = mapped_column(String(64))
    """Kind and id of whoever asked (``operator:7``; for a token its maker): these are compared, never names."""
    requested_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    held_why: Mapped[str] = mapped_column(Text, default="")
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answer: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """What the device said it did, word for word: the heart of the receipt."""


class Approval(Base):
    """One person's yes or no to one order."""

    __tablename__ = "order_approval"
    __table_args__ = (UniqueConstraint("order_id", "approver_id"),)

    id: Mapped[Key]
    order_id: Mapped[str] = mapped_column(ForeignKey("wipe_order.id"), index=True)
    approver_id: Mapped[str] = mapped_column(String(64))
    approver_name: Mapped[str] = mapped_column(String(255))
    approved: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[Moment]


class Release(Base):
    """A signed order as the agent gets it. On PostgreSQL only the worker's role may write this table."""

    __tablename__ = "order_release"

    order_id: Mapped[str] = mapped_column(ForeignKey("wipe_order.id"), primary_key=True)
    canonical: Mapped[str] = mapped_column(Text)
    """The exact text that was signed."""
    signature: Mapped[str] = mapped_column(String(128))
    """Base64 of the Ed25519 signature over ``ORDER_PREFIX`` and the canonical text."""
    released_at: Mapped[Moment]
