"""Tables of Google's way: the enterprise, policies and tokens as they are at Google, phones, operations, notifications."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class Step(StrEnum):
    """How far the tie with Google is. Forward only, until it is taken away."""

    KEY = "key"
    """There is a service account, and no enterprise yet."""
    SIGN_UP = "sign_up"
    """Google's page is ready, on which an administrator agrees."""
    RETURNED = "returned"
    """The administrator came back from Google: the enterprise is to be made."""
    READY = "ready"


class AndroidGoogle(Base):
    """The one tie with Google: project, service account, enterprise."""

    __tablename__ = "android_google"

    id: Mapped[Key]
    project: Mapped[str] = mapped_column(String(255))
    account: Mapped[str] = mapped_column(String(255))
    """The service account's address."""
    key: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed: what matters of its key file."""
    step: Mapped[str] = mapped_column(String(16), default=Step.KEY.value)
    subscription: Mapped[str] = mapped_column(String(400), default="")
    """From which notifications are pulled; empty: phones are asked by the clock alone."""
    topic: Mapped[str] = mapped_column(String(400), default="")
    callback: Mapped[str] = mapped_column(String(500), default="")
    """Where Google sends the administrator back to."""
    asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the sign-up was asked for; None while nothing is asked."""
    state: Mapped[str] = mapped_column(String(64), default="")
    """What must come back with the administrator: nobody else's return counts."""
    signup_name: Mapped[str] = mapped_column(String(255), default="")
    signup_url: Mapped[str] = mapped_column(Text, default="")
    returned_token: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed: the token with which the administrator came back; forgotten once the enterprise is there."""
    enterprise: Mapped[str] = mapped_column(String(64), default="")
    """Google's number of the enterprise, without the word before it; empty until it was made."""
    display_name: Mapped[str] = mapped_column(String(255), default="")
    api: Mapped[str] = mapped_column(String(255), default="")
    """Another address than Google's, for a simulated fleet; empty: Google's."""
    problem: Mapped[str] = mapped_column(Text, default="")
    """What an administrator must do, or what Google said last that was no good; empty while all is well."""
    pulled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    listed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the whole list of devices was read last: what a notification did not bring, this does."""
    list_token: Mapped[str] = mapped_column(Text, default="")
    """Where reading the list goes on; empty: at its beginning."""
    created_by: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[Moment]


class AndroidPolicy(Base):
    """A policy at Google: one for each cohort and kind of phone, never one for a device."""

    __tablename__ = "android_policy"
    __table_args__ = (UniqueConstraint("cohort_id", "mode"),)

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(64), unique=True)
    """Our part of its name at Google."""
    cohort_id: Mapped[int | None] = mapped_column(ForeignKey("cohort.id", ondelete="SET NULL"), index=True)
    """None: what a phone has between its enrollment and its place in a cohort."""
    mode: Mapped[str] = mapped_column(String(16))
    wanted_from: Mapped[str] = mapped_column(String(16), default="-")
    """Digest of the cohort's desired state from which it was made last."""
    digest: Mapped[str] = mapped_column(String(64), default="-")
    """Digest of the policy that Google has."""
    version: Mapped[int] = mapped_column(default=0)
    """Google's own count."""
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    problem: Mapped[str] = mapped_column(Text, default="")
    """Why Google does not have the newest; empty while it has it."""
    sources: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Fields at the top of the policy, with the settings that each comes from."""
    created_at: Mapped[Moment]


class AndroidGooglePhone(Base):
    """What is Google's of a device: its name there, which policy it shall have and has."""

    __tablename__ = "android_google_phone"

    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    """Google's number of it, without the words before it."""
    mode: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(32), default="ACTIVE")
    """Google's word."""
    ownership: Mapped[str] = mapped_column(String(32), default="")
    management: Mapped[str] = mapped_column(String(32), default="")
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("android_policy.id", ondelete="SET NULL"), index=True)
    """The policy that Google was told it has."""
    reported_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it made the report that was taken last: an older one that comes later changes nothing."""
    applied_policy: Mapped[str] = mapped_column(String(64), default="")
    applied_version: Mapped[int] = mapped_column(default=0)
    compliant: Mapped[bool | None]
    failures: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    """Which fields of the policy it does not meet, in Google's words."""
    token_id: Mapped[int | None] = mapped_column(ForeignKey("android_token.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]


class AndroidToken(Base):
    """A right at Google to enrol phones, made for one invitation."""

    __tablename__ = "android_token"

    id: Mapped[Key]
    invitation_id: Mapped[int] = mapped_column(ForeignKey("invitation.id", ondelete="CASCADE"), unique=True)
    name: Mapped[str | None] = mapped_column(String(255), unique=True)
    """Google's name of it; None while it is asked for."""
    mode: Mapped[str] = mapped_column(String(16))
    kiosk: Mapped[bool] = mapped_column(default=False)
    """A device without a user."""
    code: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed: value and content of the QR code."""
    csr: Mapped[str] = mapped_column(Text, default="")
    """The request for the certificate that stands for the phone: asked again, the signer is asked for the same."""
    problem: Mapped[str] = mapped_column(Text, default="")
    expires_at: Mapped[Moment]
    created_at: Mapped[Moment]
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class OperationState(StrEnum):
    """The life of one command at Google. ``MOVES`` in ``operations.py`` says what may follow what."""

    WAITING = "waiting"
    ISSUING = "issuing"
    """It is being said to Google; whether Google heard is looked up before it is said again."""
    ISSUED = "issued"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class AndroidOperation(Base):
    """One command for one phone, followed to its end."""

    __tablename__ = "android_operation"
    __table_args__ = (Index("ix_android_operation_open", "state", "checked_at"),)

    id: Mapped[Key]
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    """Google's word for the command."""
    body: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    state: Mapped[str] = mapped_column(String(16), default=OperationState.WAITING.value)
    name: Mapped[str | None] = mapped_column(String(128), unique=True)
    """Google's number of the operation; None until Google took it."""
    command_id: Mapped[str | None] = mapped_column(String(32), unique=True)
    """The command of the house that it carries out."""
    order_id: Mapped[str | None] = mapped_column(String(32), unique=True)
    why: Mapped[str] = mapped_column(String(255), default="")
    detail: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Moment]
    issued_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[Moment]
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class AndroidNote(Base):
    """A notification of Google's. The same one again, by its id, is acknowledged and changes nothing."""

    __tablename__ = "android_note"

    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    """Google's id of the message."""
    kind: Mapped[str] = mapped_column(String(32))
    content: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """The resource that it tells of; forgotten once it was read."""
    received_at: Mapped[Moment]
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    tries: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(Text, default="")
