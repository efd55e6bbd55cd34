"""Invitations and enrollments."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class Invitation(Base):
    """A one-time, expiring right to enrol one device for one person at one service point. Only a digest is stored."""

    __tablename__ = "invitation"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    platform: Mapped[str] = mapped_column(String(16))
    service_point_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    ownership: Mapped[str] = mapped_column(String(16), default="city")
    kind: Mapped[str] = mapped_column(String(16), default="")
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="SET NULL"), index=True)
    """The device it was made for, where it is for one; else the device that it brought."""
    created_by: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    key_digest: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the public key that used it: the same key asking again is answered the same."""
    certified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reported_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failure: Mapped[str] = mapped_column(Text, default="")


class Enrollment(Base):
    """The tie between a device and its proof of identity: one certificate, by its fingerprint."""

    __tablename__ = "enrollment"
    __table_args__ = (Index("ix_enrollment_device", "device_id", "revoked_at"),)

    id: Mapped[Key]
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"))
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitation.id", ondelete="SET NULL"))
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 (hexadecimal) of the certificate's DER."""
    key_digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 (hexadecimal) of the DER of its public key: what an order is bound to."""
    certificate: Mapped[str] = mapped_column(Text)
    serial_number: Mapped[str] = mapped_column(String(64))
    not_before: Mapped[Moment]
    not_after: Mapped[Moment]
    renew_after: Mapped[Moment]
    """From then on the device is asked for a new key and gets a new certificate."""
    first_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_why: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[Moment]
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
