"""The post's tables."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class OutboxMessage(Base):
    """Something that must happen after the commit. Delivered at least once; a handler makes twice like once."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        Index(
            "ix_outbox_message_waiting",
            "due_at",
            postgresql_where=text("done_at IS NULL AND dead_at IS NULL"),
            sqlite_where=text("done_at IS NULL AND dead_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    topic: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[Moment]
    due_at: Mapped[Moment]
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    dead_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_error: Mapped[str | None] = mapped_column(Text)


class Bell(Base):
    """One ring of the doorbell: a device, or a cohort of devices, shall come and fetch. Holds no content.

    Its numbers are never given twice, also when old rings were forgotten: whoever listens remembers what was heard.
    """

    __tablename__ = "bell"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[Key]
    device_id: Mapped[int | None]
    cohort_id: Mapped[int | None]
    at: Mapped[Moment] = mapped_column(index=True)
