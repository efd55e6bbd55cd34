"""Quests with their assignments and players, ambassadors with the questions that they were asked, guides with votes."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class Check(StrEnum):
    """How an assignment is known to be done: by a fact where there can be one."""

    APPLICATION = "application"
    """A device of the person has the application that ``target`` names."""
    GREEN = "green"
    """A device of the person has reported, and all is well with it."""
    HELPED = "helped"
    """Somebody else confirms by a code that the person helped them."""
    PASSCODE = "passcode"
    """A device of the person says that it has a passcode."""
    VISIT = "visit"
    """The person opened the address in ``target`` by the link on their page."""
    WORD = "word"
    """The person says so."""


BY_FACT = frozenset({Check.APPLICATION, Check.GREEN, Check.PASSCODE})
"""Checks that devices answer."""


class Quest(Base):
    """A game of small assignments for the first weeks with a phone. Texts are by language."""

    __tablename__ = "quest"
    __table_args__ = (CheckConstraint("first_day <= last_day", name="days"),)

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    title: Mapped[dict[str, Any]]
    intro: Mapped[dict[str, Any]]
    first_day: Mapped[date]
    last_day: Mapped[date]
    personas: Mapped[list[str]] = mapped_column(Json, default=list)
    units: Mapped[list[int]] = mapped_column(Json, default=list)
    service_points: Mapped[list[int]] = mapped_column(Json, default=list)
    """For whom; what is empty does not narrow."""
    created_by: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[Moment]
    tickets: Mapped[list[str]] = mapped_column(Json, default=list)
    """The list of the draw, once it is fixed: lots without names, sorted."""
    tickets_digest: Mapped[str] = mapped_column(String(64), default="")
    fixed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    seed: Mapped[str] = mapped_column(String(128), default="")
    """Published with the draw: with the list it gives the same winners to whoever draws again."""
    winners: Mapped[list[str]] = mapped_column(Json, default=list)
    skipped: Mapped[list[str]] = mapped_column(Json, default=list)
    """Lots of people who took their consent back after the list was fixed."""
    drawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class QuestTask(Base):
    """One assignment of a quest."""

    __tablename__ = "quest_task"
    __table_args__ = (UniqueConstraint("quest_id", "number"),)

    id: Mapped[Key]
    quest_id: Mapped[int] = mapped_column(ForeignKey("quest.id", ondelete="CASCADE"))
    number: Mapped[int]
    title: Mapped[dict[str, Any]]
    text: Mapped[dict[str, Any]]
    check: Mapped[str] = mapped_column("check_kind", String(16))
    target: Mapped[str] = mapped_column(String(500), default="")


class QuestPlayer(Base):
    """Somebody who takes part, because they said so."""

    __tablename__ = "quest_player"
    __table_args__ = (UniqueConstraint("quest_id", "person_id"),)

    id: Mapped[Key]
    quest_id: Mapped[int] = mapped_column(ForeignKey("quest.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    ticket: Mapped[str] = mapped_column(String(32), unique=True)
    """The person's lot: chance alone made it."""
    joined_at: Mapped[Moment]
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    consent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Since when the organiser may have the name for the draw; None: not, or not any more."""
    wrong: Mapped[int] = mapped_column(default=0)
    wrong_on: Mapped[date | None]
    """Codes that did not fit, and the day of the last one: nobody tries a whole list."""


class QuestDone(Base):
    """One assignment that one player has done, and how it was known."""

    __tablename__ = "quest_done"
    __table_args__ = (UniqueConstraint("player_id", "task_id"),)

    id: Mapped[Key]
    player_id: Mapped[int] = mapped_column(ForeignKey("quest_player.id", ondelete="CASCADE"))
    task_id: Mapped[int] = mapped_column(ForeignKey("quest_task.id", ondelete="CASCADE"), index=True)
    at: Mapped[Moment]


class HelpCode(Base):
    """A code that somebody who was helped shows the helper; it works once, for a day."""

    __tablename__ = "help_code"

    id: Mapped[Key]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), unique=True)
    code: Mapped[str] = mapped_column(String(8), unique=True)
    expires_at: Mapped[Moment]


class Ambassador(Base):
    """A colleague who helps others. Nobody sees them before they agreed to it."""

    __tablename__ = "ambassador"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), unique=True)
    languages: Mapped[list[str]]
    about: Mapped[str] = mapped_column(String(255), default="")
    """What they help with."""
    service_point_id: Mapped[int | None] = mapped_column(ForeignKey("service_point.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    """Whom they help first; both empty: everybody."""
    consent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    show_phone: Mapped[bool] = mapped_column(default=False)
    show_email: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Moment]
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class QuestionState(StrEnum):
    """Where a question to an ambassador is in its life; ``questions.MOVES`` says what may follow what."""

    ANSWERED = "answered"
    ASKED = "asked"
    HANDED = "handed"
    """Handed to the desk."""
    TAKEN = "taken"


class Question(Base):
    """What somebody asked an ambassador, and what became of it."""

    __tablename__ = "ambassador_question"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    ambassador_id: Mapped[int] = mapped_column(ForeignKey("ambassador.id", ondelete="CASCADE"), index=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="SET NULL"))
    """The device that it is about, where the person said so."""
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    asked_at: Mapped[Moment]
    changed_at: Mapped[Moment]
    answer: Mapped[str] = mapped_column(Text, default="")
    case_number: Mapped[str] = mapped_column(String(32), default="")
    """The case that the desk has of it; empty where it got a letter."""


class Guide(Base):
    """A short page of help, or a film by link, for a family of devices. Texts are by language."""

    __tablename__ = "guide"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    title: Mapped[dict[str, Any]]
    text: Mapped[dict[str, Any]]
    film: Mapped[str] = mapped_column(String(500), default="")
    platform: Mapped[str] = mapped_column(String(16), default="")
    kind: Mapped[str] = mapped_column(String(16), default="")
    model: Mapped[str] = mapped_column(String(64), default="")
    """Which devices it is for; what is empty fits every one. ``model`` are words that the product's name begins with or has."""
    position: Mapped[int] = mapped_column(default=100)
    created_at: Mapped[Moment]
    hidden_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class GuideVote(Base):
    """Whether a guide helped somebody; each has one vote, the last one counts."""

    __tablename__ = "guide_vote"
    __table_args__ = (UniqueConstraint("guide_id", "person_id"),)

    id: Mapped[Key]
    guide_id: Mapped[int] = mapped_column(ForeignKey("guide.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    helped: Mapped[bool]
    language: Mapped[str] = mapped_column(String(8))
    at: Mapped[Moment]
