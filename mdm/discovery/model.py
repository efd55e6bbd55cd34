"""Runs of discovery, and what was seen at a service point."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mdm.core.permissions import Where
from mdm.storage.base import Base, Json, Key, Moment

KEPT = timedelta(days=7)
"""How long anything with a MAC address is kept after it was last noted."""


class RunState(StrEnum):
    """How far one run is."""

    DONE = "done"
    FAILED = "failed"
    WAITING = "waiting"


class Source(StrEnum):
    """Where its packets come from."""

    CAPTURE = "capture"
    LIVE = "live"


class MatchedBy(StrEnum):
    """By what a device on the network was found in the inventory. The strongest that fits counts."""

    MAC = "mac"
    SERIAL = "serial"
    NAME = "name"


class DiscoveryRun(Base):
    """One capture that was read, or one time of listening: figures, no address."""

    __tablename__ = "discovery_run"
    __table_args__ = (Index("ix_discovery_run_place", "service_point_id", "id"),)

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    service_point_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"))
    source: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(255), default="")
    """Of the file, or of the interface."""
    state: Mapped[str] = mapped_column(String(16), default=RunState.WAITING.value, index=True)
    problem: Mapped[str] = mapped_column(String(32), default="")
    """A stable word for why it failed; empty while it did not."""
    made_by: Mapped[str] = mapped_column(String(255))
    made_at: Mapped[Moment]
    asks: Mapped[bool] = mapped_column(default=False)
    """Whether addresses inside the allowed networks are asked as well; otherwise nothing is sent."""
    ends_at: Mapped[datetime | None]
    """Until when the network is listened to; None for a capture."""
    started_at: Mapped[datetime | None]
    """When the listening really began."""
    stopped_by: Mapped[str] = mapped_column(String(255), default="")
    """Who ended it before its time: what was heard until then counts."""
    finished_at: Mapped[datetime | None] = mapped_column(index=True)
    packets: Mapped[int] = mapped_column(default=0)
    malformed: Mapped[int] = mapped_column(default=0)
    unread: Mapped[int] = mapped_column(default=0)
    restarts: Mapped[int] = mapped_column(default=0)
    """How often the reading process died and was started again."""
    cut: Mapped[bool] = mapped_column(default=False)
    """It ended in the middle of a packet, or before all was read: what was seen until then counts."""
    devices: Mapped[int] = mapped_column(default=0)
    managed: Mapped[int] = mapped_column(default=0)
    random: Mapped[int] = mapped_column(default=0)
    """Made-up (private) addresses that fit no device: counted, and never kept."""

    @property
    def where(self) -> Where:
        """The place at which rights over it are asked."""
        return Where(service_point_id=self.service_point_id)

    @property
    def listens(self) -> bool:
        """Whether a network is being listened to, or is about to be."""
        return self.source == Source.LIVE and self.state == RunState.WAITING


class NetworkDevice(Base):
    """Something that was seen at a service point. Forgotten altogether seven days after it was last noted."""

    __tablename__ = "network_device"
    __table_args__ = (UniqueConstraint("service_point_id", "mac"),)

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    service_point_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("discovery_run.id", ondelete="SET NULL"), index=True)
    """The last one in which it was seen."""
    mac: Mapped[str] = mapped_column(String(17))
    random: Mapped[bool] = mapped_column(default=False)
    """Its address is made up; it is here only because it fits a device of ours."""
    kind: Mapped[str] = mapped_column(String(16))
    vendor: Mapped[str] = mapped_column(String(64), default="")
    name: Mapped[str] = mapped_column(String(255), default="")
    model: Mapped[str] = mapped_column(String(128), default="")
    serial: Mapped[str] = mapped_column(String(128), default="")
    addresses: Mapped[list[str]] = mapped_column(Json, default=list)
    services: Mapped[list[str]] = mapped_column(Json, default=list)
    protocols: Mapped[list[str]] = mapped_column(Json, default=list)
    said: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """What else it said: vendor class, server line, capabilities."""
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="SET NULL"), index=True)
    matched_by: Mapped[str] = mapped_column(String(16), default="")
    first_seen_at: Mapped[Moment]
    last_seen_at: Mapped[Moment]
    """By the clock of the capture."""
    noted_at: Mapped[Moment] = mapped_column(index=True)
    """When we last took it from a run, by our clock: from then on it is kept for seven days."""

    @property
    def where(self) -> Where:
        """The place at which rights over it are asked."""
        return Where(service_point_id=self.service_point_id)
