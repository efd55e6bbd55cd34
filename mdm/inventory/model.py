"""Devices, what they say of themselves, and their applications."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    and_,
    case,
    func,
    literal_column,
    or_,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from mdm.core.permissions import Where
from mdm.inventory import contact
from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class Platform(StrEnum):
    """Platforms with an interpreter, now or soon."""

    ANDROID = "android"
    IOS = "ios"
    LINUX = "linux"


class DeviceKind(StrEnum):
    """What a person would call it."""

    KIOSK = contact.KIOSK
    LAPTOP = "laptop"
    PHONE = "phone"
    TABLET = "tablet"


class Ownership(StrEnum):
    """Whose it is. A private device is never wiped in full."""

    CITY = "city"
    LOAN_POOL = "loan_pool"
    PRIVATE = "private"


class LifeCycle(StrEnum):
    """Where a device is in its life. ``MOVES`` in ``lifecycle.py`` says what may follow what."""

    HANDED_OUT = "handed_out"
    IN_REPAIR = "in_repair"
    IN_STOCK = "in_stock"
    LOST = "lost"
    ON_LOAN = "on_loan"
    RETIRED = "retired"
    RETURNED = "returned"
    WIPED = "wiped"


class Measure(StrEnum):
    """The employment measures by which a purchase can be paid."""

    ARTICLE_60 = "article_60"
    BIS = "bis"
    IBO = "ibo"
    LDE = "lde"
    OAO = "oao"
    SINE = "sine"
    WES = "wes"
    WIJKWERKEN = "wijkwerken"


class Verdict(StrEnum):
    """What compliance says of a device as a whole. Unknown is not compliant."""

    COMPLIANT = "compliant"
    IN_GRACE = "in_grace"
    NONCOMPLIANT = "noncompliant"
    UNKNOWN = "unknown"


NOT_ENROLLED = "not_enrolled"
"""Stands where a list shows verdicts, for a device that was never enrolled."""


class Device(Base):
    """One phone, tablet, laptop or kiosk: the asset record and the managed device are this same row."""

    __tablename__ = "device"
    __table_args__ = (
        Index("ix_device_place", "service_point_id", "state", "verdict", "name", "id"),
        Index("ix_device_seen", "last_seen_at", "id"),
    )

    id: Mapped[Key]
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    """Our public id: in addresses, in the API, and the common name of the certificate."""
    tag: Mapped[str | None] = mapped_column(String(64), unique=True)
    serial: Mapped[str | None] = mapped_column(String(128), unique=True)
    imei: Mapped[str | None] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(255), default="", index=True)
    platform: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    manufacturer: Mapped[str] = mapped_column(String(128), default="")
    model: Mapped[str] = mapped_column(String(128), default="")
    phone_number: Mapped[str] = mapped_column(String(32), default="")
    ownership: Mapped[str] = mapped_column(String(16), default=Ownership.CITY.value)
    state: Mapped[str] = mapped_column(String(16), default=LifeCycle.IN_STOCK.value, index=True)
    ring: Mapped[str] = mapped_column(String(32), default="")
    service_point_id: Mapped[int | None] = mapped_column(ForeignKey("service_point.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    """The holder's unit while somebody holds it, else the unit that owns it."""
    owner_unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    """The unit that owns it: what ``unit_id`` goes back to when nobody holds it any more."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    persona: Mapped[str] = mapped_column(String(16), default="")
    """The holder's persona, kept here because assignments choose by it; empty while nobody holds it."""
    holder_search: Mapped[str] = mapped_column(Text, default="")
    """The holder's name, number and e-mail address as they are searched; empty while nobody holds it."""

    os_name: Mapped[str] = mapped_column(String(64), default="")
    os_version: Mapped[str] = mapped_column(String(64), default="")
    agent_version: Mapped[str] = mapped_column(String(32), default="")
    enrolled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    key_digest: Mapped[str] = mapped_column(String(64), default="")
    """SHA-256 of the public key by which it identifies itself: what an order is bound to. Kept by enrollment."""
    last_seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_report_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    report_digest: Mapped[str] = mapped_column(String(16), default="-")
    """What ``r`` of a check-in must be for the device to have nothing new to tell."""
    last_report_id: Mapped[str | None] = mapped_column(String(64))
    recent_reports: Mapped[list[str]] = mapped_column(Json, default=list, deferred=True)
    """Ids of the last reports that were taken, newest first: one that comes again, late or twice, changes nothing."""
    applied_digest: Mapped[str] = mapped_column(String(16), default="-")
    """Digest of the desired state that the device last said it applied in full."""
    app_set_id: Mapped[int | None] = mapped_column(ForeignKey("app_set.id"))
    cohort_id: Mapped[int | None] = mapped_column(ForeignKey("cohort.id"), index=True)
    waiting: Mapped[int] = mapped_column(default=0)
    """How many commands the device still has to fetch or answer: the hot path reads this, not the queue."""
    renew_asked: Mapped[bool] = mapped_column(default=False)
    verdict: Mapped[str] = mapped_column(String(16), default=Verdict.UNKNOWN.value, index=True)
    findings: Mapped[int] = mapped_column(default=0)
    grace_until: Mapped[datetime | None] = mapped_column(UTCDateTime)

    shelf_id: Mapped[int | None] = mapped_column(index=True)
    """The shelf on which it stands at its service point; None as soon as it leaves it. Kept by ``desk.stock``, whose
    shelves are closed and never deleted; no foreign key, because a lower room knows no table of an upper one."""
    purchased_on: Mapped[date | None]
    warranty_until: Mapped[date | None]
    cost_cents: Mapped[int | None]
    """What was paid for it, in hundredths of ``currency``; None where nobody knows."""
    currency: Mapped[str] = mapped_column(String(3), default="")
    supplier: Mapped[str] = mapped_column(String(128), default="")
    order_number: Mapped[str] = mapped_column(String(64), default="")
    contract: Mapped[str] = mapped_column(String(128), default="")
    """The framework or maintenance contract that it was bought under."""
    contract_until: Mapped[date | None]
    measure: Mapped[str] = mapped_column(String(16), default="", index=True)
    """The employment measure that paid for it (``Measure``). Of the purchase and not of the person: the subsidy is
    accounted for by what was bought, whoever holds it later, and how somebody is employed is none of a counter's business."""
    custom: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, deferred=True)
    """Fields that only another asset system knows, by their names there: kept so that they can go back."""
    note: Mapped[str] = mapped_column(Text, default="")
    search: Mapped[str] = mapped_column(Text, default="")
    """Everything a person may look for, as ``text.fold`` writes it: name, tag, serial, IMEI, number, holder."""
    created_at: Mapped[Moment]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    @hybrid_property
    def contact_exact(self) -> bool:
        """Whether people are told the moment of its last contact, or the day alone: see ``contact``."""
        return contact.is_exact(self.person_id, self.state, self.kind)

    @contact_exact.inplace.expression
    @classmethod
    def _contact_exact(cls) -> ColumnElement[bool]:
        return or_(cls.person_id.is_(None), cls.state.not_in(contact.IN_HAND), cls.kind == contact.KIOSK)

    @hybrid_property
    def contact_at(self) -> datetime | None:
        """Its last contact as people are told it."""
        return contact.told(self.last_seen_at, exact=self.contact_exact)

    @contact_at.inplace.expression
    @classmethod
    def _contact_at(cls) -> ColumnElement[datetime | None]:
        return case((cls.contact_exact, cls.last_seen_at), else_=contact.DayOf(cls.last_seen_at))

    @hybrid_property
    def reported_at(self) -> datetime | None:
        """Its last report as people are told it."""
        return contact.told(self.last_report_at, exact=self.contact_exact)

    @reported_at.inplace.expression
    @classmethod
    def _reported_at(cls) -> ColumnElement[datetime | None]:
        return case((cls.contact_exact, cls.last_report_at), else_=contact.DayOf(cls.last_report_at))

    @property
    def where(self) -> Where:
        """The place at which rights over this device are asked."""
        return Where(self.service_point_id, self.unit_id)

    @property
    def label(self) -> str:
        """What a person knows it by: its name, else its tag, its serial, its id."""
        return self.name or self.tag or self.serial or self.uid[:8]

    @hybrid_property
    def product(self) -> str:
        """Manufacturer and model as people say them: once, where the model begins with its maker already."""
        maker, model = self.manufacturer, self.model
        if not maker or f"{model} ".lower().startswith(f"{maker} ".lower()):
            return model
        return f"{maker} {model}".rstrip()

    @product.inplace.expression
    @classmethod
    def _product(cls) -> ColumnElement[str]:
        begins = func.lower(func.substr(cls.model + " ", 1, func.length(cls.manufacturer) + 1))
        two_words = and_(cls.manufacturer != "", begins != func.lower(cls.manufacturer + " "))
        return case((two_words, func.rtrim(cls.manufacturer + " " + cls.model)), else_=cls.model)

    @hybrid_property
    def standing(self) -> str:
        """The verdict, or ``not_enrolled``: a device that nobody can judge has none."""
        return self.verdict if self.enrolled_at is not None else NOT_ENROLLED

    @standing.inplace.expression
    @classmethod
    def _standing(cls) -> ColumnElement[str]:
        # Written out and no parameter: PostgreSQL must see that it groups by the same words that it selects.
        return case((cls.enrolled_at.is_(None), literal_column(f"'{NOT_ENROLLED}'")), else_=cls.verdict)


