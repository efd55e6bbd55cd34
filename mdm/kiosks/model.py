"""Kiosks that are being set up over SSH, and what happened at each."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.core.permissions import Where
from mdm.storage.base import Base, Json, Key, Moment


class State(StrEnum):
    """How far the setting up of one kiosk is."""

    WAITING = "waiting"
    """To be begun, or to be gone on with at ``due_at``."""
    RUNNING = "running"
    UNDOING = "undoing"
    """It failed, and what was changed on the kiosk is being put back."""
    DONE = "done"
    FAILED = "failed"
    """It failed, and the kiosk is as it was before."""
    NOT_UNDONE = "not_undone"
    """It failed, and what was changed could not be put back: the kiosk was out of reach for too long."""
    ACCESS_LEFT = "access_left"
    """The kiosk is enrolled, but it still lets us in."""
    WITHDRAWN = "withdrawn"


OPEN = frozenset({State.WAITING, State.RUNNING, State.UNDOING})
"""States in which something is still to be done."""


class Step(StrEnum):
    """The steps of setting up, in their order. Each may be done twice: the second time it finds its work done."""

    REACH = "reach"
    """Reach it, prove its host key, sign in."""
    LOOK = "look"
    UPLOAD = "upload"
    INSTALL = "install"
    ENROL = "enrol"
    START = "start"
    CLOSE = "close"
    """Remove our own access, and prove that it is gone."""


class SignIn(StrEnum):
    """With what the kiosk lets us in."""

    KEY = "key"
    CERTIFICATE = "certificate"


class KioskSetup(Base):
    """The setting up of one kiosk: where it is, what proves it, how far it is."""

    __tablename__ = "kiosk_setup"
    __table_args__ = (
        Index("ix_kiosk_setup_open", "state", "due_at"),
        Index(
            "uq_kiosk_setup_address",
            "host",
            "port",
            unique=True,
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    batch: Mapped[str] = mapped_column(String(32), default="", index=True)
    """What came in one file shares it; empty for one that was entered by itself."""
    row_number: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(255))
    host: Mapped[str] = mapped_column(String(255))
    port: Mapped[int]
    account: Mapped[str] = mapped_column(String(64))
    """The user that we sign in as."""
    host_key: Mapped[str] = mapped_column(Text)
    """What its host key must be, as ``hostkeys.read`` writes it."""
    sign_in: Mapped[str] = mapped_column(String(16), default=SignIn.KEY.value)
    root: Mapped[str] = mapped_column(String(255), default="/")
    """``/``, or a folder on the kiosk that stands for it."""
    service_point_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    """Who looks after it."""
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitation.id", ondelete="SET NULL"))
    state: Mapped[str] = mapped_column(String(16), default=State.WAITING.value)
    step: Mapped[str] = mapped_column(String(16), default=Step.REACH.value)
    """The first step that is not done."""
    changed: Mapped[bool] = mapped_column(default=False)
    """Whether something on the kiosk may have been changed."""
    tries: Mapped[int] = mapped_column(default=0)
    """Failed tries since the last step that was done."""
    problem: Mapped[str] = mapped_column(String(64), default="")
    """A stable word for what went wrong last; empty while nothing did."""
    sentence: Mapped[str] = mapped_column(Text, default="")
    """The same for people, in English, with what the kiosk said."""
    log: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    """What happened, the newest last, at most ``LOG`` of them: ``{"at", "step", "text", "word", "params", "said"}``."""
    created_at: Mapped[Moment]
    created_by: Mapped[str] = mapped_column(String(255))
    due_at: Mapped[Moment]
    claimed_until: Mapped[datetime | None]
    claimed_by: Mapped[str] = mapped_column(String(32), default="")
    finished_at: Mapped[datetime | None]

    @property
    def where(self) -> Where:
        """The place at which rights over it are asked."""
        return Where(service_point_id=self.service_point_id)

    @property
    def address(self) -> str:
        """Where it is, as one word: ``kiosk-7.lan:22``, ``[fd00::7]:2222``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def open(self) -> bool:
        """Whether something is still to be done."""
        return self.state in OPEN


LOG = 80
"""Lines of the log that are kept."""


class KioskTold(Base):
    """That somebody was told of one trouble of one kiosk, so that it is told once."""

    __tablename__ = "kiosk_told"
    __table_args__ = (UniqueConstraint("device_id", "rule"),)

    id: Mapped[Key]
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"))
    rule: Mapped[str] = mapped_column(String(48))
    told_at: Mapped[Moment]


class KioskPicture(Base):
    """A picture of a kiosk's screen, as its agent sent it for one command. Kept for a day."""

    __tablename__ = "kiosk_picture"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), index=True)
    command_id: Mapped[str] = mapped_column(String(32), unique=True)
    asked_by: Mapped[str] = mapped_column(String(255))
    taken_at: Mapped[Moment] = mapped_column(index=True)
    """When it arrived, by our own clock."""
    width: Mapped[int]
    height: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """PNG with nothing in it but the picture."""
