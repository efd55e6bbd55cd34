"""The counter: cards of scans, hand-outs, take-ins, swaps and their papers."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from mdm.desk.custody.model import Condition, PaperKind
from mdm.desk.custody.next_step import Do
from mdm.desk.custody.scan import CardKind
from mdm.desk.repairs.model import Fault
from web.api.paging import PageQuery, page_model
from web.api.shapes.fields import Id, Line, Moment, Uid
from web.api.strict import Answer, Body, Query


class ScanQuery(Query):
    """What was scanned, and at which counter."""

    code: str = Field(max_length=512, description="As the scanner gave it: tag, serial, IMEI, ICCID, badge, QR, GS1.")
    service_point_id: Id | None = Field(None, description="The counter; absent: no counter in particular.")


class CardStep(Answer):
    """One thing to do, and why."""

    do: Do
    why: str


class CardChoice(Answer):
    """One of several things that a code may mean."""

    kind: CardKind
    code: str = Field(description="Scan this to get its card.")
    label: str
    detail: str


class KitOut(Answer):
    """One line of a kit that is out."""

    line_id: int
    kind: str
    code: str
    out: int


class LockFinding(Answer):
    """One thing that locks a device to an account, and what to do about it while its holder is here."""

    code: str
    text: str
    todo: str


class AccountLocks(Answer):
    """The account-lock light."""

    colour: Literal["red", "amber", "green"]
    findings: list[LockFinding]


class Card(Answer):
    """What the counter shows for one scan."""

    kind: CardKind
    code: str
    title: str
    detail: str
    state: str
    next: CardStep
    others: list[CardStep]
    warnings: list[str]
    device: str | None = Field(description="Id of the device.")
    person_id: int | None = Field(description="Who has it, or who it is.")
    custody: str | None = Field(description="Id of the open custody.")
    kit: list[KitOut]
    locks: AccountLocks | None
    order_id: str | None = Field(description="The wipe that is under way.")
    held: list[str] = Field(description="Ids of the devices that a person has.")
    choices: list[CardChoice]


class KitGiven(Body):
    """A numbered piece by `code`, or `quantity` of a `kind`."""

    kind: str = Field(default="", max_length=32)
    code: str = Field(default="", max_length=64)
    quantity: int = Field(default=1, ge=1, le=50)


class CounterSignature(Body):
    """How it was signed: one of the three."""

    strokes: list[list[list[int]]] | None = Field(
        default=None, max_length=100, description="Strokes of points [x, y], 0..1000 by 0..400."
    )
    typed: Line = ""
    request: str = Field(default="", max_length=32, description="Id of a signature that was given by a link.")


class HandOutNew(Body):
    """Devices with their kit into one person's hands."""

    person_id: Id
    devices: list[Uid] = Field(min_length=1, max_length=20)
    service_point_id: Id
    kit: list[KitGiven] = Field(default_factory=list, max_length=20)
    loan: bool = False
    due_at: Moment | None = None
    note: str = Field(default="", max_length=500)
    signed: CounterSignature | None = None
    unsigned: Line = Field(default="", description="Why nobody signs; this or `signed` is needed.")
    invite: bool = Field(default=True, description="Whether a device that is not enrolled gets an invitation.")


class KitBack(Body):
    """How many of one line came back."""

    line_id: Id
    returned: int = Field(ge=0, le=50)


class TakeInNew(Body):
    """One device back over the counter. Its wipe is asked for by `POST /orders/hand-in`."""

    device: Uid
    service_point_id: Id
    custody: str = Field(default="", max_length=32, description="The custody that was seen; another one is refused.")
    condition: Condition = Condition.UNSEEN
    note: str = Field(default="", max_length=500)
    kit: list[KitBack] | None = Field(default=None, max_length=50, description="Absent: nobody looked.")
    signed: CounterSignature | None = None
    faults: list[Fault] = Field(default_factory=list, max_length=11, description="Some: a repair is opened.")
    shelf: str = Field(default="", max_length=64, description="Code of the shelf it is put on.")


class SwapNew(Body):
    """A broken device in, another one out, for the same person."""

    broken: Uid
    loaner: Uid
    service_point_id: Id
    condition: Condition = Condition.BROKEN
    note: str = Field(default="", max_length=500)
    kit_back: list[KitBack] | None = Field(default=None, max_length=50)
    kit: list[KitGiven] = Field(default_factory=list, max_length=20)
    loan: bool = True
    due_at: Moment | None = None
    faults: list[Fault] = Field(default_factory=list, max_length=11)
    signed: CounterSignature | None = None
    unsigned: Line = ""
    invite: bool = True


class Paper(Answer):
    """A numbered hand-over paper."""

    uid: str
    number: str
    kind: PaperKind
    at: datetime
    clerk: str
    service_point_id: int
    person_id: int | None
    person_name: str
    content: dict[str, Any] = Field(description="What stands on it, as it was.")
    mailed_at: datetime | None


class DeviceInvited(Answer):
    """An invitation that was made for a device; its address is shown this once."""

    device: str
    uid: str
    url: str


class HandedOver(Answer):
    """What came of it. `again`: it had been done already, and nothing was done now."""

    paper: Paper | None
    custodies: list[str]
    invited: list[DeviceInvited]
    again: bool


class Custody(Answer):
    """One device with one person, from a moment until a moment."""

    uid: str
    device: str
    person_id: int
    person_name: str
    service_point_id: int | None
    from_at: datetime
    to_at: datetime | None
    loan: bool
    due_at: datetime | None
    out_by: str
    in_by: str
    condition: str
    condition_note: str
    light: str


class PaperQuery(PageQuery):
    """Filters of the list of papers."""

    person_id: Id | None = None
    service_point_id: Id | None = None


class MissingKit(Answer):
    """Kit that did not come back."""

    kind: str
    code: str
    out: int


class Outstanding(Answer):
    """All that one person still has."""

    all_back: bool
    devices: list[str]
    missing: list[MissingKit]
    pieces: list[str] = Field(description="Codes of numbered pieces in the person's name.")


PaperPage = page_model(Paper, "PaperPage")
CustodyPage = page_model(Custody, "CustodyPage")
