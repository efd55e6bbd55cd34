"""Erasures: which are going on, how far they are, what they were asked for; records whose time is over soon, and looks."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class Erasure(Base):
    """One person whose record is erased, in small batches: ``step`` and ``place`` say where it goes on after a crash."""

    __tablename__ = "privacy_erasure"

    id: Mapped[Key]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), unique=True)
    pseudonym: Mapped[str] = mapped_column(String(64), unique=True)
    """What stands where the name stood."""
    asked_by: Mapped[str] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(Text)
    begun_at: Mapped[Moment]
    step: Mapped[str] = mapped_column(String(160), default="")
    """The step that is being done; empty before the first."""
    place: Mapped[list[Any]] = mapped_column(Json, default=list)
    """The key of the last row that was looked at in this step."""
    names: Mapped[list[Any]] = mapped_column(Json, default=list)
    """What the person was called, while it is being looked for; emptied at the end."""
    changed: Mapped[int] = mapped_column(default=0)
    """Rows and lines of the diary that were changed or deleted."""
    left: Mapped[int] = mapped_column(default=0)
    """Texts that were left, because they hold a name that somebody else has too."""
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the last row was changed; None while it goes on."""
    clean_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the database's files were made anew, so that nothing of it lies in their free space."""


class Departure(Base):
    """Somebody whose record is erased by itself when its time is over, or is kept longer because a law asks for it."""

    __tablename__ = "privacy_departure"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    """When it is erased at the earliest; never sooner than it was shown for the days of grace. None: only kept longer."""
    kept_until: Mapped[date | None]
    """The last day on which nobody may erase it; None where it is not kept longer."""
    kept_why: Mapped[str] = mapped_column(Text, default="")
    kept_by: Mapped[str] = mapped_column(String(255), default="")


class Look(Base):
    """Somebody opened a person's record, or the page of a device in their hands, or took them out in a file, on one day."""

    __tablename__ = "privacy_look"
    __table_args__ = (
        UniqueConstraint("person_id", "on_day", "actor_kind", "actor_id", "way", "device"),
        Index("ix_privacy_look_person", "person_id", "at"),
    )

    id: Mapped[Key]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    device: Mapped[str] = mapped_column(String(32), default="")
    """The id of the device whose page it was; empty for the person's own record and for a file."""
    device_label: Mapped[str] = mapped_column(String(255), default="")
    on_day: Mapped[date]
    at: Mapped[Moment] = mapped_column(index=True)
    """The first time on that day."""
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[int] = mapped_column(default=0)
    by: Mapped[str] = mapped_column(String(255))
    way: Mapped[str] = mapped_column(String(16))
