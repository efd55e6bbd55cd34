"""Proposed rosters."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Moment, UTCDateTime


class ProposalState(StrEnum):
    """The life of a proposal: open, then one of the others for good."""

    EXPIRED = "expired"
    OPEN = "open"
    OVERTAKEN = "overtaken"
    """Another roster was sealed in the meantime."""
    REFUSED = "refused"
    """The signer said no; ``why`` says which rule."""
    SEALED = "sealed"
    SENT = "sent"
    """Enough people have signed; the signer is asked."""
    WITHDRAWN = "withdrawn"


class RosterProposal(Base):
    """A roster that is to follow the one in force, while signatures are collected. Believed by nobody before its seal."""

    __tablename__ = "roster_proposal"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(index=True)
    text: Mapped[str] = mapped_column(Text)
    """The canonical statement that people sign."""
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(String(255))
    proposed_by_id: Mapped[str] = mapped_column(String(64))
    proposed_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    state: Mapped[str] = mapped_column(String(16), default=ProposalState.OPEN.value, index=True)
    proofs: Mapped[list[Any]] = mapped_column(Json, default=list)
    why: Mapped[str] = mapped_column(Text, default="")
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