class DeviceGroup(Base):
    """A named set of devices, chosen by hand; one of the things an assignment can include or exclude."""

    __tablename__ = "device_group"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(128), unique=True)
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Moment]


class DeviceGroupMember(Base):
    """One device in one group."""

    __tablename__ = "device_group_member"

    group_id: Mapped[int] = mapped_column(ForeignKey("device_group.id", ondelete="CASCADE"), primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), primary_key=True, index=True)


class FactSection(Base):
    """The last thing a device said in one section of its report."""

    __tablename__ = "fact_section"

    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), primary_key=True)
    section: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[str] = mapped_column(String(16))
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    changed_at: Mapped[Moment]


class FactChange(Base):
    """What changed in a section, and when: ``path`` is the field, ``before`` and ``after`` its values."""

    __tablename__ = "fact_change"
    __table_args__ = (Index("ix_fact_change_device", "device_id", "id"),)

    id: Mapped[Key]
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"))
    section: Mapped[str] = mapped_column(String(32))
    path: Mapped[str] = mapped_column(String(128))
    before: Mapped[Any] = mapped_column(Json, nullable=True)
    after: Mapped[Any] = mapped_column(Json, nullable=True)
    at: Mapped[Moment] = mapped_column(index=True)


class DeviceEvent(Base):
    """One line of a device's own time line that is no operator's act: enrolled, moved, handed out, answered."""

    __tablename__ = "device_event"
    __table_args__ = (Index("ix_device_event_device", "device_id", "id"),)

    id: Mapped[Key]
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"))
    at: Mapped[Moment] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(48))
    actor_name: Mapped[str] = mapped_column(String(255), default="")
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class Application(Base):
    """An application that some device has: its identifier on its platform, and the name people know."""

    __tablename__ = "application"
    __table_args__ = (UniqueConstraint("platform", "identifier"),)

    id: Mapped[Key]
    platform: Mapped[str] = mapped_column(String(16))
    identifier: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255), default="")


class AppSet(Base):
    """One distinct set of installed applications with versions; devices with the same set share this row."""

    __tablename__ = "app_set"

    id: Mapped[Key]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    size: Mapped[int]


class AppSetItem(Base):
    """One application in a set, with its version."""

    __tablename__ = "app_set_item"

    app_set_id: Mapped[int] = mapped_column(ForeignKey("app_set.id", ondelete="CASCADE"), primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"), primary_key=True, index=True)
    version: Mapped[str] = mapped_column(String(128), default="")
