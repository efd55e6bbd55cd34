"""Who has what, what went with it, what was signed for it, and the paper that says so."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.core.permissions import Where
from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class PaperKind(StrEnum):
    """What a hand-over paper is about."""

    BOX = "box"
    """Many devices taken back in one run; nobody signs."""
    HAND_OUT = "hand_out"
    SWAP = "swap"
    TAKE_IN = "take_in"


class Condition(StrEnum):
    """How a device looks when it comes back, from best to worst."""

    GOOD = "good"
    WORN = "worn"
    DAMAGED = "damaged"
    BROKEN = "broken"
    UNSEEN = "unseen"
    """Nobody has looked yet: a box of many."""


class PieceState(StrEnum):
    """Where a piece of a kit is that has a number of its own."""

    IN_STOCK = "in_stock"
    HANDED_OUT = "handed_out"
    MISSING = "missing"
    RETIRED = "retired"


class SignedHow(StrEnum):
    """How somebody signed."""

    CLERK_SCREEN = "clerk_screen"
    OWN_PHONE = "own_phone"
    TYPED = "typed"
    """By typing their name: for people who cannot draw, and for devices without a pointer."""


class BoxOutcome(StrEnum):
    """What came of one scan into a box."""

    TAKEN = "taken"
    ERROR = "error"
    UNDONE = "undone"


class KitKind(Base):
    """A kind of thing that goes with a device: SIM, charger, case. ``numbered``: each piece has a code of its own."""

    __tablename__ = "kit_kind"

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(String(32), unique=True)
    names: Mapped[dict[str, Any]] = mapped_column(Json)
    """Language to name; ``en`` is always there."""
    numbered: Mapped[bool] = mapped_column(default=False)
    returned: Mapped[bool] = mapped_column(default=True)
    """Whether it must come back."""
    position: Mapped[int] = mapped_column(default=0)
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[Moment]


class KitPiece(Base):
    """One piece with a code of its own: a SIM by its ICCID, a charger by its bar code."""

    __tablename__ = "kit_piece"

    id: Mapped[Key]
    kind_id: Mapped[int] = mapped_column(ForeignKey("kit_kind.id"), index=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    phone_number: Mapped[str] = mapped_column(String(32), default="")
    state: Mapped[str] = mapped_column(String(16), default=PieceState.IN_STOCK.value)
    service_point_id: Mapped[int | None] = mapped_column(ForeignKey("service_point.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    """The holder's unit while somebody holds it."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Moment]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    @property
    def where(self) -> Where:
        """The place at which rights over this piece are asked."""
        return Where(self.service_point_id, self.unit_id)


