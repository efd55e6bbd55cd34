"""Tables of the Apple room: enrollment sessions, what a device is reached by, its commands, its declarations.

A certificate is an ``Enrollment`` like that of every other device; a session says for whom it was issued and why.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class SessionKind(StrEnum):
    """Why an enrollment profile was handed out."""

    ACCOUNT = "account"
    """A private phone whose owner signed in: user enrollment."""
    AUTOMATED = "automated"
    INVITATION = "invitation"
    RENEWAL = "renewal"


class SessionState(StrEnum):
    """How far an enrollment came. Forward only."""

    STARTED = "started"
    CERTIFIED = "certified"
    AUTHENTICATED = "authenticated"
    COMPLETED = "completed"


class Approval(StrEnum):
    """What was said of a request, where certificates are given by hand."""

    APPROVED = "approved"
    REFUSED = "refused"
    WAITING = "waiting"


class AppleSession(Base):
    """One enrollment profile that was handed out: the right to one certificate, and what came of it."""

    __tablename__ = "apple_session"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default=SessionState.STARTED.value)
    place: Mapped[str] = mapped_column(String(64), index=True)
    """The unguessable part of its addresses. A renewal keeps that of the enrollment it renews: they may never change."""
    challenge_digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 (hexadecimal) of the SCEP challenge, which is good once."""
    challenge_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    user_enrollment: Mapped[bool] = mapped_column(default=False)
    account: Mapped[str] = mapped_column(String(255), default="")
    """The managed account of a private phone's owner."""
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitation.id", ondelete="SET NULL"), index=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), index=True)
    serial: Mapped[str] = mapped_column(String(128), default="")
    """The serial number that is to enrol, where it is known beforehand."""
    fingerprint: Mapped[str | None] = mapped_column(String(64), unique=True)
    """SHA-256 (hexadecimal) of the DER of the certificate that was issued in it."""
    transaction: Mapped[str | None] = mapped_column(String(256))
    """The transaction of SCEP in which it was asked for: the same one again is answered the same."""
    key_digest: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 (hexadecimal) of the public key that used the challenge: it may ask again, and no other key may."""
    request: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The SCEP message that waits for somebody's yes; None where nothing waits."""
    approval: Mapped[str] = mapped_column(String(16), default="")
    """Where certificates are given by hand: what was said of this one. Empty where nobody has to be asked."""
    udid: Mapped[str | None] = mapped_column(String(64))
    """Who authenticated with it: from then on it is theirs alone."""
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    authenticated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    completed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class DeviceState(StrEnum):
    """What the management knows of a phone's enrollment."""

    AUTHENTICATED = "authenticated"
    """It said who it is, and has not yet said how it is reached."""
    ENROLLED = "enrolled"
    GONE = "gone"
    """It checked out."""


class AppleDevice(Base):
    """What is Apple's of a device: how it is reached, what is kept for it, which declarations it was told of."""

    __tablename__ = "apple_device"

    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), primary_key=True)
    udid: Mapped[str] = mapped_column(String(64), unique=True)
    """The UDID, or the enrollment id of a private phone, which has no other."""
    state: Mapped[str] = mapped_column(String(16), default=DeviceState.AUTHENTICATED.value)
    generation: Mapped[int] = mapped_column(default=1)
    """Counts enrollments; what belongs to an older one is answered but changes nothing."""
    session_id: Mapped[int | None] = mapped_column(ForeignKey("apple_session.id", ondelete="SET NULL"))
    user_enrollment: Mapped[bool] = mapped_column(default=False)
    supervised: Mapped[bool | None]
    awaiting: Mapped[bool] = mapped_column(default=False)
    """Held in the setup assistant until it is told that it is configured."""
    topic: Mapped[str] = mapped_column(String(255), default="")
    push: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed: push token and push magic."""
    push_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it last told how it is reached."""
    push_signed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When that message was signed, by the device's own clock: an older one that comes again changes nothing."""
    push_bad: Mapped[str] = mapped_column(String(64), default="")
    """Why no push is tried until it tells anew; empty while it is reached."""
    pushed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    push_again_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    unlock_token: Mapped[bytes | None] = mapped_column(LargeBinary)
    bypass_code: Mapped[bytes | None] = mapped_column(LargeBinary)
    location: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed: where it was while it was lost."""
    lost_mode: Mapped[bool] = mapped_column(default=False)
    declarative: Mapped[bool] = mapped_column(default=False)
    """Whether it was told in this enrollment to manage itself by declarations, and said yes."""
    reconciled: Mapped[str] = mapped_column(String(64), default="-")
    """What the queue was last made up to: the digest of its cohort's desired state and of what it is."""
    set_token: Mapped[str | None] = mapped_column(String(64))
    """The set of declarations that it shall have."""
    advertised_token: Mapped[str | None] = mapped_column(String(64))
    """The set that it was told of last: exactly this one is served to it."""
    declared: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """What it says of its declarations, by identifier."""
    status: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """The status items that it reported, merged."""
    listed: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """What it listed of itself last, for its page: profiles, certificates, managed applications."""
    turn_away: Mapped[bool] = mapped_column(default=False)
    """An operator said that it shall be told to leave the management at its next request."""
    renewal_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When its next certificate was last set going."""
    inventory_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it was last asked for its inventory."""
    created_at: Mapped[Moment]


class AppleSet(Base):
    """A set of declarations, named by its content: devices that shall have the same share this row."""

    __tablename__ = "apple_set"

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    """Kind, identifier, type, server token and payload of each."""
    created_at: Mapped[Moment]


