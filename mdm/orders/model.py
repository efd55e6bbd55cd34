"""Orders, batches, approvals, releases, and what the database mirrors of the signer: roster, freeze, epoch."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class OrderState(StrEnum):
    """The life of an order. ``MOVES`` in ``states.py`` says what may follow what: forward only."""

    APPROVED = "approved"
    CANCELLED = "cancelled"
    COOLING = "cooling"
    """Enough people have approved it; the signer waits, and says until when."""
    DONE = "done"
    EXPIRED = "expired"
    FAILED = "failed"
    FETCHED = "fetched"
    HELD = "held"
    PAUSED = "paused"
    """The holder has stopped it; an approver of the place lifts that or cancels the order."""
    REFUSED = "refused"
    REJECTED = "rejected"
    RELEASED = "released"
    REQUESTED = "requested"
    UNANSWERED = "unanswered"
    """Fetched, and its time ran out without an answer: nobody knows whether it was done. An answer may still come."""


class Lane(StrEnum):
    """The ways an order can go; each has its own approvers, cooling time and budget."""

    HAND_IN = "hand_in"
    """At the counter: nobody approves, but a code that the device itself shows proves that it lies there."""
    MASS = "mass"
    """More than five devices: more approvers, and a day of cooling."""
    ORDINARY = "ordinary"
    STOLEN = "stolen"
    """Reported stolen: no cooling time, two an hour for the whole fleet."""


class OrderBatch(Base):
    """Several orders that were asked together and are approved by one signature each over one list."""

    __tablename__ = "order_batch"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    canonical: Mapped[str] = mapped_column(Text)
    """The statement that is approved: the digests of every order in it."""
    lane: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(String(255))
    requested_by_id: Mapped[str] = mapped_column(String(64))
    requested_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    left_out: Mapped[list[Any]] = mapped_column(Json, default=list)
    """Devices of the choice that are not in it, private ones first: ``{"device", "label", "why"}``."""
    told: Mapped[list[str]] = mapped_column(Json, default=list)
    """Steps of which requester and approvers were told: once for the whole list."""


class Order(Base):
    """A request for something that cannot be undone, on one device. Outlives the device's row."""

    __tablename__ = "wipe_order"
    __table_args__ = (
        Index(
            "uq_wipe_order_open",
            "device_uid",
            unique=True,
            postgresql_where=text("finished_at IS NULL"),
            sqlite_where=text("finished_at IS NULL"),
        ),
    )
    """One open order per device: held by the database, whoever races."""

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="SET NULL"), index=True)
    device_uid: Mapped[str] = mapped_column(String(32), index=True)
    device_label: Mapped[str] = mapped_column(String(255))
    device_serial: Mapped[str] = mapped_column(String(128), default="")
    person_name: Mapped[str] = mapped_column(String(255), default="")
    service_point_id: Mapped[int | None] = mapped_column(index=True)
    unit_id: Mapped[int | None]
    verb: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default=OrderState.REQUESTED.value, index=True)
    reason: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(String(255))
    requested_by_id: Mapped[str] = mapped_column(String(64))
    """Kind and id of whoever asked (``operator:7``; for a token its maker): these are compared, never names."""
    requested_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    held_why: Mapped[str] = mapped_column(Text, default="")
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answer: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """What the device said it did, word for word: the heart of the receipt."""
    canonical: Mapped[str] = mapped_column(Text, default="")
    """The text of the order, fixed when it was asked: approvers sign exactly what runs."""
    lane: Mapped[str] = mapped_column(String(16), default=Lane.ORDINARY.value)
    batch_id: Mapped[str | None] = mapped_column(ForeignKey("order_batch.id"), index=True)
    approvals_needed: Mapped[int] = mapped_column(default=2)
    place: Mapped[str] = mapped_column(String(64), default="")
    """Code of the service point at which it was asked; empty where the device stands at none."""
    token: Mapped[str] = mapped_column(String(64), default="")
    """``token:3`` where a program asked: it has a budget of its own."""
    presence: Mapped[str] = mapped_column(String(8), default="")
    """The code that the device showed at the counter; for hand-in only."""
    epoch: Mapped[int] = mapped_column(default=1)
    ownership: Mapped[str] = mapped_column(String(16), default="city")
    """Whose the device was when it was asked."""
    holder_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"))
    """Who held the device when it was asked: they are told at each step, and may pause it."""
    cools_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Until when the signer waits, as it said last."""
    pause_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Digest of the secret in the holder's one-time link; None: there is no link, or it was used."""
    paused_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    paused_by: Mapped[str] = mapped_column(String(255), default="")


class Approval(Base):
    """One person's yes, with the signature that proves it, or no; over one order, or over one batch."""

    __tablename__ = "order_approval"
    __table_args__ = (UniqueConstraint("order_id", "approver_id"), UniqueConstraint("batch_id", "approver_id"))

    id: Mapped[Key]
    order_id: Mapped[str | None] = mapped_column(ForeignKey("wipe_order.id"), index=True)
    batch_id: Mapped[str | None] = mapped_column(ForeignKey("order_batch.id"), index=True)
    approver_id: Mapped[str] = mapped_column(String(64))
    """``operator:7``, as in the roster."""
    approver_name: Mapped[str] = mapped_column(String(255))
    approved: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[Moment]
    proof: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """The person's signature over the statement, as ``agent/proof.py`` reads it; None for a no."""
    key_id: Mapped[str] = mapped_column(String(32), default="")
    """Which of the person's keys signed."""


