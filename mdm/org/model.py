"""Units and service points."""

from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment


class Unit(Base):
    """A business unit, department or group. Where it hangs in the tree is in ``UnitParent``, with dates."""

    __tablename__ = "unit"

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    lead_email: Mapped[str] = mapped_column(String(255), default="")
    """Who leads it, by e-mail address; empty: nobody is recorded, and the lead of the unit above is asked."""
    closed_on: Mapped[date | None]
    created_at: Mapped[Moment]


class UnitParent(Base):
    """From this date on the unit hangs below ``parent_id``; None: it is a root. The latest date that has come counts."""

    __tablename__ = "unit_parent"
    __table_args__ = (UniqueConstraint("unit_id", "from_date"),)

    id: Mapped[Key]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id", ondelete="CASCADE"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    from_date: Mapped[date]


class ServicePoint(Base):
    """A central service point: a desk with stock, or a place where devices stand."""

    __tablename__ = "service_point"

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(Text, default="")
    opening_hours: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Weekday ("mon" … "sun") to a list of ["09:00", "17:00"] pairs; a missing day is closed."""
    phone: Mapped[str] = mapped_column(String(64), default="")
    email: Mapped[str] = mapped_column(String(255), default="")
    closed_on: Mapped[date | None]
    created_at: Mapped[Moment]
