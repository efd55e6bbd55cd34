"""The diary's table."""

from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment


class AuditEntry(Base):
    """One line of the diary. ``hash`` covers the line and ``previous``, the hash of the line before it.

    Of the line's text (who, from where, about whom, details) it covers a digest with a salt and not the text itself, so that
    somebody's name can be taken out for good without breaking the chain: see ``erasing.py``.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_subject", "subject_kind", "subject_id"),
        Index("ix_audit_entry_actor", "actor_kind", "actor_id"),
    )

    id: Mapped[Key]
    at: Mapped[Moment] = mapped_column(index=True)
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(String(255))
    address: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64), index=True)
    subject_kind: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(String(64))
    subject_name: Mapped[str] = mapped_column(Text, default="")
    service_point_id: Mapped[int | None] = mapped_column(index=True)
    unit_id: Mapped[int | None] = mapped_column(index=True)
    details: Mapped[dict[str, Any]] = mapped_column(Json)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    salt: Mapped[str | None] = mapped_column(String(32))
    """128 random bits in hexadecimal; None once text was taken out: nobody can try out any more what stood there."""
    text_digest: Mapped[str | None] = mapped_column(String(64))
    """What the hash covers of the text; None in lines of the first version, whose hash covers the text itself."""


class AuditHead(Base):
    """The signer's word that line ``number`` had this hash. The signer keeps the same in its own ledger."""

    __tablename__ = "audit_head"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[Moment]
    signature: Mapped[str] = mapped_column(String(128))


class DiaryClosure(Base):
    """One row while the diary is not what was witnessed: privileged acts are refused until it is again, or explained."""

    __tablename__ = "diary_closure"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[Moment]
    witnessed: Mapped[int]
    """The line that somebody outside this database saw."""
    witnessed_at: Mapped[Moment]
    lines: Mapped[int]
    """Lines that the diary has instead; as many or more when that line is another one."""