class Release(Base):
    """A signed order as the agent gets it. On PostgreSQL only the worker's role may write this table."""

    __tablename__ = "order_release"

    order_id: Mapped[str] = mapped_column(ForeignKey("wipe_order.id"), primary_key=True)
    canonical: Mapped[str] = mapped_column(Text)
    """The exact text that was signed."""
    signature: Mapped[str] = mapped_column(String(128))
    """Base64 of the Ed25519 signature over ``ORDER_PREFIX`` and the canonical text."""
    released_at: Mapped[Moment]


class SealedRoster(Base):
    """One version of the roster, as the signer sealed it: mirrored here for reading and for delivery, never trusted."""

    __tablename__ = "sealed_roster"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    """The canonical text of the roster."""
    sealed: Mapped[dict[str, Any]] = mapped_column(Json)
    """``{"roster": text, "signatures": [...], "seal": ...}``, as devices get it."""
    mirrored_at: Mapped[Moment]


class KernelState(Base):
    """The one row about the kernel as a whole. The signer keeps its own, and is the one that counts."""

    __tablename__ = "kernel_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    frozen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Since when nothing is delivered; None: orders go their way."""
    frozen_by: Mapped[str] = mapped_column(String(255), default="")
    frozen_why: Mapped[str] = mapped_column(Text, default="")
    freezes: Mapped[int] = mapped_column(default=0)
    """The number of this freeze at the signer, which a thaw statement names; 0 while the signer has not confirmed it."""
    thaw_text: Mapped[str] = mapped_column(Text, default="")
    """The statement that threshold people sign to lift the freeze; empty while nobody has begun."""
    thaw_proofs: Mapped[list[Any]] = mapped_column(Json, default=list)
    roster_version: Mapped[int] = mapped_column(default=0)
    """The newest version in ``sealed_roster``; 0: nobody has founded a roster, and no order can be released."""
    roster_text: Mapped[str] = mapped_column(Text, default="")
    epoch: Mapped[int] = mapped_column(default=1)
    mirrored_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the signer was last heard; long ago: it is down."""
    cooling_minutes: Mapped[int] = mapped_column(default=15)
    """Cooling of ordinary orders as the signer has it; less than 15 is a warning."""


class ActState(StrEnum):
    """The life of an act. ``MOVES`` in ``acts/states.py`` says what may follow what: forward only."""

    APPROVED = "approved"
    CANCELLED = "cancelled"
    DONE = "done"
    EXPIRED = "expired"
    FAILED = "failed"
    HELD = "held"
    REJECTED = "rejected"
    REQUESTED = "requested"


class Act(Base):
    """A request for something risky that the server itself does: see ``mdm/core/risk.py``. Outlives its subject."""

    __tablename__ = "act"
    __table_args__ = (
        Index(
            "uq_act_open",
            "requested_by_id",
            "digest",
            unique=True,
            postgresql_where=text("finished_at IS NULL"),
            sqlite_where=text("finished_at IS NULL"),
        ),
        Index("ix_act_budget", "requested_by_id", "verb", "finished_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    verb: Mapped[str] = mapped_column(String(32))
    subject_kind: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(String(255), index=True)
    subject_name: Mapped[str] = mapped_column(String(255))
    service_point_id: Mapped[int | None] = mapped_column(index=True)
    unit_id: Mapped[int | None]
    place: Mapped[str] = mapped_column(String(64), default="")
    """Code of the service point whose approvers may agree; empty for what is the whole city's."""
    canonical: Mapped[str] = mapped_column(Text)
    """The statement that people sign, fixed when it was asked."""
    arguments: Mapped[dict[str, Any]] = mapped_column(Json)
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    private: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """What approvers may not read, bound by its digest among the arguments; emptied when the act is finished."""
    digest: Mapped[str] = mapped_column(String(64))
    """Of verb, subject and arguments: one person has the same request open once."""
    state: Mapped[str] = mapped_column(String(16), index=True)
    approvals_needed: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(String(255))
    requested_by_id: Mapped[str] = mapped_column(String(80))
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[int | None]
    requested_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """From when on it may be done; None while people are waited for."""
    why: Mapped[str] = mapped_column(Text, default="")
    """Why it is held, was not done, or was refused."""
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ActApproval(Base):
    """One person's yes, with the signature that proves it, or no, to one act."""

    __tablename__ = "act_approval"
    __table_args__ = (UniqueConstraint("act_id", "approver_id"),)

    id: Mapped[Key]
    act_id: Mapped[str] = mapped_column(ForeignKey("act.id", ondelete="CASCADE"), index=True)
    approver_id: Mapped[str] = mapped_column(String(80))
    approver_name: Mapped[str] = mapped_column(String(255))
    approved: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[Moment]
    proof: Mapped[dict[str, Any] | None] = mapped_column(Json)
