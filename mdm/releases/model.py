"""Releases of the agent as the fleet knows them: what is published, and which rings of devices get it."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Key, Moment

EVERYONE = "*"
"""The ring of every device, whatever ring stands on it."""


class Release(Base):
    """One version of the agent that was published."""

    __tablename__ = "agent_release"

    id: Mapped[Key]
    version: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(128))
    """The name of its file in the repository."""
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    published_at: Mapped[Moment]
    published_by: Mapped[str] = mapped_column(String(255))
    withdrawn_at: Mapped[datetime | None]


class ReleaseRing(Base):
    """One ring that a release is rolled out to, from that moment on."""

    __tablename__ = "agent_release_ring"
    __table_args__ = (UniqueConstraint("release_id", "ring"),)

    id: Mapped[Key]
    release_id: Mapped[int] = mapped_column(ForeignKey("agent_release.id", ondelete="CASCADE"))
    ring: Mapped[str] = mapped_column(String(32))
    opened_at: Mapped[Moment]
    opened_by: Mapped[str] = mapped_column(String(255))


class ReleaseTry(Base):
    """One device that was asked to install a release: it is asked once, until somebody has it asked again."""

    __tablename__ = "agent_release_try"
    __table_args__ = (UniqueConstraint("release_id", "device_id"),)

    id: Mapped[Key]
    release_id: Mapped[int] = mapped_column(ForeignKey("agent_release.id", ondelete="CASCADE"))
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), index=True)
    command_id: Mapped[str] = mapped_column(String(32))
    asked_at: Mapped[Moment]
