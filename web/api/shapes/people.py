"""Employees."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from mdm.people.model import Persona
from web.api.paging import PageQuery, page_model
from web.api.shapes.fields import Id, Line, Search
from web.api.strict import Answer, Body, Edit

Language = Literal["nl", "fr", "en", "tr", "ar", "ro"]


class Person(Answer):
    """One employee."""

    id: int
    number: str | None = Field(description="Personnel number.")
    badge: str | None = Field(description="What stands on the badge that a desk scans.")
    name: str
    email: str | None
    phone: str
    language: str
    persona: Persona
    unit_id: int | None
    service_point_id: int | None
    left_on: date | None
    created_at: datetime


class PersonQuery(PageQuery):
    """Filters of the list of people."""

    search: Search = ""
    unit_id: list[Id] | None = Field(None, max_length=200, description="May be given more than once.")
    service_point_id: list[Id] | None = Field(None, max_length=200, description="May be given more than once.")
    persona: Persona | None = None
    language: Language | None = None
    left: bool = Field(False, description="People who have left instead of people who are here.")


class PersonNew(Body):
    """A new employee."""

    name: Line
    number: Line | None = None
    badge: Line | None = None
    email: Line | None = None
    phone: Line = ""
    language: Language = "nl"
    persona: Persona = Persona.CITY
    unit_id: Id | None = None
    service_point_id: Id | None = None
    bring_back: bool = Field(False, description="Makes a new record also of somebody whose record was erased.")


class PersonEdit(Edit):
    """What shall change; what is left out stays."""

    name: Line = ""
    number: Line | None = None
    badge: Line | None = None
    email: Line | None = None
    phone: Line = ""
    language: Language = "nl"
    persona: Persona = Persona.CITY
    unit_id: Id | None = None
    service_point_id: Id | None = None


class LeavingDate(Body):
    """From which date on; today when absent."""

    on: date | None = None


PersonPage = page_model(Person, "PersonPage")
