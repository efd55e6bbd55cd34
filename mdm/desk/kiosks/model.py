"""Rounds along the kiosks, and what was seen at each."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mdm.core.permissions import Where
from mdm.storage.base import Base, Key, Moment


class Seen(StrEnum):
    """What whoever walked round found at a kiosk."""

    ABSENT = "absent"
    """It does not stand where it should."""
    GOOD = "good"
    NOT_YET = ""
    WRONG = "wrong"


class Paper(StrEnum):
    """How much paper was in it, as seen; no kiosk reports it."""

    EMPTY = "empty"
    FULL = "full"
    LOW = "low"
    NONE = ""
    """Nobody looked, or it has no printer."""


class KioskRound(Base):
    """One walk along the kiosks of one or more places."""

    __tablename__ = "kiosk_round"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    started_at: Mapped[Moment]
    started_by: Mapped[str] = mapped_column(String(255))
    finished_at: Mapped[datetime | None]


class KioskStop(Base):
    """One kiosk of a round. Ticked again, it says what was seen last."""

    __tablename__ = "kiosk_stop"
    __table_args__ = (UniqueConstraint("round_id", "device_id"), Index("ix_kiosk_stop_device", "device_id", "seen_at"))

    id: Mapped[Key]
    round_id: Mapped[int] = mapped_column(ForeignKey("kiosk_round.id", ondelete="CASCADE"))
    position: Mapped[int]
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"))
    service_point_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"), index=True)
    seen: Mapped[str] = mapped_column(String(8), default=Seen.NOT_YET.value)
    seen_at: Mapped[datetime | None]
    seen_by: Mapped[str] = mapped_column(String(255), default="")
    paper: Mapped[str] = mapped_column(String(8), default=Paper.NONE.value)
    note: Mapped[str] = mapped_column(Text, default="")
    repair_id: Mapped[int | None] = mapped_column(ForeignKey("desk_repair.id", ondelete="SET NULL"))
    """The repair that it opened, or that was open already."""

    @property
    def where(self) -> Where:
        """The place at which rights over it are asked."""
        return Where(service_point_id=self.service_point_id)
