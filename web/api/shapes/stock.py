"""Shelves, levels, transfers, repairs, and what devices cost."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from mdm.core.money import MOST
from mdm.desk.repairs.model import Fault, RepairOutcome, RepairState
from mdm.desk.stock.model import LineState, TransferState
from mdm.inventory.model import DeviceKind, Measure
from web.api.paging import PageQuery, page_model
from web.api.shapes.fields import Id, Line, Uid
from web.api.shapes.imports import ImportQuery
from web.api.strict import Answer, Body, Query

Code = Annotated[str, Field(min_length=1, max_length=512, description="What a scanner reads from a label.")]


class StockLevel(Answer):
    """How many devices are ready at a service point, and how many there must be."""

    service_point_id: int
    kind: DeviceKind
    product: str = Field(description="Maker and model; empty for any of that kind.")
    ready: int
    preparing: int = Field(description="Taken in or wiped, not in stock yet.")
    least: int | None = Field(description="The level that is kept; null for none.")
    low: bool


class StockLevels(Answer):
    """Levels, by service point, kind and product."""

    items: list[StockLevel]


class StockLevelQuery(Query):
    """Which levels."""

    service_point_id: Id | None = Field(
        None, description="Everything that stands there; absent: kept levels everywhere."
    )


class StockLevelNew(Body):
    """So many shall always be ready; 0 keeps no level."""

    service_point_id: Id
    kind: DeviceKind
    product: Line = ""
    least: int = Field(ge=0, le=10_000)


class Shelf(Answer):
    """A shelf at a service point, with the code on its label."""

    id: int
    service_point_id: int
    name: str
    code: str
    note: str
    closed_at: datetime | None


class ShelfNew(Body):
    """A new shelf."""

    service_point_id: Id
    name: Annotated[str, Field(min_length=1, max_length=64)]
    note: Annotated[str, Field(max_length=500)] = ""


class ShelfQuery(PageQuery):
    """Which shelves."""

    service_point_id: Id | None = None


class Shelving(Body):
    """Onto which shelf."""

    shelf_id: Id


class TransferLine(Answer):
    """One device of a transfer."""

    device: str
    label: str
    state: LineState


class Transfer(Answer):
    """Devices on their way from one service point to another."""

    uid: str
    number: str
    from_id: int
    to_id: int
    state: TransferState
    note: str
    created_at: datetime
    created_by: str
    sent_at: datetime | None
    sent_by: str
    received_at: datetime | None
    received_by: str
    received_note: str


class TransferWhole(Transfer):
    """A transfer with its devices."""

    lines: list[TransferLine]


class TransferNew(Body):
    """A new list of devices that go somewhere."""

    service_point_id: Id
    to: Annotated[str, Field(min_length=1, max_length=64, description="Code of the service point that gets them.")]
    note: Annotated[str, Field(max_length=500)] = ""
    codes: list[Code] = Field(default=[], max_length=500)


class Arrival(Body):
    """What arrived."""

    code: Code
    shelf_id: Id | None = None


class Receipt(Body):
    """How receiving ended."""

    note: Annotated[str, Field(max_length=1000)] = ""


class Repair(Answer):
    """One repair of one device."""

    uid: str
    number: str
    device: str
    person_id: int | None = Field(description="Who had the device when it broke.")
    state: RepairState
    outcome: RepairOutcome | Literal[""]
    faults: list[Fault]
    supplier: str
    reference: str
    warranty: bool
    cost_cents: int | None
    currency: str
    due_on: date | None
    note: str
    opened_at: datetime
    opened_by: str
    sent_at: datetime | None
    back_at: datetime | None
    closed_at: datetime | None


class RepairNew(Body):
    """What is wrong with the device."""

    faults: list[Fault] = Field(min_length=1, max_length=11)
    note: Annotated[str, Field(max_length=2000)] = ""
    supplier: Annotated[str, Field(max_length=128)] = ""
    due_on: date | None = None
    warranty: bool | None = Field(None, description="Absent: as the device's own date says.")
    loaner: Uid | None = None


class RepairSending(Body):
    """Who repairs it."""

    supplier: Annotated[str, Field(min_length=1, max_length=128)]
    reference: Annotated[str, Field(max_length=64)] = ""
    due_on: date | None = None
    warranty: bool | None = None


class RepairReturn(Body):
    """It is back."""

    note: Annotated[str, Field(max_length=2000)] = ""


class RepairEnd(Body):
    """How it ended, and what it cost."""

    outcome: RepairOutcome
    cost_cents: Annotated[int, Field(ge=0, le=MOST)] | None = None
    currency: Annotated[str, Field(pattern="^([A-Za-z]{3})?$")] = ""
    warranty: bool | None = None
    replacement: Uid | None = None
    note: Annotated[str, Field(max_length=2000)] = ""


class CostQuery(Query):
    """On which day."""

    on: date | None = Field(None, description="Absent: today.")


class CostLine(Answer):
    """One unit, one measure and one currency; amounts are hundredths."""

    unit_id: int | None
    unit: str
    measure: Measure | Literal[""]
    currency: str
    devices: int
    priced: int = Field(description="Of how many the price is known: the sums are of these alone.")
    cost: int
    worth: int
    repairs: int


class Costs(Answer):
    """What devices cost, per unit that owns them and per employment measure that paid."""

    on: date
    items: list[CostLine]


class SnipeQuery(ImportQuery):
    """How a file of Snipe-IT is read."""

    only_ours: bool = Field(False, description="Leave out assets that are no phone, tablet, laptop or kiosk.")


ShelfPage = page_model(Shelf)
TransferPage = page_model(Transfer)
RepairPage = page_model(Repair)
