"""Files from elsewhere that were checked and wait for somebody to say: take them."""

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Key, Moment


class ExchangeFile(Base):
    """One file between its check and its import. Whoever brought it decides; after a day it is forgotten."""

    __tablename__ = "desk_exchange_file"
    __table_args__ = (Index("ix_desk_exchange_file_created", "created_at"),)

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    speaker: Mapped[str] = mapped_column(String(64))
    """Who brought it, as ``idempotency.speaker`` names them: nobody else can see it or take it."""
    kind: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(128), default="")
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """Sealed: it names people."""
    created_at: Mapped[Moment]
