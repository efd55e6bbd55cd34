"""Activation rates, and many invited at once."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from mdm.adoption.model import Channel, InvitedState
from mdm.adoption.rates import By
from mdm.people.model import Persona
from web.api.paging import page_model
from web.api.shapes.fields import Id, Line
from web.api.strict import Answer, Body, Query


class RateQuery(Query):
    """Whose rates, on which day, by what."""

    by: By = Field(By.UNIT, description="What the rows are.")
    on: date | None = Field(None, description="The day, in the organogram of that day; today when absent.")
    unit_id: list[Id] = Field(default=[], max_length=50, description="With all below; may be repeated.")
    service_point_id: list[Id] = Field(default=[], max_length=50, description="May be repeated.")
    persona: list[Persona] = Field(default=[], max_length=10, description="May be repeated.")


class Rate(Answer):
    """How far a group of people is."""

    people: int
    invited: int = Field(description="Invited, or active without an invitation.")
    active: int = Field(description="Have, or had, a device that is set up.")
    percent: float = Field(description="Active of those invited.")


class RateRow(Rate):
    """The rate of one unit with all below it, one persona or one service point."""

    key: str = Field(description="Row id or persona; empty for people without one.")
    name: str


class RateDay(Rate):
    """The rate at the end of one day."""

    on: date


class Adoption(Answer):
    """The figure, the rows and the line over time."""

    on: date
    goal: int = Field(description="Per cent; the city wants to be above it.")
    overall: Rate
    rows: list[RateRow]
    weeks: list[RateDay] = Field(description="This day, and the same day of the eleven weeks before; oldest first.")


class MissingPerson(Answer):
    """Somebody who is not active."""

    person_id: int
    name: str
    standing: Literal["uninvited", "invited", "came_in", "reminded", "lead_told"]
    invited_at: datetime | None
    channel: Channel | Literal[""]


class RoundNew(Body):
    """Whom to invite: by row id, or by personnel number; not both."""

    person_ids: list[Id] = Field(default=[], max_length=50_000)
    numbers: list[Line] = Field(default=[], max_length=50_000)


class Round(Answer):
    """Many who are invited at once."""

    uid: str
    made_by: str
    made_at: datetime
    finished_at: datetime | None
    total: int
    states: dict[InvitedState, int] = Field(description="How many of the people that you may see stand how.")


MissingPage = page_model(MissingPerson, "MissingPage")
