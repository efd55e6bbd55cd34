"""How an employee comes in: one-time links and papers, and the sessions that they begin."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Key, Moment, UTCDateTime


class Way(StrEnum):
    """The ways in."""

    CITY = "city"
    """The city's identity provider."""
    MAIL = "mail"
    """A link that was sent to the person's own e-mail address."""
    PAPER = "paper"
    """A code on a paper that a clerk gave into the person's hand."""


class PortalKey(Base):
    """A one-time key of one person: the secret of a link, or the code of a paper. Only its digest is kept."""

    __tablename__ = "portal_key"

    id: Mapped[Key]
    secret_digest: Mapped[str] = mapped_column(String(64), unique=True)
    way: Mapped[str] = mapped_column(String(8))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    made_by: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class PortalSession(Base):
    """Somebody who is in. The cookie holds the secret; neither address nor browser of an employee is kept."""

    __tablename__ = "portal_session"

    id: Mapped[Key]
    secret_digest: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    way: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[Moment]
    last_used_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)


class PortalEnrollment(Base):
    """An invitation that somebody made for themselves on this page."""

    __tablename__ = "portal_enrollment"

    id: Mapped[Key]
    invitation_id: Mapped[int] = mapped_column(ForeignKey("invitation.id", ondelete="CASCADE"), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    family: Mapped[str] = mapped_column(String(16))
    """What the person said that they hold (``families.Family``): it chooses the pictures."""
    begun_at: Mapped[Moment]
    stuck_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the service point was told that the person is stuck; it is told once."""