class Terms(Base):
    """One version of what a person agrees to, in one language. What was signed once never changes: saving makes a new row."""

    __tablename__ = "desk_terms"
    __table_args__ = (UniqueConstraint("language", "version"),)

    id: Mapped[Key]
    language: Mapped[str] = mapped_column(String(8))
    version: Mapped[int]
    title: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of title and text, hexadecimal: what a signature names."""
    created_by: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[Moment]


class Paper(Base):
    """A numbered hand-over paper: what changed hands, between whom, on which terms, and who signed it."""

    __tablename__ = "desk_paper"
    __table_args__ = (Index("ix_desk_paper_place", "service_point_id", "id"),)

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    number: Mapped[str] = mapped_column(String(96), unique=True)
    """``WERKHAVEN-2026-00017``: counted per service point and year, without gaps."""
    kind: Mapped[str] = mapped_column(String(16))
    key: Mapped[str | None] = mapped_column(String(128), unique=True)
    """What the page or program called this act: the same key again gives this paper again, and nothing is done twice."""
    service_point_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    person_name: Mapped[str] = mapped_column(String(255), default="")
    language: Mapped[str] = mapped_column(String(8), default="nl")
    clerk: Mapped[str] = mapped_column(String(255))
    at: Mapped[Moment]
    terms_id: Mapped[int | None] = mapped_column(ForeignKey("desk_terms.id"))
    signature_id: Mapped[int | None] = mapped_column(ForeignKey("desk_signature.id"))
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    """What stands on it, as it was: ``devices``, ``kit``, ``note``. Names that change later do not change it."""
    mailed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def where(self) -> Where:
        """The place at which rights over this paper are asked."""
        return Where(self.service_point_id, self.unit_id)


class PaperCounter(Base):
    """The last number of the papers of one service point in one year."""

    __tablename__ = "desk_paper_counter"

    service_point_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)


class Signature(Base):
    """What somebody is asked to sign, and their signature once it is there. The link signs once."""

    __tablename__ = "desk_signature"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    service_point_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    """The name of who signs, as it was when they were asked."""
    language: Mapped[str] = mapped_column(String(8), default="nl")
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    """What is shown to who signs, word for word."""
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the canonical JSON of ``content``: a paper takes this signature for exactly that, and for nothing else."""
    asked_by: Mapped[str] = mapped_column(String(255))
    asked_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    link_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Digest of the secret in the link; None where it is signed at the clerk's screen, or was withdrawn."""
    opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    signed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    how: Mapped[str] = mapped_column(String(16), default="")
    strokes: Mapped[list[Any]] = mapped_column(Json, default=list)
    """As ``mdm/desk/paper/strokes.py`` keeps them; empty for a typed name."""
    typed: Mapped[str] = mapped_column(String(255), default="")
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When a paper took it; a signature is for one paper."""

    @property
    def where(self) -> Where:
        """The place at which rights over this signature are asked."""
        return Where(self.service_point_id, self.unit_id)


class Custody(Base):
    """One device with one person, from a moment until a moment. A device has one open custody at the most.

    While it is open, its person is the device's holder. The database holds the first, this room's verbs and the topic
    ``device.holder`` the second.
    """

    __tablename__ = "custody"
    __table_args__ = (
        Index(
            "uq_custody_open",
            "device_id",
            unique=True,
            postgresql_where=text("to_at IS NULL"),
            sqlite_where=text("to_at IS NULL"),
        ),
        Index("ix_custody_person", "person_id", "to_at"),
        Index("ix_custody_due", "due_at", "id"),
    )

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    person_name: Mapped[str] = mapped_column(String(255))
    service_point_id: Mapped[int | None] = mapped_column(ForeignKey("service_point.id"), index=True)
    """Where it was handed out."""
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    from_at: Mapped[Moment]
    to_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    loan: Mapped[bool] = mapped_column(default=False)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    out_by: Mapped[str] = mapped_column(String(255), default="")
    in_by: Mapped[str] = mapped_column(String(255), default="")
    out_paper_id: Mapped[int | None] = mapped_column(ForeignKey("desk_paper.id"))
    """None: nobody handed it out over a counter; it was enrolled, imported or recorded so."""
    in_paper_id: Mapped[int | None] = mapped_column(ForeignKey("desk_paper.id"))
    back_at_id: Mapped[int | None] = mapped_column(ForeignKey("service_point.id"))
    """Where it was taken back."""
    condition: Mapped[str] = mapped_column(String(16), default="")
    condition_note: Mapped[str] = mapped_column(Text, default="")
    instead_of_id: Mapped[int | None] = mapped_column(ForeignKey("custody.id"))
    """The custody that this one replaces, for a swap."""
    stood_in: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """What the device got so that its settings follow those of the one it stands in for: ``groups`` and the former ``ring``."""
    light: Mapped[str] = mapped_column(String(8), default="")
    """What the account-lock light showed when it came back: red, amber, green."""
    locks: Mapped[list[str]] = mapped_column(Json, default=list)
    """The locks that were found, by their codes in ``locks.py``."""

    @property
    def where(self) -> Where:
        """The place at which rights over this custody are asked."""
        return Where(self.service_point_id, self.unit_id)


class KitLine(Base):
    """What went with a device: a numbered piece, or so many of a kind; and how many of them came back."""

    __tablename__ = "custody_kit"

    id: Mapped[Key]
    custody_id: Mapped[int] = mapped_column(ForeignKey("custody.id", ondelete="CASCADE"), index=True)
    kind_id: Mapped[int] = mapped_column(ForeignKey("kit_kind.id"))
    piece_id: Mapped[int | None] = mapped_column(ForeignKey("kit_piece.id"), index=True)
    quantity: Mapped[int] = mapped_column(default=1)
    returned: Mapped[int] = mapped_column(default=0)
    returned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    missing: Mapped[int] = mapped_column(default=0)
    """How many were noted as not there when the device came back."""


class Photo(Base):
    """A picture of a device at the counter: re-encoded without what the camera wrote into it, sealed on the disk."""

    __tablename__ = "desk_photo"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the picture as it is kept, before it is sealed."""
    size: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    service_point_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="SET NULL"), index=True)
    custody_id: Mapped[int | None] = mapped_column(ForeignKey("custody.id", ondelete="SET NULL"), index=True)
    """None until a paper takes it: pictures that nothing took are forgotten after a day."""
    taken_by: Mapped[str] = mapped_column(String(255))
    taken_at: Mapped[Moment] = mapped_column(index=True)

    @property
    def where(self) -> Where:
        """The place at which rights over this picture are asked."""
        return Where(self.service_point_id, self.unit_id)


class BoxRun(Base):
    """One box of devices that come back: scan, scan, scan, finish."""

    __tablename__ = "box_run"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    service_point_id: Mapped[int] = mapped_column(ForeignKey("service_point.id"), index=True)
    started_by: Mapped[str] = mapped_column(String(255))
    started_by_id: Mapped[int | None]
    """Row id of the operator; None for a program or the command line."""
    started_at: Mapped[Moment]
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    paper_id: Mapped[int | None] = mapped_column(ForeignKey("desk_paper.id"))
    last: Mapped[int] = mapped_column(default=0)
    """Number of the last line."""

    @property
    def where(self) -> Where:
        """The place at which rights over this run are asked."""
        return Where(self.service_point_id)


class BoxLine(Base):
    """One scan of a box run. A line is never deleted: an error stays, and what was undone says so."""

    __tablename__ = "box_line"
    __table_args__ = (UniqueConstraint("run_id", "number"), UniqueConstraint("run_id", "key"))

    id: Mapped[Key]
    run_id: Mapped[int] = mapped_column(ForeignKey("box_run.id", ondelete="CASCADE"))
    number: Mapped[int]
    key: Mapped[str | None] = mapped_column(String(128))
    code: Mapped[str] = mapped_column(String(255))
    outcome: Mapped[str] = mapped_column(String(8))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="SET NULL"))
    label: Mapped[str] = mapped_column(String(255), default="")
    holder: Mapped[str] = mapped_column(String(255), default="")
    """Who had it until this scan."""
    custody_id: Mapped[int | None] = mapped_column(ForeignKey("custody.id", ondelete="SET NULL"))
    message: Mapped[str] = mapped_column(Text, default="")
    """English sentence of an error, for the catalogues."""
    params: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    before: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """What the device's row said before, for undoing."""
    at: Mapped[Moment]
