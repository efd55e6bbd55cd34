"""Who was invited, by which letter, what came of it, and the runs in which many were."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class Channel(StrEnum):
    """The ways to reach somebody."""

    MAIL = "mail"
    SMS = "sms"
    PAPER = "paper"
    """No address: the desk prints a paper with a code and gives it into their hand."""


class InvitedState(StrEnum):
    """What became of one person in a run."""

    WAITING = "waiting"
    MAIL = "mail"
    SMS = "sms"
    PAPER = "paper"
    PRINTED = "printed"
    FAILED = "failed"
    """The letter could not be delivered: a paper is for them too."""
    ACTIVE = "active"
    """Has a device that is set up; no letter was written."""
    EARLIER = "earlier"
    """Was invited within the last seven days."""
    LEFT = "left"
    UNKNOWN = "unknown"
    """A number in the file that is nobody's, or of somebody at another place."""


class LetterKind(StrEnum):
    """What a letter to a person is."""

    INVITATION = "invitation"
    REMINDER = "reminder"


class InvitationRun(Base):
    """Many people who are invited at once. The worker writes to them; whoever began it watches."""

    __tablename__ = "adoption_run"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    """What the door that asked calls this one press: pressed twice, it is one run."""
    made_by: Mapped[str] = mapped_column(String(255))
    asked_by: Mapped[str] = mapped_column(String(64), default="")
    """Kind and row id of who began it: numbers that are nobody's stand at no place, and are shown to them."""
    made_at: Mapped[Moment]
    chosen: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """How the people were chosen: the filters of the list, or the name of the file."""
    total: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)


class RunLine(Base):
    """One person of a run, or one number that is nobody's."""

    __tablename__ = "adoption_line"
    __table_args__ = (
        UniqueConstraint("run_id", "person_id"),
        Index("ix_adoption_line_state", "state", "id"),
    )

    id: Mapped[Key]
    run_id: Mapped[int] = mapped_column(ForeignKey("adoption_run.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    given: Mapped[str] = mapped_column(String(64), default="")
    """The personnel number that nobody has."""
    state: Mapped[str] = mapped_column(String(16), default=InvitedState.WAITING.value)
    at: Mapped[Moment]


class Invitee(Base):
    """How far one person is. A person without a row was never invited and has no device."""

    __tablename__ = "adoption_invitee"
    __table_args__ = (
        Index(
            "ix_adoption_invitee_due",
            "invited_at",
            postgresql_where=text("activated_at IS NULL AND reminded_at IS NULL AND no_reminders_at IS NULL"),
            sqlite_where=text("activated_at IS NULL AND reminded_at IS NULL AND no_reminders_at IS NULL"),
        ),
    )

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    invited_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the invitation was written that counts: reminders are reckoned from it."""
    first_invited_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    channel: Mapped[str] = mapped_column(String(8), default="")
    came_in_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the person was first on the employees' page."""
    activated_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    """When a device in their name was first set up. It stays, also when the device goes back."""
    reminded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reminder: Mapped[str] = mapped_column(String(8), default="")
    """By which way the reminder went; empty where there was no address."""
    lead_told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    no_reminders_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Since when the person wants no reminders."""


class Letter(Base):
    """One letter to one person. ``off_digest`` is of the secret by which its reader wants no more reminders."""

    __tablename__ = "adoption_letter"

    id: Mapped[Key]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    line_id: Mapped[int | None] = mapped_column(ForeignKey("adoption_line.id", ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(16))
    channel: Mapped[str] = mapped_column(String(8))
    at: Mapped[Moment] = mapped_column(index=True)
    off_digest: Mapped[str] = mapped_column(String(64), unique=True)
    post_id: Mapped[int] = mapped_column(index=True)
    """Its number in the post."""
    failed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class LeadLetter(Base):
    """One letter to somebody who leads: how many of their people it named. Of their address only a digest is kept."""

    __tablename__ = "adoption_lead_letter"

    id: Mapped[Key]
    lead_digest: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[Moment]
    people: Mapped[int]
    post_id: Mapped[int]
