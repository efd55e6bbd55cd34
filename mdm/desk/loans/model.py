"""Places that lend, reservations with the half hours that they take, and loans that are overdue."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mdm.core.permissions import Where
from mdm.storage.base import Base, Key, Moment

FLEX_AT_MOST = 2
"""Flexible workers at a time at one location, where nobody said otherwise."""
TOGETHER = ""
"""Stands in ``LoanSlot.what`` for the place as a whole, beside the kinds of device."""


class LoanState(StrEnum):
    """Where a reservation is in its life."""

    CANCELLED = "cancelled"
    COLLECTED = "collected"
    EXPIRED = "expired"
    """It waited, and its time came without a place for it."""
    NO_SHOW = "no_show"
    PREPARED = "prepared"
    RESERVED = "reserved"
    RETURNED = "returned"
    WAITING = "waiting"


AHEAD = frozenset({LoanState.RESERVED, LoanState.PREPARED})
"""A place is kept, and nobody came for it yet."""
OPEN = AHEAD | {LoanState.COLLECTED, LoanState.WAITING}
"""What has not ended."""


class LadderStep(StrEnum):
    """The ladder of an overdue loan, in its order."""

    NONE = "none"
    REMINDED = "reminded"
    LEAD = "lead"
    LOCK = "lock"
    """A lock is proposed; a person decides."""


class LockDecision(StrEnum):
    """What a person made of the proposal to lock."""

    OPEN = ""
    LOCKED = "locked"
    SPARED = "spared"


class LoanPlace(Base):
    """A service point or flex location that lends. Its pool: devices of the loan pool that stand there."""

    __tablename__ = "loan_place"
    __table_args__ = (CheckConstraint("at_most IS NULL OR at_most > 0", name="at_most"),)

    service_point_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"), primary_key=True, autoincrement=False)
    flex: Mapped[bool] = mapped_column(default=False)
    at_most: Mapped[int | None]
    """Loans at a time, whatever the kind; None: as many as there are devices."""
    zone: Mapped[str] = mapped_column(String(64))
    """Time zone (IANA) in which its opening hours are told."""
    prepare_days: Mapped[int] = mapped_column(default=1)
    """Opening days before the beginning by which the device lies ready."""
    no_show_hours: Mapped[int] = mapped_column(default=2)
    """Opening hours after the beginning for which the place is kept."""
    longest_days: Mapped[int] = mapped_column(default=31)
    remind_hours: Mapped[int] = mapped_column(default=2)
    lead_days: Mapped[int] = mapped_column(default=3)
    lock_days: Mapped[int] = mapped_column(default=7)
    keeper_email: Mapped[str] = mapped_column(String(255), default="")
    """Who looks after the pool; empty: the address of the service point."""
    closed_at: Mapped[datetime | None]
    created_at: Mapped[Moment]

    @property
    def where(self) -> Where:
        """The place at which rights are asked."""
        return Where(service_point_id=self.service_point_id)


class Reservation(Base):
    """One person's wish for a kind of device at a place in a window of time, and what became of it."""

    __tablename__ = "loan_reservation"
    __table_args__ = (
        Index("ix_loan_reservation_place", "service_point_id", "state", "begins_at"),
        CheckConstraint("begins_at < ends_at", name="window"),
    )

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    service_point_id: Mapped[int] = mapped_column(ForeignKey("loan_place.service_point_id"))
    kind: Mapped[str] = mapped_column(String(16))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    begins_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    """When the device is due back; an extension moves it."""
    state: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[Moment]
    prepare_by: Mapped[Moment]
    prepare_told_at: Mapped[datetime | None]
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="SET NULL"), index=True)
    """The device that lies ready, then the one that went along."""
    custody_id: Mapped[int | None] = mapped_column(ForeignKey("custody.id", ondelete="SET NULL"), index=True)
    """The hand-over that it became, once it was collected."""
    collected_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(String(500), default="")
    key: Mapped[str | None] = mapped_column(String(128), unique=True)
    """What the page or program called the wish: the same key again is the same reservation."""
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    @property
    def where(self) -> Where:
        """The place at which rights over it are asked."""
        return Where(service_point_id=self.service_point_id)


class LoanSlot(Base):
    """One half hour that a reservation takes: at a place, of a kind (or of the place as a whole), the ``number``-th of it.

    The key is the rule that nothing is overbooked: whatever the code believes, the database has each number once.
    """

    __tablename__ = "loan_slot"
    __table_args__ = (CheckConstraint("number > 0", name="number"),)

    service_point_id: Mapped[int] = mapped_column(
        ForeignKey("loan_place.service_point_id"), primary_key=True, autoincrement=False
    )
    what: Mapped[str] = mapped_column(String(16), primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Half hours since 1970 in UTC: summer time does not exist for it."""
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reservation_id: Mapped[int] = mapped_column(ForeignKey("loan_reservation.id", ondelete="CASCADE"), index=True)


class OverdueLoan(Base):
    """A loan that was not brought back in time, with each step that was taken. An extension closes it."""

    __tablename__ = "loan_overdue"
    __table_args__ = (UniqueConstraint("custody_id", "due_at"),)

    id: Mapped[Key]
    custody_id: Mapped[int] = mapped_column(ForeignKey("custody.id", ondelete="CASCADE"))
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    service_point_id: Mapped[int | None] = mapped_column(ForeignKey("service_point.id"), index=True)
    due_at: Mapped[Moment]
    step: Mapped[str] = mapped_column(String(16), default=LadderStep.NONE.value)
    reminded_at: Mapped[datetime | None]
    lead_told_at: Mapped[datetime | None]
    lead_email: Mapped[str] = mapped_column(String(255), default="")
    """Who was told; empty: nobody is recorded as the lead of the unit, and the keeper of the pool was told so."""
    proposed_at: Mapped[datetime | None]
    decision: Mapped[str] = mapped_column(String(16), default=LockDecision.OPEN.value)
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(String(255), default="")
    why: Mapped[str] = mapped_column(String(500), default="")
    closed_at: Mapped[datetime | None] = mapped_column(index=True)
    """When it came back, or was extended."""

    @property
    def where(self) -> Where:
        """The place at which rights over it are asked."""
        return Where(service_point_id=self.service_point_id)