class AppleProfile(Base):
    """One configuration profile on one device: what it shall be, and what the device said it has."""

    __tablename__ = "apple_profile"

    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), primary_key=True)
    identifier: Mapped[str] = mapped_column(String(255), primary_key=True)
    resource: Mapped[str] = mapped_column(String(128), default="")
    """The resource of the desired state that it realises."""
    wanted: Mapped[str | None] = mapped_column(String(16))
    """Digest of what it shall be; None where it shall go."""
    installed: Mapped[str | None] = mapped_column(String(16))
    """Digest of what the device acknowledged; None while there is none."""
    failed: Mapped[str | None] = mapped_column(String(16))
    """Digest of what the device refused: the same is not sent again."""
    detail: Mapped[str] = mapped_column(Text, default="")
    settings: Mapped[bool] = mapped_column(default=False)
    """Whether it is no profile but settings, which nothing takes away again."""


class CommandState(StrEnum):
    """The life of one command in Apple's protocol. ``MOVES`` in ``queue.py`` says what may follow what."""

    ACKNOWLEDGED = "acknowledged"
    CANCELLED = "cancelled"
    ERROR = "error"
    EXPIRED = "expired"
    FORMAT_ERROR = "format_error"
    NOT_NOW = "not_now"
    QUEUED = "queued"
    SENT = "sent"
    WITHHELD = "withheld"
    """The device is no longer one that may be asked this."""


def _where(name: str, condition: str, *columns: str) -> Index:
    """An index of the rows of which ``condition`` is true. SQLite has numbers for true and false."""
    return Index(
        name,
        *columns,
        postgresql_where=text(condition),
        sqlite_where=text("open = 1" if condition == "open" else condition),
    )


class AppleCommand(Base):
    """One command for one device, exactly as it is sent. Never deleted while the device is."""

    __tablename__ = "apple_command"
    __table_args__ = (
        UniqueConstraint("uuid"),
        Index("ix_apple_command_device", "device_id", "id"),
        # What has ended is in none of these: they stay as small as the work that is left, and an answer writes less.
        _where("ix_apple_command_waiting", "open", "device_id", "priority", "id"),
        # Not by ``open``: whoever looks for what waits for one phone would be led through what waits for all of them.
        _where("ix_apple_command_due", "finished_at IS NULL", "expires_at"),
        _where("ix_apple_command_house", "command_id IS NOT NULL", "command_id"),
        _where("ix_apple_command_order", "order_id IS NOT NULL", "order_id"),
        # Room beside each row: that it was given is written on the same page, and no index has to learn of it.
        {"postgresql_with": {"fillfactor": 80}},
    )

    id: Mapped[Key]
    uuid: Mapped[str] = mapped_column(String(36))
    """CommandUUID: the same however often it is sent."""
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"))
    generation: Mapped[int]
    request_type: Mapped[str] = mapped_column(String(64))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    """The property list of the command, byte for byte. Where it holds a secret, the secret is put in when it is given."""
    sealed: Mapped[bool] = mapped_column(default=False)
    """Whether ``body`` is sealed, because it holds a secret."""
    guarded: Mapped[bool] = mapped_column(default=False)
    """Whether it is looked at once more right before it is given: it holds a secret, or must not reach every device."""
    open: Mapped[bool] = mapped_column(default=True)
    """Whether it still has to be given or answered."""
    state: Mapped[str] = mapped_column(String(16), default=CommandState.QUEUED.value)
    priority: Mapped[int] = mapped_column(default=0)
    """Smaller comes first."""
    target: Mapped[str] = mapped_column(String(255), default="")
    """What it is about (a profile, an application, a set): a second one for the same takes the first one's place."""
    command_id: Mapped[str | None] = mapped_column(String(32))
    """The command of the house that it carries out."""
    order_id: Mapped[str | None] = mapped_column(String(32))
    asked_by: Mapped[str] = mapped_column(String(255), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    not_now: Mapped[int] = mapped_column(default=0)
    not_now_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """None exactly as long as it is open."""
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    """What the device answered, word for word, where it is short and holds no secret."""
    detail: Mapped[str] = mapped_column(Text, default="")
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class ApplePush(Base):
    """A push certificate from Apple. The newest of a topic is in use; a second topic would leave every phone behind."""

    __tablename__ = "apple_push"

    id: Mapped[Key]
    topic: Mapped[str] = mapped_column(String(255), index=True)
    certificate: Mapped[str] = mapped_column(Text)
    key: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed."""
    account: Mapped[str] = mapped_column(String(255), default="")
    """The Apple account it was made with, as a person wrote it down: the next one must be made with the same."""
    not_after: Mapped[Moment]
    created_by: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[Moment]
    refused_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When Apple refused it: nothing is pushed with it from then on."""
    refused_why: Mapped[str] = mapped_column(String(64), default="")
    warned: Mapped[int | None]
    """Of which step before its end people were told last, in days; None: of none yet."""


class ApplePushRequest(Base):
    """A request for a push certificate: its key is made here and never leaves, so that only the certificate travels."""

    __tablename__ = "apple_push_request"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    csr: Mapped[str] = mapped_column(Text)
    """The request, PEM."""
    key: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed."""
    key_digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 (hexadecimal) of its public key: by this a certificate finds its key."""
    renews: Mapped[str] = mapped_column(String(255), default="")
    """The topic that the certificate shall have; empty for the first one."""
    created_by: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[Moment]
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ScopedSecret(StrEnum):
    """What is kept sealed for a device and can be revealed, each time with a line in the diary."""

    BYPASS_CODE = "bypass_code"
    LOCATION = "location"
    UNLOCK_TOKEN = "unlock_token"  # noqa: S105 -- its name
