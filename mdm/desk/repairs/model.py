"""Repairs, from the counter to the supplier and back."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Key, Moment, UTCDateTime


class RepairState(StrEnum):
    """Where a repair is; ``steps.MOVES`` says what may follow what."""

    AT_SUPPLIER = "at_supplier"
    BACK = "back"
    CLOSED = "closed"
    OPEN = "open"


class RepairOutcome(StrEnum):
    """How a repair ended."""

    BEYOND_REPAIR = "beyond_repair"
    NO_FAULT = "no_fault"
    REPAIRED = "repaired"
    REPLACED = "replaced"


class Fault(StrEnum):
    """What can be wrong with a device, in words that a counter uses; repeated faults are counted by them."""

    BATTERY = "battery"
    BUTTONS = "buttons"
    CAMERA = "camera"
    CHARGING = "charging"
    CONNECTION = "connection"
    KEYBOARD = "keyboard"
    LIQUID = "liquid"
    OTHER = "other"
    SCREEN = "screen"
    SOFTWARE = "software"
    SOUND = "sound"


class Repair(Base):
    """One repair of one device. A device has at most one that is not closed."""

    __tablename__ = "desk_repair"
    __table_args__ = (
        Index(
            "uq_desk_repair_open",
            "device_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_desk_repair_state", "state", "due_on"),
    )

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    """Who had the device when it broke."""
    loaner_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="SET NULL"))
    """The device that the person uses meanwhile."""
    replacement_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="SET NULL"))
    """The device that the supplier gave instead."""
    state: Mapped[str] = mapped_column(String(16), default=RepairState.OPEN.value)
    outcome: Mapped[str] = mapped_column(String(16), default="")
    state_before: Mapped[str] = mapped_column(String(16))
    """Where the device was in its life when it broke."""
    supplier: Mapped[str] = mapped_column(String(128), default="")
    reference: Mapped[str] = mapped_column(String(64), default="")
    """The supplier's own number of the case."""
    warranty: Mapped[bool] = mapped_column(default=False)
    """Whether the supplier repairs it under warranty."""
    cost_cents: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3), default="")
    due_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(Text, default="")
    opened_at: Mapped[Moment]
    opened_by: Mapped[str] = mapped_column(String(255))
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    back_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_by: Mapped[str] = mapped_column(String(255), default="")
    reminded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When somebody was told that it is overdue; None again when the due date changes."""
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    @property
    def number(self) -> str:
        """What people call it: ``R-00042``."""
        return f"R-{self.id:05d}"


class RepairFault(Base):
    """One thing that is wrong, of several that one repair may mend."""

    __tablename__ = "desk_repair_fault"

    repair_id: Mapped[int] = mapped_column(ForeignKey("desk_repair.id", ondelete="CASCADE"), primary_key=True)
    fault: Mapped[str] = mapped_column(String(16), primary_key=True)
