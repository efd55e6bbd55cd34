"""Operators, their grants and sessions, one-time links, API tokens, saved views."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class Operator(Base):
    """Somebody who signs in to the console."""

    __tablename__ = "operator"

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    language: Mapped[str] = mapped_column(String(8), default="nl")
    theme: Mapped[str] = mapped_column(String(8), default="auto")
    password_hash: Mapped[str | None] = mapped_column(Text)
    totp_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    totp_last_step: Mapped[int | None]
    """The time step of the last code that was taken, so that a code works once."""
    oidc_subject: Mapped[str | None] = mapped_column(String(255), unique=True)
    disabled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[Moment]


class OperatorGrant(Base):
    """A role at a place. A service point and a unit are both None for the city."""

    __tablename__ = "operator_grant"
    __table_args__ = (UniqueConstraint("operator_id", "role", "service_point_id", "unit_id"),)

    id: Mapped[Key]
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(32))
    service_point_id: Mapped[int | None] = mapped_column(ForeignKey("service_point.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    granted_at: Mapped[Moment]
    granted_by: Mapped[str] = mapped_column(String(255))


class WebSession(Base):
    """A session on the server. The cookie holds the secret, the row only its digest."""

    __tablename__ = "web_session"

    id: Mapped[Key]
    secret_digest: Mapped[str] = mapped_column(String(64), unique=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Moment]
    last_used_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    fresh_at: Mapped[Moment]
    """When the person last proved who they are: risky acts ask for it to be recent."""
    method: Mapped[str] = mapped_column(String(32))
    address: Mapped[str | None] = mapped_column(String(64))
    agent: Mapped[str] = mapped_column(String(255), default="")


class OneTimeLink(Base):
    """A link that signs one operator in once, or lets them set a password. Only its digest is stored."""

    __tablename__ = "one_time_link"

    id: Mapped[Key]
    secret_digest: Mapped[str] = mapped_column(String(64), unique=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Passkey(Base):
    """A passkey of an operator (WebAuthn): what signs in, proves who somebody is, and signs approvals. Holds no secret."""

    __tablename__ = "passkey"

    id: Mapped[Key]
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)
    """As the browser names it: base64url without padding."""
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    """SubjectPublicKeyInfo, DER: what a roster of approvers names."""
    cose_key: Mapped[bytes] = mapped_column(LargeBinary)
    """The same key as the authenticator wrote it (RFC 9052), with its algorithm."""
    key_id: Mapped[str] = mapped_column(String(32), unique=True)
    """The first 32 hexadecimal characters of the SHA-256 of ``public_key``."""
    type: Mapped[str] = mapped_column(String(16))
    sign_count: Mapped[int]
    name: Mapped[str] = mapped_column(String(64))
    transports: Mapped[list[str]] = mapped_column(Json, default=list)
    added_at: Mapped[Moment]
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When its count went back: two devices hold this key, and neither is believed any more."""


class PasskeyChallenge(Base):
    """What an authenticator is asked to sign, once, within minutes. One without a session is for signing in."""

    __tablename__ = "passkey_challenge"

    id: Mapped[Key]
    challenge: Mapped[str] = mapped_column(String(128), unique=True)
    purpose: Mapped[str] = mapped_column(String(16))
    web_session_id: Mapped[int | None] = mapped_column(ForeignKey("web_session.id", ondelete="CASCADE"), index=True)
    address: Mapped[str] = mapped_column(String(64), index=True)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)


class SignInAttempt(Base):
    """One try to sign in, for the brake on guessing."""

    __tablename__ = "sign_in_attempt"

    id: Mapped[Key]
    account: Mapped[str] = mapped_column(String(255), index=True)
    address: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[Moment] = mapped_column(index=True)
    succeeded: Mapped[bool]


class ApiToken(Base):
    """A program's right to use the API: one role at one place. Only its digest is stored."""

    __tablename__ = "api_token"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(255))
    secret_digest: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(32))
    service_point_id: Mapped[int | None] = mapped_column(ForeignKey("service_point.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    created_at: Mapped[Moment]
    created_by: Mapped[str] = mapped_column(String(255))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id", ondelete="SET NULL"), index=True)
    """The operator whose rights it rests on: gone with them. None for one made on the command line."""
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class SavedView(Base):
    """A list with its filters and columns under a name; shared ones are seen by every operator."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("operator_id", "list_name", "name"),)

    id: Mapped[Key]
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), index=True)
    list_name: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(64))
    query: Mapped[str] = mapped_column(Text)
    shared: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Moment]


class IdempotencyKey(Base):
    """The answer to a request that carried an idempotency key, kept for a day: the same request gets the same answer."""

    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("speaker", "key"),)

    id: Mapped[Key]
    speaker: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(128))
    request_digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    headers: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Moment] = mapped_column(index=True)
