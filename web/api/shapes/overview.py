"""Figures over the fleet, and how the installation does."""

from typing import Any, Literal

from pydantic import Field

from web.api.strict import Answer

Tone = Literal["good", "warn", "bad"]


class Need(Answer):
    """Something that waits for a person, and the filters of the list that shows exactly these."""

    kind: str
    count: int
    filters: list[tuple[str, str]]


class Series(Answer):
    """One colour of a chart: its values, one per name."""

    name: str
    values: list[int]


class Chart(Answer):
    """A chart as the table beside it."""

    names: list[str]
    series: list[Series]


class Home(Answer):
    """The figures of the home page, for the devices at your places."""

    needs: list[Need] = Field(description="What waits for somebody, most pressing first.")
    counts: dict[str, int]
    compliance_by_place: Chart
    systems: Chart
    last_seen: Chart
    enrolments: Chart = Field(description="Devices enrolled per week, by the Monday it begins on.")


class Check(Answer):
    """One thing that is looked at."""

    name: str
    tone: str = Field(description="`good`, `warn` or `bad`.")
    sentence: str
    params: dict[str, Any]


class Health(Answer):
    """How the installation does; `tone` is the worst of the checks."""

    tone: Tone
    checks: list[Check]
