"""Cases, their steps and time line, what is owed in them, and where a lost device was: sealed."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mdm.core.permissions import Where
from mdm.storage.base import Base, Key, Moment, UTCDateTime


class CaseKind(StrEnum):
    """What has happened."""

    BROKEN = "broken"
    LEAVER = "leaver"
    LOST = "lost"
    STOLEN = "stolen"


class CaseState(StrEnum):
    """Whether somebody still has to do something about it."""

    CLOSED = "closed"
    OPEN = "open"


class Outcome(StrEnum):
    """How a case ended."""

    ALL_RETURNED = "all_returned"
    FOUND = "found"
    MISTAKE = "mistake"
    NOT_FOUND = "not_found"
    REPAIRED = "repaired"
    REPLACED = "replaced"
    WIPED = "wiped"


class StepState(StrEnum):
    """What became of one step."""

    DONE = "done"
    OPEN = "open"
    SKIPPED = "skipped"


GONE = frozenset({CaseKind.LOST, CaseKind.STOLEN})
"""Kinds in which nobody knows where the device is: only in these may it be asked."""


class Case(Base):
    """One case about one device or, where somebody leaves, about one person."""

    __tablename__ = "desk_case"
    __table_args__ = (
        Index("ix_desk_case_place", "service_point_id", "state", "opened_at", "id"),
        Index("ix_desk_case_state", "state", "opened_at", "id"),
    )

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default=CaseState.OPEN.value)
    slot: Mapped[str | None] = mapped_column(String(48), unique=True)
    """What it occupies while it is open, so that there is one of it: ``gone:7``, ``broken:7`` (device), ``leaver:3``."""
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    device_label: Mapped[str] = mapped_column(String(255), default="")
    person_name: Mapped[str] = mapped_column(String(255), default="")
    service_point_id: Mapped[int | None] = mapped_column(ForeignKey("service_point.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    opened_at: Mapped[Moment]
    opened_by: Mapped[str] = mapped_column(String(255))
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    closed_by: Mapped[str] = mapped_column(String(255), default="")
    outcome: Mapped[str] = mapped_column(String(16), default="")
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the next open step is due; None when nothing is left to do."""
    before: Mapped[str] = mapped_column(String(16), default="")
    """The life-cycle state that the device had before it was lost."""
    reopened: Mapped[int] = mapped_column(default=0)

    seen_on: Mapped[date | None]
    """The day on which it was last seen, or broke."""
    seen_where: Mapped[str] = mapped_column(String(255), default="")
    account: Mapped[str] = mapped_column(Text, default="")
    """What happened, in the words of whoever told it."""
    police_report: Mapped[str] = mapped_column(String(64), default="")
    police_on: Mapped[date | None]

    last_day: Mapped[date | None]
    """Leaver: the last day of work."""
    lock_on: Mapped[date | None]
    """Leaver: the day from which it is proposed to lock what is not back. A person decides; nothing locks by itself."""
    letters: Mapped[int] = mapped_column(default=0)
    """Leaver: letters that were written."""

    @property
    def where(self) -> Where:
        """The place at which rights over this case are asked."""
        return Where(self.service_point_id, self.unit_id)

    @property
    def number(self) -> str:
        """What people call it: ``L-00042``, with the first letter of its family."""
        letter = {CaseKind.BROKEN.value: "B", CaseKind.LEAVER.value: "V"}.get(self.kind, "L")
        return f"{letter}-{self.id:05d}"


class CaseStep(Base):
    """One step of a case. The table in ``steps.py`` says what it is about."""

    __tablename__ = "desk_case_step"
    __table_args__ = (UniqueConstraint("case_id", "key"),)

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("desk_case.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16), default=StepState.OPEN.value)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    done_by: Mapped[str] = mapped_column(String(255), default="")


class CaseLine(Base):
    """One line of a case's time line: who did what, and what somebody noted."""

    __tablename__ = "desk_case_line"
    __table_args__ = (Index("ix_desk_case_line_case", "case_id", "id"),)

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("desk_case.id", ondelete="CASCADE"))
    at: Mapped[Moment]
    by: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(32))
    about: Mapped[str] = mapped_column(String(64), default="")
    """What of it: a step, a verb, an outcome."""
    text: Mapped[str] = mapped_column(Text, default="")


class CaseItem(Base):
    """One thing that somebody who leaves still has, or had when the case was opened."""

    __tablename__ = "desk_case_item"
    __table_args__ = (Index("ix_desk_case_item_case", "case_id", "id"),)

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("desk_case.id", ondelete="CASCADE"))
    thing: Mapped[str] = mapped_column(String(48))
    """Which one: ``device:7``, ``piece:3`` (with a code of its own), ``kit:12`` (so many of a kind with one hand-over)."""
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"), index=True)
    label: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(32))
    code: Mapped[str] = mapped_column(String(128), default="")
    """Serial number, tag or ICCID: what stands on the receipt."""
    returned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    missing: Mapped[bool] = mapped_column(default=False)
    """Whether somebody has said that it will not come back."""


class CaseFix(Base):
    """Where a lost device said that it was. Sealed: without the key of this installation it says nothing."""

    __tablename__ = "desk_case_fix"
    __table_args__ = (Index("ix_desk_case_fix_case", "case_id", "id"),)

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    """What the sealed value is bound to."""
    case_id: Mapped[int] = mapped_column(ForeignKey("desk_case.id", ondelete="CASCADE"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    taken_at: Mapped[Moment]


class CaseLook(Base):
    """Somebody may look where the device is: this one person, for this reason, until this moment."""

    __tablename__ = "desk_case_look"
    __table_args__ = (Index("ix_desk_case_look_case", "case_id", "id"),)

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("desk_case.id", ondelete="CASCADE"))
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[int | None]
    by: Mapped[str] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[Moment]
    until: Mapped[Moment]
    shown: Mapped[int] = mapped_column(default=0)
    """How often the place was shown; each time stands in the diary and was told to the holder."""
