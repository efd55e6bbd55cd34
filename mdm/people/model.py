"""Employees, and by what somebody is recognised whose record was erased."""

from datetime import date
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mdm.core.permissions import Where
from mdm.storage.base import Base, Key, Moment


class Persona(StrEnum):
    """The three personas of the programme, each with its own set of applications."""

    CITY = "city"
    """Employee of the city: payslip, time registration, intranet, flexible work, reachability."""
    UNIT = "unit"
    """Employee inside a business unit: route planner, inspection, look-ups, panic button."""
    CITIZEN = "citizen"
    """Employee as citizen: reports, certificates, information."""


LANGUAGES = ("nl", "fr", "en", "tr", "ar", "ro")


class Person(Base):
    """One employee. ``number`` is the personnel number, ``badge`` what stands on the badge that a desk scans, ``email`` how an
    invitation finds the person."""

    __tablename__ = "person"

    id: Mapped[Key]
    number: Mapped[str | None] = mapped_column(String(64), unique=True)
    badge: Mapped[str | None] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(255), index=True)
    email: Mapped[str | None] = mapped_column(String(255), unique=True)
    phone: Mapped[str] = mapped_column(String(64), default="")
    language: Mapped[str] = mapped_column(String(8), default="nl")
    persona: Mapped[str] = mapped_column(String(16), default=Persona.CITY.value)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    service_point_id: Mapped[int | None] = mapped_column(ForeignKey("service_point.id"), index=True)
    left_on: Mapped[date | None]
    search: Mapped[str] = mapped_column(Text, default="")
    """Name, number, address and telephone number, folded: what ``queries`` search in."""
    created_at: Mapped[Moment]

    @property
    def where(self) -> Where:
        """The place at which rights over this person are asked."""
        return Where(self.service_point_id, self.unit_id)


class ErasedMark(Base):
    """A keyed digest of the personnel number or the address of somebody whose record was erased: it names nobody, and leads to
    no row of theirs. It is forgotten after the time that the map of privacy says, and when they get a new record."""

    __tablename__ = "person_erased"

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), index=True)
    """The same for the marks of one person, drawn by lot."""
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    erased_at: Mapped[Moment] = mapped_column(index=True)
    why: Mapped[str] = mapped_column(String(16))
