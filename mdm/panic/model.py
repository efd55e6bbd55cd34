"""Calls for help, who was told of each, what came of it; keys of phones, the duty roster, exercises."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.core.permissions import Where
from mdm.panic.states import State
from mdm.storage.base import Base, Key, Moment, UTCDateTime


class PanicAlarm(Base):
    """Somebody called for help. The same call sent ten times is this one row: ``slot`` names the press and who pressed."""

    __tablename__ = "panic_alarm"
    __table_args__ = (
        Index("ix_panic_alarm_place", "service_point_id", "state", "id"),
        Index("ix_panic_alarm_due", "state", "next_at"),
    )

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    slot: Mapped[str] = mapped_column(String(96), unique=True)
    """Which press it is: ``key:7:UUID``, ``device:9:UUID``, ``drill:3:UUID``."""
    state: Mapped[str] = mapped_column(String(16), default=State.RINGING.value)
    drill_id: Mapped[int | None] = mapped_column(ForeignKey("panic_drill.id"), index=True)
    """The exercise that it belongs to; None for a true call."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"), index=True)
    key_id: Mapped[int | None] = mapped_column(index=True)
    """The phone's key, without a foreign key: the call stays when the phone is forgotten."""
    person_name: Mapped[str] = mapped_column(String(255), default="")
    device_label: Mapped[str] = mapped_column(String(255), default="")
    spot: Mapped[str] = mapped_column(String(120), default="")
    """Room or counter, in the words of whoever set the button up."""
    phone: Mapped[str] = mapped_column(String(64), default="")
    """The number at which who called for help is called back."""
    service_point_id: Mapped[int | None] = mapped_column(ForeignKey("service_point.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    pressed_at: Mapped[Moment]
    """When the button was pressed, by how long ago the phone says it was: on a lost line earlier than ``raised_at``."""
    raised_at: Mapped[Moment] = mapped_column(index=True)
    presses: Mapped[int] = mapped_column(default=1)
    """How often it was pressed while it was open."""
    step: Mapped[int] = mapped_column(default=0)
    """Rungs of the ladder that were climbed; 0: nobody has been told yet."""
    next_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the next rung is due; None when nobody else has to be told."""
    acknowledged_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    acknowledged_by: Mapped[str] = mapped_column(String(255), default="")
    called_off_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When who raised it said that it was a false alarm. That they see it as ended says nothing of ``state``."""
    duress_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    """When they said so with the code that means the contrary. Never shown to who raised it."""
    duress_told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When everybody was told of that; None while nobody has been."""
    wrong_codes: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    closed_by: Mapped[str] = mapped_column(String(255), default="")

    @property
    def where(self) -> Where:
        """The place at which rights over this call are asked."""
        return Where(self.service_point_id, self.unit_id)

    @property
    def exercise(self) -> bool:
        """Whether it is only practised."""
        return self.drill_id is not None

    @property
    def number(self) -> str:
        """What people call it: ``H-00042``."""
        return f"H-{self.id:05d}"


class PanicPlace(Base):
    """Where the phone was when help was called for. Sealed: without the key of this installation it says nothing."""

    __tablename__ = "panic_place"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    alarm_id: Mapped[int] = mapped_column(ForeignKey("panic_alarm.id", ondelete="CASCADE"), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    taken_at: Mapped[Moment]


class PanicLine(Base):
    """One line of what happened with a call for help: who did what, and when."""

    __tablename__ = "panic_line"
    __table_args__ = (Index("ix_panic_line_alarm", "alarm_id", "id"),)

    id: Mapped[Key]
    alarm_id: Mapped[int] = mapped_column(ForeignKey("panic_alarm.id", ondelete="CASCADE"))
    at: Mapped[Moment]
    by: Mapped[str] = mapped_column(String(255), default="")
    kind: Mapped[str] = mapped_column(String(24))
    text: Mapped[str] = mapped_column(String(255), default="")


class PanicCall(Base):
    """Somebody who was told of a call for help: on the console, by letter, by SMS; and the link by which they answer."""

    __tablename__ = "panic_call"
    __table_args__ = (Index("ix_panic_call_alarm", "alarm_id", "id"),)

    id: Mapped[Key]
    alarm_id: Mapped[int] = mapped_column(ForeignKey("panic_alarm.id", ondelete="CASCADE"))
    who: Mapped[str] = mapped_column(String(64))
    """Which one: ``operator:7``, ``person:3``. Once per call for help, whatever brings them."""
    name: Mapped[str] = mapped_column(String(255))
    operator_id: Mapped[int | None] = mapped_column(index=True)
    rung: Mapped[str] = mapped_column(String(16))
    ways: Mapped[str] = mapped_column(String(32), default="")
    """How they were told beside the console: ``mail``, ``sms``, both with a space between, or neither."""
    told_at: Mapped[Moment]
    link_digest: Mapped[str] = mapped_column(String(64), unique=True)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class PanicReport(Base):
    """What happened, as somebody wrote it down when a call for help was closed."""

    __tablename__ = "panic_report"

    id: Mapped[Key]
    alarm_id: Mapped[int] = mapped_column(ForeignKey("panic_alarm.id", ondelete="CASCADE"), unique=True)
    outcome: Mapped[str] = mapped_column(String(16))
    happened: Mapped[str] = mapped_column(Text, default="")
    injured: Mapped[bool] = mapped_column(default=False)
    police: Mapped[bool] = mapped_column(default=False)
    police_report: Mapped[str] = mapped_column(String(64), default="")
    follow_up: Mapped[str] = mapped_column(Text, default="")
    readers: Mapped[str] = mapped_column(String(16))
    """``managers``: who answers for buttons at the place, and the writer. ``answerers``: all who answer calls there."""
    written_at: Mapped[Moment]
    written_by: Mapped[str] = mapped_column(String(255))
    operator_id: Mapped[int | None]
    """Who wrote it, where that was an operator."""


class PanicKey(Base):
    """A phone that may call for help, whether or not its session lives. The cookie holds the secret, the row its digest."""

    __tablename__ = "panic_key"

    id: Mapped[Key]
    secret_digest: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    spot: Mapped[str] = mapped_column(String(120), default="")
    locates: Mapped[bool] = mapped_column(default=False)
    """Whether the person wants their place sent with a call for help."""
    safe_code: Mapped[str] = mapped_column(Text, default="")
    """Argon2id of the code that says "I am safe"; empty where the person chose none."""
    duress_code: Mapped[str] = mapped_column(Text, default="")
    """The same of the code that says so and means the contrary."""
    made_at: Mapped[Moment]
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class PanicSpot(Base):
    """The room in which a device stands, for calls for help from it."""

    __tablename__ = "panic_spot"

    id: Mapped[Key]
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), unique=True)
    spot: Mapped[str] = mapped_column(String(120))
    set_at: Mapped[Moment]
    set_by: Mapped[str] = mapped_column(String(255))


class PanicDuty(Base):
    """Who is on duty for a place, on which days and at which hours of the city's clock."""

    __tablename__ = "panic_duty"
    __table_args__ = (Index("ix_panic_duty_place", "service_point_id", "unit_id"),)

    id: Mapped[Key]
    service_point_id: Mapped[int | None] = mapped_column(ForeignKey("service_point.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    """Neither: the whole city."""
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    phone: Mapped[str] = mapped_column(String(64), default="")
    email: Mapped[str] = mapped_column(String(255), default="")
    rank: Mapped[int] = mapped_column(default=1)
    """Who is told first; the same number: at the same time."""
    days: Mapped[str] = mapped_column(String(28))
    """Days of the week with a space between, as opening hours name them: ``mon tue``."""
    begins: Mapped[str] = mapped_column(String(5))
    ends: Mapped[str] = mapped_column(String(5))
    """Times of day as ``08:30``; an end that is not later than the beginning lies on the day after."""
    from_day: Mapped[date]
    until_day: Mapped[date | None]
    """The last day on which a turn begins."""
    made_at: Mapped[Moment]
    made_by: Mapped[str] = mapped_column(String(255))


class PanicDrill(Base):
    """An exercise at a place: what is raised in it says so everywhere."""

    __tablename__ = "panic_drill"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    service_point_id: Mapped[int | None] = mapped_column(ForeignKey("service_point.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    note: Mapped[str] = mapped_column(String(255), default="")
    begun_at: Mapped[Moment]
    begun_by: Mapped[str] = mapped_column(String(255))
    until: Mapped[Moment]
    over_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    learned: Mapped[str] = mapped_column(Text, default="")
    """What the organiser wrote down afterwards."""

    @property
    def where(self) -> Where:
        """The place at which rights over this exercise are asked."""
        return Where(self.service_point_id, self.unit_id)


class PanicPulse(Base):
    """One row: a number that grows whenever something about a call for help has changed. Every console watches it."""

    __tablename__ = "panic_pulse"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(default=0)
