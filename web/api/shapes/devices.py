"""Devices: asset record, what they say of themselves, and what was done to them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from mdm.core.money import MOST
from mdm.inventory.model import DeviceKind, LifeCycle, Measure, Ownership, Platform, Verdict
from web.api.paging import PageQuery, page_model
from web.api.shapes.fields import Id, Line, Search, Text
from web.api.strict import Answer, Body, Edit, Query


class Device(Answer):
    """One phone, tablet, laptop or kiosk: the asset record and the managed device are one."""

    uid: str
    tag: str | None
    serial: str | None
    imei: str | None
    name: str
    platform: Platform
    kind: DeviceKind
    manufacturer: str
    model: str
    phone_number: str
    ownership: Ownership
    state: LifeCycle = Field(description="Where it is in its life.")
    ring: str
    service_point_id: int | None
    unit_id: int | None = Field(description="The holder's unit while somebody holds it, else the unit that owns it.")
    owner_unit_id: int | None
    person_id: int | None = Field(description="Who holds it.")
    persona: str
    os_name: str
    os_version: str
    agent_version: str
    enrolled_at: datetime | None
    last_seen_at: datetime | None = Field(
        validation_alias="contact_at",
        description="Its last contact; of a device in somebody's hands the beginning of that day (UTC), see `contact_exact`.",
    )
    last_report_at: datetime | None = Field(
        validation_alias="reported_at", description="Its last report, told as exactly as `last_seen_at`."
    )
    contact_exact: bool = Field(
        description="Whether `last_seen_at` and `last_report_at` are moments, or days: days while somebody holds it."
    )
    verdict: Verdict = Field(
        description="`unknown` also before it is enrolled; the filter `verdict=not_enrolled` finds those alone."
    )
    findings: int
    grace_until: datetime | None
    waiting: int = Field(description="Commands and orders that it still has to fetch or answer.")
    purchased_on: date | None
    warranty_until: date | None
    cost_cents: int | None = Field(description="What was paid for it, in hundredths of `currency`.")
    currency: str
    supplier: str
    order_number: str
    contract: str
    contract_until: date | None
    measure: Measure | Literal[""] = Field(description="The employment measure that paid for it; empty for none.")
    note: str
    created_at: datetime
    version: int = Field(description="Version of the record; the ETag is made of it.")


class DeviceNew(Body):
    """A device to be recorded: platform, kind, and one of tag, serial, IMEI and name."""

    platform: Platform
    kind: DeviceKind
    tag: Line | None = None
    serial: Line | None = None
    imei: Line | None = None
    name: Line = ""
    manufacturer: Line = ""
    model: Line = ""
    phone_number: Line = ""
    ownership: Ownership = Ownership.CITY
    ring: Line = ""
    service_point_id: Id | None = None
    owner_unit_id: Id | None = None
    purchased_on: date | None = None
    warranty_until: date | None = None
    cost_cents: Annotated[int, Field(ge=0, le=MOST)] | None = None
    currency: Annotated[str, Field(pattern="^([A-Za-z]{3})?$")] = ""
    supplier: Line = ""
    order_number: Line = ""
    contract: Line = ""
    contract_until: date | None = None
    measure: Measure | Literal[""] = ""
    note: Text = ""


class DeviceEdit(Edit):
    """What shall change; what is left out stays. State and holder have operations of their own."""

    platform: Platform = Platform.LINUX
    kind: DeviceKind = DeviceKind.LAPTOP
    tag: Line | None = None
    serial: Line | None = None
    imei: Line | None = None
    name: Line = ""
    manufacturer: Line = ""
    model: Line = ""
    phone_number: Line = ""
    ownership: Ownership = Ownership.CITY
    ring: Line = ""
    service_point_id: Id | None = None
    owner_unit_id: Id | None = None
    purchased_on: date | None = None
    warranty_until: date | None = None
    cost_cents: Annotated[int, Field(ge=0, le=MOST)] | None = None
    currency: Annotated[str, Field(pattern="^([A-Za-z]{3})?$")] = ""
    supplier: Line = ""
    order_number: Line = ""
    contract: Line = ""
    contract_until: date | None = None
    measure: Measure | Literal[""] = ""
    note: Text = ""


class HandOut(Body):
    """Who gets the device."""

    person_id: Id
    loan: bool = False
    service_point_id: Id | None = Field(default=None, description="Over the counter of which service point.")


class TakeBack(Body):
    """Where the device is taken in."""

    service_point_id: Id | None = None
    reason: Line = ""


class StateMove(Body):
    """One step along the life of a device."""

    state: LifeCycle
    reason: Line = ""
    person_id: Id | None = Field(default=None, description="Who gets it, for a state that needs a holder.")


class DeviceKey(Query):
    """What somebody reads from a device."""

    key: str = Field(min_length=1, max_length=128, description="Id, serial number, asset tag or IMEI, exactly.")


class FactSection(Answer):
    """What the device last said in one section; a value that it could not find out is null."""

    section: str
    content: dict[str, Any]
    changed_at: datetime


class Facts(Answer):
    """What the device last said, by section."""

    items: list[FactSection]


class FactChange(Answer):
    """One field that changed."""

    id: int
    section: str
    path: str
    before: Any
    after: Any
    at: datetime


class DeviceEvent(Answer):
    """One line of a device's own time line."""

    id: int
    at: datetime
    kind: str
    actor_name: str
    details: dict[str, Any]


class Installed(Answer):
    """One application on one device."""

    application_id: int
    identifier: str
    name: str
    version: str


class InstalledQuery(PageQuery):
    """Filters of the list of installed applications."""

    search: Search = ""


class Application(Answer):
    """An application, and on how many of your devices it is."""

    id: int
    platform: Platform
    identifier: str
    name: str
    devices: int
    versions: int = Field(description="How many different versions there are.")


class ApplicationQuery(PageQuery):
    """Filters of the catalogue of applications."""

    search: Search = ""
    platform: Platform | None = None


class ApplicationVersion(Answer):
    """On how many of your devices one version is."""

    version: str
    devices: int


class ApplicationVersions(Answer):
    """The versions of one application, most frequent first."""

    items: list[ApplicationVersion]


DevicePage = page_model(Device)
FactChangePage = page_model(FactChange)
DeviceEventPage = page_model(DeviceEvent)
InstalledPage = page_model(Installed)
ApplicationPage = page_model(Application)
