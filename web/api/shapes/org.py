"""Units and service points."""

from datetime import date, datetime

from pydantic import Field

from web.api.paging import PageQuery, page_model
from web.api.shapes.fields import Id, Line, Search, Text
from web.api.strict import Answer, Body, Edit, Query

Hours = dict[str, list[list[str]]]
HOURS = 'Weekday ("mon" … "sun") to spans like ["09:00", "17:00"]; a missing day is closed.'


class Unit(Answer):
    """A business unit, department or group, and where it hangs today."""

    id: int
    code: str
    name: str
    parent_id: int | None
    depth: int = Field(description="How many units stand above it; 0 for a root.")
    lead_email: str = Field(description="Who leads it; empty where nobody is recorded.")
    closed_on: date | None
    created_at: datetime


class UnitPlace(Answer):
    """From this date on the unit hangs below this parent; without a parent it is a root."""

    parent_id: int | None
    from_date: date


class UnitHistory(Answer):
    """Where a unit hung, hangs and will hang, oldest first."""

    items: list[UnitPlace]


class MoveEffect(Answer):
    """What a move does: which units come along, and the path (the unit, then its ancestors) before and after."""

    units: list[int]
    before: list[int]
    after: list[int]
    from_date: date
    changes: bool


class MovePreview(MoveEffect):
    """What a move would do, with what comes along as far as you may see it."""

    people: int = Field(description="People of the units that come along.")
    devices: int = Field(description="Devices of the units that come along.")
    policies: list[str] = Field(description="Names of policies that begin or cease to reach them.")


class ServicePoint(Answer):
    """A desk with stock, or a place where devices stand."""

    id: int
    code: str
    name: str
    address: str
    opening_hours: Hours = Field(description=HOURS)
    phone: str
    email: str
    closed_on: date | None
    created_at: datetime


class UnitQuery(PageQuery):
    """Filters of the list of units."""

    search: Search = ""
    closed: bool = Field(False, description="Closed ones as well.")
    on: date | None = Field(None, description="The tree as it is on this date; today when absent.")


class PlaceQuery(PageQuery):
    """Filters of the list of service points."""

    search: Search = ""
    closed: bool = Field(False, description="Closed ones as well.")


class UnitNew(Body):
    """A new unit."""

    code: Line
    name: Line
    parent_id: Id | None = None
    from_date: date | None = Field(None, description="From when it hangs there; today when absent.")


class UnitEdit(Edit):
    """What shall change; what is left out stays."""

    code: Line = ""
    name: Line = ""
    lead_email: str = Field("", max_length=255, description="Empty takes the lead away.")


class UnitMove(Body):
    """Where the unit shall hang, and from when."""

    parent_id: Id | None
    from_date: date


class MoveQuery(Query):
    """Which planned move."""

    from_date: date


class ClosingDate(Body):
    """From which date on; today when absent."""

    on: date | None = None


class ServicePointNew(Body):
    """A new service point."""

    code: Line
    name: Line
    address: Text = ""
    opening_hours: Hours = Field({}, description=HOURS)
    phone: Line = ""
    email: Line = ""


class ServicePointEdit(Edit):
    """What shall change; what is left out stays."""

    code: Line = ""
    name: Line = ""
    address: Text = ""
    opening_hours: Hours = Field({}, description=HOURS)
    phone: Line = ""
    email: Line = ""


UnitPage = page_model(Unit)
ServicePointPage = page_model(ServicePoint)
