"""The tie with Apple's list of our devices, and what stands on that list. Loaded with the room's other tables."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Key, Moment, UTCDateTime


class AppleTie(Base):
    """One server entry at Apple's business portal: our key for its token, the token, and how far its list was read."""

    __tablename__ = "apple_tie"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    certificate: Mapped[str] = mapped_column(Text)
    """What is uploaded at Apple's portal: the token is sealed for it."""
    key: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed."""
    token: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed; None until it was brought in."""
    token_ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    profile: Mapped[str] = mapped_column(String(64), default="")
    """Apple's number of our enrollment profile; empty until it was defined."""
    cursor: Mapped[str] = mapped_column(String(1000), default="")
    synced_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    problem: Mapped[str] = mapped_column(Text, default="")
    """What an administrator must do at Apple's portal before it goes on; empty while all is well."""
    least_version: Mapped[str] = mapped_column(String(32), default="")
    """The system that a phone must have before it is enrolled; an older one updates itself first. Empty: any."""
    warned: Mapped[int | None]
    """Of which step before the end of its token people were told last, in days; None: of none yet."""
    created_at: Mapped[Moment]


class AppleAssigned(Base):
    """A device that Apple lists as ours."""

    __tablename__ = "apple_assigned"

    serial: Mapped[str] = mapped_column(String(128), primary_key=True)
    tie_id: Mapped[int] = mapped_column(ForeignKey("apple_tie.id", ondelete="CASCADE"), index=True)
    model: Mapped[str] = mapped_column(String(255), default="")
    description: Mapped[str] = mapped_column(String(255), default="")
    profile: Mapped[str] = mapped_column(String(64), default="")
    """The profile that Apple gives it when it is set up; empty: none."""
    problem: Mapped[str] = mapped_column(String(64), default="")
    """Apple's word for why it does not give our profile to this device; empty while nothing is wrong."""
    listed: Mapped[bool] = mapped_column(default=True)
    """Whether Apple lists it still."""
    changed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When Apple says that this became so: an older word about it changes nothing."""
