"""Tables of Android phones: what is common to every way, and what the free agent needs. Google's way adds tables of its own."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class Way(StrEnum):
    """How a phone is managed."""

    AMAPI = "amapi"
    """Google's own management."""
    HEADWIND = "headwind"
    """The free agent, with nobody between the phone and us."""


class PhoneState(StrEnum):
    """What is known of a phone's enrollment."""

    ENROLLED = "enrolled"
    WIPING = "wiping"
    """It said that it wipes itself now; whether it did is known when it has been silent for a while."""
    GONE = "gone"


class AndroidPhone(Base):
    """What is Android's of a device, whichever way it is managed."""

    __tablename__ = "android_phone"

    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), primary_key=True)
    way: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default=PhoneState.ENROLLED.value)
    work_profile: Mapped[bool] = mapped_column(default=False)
    """A private phone: only its work profile is ours, and only that is ever wiped."""
    created_at: Mapped[Moment]
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class AndroidNumber(Base):
    """A device number of the free agent: the credential of one phone, from its first start to its end. A digest is kept."""

    __tablename__ = "android_number"

    id: Mapped[Key]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 (hexadecimal) of the number."""
    invitation_id: Mapped[int] = mapped_column(ForeignKey("invitation.id", ondelete="CASCADE"), index=True)
    token_digest: Mapped[str] = mapped_column(String(64))
    """The token from which it was made: an invitation with another token by now is no right to it any more."""
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), index=True)
    enrollment_id: Mapped[int | None] = mapped_column(ForeignKey("enrollment.id", ondelete="SET NULL"))
    """The certificate that stands for the phone, which holds none itself: orders are bound to its key."""
    csr: Mapped[str] = mapped_column(Text, default="")
    """The request for that certificate: asked again, the signer is asked for the same."""
    serial: Mapped[str] = mapped_column(String(128), default="")
    imei: Mapped[list[str]] = mapped_column(Json, default=list)
    """Serial number and IMEIs by the first report: from then on the number is this phone's alone."""
    bound_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    contested_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When another phone came with it last; None while none did."""
    created_at: Mapped[Moment]
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """First start of the agent with it."""
    over_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    over_why: Mapped[str] = mapped_column(String(64), default="")
    given_digest: Mapped[str] = mapped_column(String(64), default="-")
    """The desired state that was given to the phone last."""
    given_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    given_waiting: Mapped[int] = mapped_column(default=0)
    """How many commands and orders it was given then: more than that is news at the doorbell."""
    reported_digest: Mapped[str] = mapped_column(String(64), default="-")
    """Digest of its last report: the same one again is not read again."""
    reported_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    admin_digest: Mapped[str] = mapped_column(String(32), default="")
    """MD5, in capitals, of the random code that opens the agent's settings on this phone: the agent's own word."""
    lock_message: Mapped[str | None] = mapped_column(Text)
    """What it shows while it is locked; None while it is not."""
    ask: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Commands that are in its configuration until it answers: verb and id of the command."""
    passcode: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed: the passcode that it shall have next."""
    wipe_order: Mapped[str] = mapped_column(String(32), default="")
    """The order that was in the configuration that it fetched; empty where none was."""
    wipe_given_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    wipe_said_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it said that it wipes itself now."""


class AndroidFile(Base):
    """A file that phones fetch: an application, or what somebody placed beside it. Its bytes lie in ``HOME/android``."""

    __tablename__ = "android_file"

    id: Mapped[Key]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 (hexadecimal) of the bytes."""
    md5: Mapped[str] = mapped_column(String(32), default="")
    """The agent's own word for a file's content; no proof of anything."""
    name: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    package: Mapped[str] = mapped_column(String(255), default="", index=True)
    """Of an application; empty for any other file."""
    version: Mapped[str] = mapped_column(String(128), default="")
    version_code: Mapped[int] = mapped_column(BigInteger, default=0)
    signer: Mapped[str] = mapped_column(String(64), default="")
    """SHA-256 (hexadecimal) of the certificate that it is signed with."""
    in_use: Mapped[bool] = mapped_column(default=True)
    """Whether phones still get it."""
    created_by: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[Moment]


class AndroidSetup(Base):
    """How phones are set up here: one row. The network is for the first minutes of a phone only."""

    __tablename__ = "android_setup"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    wifi_ssid: Mapped[str] = mapped_column(String(64), default="")
    wifi_security: Mapped[str] = mapped_column(String(8), default="NONE")
    """NONE, WPA or WEP, as a QR code says it."""
    wifi_password: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed. It stands in clear in every QR code: it shall open nothing but the way out."""
    wifi_hidden: Mapped[bool] = mapped_column(default=False)
    mobile_data: Mapped[bool] = mapped_column(default=False)
    leave_apps: Mapped[bool] = mapped_column(default=True)
    """Whether the system's own applications stay."""
    locale: Mapped[str] = mapped_column(String(16), default="")
    time_zone: Mapped[str] = mapped_column(String(64), default="")
    changed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
