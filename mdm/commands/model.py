"""Commands and their states."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Moment, UTCDateTime


class Verb(StrEnum):
    """What can be asked. A wipe is not among them: it is an order, and lives in its own room."""

    DIAGNOSTICS = "diagnostics"
    FOUND = "found"
    """Lost mode off. This and the two below are asked by a case of a lost device alone."""
    KIOSK_RESTART = "kiosk_restart"
    """Start the session of a kiosk anew, also after its agent has given it up."""
    LOCATE = "locate"
    LOCK = "lock"
    LOST = "lost"
    MESSAGE = "message"
    REFRESH = "refresh"
    RESTART = "restart"
    ROSTER = "roster"
    """Who may approve orders, as the signer sealed it. Asked by the machinery alone, whenever it changes."""
    SCREENSHOT = "screenshot"
    """A picture of a kiosk's screen. Asked by the kiosks' room alone, which knows the maintenance window."""
    UNLOCK = "unlock"
    UPDATE = "update"
    """Install a release of the agent. Asked by the machinery alone, for the rings that a release is rolled out to."""


class State(StrEnum):
    """The life of a command. ``MOVES`` in ``states.py`` says what may follow what: forward only."""

    CANCELLED = "cancelled"
    DONE = "done"
    EXPIRED = "expired"
    FAILED = "failed"
    FETCHED = "fetched"
    QUEUED = "queued"
    REFUSED = "refused"
    SENT = "sent"


class Command(Base):
    """One thing asked of one device once."""

    __tablename__ = "command"
    __table_args__ = (
        Index("ix_command_device", "device_id", "state"),
        Index("ix_command_expiry", "state", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"))
    batch: Mapped[str | None] = mapped_column(String(32), index=True)
    verb: Mapped[str] = mapped_column(String(16))
    args: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    state: Mapped[str] = mapped_column(String(16), default=State.QUEUED.value)
    asked_by: Mapped[str] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    fetched_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    again_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Not given before this: the device said it was busy."""
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    detail: Mapped[str] = mapped_column(Text, default="")
    data: Mapped[dict[str, Any] | None] = mapped_column(Json)
