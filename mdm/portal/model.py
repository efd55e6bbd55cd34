"""How an employee comes in (one-time links, papers, sessions), and the applications that they may ask for."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


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


class AppState(StrEnum):
    """Where a wish for an application is in its life. ``app_moves.MOVES`` says what may follow what."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class AppOffer(Base):
    """An application that employees may ask for. Whoever is granted it has the device join ``group_id``, whom a policy of
    this offer gives the application: the one way in which applications reach a device."""

    __tablename__ = "app_offer"
    __table_args__ = (UniqueConstraint("platform", "identifier"),)

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    about: Mapped[str] = mapped_column(Text, default="")
    """What it is good for, in a sentence of the city's."""
    about_in: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """That sentence by language, each as somebody wrote it; None: only ``about``."""
    platform: Mapped[str] = mapped_column(String(16))
    identifier: Mapped[str] = mapped_column(String(255))
    personas: Mapped[list[str]] = mapped_column(Json, default=list)
    """Who may ask for it; empty: everybody."""
    group_id: Mapped[int | None] = mapped_column(ForeignKey("device_group.id", ondelete="SET NULL"), unique=True)
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("policy.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Since when nobody can ask for it any more; who has it keeps it."""


class AppRequest(Base):
    """Somebody's wish for one application, and the city's answer."""

    __tablename__ = "app_request"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("app_offer.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    slot: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Offer and person while it is asked or granted: nobody has the same wish twice."""
    state: Mapped[str] = mapped_column(String(16), index=True)
    why: Mapped[str] = mapped_column(Text, default="")
    asked_at: Mapped[Moment]
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answered_by: Mapped[str] = mapped_column(String(255), default="")
    answer: Mapped[str] = mapped_column(Text, default="")
    """What the person is told with it: why not, or what to mind."""
