"""Shelves, levels, transfers between service points, and counts of what stands there."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.core.permissions import Where
from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class TransferState(StrEnum):
    """Where a transfer is. What was sent cannot be taken back: the other side receives it, or says that it is missing."""

    CANCELLED = "cancelled"
    OPEN = "open"
    RECEIVED = "received"
    SENT = "sent"


class LineState(StrEnum):
    """What became of one device of a transfer."""

    ARRIVED = "arrived"
    EXTRA = "extra"
    """It was not on the list, and came along."""
    FOUND = "found"
    """It was missing, and turned up at one of the two places."""
    LISTED = "listed"
    MISSING = "missing"


class TakeState(StrEnum):
    """Where a stock-take is."""

    CANCELLED = "cancelled"
    CLOSED = "closed"
    OPEN = "open"


class Standing(StrEnum):
    """What a stock-take says of one code."""

    ELSEWHERE = "elsewhere"
    """It stands here and is recorded on another shelf or at another service point."""
    EXTRA = "extra"
    """It stands here and is recorded as being in somebody's hands, in repair, lost or retired."""
    MISSING = "missing"
    """It is recorded here and was not scanned."""
    MOVED = "moved"
    """It came here while the count was open, so not having scanned it means nothing."""
    RIGHT = "right"
    UNKNOWN = "unknown"
    """No device of the actor has this code."""


class Shelf(Base):
    """A place for devices at a service point, with a code on it that can be scanned."""

    __tablename__ = "desk_shelf"
    __table_args__ = (UniqueConstraint("service_point_id", "name"),)

    id: Mapped[Key]
    service_point_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"))
    name: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(32), unique=True)
    """What its label says: never another shelf's, in the whole city."""
    note: Mapped[str] = mapped_column(Text, default="")
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[Moment]

    @property
    def where(self) -> Where:
        """The place at which rights over this shelf are asked."""
        return Where(self.service_point_id)


class Minimum(Base):
    """How many ready devices of a kind, or of one product, a service point shall always have."""

    __tablename__ = "desk_minimum"
    __table_args__ = (UniqueConstraint("service_point_id", "kind", "product"),)

    id: Mapped[Key]
    service_point_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"))
    kind: Mapped[str] = mapped_column(String(16))
    product: Mapped[str] = mapped_column(String(255), default="")
    """Maker and model as ``Device.product`` says them; empty: any of that kind."""
    least: Mapped[int]
    warned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the letter went out; None while there is enough. One letter each time that the shelf gets too empty."""


class Transfer(Base):
    """Devices on their way from one service point to another, with who sent and who received them."""

    __tablename__ = "desk_transfer"
    __table_args__ = (
        Index("ix_desk_transfer_from", "from_id", "state"),
        Index("ix_desk_transfer_to", "to_id", "state"),
    )

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    from_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"))
    to_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"))
    state: Mapped[str] = mapped_column(String(16), default=TransferState.OPEN.value)
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Moment]
    created_by: Mapped[str] = mapped_column(String(255))
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sent_by: Mapped[str] = mapped_column(String(255), default="")
    received_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    received_by: Mapped[str] = mapped_column(String(255), default="")
    received_note: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    @property
    def number(self) -> str:
        """What people call it, on the document as well: ``T-00042``."""
        return f"T-{self.id:05d}"


class TransferLine(Base):
    """One device of one transfer. While ``pending`` it belongs to nobody's shelf; a device is in one such line at most."""

    __tablename__ = "desk_transfer_line"
    __table_args__ = (
        UniqueConstraint("transfer_id", "device_id"),
        Index(
            "uq_desk_transfer_line_pending",
            "device_id",
            unique=True,
            sqlite_where=text("pending"),
            postgresql_where=text("pending"),
        ),
    )

    id: Mapped[Key]
    transfer_id: Mapped[int] = mapped_column(ForeignKey("desk_transfer.id", ondelete="CASCADE"))
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(16), default=LineState.LISTED.value)
    pending: Mapped[bool] = mapped_column(default=True)
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    settled_by: Mapped[str] = mapped_column(String(255), default="")


class StockTake(Base):
    """A count of what stands at a service point, or on one shelf. One at a time per service point, by several people."""

    __tablename__ = "desk_stock_take"
    __table_args__ = (
        Index(
            "uq_desk_stock_take_open",
            "service_point_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[Key]
    service_point_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"), index=True)
    shelf_id: Mapped[int | None] = mapped_column(ForeignKey("desk_shelf.id"))
    """Only this shelf; None: the whole service point."""
    state: Mapped[str] = mapped_column(String(16), default=TakeState.OPEN.value)
    opened_at: Mapped[Moment]
    opened_by: Mapped[str] = mapped_column(String(255))
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_by: Mapped[str] = mapped_column(String(255), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    counts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """How many codes had each standing, once it is closed."""


class StockScan(Base):
    """One code that was read during a stock-take, with how its device was recorded at that moment.

    After closing there is a row of each missing device as well: the report is what was true then, not what is true now.
    """

    __tablename__ = "desk_stock_scan"
    __table_args__ = (UniqueConstraint("take_id", "code"), Index("ix_desk_stock_scan_device", "take_id", "device_id"))

    id: Mapped[Key]
    take_id: Mapped[int] = mapped_column(ForeignKey("desk_stock_take.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(128))
    """The device's id, so that its tag and its serial number count once; of an unknown device what was read."""
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"))
    shelf_id: Mapped[int | None] = mapped_column(ForeignKey("desk_shelf.id"))
    """The shelf at which it was scanned; None where nobody said."""
    standing: Mapped[str] = mapped_column(String(16))
    recorded: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """State, shelf and service point as they were recorded then."""
    at: Mapped[Moment]
    by: Mapped[str] = mapped_column(String(255))
