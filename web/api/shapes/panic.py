"""Calls for help: what was raised, who was told, reports, the duty roster, exercises."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from mdm.panic.ladder import Rung
from mdm.panic.service import MAX_TEXT, Readers
from web.api.paging import PageQuery, page_model
from web.api.shapes.fields import Id, Line
from web.api.strict import Answer, Body

State = Literal["acknowledged", "called_off", "closed", "ringing"]
Outcome = Literal["aggression", "false_alarm", "medical", "other", "threat"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Long = Annotated[str, Field(max_length=MAX_TEXT)]


class PanicCallsQuery(PageQuery):
    """Which calls."""

    open: bool | None = Field(
        None, description="True: those with which somebody still has something to do; false: the others."
    )


class PanicCall(Answer):
    """A call for help."""

    uid: str
    number: str = Field(description="What people call it: `H-00042`.")
    state: State
    exercise: bool = Field(description="Only practised.")
    person_id: int | None
    person_name: str = Field(description="Who called; empty for a device that nobody holds.")
    device_name: str = Field(description="The computer from which help was called; empty for a phone.")
    spot: str = Field(description="Room or counter.")
    phone: str = Field(description="Where who called is called back; do not, where `duress_at` is set.")
    service_point_id: int | None
    unit_id: int | None
    place: str = Field(description="Name of the service point, else of the unit.")
    pressed_at: datetime = Field(description="On a lost line earlier than `raised_at`.")
    raised_at: datetime
    presses: int
    acknowledged_at: datetime | None
    acknowledged_by: str
    called_off_at: datetime | None = Field(description="When who called said that they are safe.")
    duress_at: datetime | None = Field(description="When they said so with the code that means the contrary.")
    closed_at: datetime | None
    closed_by: str
    outcome: Outcome | None = Field(description="What it turned out to be, once there is a report.")


class PanicHeard(Answer):
    """Somebody who was told."""

    name: str
    rung: Rung
    ways: list[Literal["mail", "sms"]] = Field(description="Beside the console.")
    told_at: datetime
    answered_at: datetime | None


class PanicEvent(Answer):
    """One line of what happened."""

    at: datetime
    by: str
    kind: str
    text: str


class PanicCallWhole(PanicCall):
    """A call for help with all that happened, oldest first."""

    told: list[PanicHeard]
    events: list[PanicEvent]


class PanicReportNew(Body):
    """What happened, as it is written down at the end."""

    outcome: Outcome
    happened: Long = Field("", description="Needed for everything but a false alarm.")
    injured: bool = False
    police: bool = False
    police_report: Annotated[str, Field(max_length=64)] = ""
    follow_up: Long = ""
    readers: Readers = Field(Readers.MANAGERS, description="Who may read it, beside who writes it.")


class PanicReport(Answer):
    """A report."""

    outcome: Outcome
    happened: str
    injured: bool
    police: bool
    police_report: str
    follow_up: str
    readers: Readers
    written_at: datetime
    written_by: str


class PanicDuty(Answer):
    """A line of the duty roster."""

    id: int
    name: str
    email: str
    phone: str
    service_point_id: int | None
    unit_id: int | None = Field(description="Neither: the whole city.")
    rank: int = Field(description="Who is told first; the same number: at the same time.")
    days: list[Day]
    begins: str
    ends: str = Field(description="Not later than `begins`: on the day after.")
    from_day: date
    until_day: date | None
    on_now: bool


class PanicWhere(Body):
    """Where: a service point, a unit with all below it, or neither for the whole city."""

    service_point_id: Id | None = None
    unit_id: Id | None = None


class PanicDutyNew(PanicWhere):
    """Puts somebody on duty."""

    who: Line = Field(description="E-mail address of an account or of an employee.")
    days: list[Day] = Field(min_length=1, max_length=7)
    begins: Annotated[str, Field(max_length=5)] = Field(description="By the city's clock, as `08:30`.")
    ends: Annotated[str, Field(max_length=5)]
    from_day: date | None = Field(None, description="Today when absent.")
    until_day: date | None = Field(None, description="The last day on which a turn begins.")
    rank: int = Field(1, ge=1, le=20)
    phone: Annotated[str, Field(max_length=30)] = Field(
        "", description="Where the SMS goes; the employee's own when empty."
    )


class PanicExerciseNew(PanicWhere):
    """Begins an exercise."""

    minutes: int = Field(30, ge=5, le=480)
    note: Line = Field("", description="What is practised.")


class PanicExerciseEnd(Body):
    """Ends an exercise, or keeps what was learned."""

    learned: Long = ""


class PanicExercise(Answer):
    """An exercise with its figures."""

    uid: str
    service_point_id: int | None
    unit_id: int | None
    note: str
    begun_at: datetime
    begun_by: str
    until: datetime
    over_at: datetime | None
    learned: str
    calls: int
    answered: int
    told: int = Field(description="People who were told.")
    silent: int = Field(description="People who were told and did not answer.")
    seconds: list[int] = Field(description="From each press to the first answer.")
    middle: int | None = Field(description="The median of the seconds.")


PanicCallPage = page_model(PanicCall, "PanicCallPage")
PanicDutyPage = page_model(PanicDuty, "PanicDutyPage")
PanicExercisePage = page_model(PanicExercise, "PanicExercisePage")
