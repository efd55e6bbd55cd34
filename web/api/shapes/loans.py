"""Loans: places that lend, reservations, what is overdue."""

from datetime import datetime

from pydantic import Field

from mdm.desk.loans import model
from mdm.inventory.model import DeviceKind
from web.api.paging import PageQuery, page_model
from web.api.shapes.fields import Id, Line, Moment, Text, Uid
from web.api.strict import Answer, Body, Edit


class PoolKind(Answer):
    """One kind of device in a pool, as it stands now."""

    kind: str
    devices: int
    ready: int
    out: int
    aside: int = Field(description="In repair, lost, or returned and not ready yet.")
    waiting: int


class LoanPlace(Answer):
    """A service point that lends: its rules, and what is free there now."""

    service_point_id: int
    name: str
    code: str
    flex: bool
    at_most: int | None = Field(description="Loans at a time; null: as many as there are devices.")
    zone: str = Field(description="Time zone of its opening hours.")
    prepare_days: int
    no_show_hours: int
    longest_days: int
    remind_hours: int
    lead_days: int
    lock_days: int
    keeper_email: str
    closed_at: datetime | None
    free: int = Field(description="How many more could be lent this minute.")
    in_use: int
    waiting: int
    overdue: int
    kinds: list[PoolKind]


class Rules(Edit):
    """The rules of a place; what is left out stays, or has its default for a new one."""

    flex: bool = Field(default=False, description="A flexible work place: two at a time where nothing else is said.")
    at_most: int | None = Field(default=None, ge=1, le=500, description="Loans at a time; null: no limit of its own.")
    prepare_days: int = Field(default=1, ge=0, le=30, description="Opening days before, by which it lies ready.")
    no_show_hours: int = Field(default=2, ge=1, le=200, description="Opening hours for which a place is kept.")
    longest_days: int = Field(default=31, ge=1, le=92)
    remind_hours: int = Field(default=2, ge=0, le=720)
    lead_days: int = Field(default=3, ge=1, le=60)
    lock_days: int = Field(default=7, ge=1, le=120)
    keeper_email: Line = ""


class LoanPlaceNew(Rules):
    """A service point that shall lend."""

    service_point_id: Id


class LoanPlaceEdit(Rules):
    """What shall change; what is left out stays."""

    closed: bool = Field(default=False, description="Whether it takes no new reservation.")


class Loan(Answer):
    """A reservation, and what became of it."""

    uid: str
    service_point_id: int
    kind: str
    person_id: int
    state: model.LoanState
    begins_at: datetime
    ends_at: datetime
    prepare_by: datetime
    device: str | None = Field(description="The device that lies ready, or that went along.")
    position: int | None = Field(description="Place on the wait list, 1 for the first; null when it does not wait.")
    note: str
    created_by: str
    created_at: datetime
    collected_at: datetime | None
    finished_at: datetime | None
    why: str


class LoanQuery(PageQuery):
    """What a list of reservations is narrowed by."""

    state: list[model.LoanState] | None = Field(None, max_length=8, description="May be repeated: any of them fits.")
    service_point_id: Id | None = None
    person_id: Id | None = None


class LoanNew(Body):
    """A reservation: who, where, what, from when to when."""

    person_id: Id
    service_point_id: Id
    kind: DeviceKind = Field(strict=False)
    begins_at: Moment
    ends_at: Moment
    wait: bool = Field(default=False, description="Onto the wait list where there is no room; else 409.")
    note: Text = ""


class LoanCancel(Body):
    """Why it is cancelled."""

    reason: Line = ""


class LoanPrepare(Body):
    """The device that lies ready."""

    device: Uid


class LoanCollect(Body):
    """How it was handed out. A signature, or the reason why there is none."""

    device: Uid | None = Field(None, description="Absent: the one that lies ready.")
    typed: Line = Field("", description="The name that the person typed as a signature.")
    unsigned: Line = Field("", description="Why nobody signed.")


class LoanExtend(Body):
    """When it ends from now on."""

    ends_at: Moment


class OverdueLoan(Answer):
    """A loan that was not brought back, and what was done so far."""

    id: int
    device: str
    person_id: int
    service_point_id: int | None
    due_at: datetime
    step: model.LadderStep
    reminded_at: datetime | None
    lead_told_at: datetime | None
    lead_email: str
    proposed_at: datetime | None
    decision: model.LockDecision
    decided_at: datetime | None
    decided_by: str
    why: str


class OverdueQuery(PageQuery):
    """What a list of overdue loans is narrowed by."""

    step: model.LadderStep | None = None


class LockReason(Body):
    """Why."""

    reason: Line = ""


LoanPage = page_model(Loan)
LoanPlacePage = page_model(LoanPlace)
OverdueLoanPage = page_model(OverdueLoan)
