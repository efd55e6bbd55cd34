"""The alarms' tables."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment, Name, UTCDateTime


class Alarm(Base):
    """One alarm. ``text`` is an English sentence for the catalogues, filled with ``params``."""

    __tablename__ = "alarm"
    __table_args__ = (Index("ix_alarm_place", "service_point_id", "id"),)

    id: Mapped[Key]
    at: Mapped[Moment] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(32))
    text: Mapped[str] = mapped_column(Text)
    params: Mapped[dict[str, Any]] = mapped_column(Json)
    subject_kind: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(String(64))
    service_point_id: Mapped[int | None]
    unit_id: Mapped[int | None]
    line: Mapped[int | None] = mapped_column(unique=True)
    """The line of the diary that it was raised for; None for one that was raised otherwise."""
    told: Mapped[int] = mapped_column(default=0)
    """How many people and programs were told."""


class WebhookTarget(Base):
    """An address of a program that hears alarms. ``secret`` is sealed for ``webhook_target:ID:secret``."""

    __tablename__ = "webhook_target"

    id: Mapped[Key]
    name: Mapped[Name] = mapped_column(unique=True)
    url: Mapped[str] = mapped_column(String(2000))
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    kinds: Mapped[list[str]] = mapped_column(Json)
    """Kinds of alarms that it hears; empty: all of them."""
    enabled: Mapped[bool]
    created_at: Mapped[Moment]
    created_by: Mapped[str] = mapped_column(String(255))
    last_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_status: Mapped[int | None]
    """What it answered last; None when it did not answer."""
    last_error: Mapped[str] = mapped_column(Text, default="")
    failures: Mapped[int] = mapped_column(default=0)
    """Tries in a row that failed."""
