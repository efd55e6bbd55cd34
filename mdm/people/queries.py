"""Reads of people. All take the ``Call`` and give only people at the actor's places."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select

from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.scoping import has_words, within


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of people is narrowed by. None: not narrowed."""

    search: str = ""
    units: Collection[int] | None = None
    service_points: Collection[int] | None = None
    persona: str | None = None
    language: str | None = None
    left: bool | None = False
    """False: people who are here; True: people who have left."""


def people_select(call: Call, filters: Filters | None = None) -> Select[Person]:
    """People that the actor may see and that pass the filters, in no order."""
    filters = filters or Filters(left=None)
    query = select(Person).where(
        within(call.actor.scope(Permission.PEOPLE_VIEW), Person.service_point_id, Person.unit_id)
    )
    if filters.search:
        query = query.where(has_words(Person.search, filters.search))
    if filters.units is not None:
        query = query.where(Person.unit_id.in_(filters.units))
    if filters.service_points is not None:
        query = query.where(Person.service_point_id.in_(filters.service_points))
    if filters.persona is not None:
        query = query.where(Person.persona == filters.persona)
    if filters.language is not None:
        query = query.where(Person.language == filters.language)
    if filters.left is not None:
        today = call.now.date()
        gone = Person.left_on <= today
        query = query.where(gone if filters.left else or_(Person.left_on.is_(None), Person.left_on > today))
    return query


def people(
    call: Call, filters: Filters | None = None, *, after: tuple[str, int] | None = None, limit: int = 100
) -> list[Person]:
    """One page by name; ``after`` is name and id of the last person of the page before. People who left: by filter."""
    query = people_select(call, filters or Filters())
    if after:
        name, number = after
        query = query.where(or_(Person.name > name, (Person.name == name) & (Person.id > number)))
    return list(call.session.scalars(query.order_by(Person.name, Person.id).limit(limit)))


def count(call: Call, filters: Filters | None = None) -> int:
    """How many people the list with these filters holds."""
    query = people_select(call, filters or Filters()).with_only_columns(func.count())
    return call.session.scalar(query) or 0


def person(call: Call, person_id: int) -> Person:
    """One person; NotFoundError when not there or not at the actor's places."""
    return _one(call, Person.id == person_id)


def person_by_email(call: Call, email: str) -> Person:
    """One person by e-mail address, whatever the case; NotFoundError as ``person``."""
    return _one(call, Person.email == email.strip().lower())


def person_by_number(call: Call, number: str) -> Person:
    """One person by personnel number; NotFoundError as ``person``."""
    return _one(call, Person.number == number.strip())


def _one(call: Call, condition: ColumnElement[bool]) -> Person:
    found = call.session.scalar(people_select(call).where(condition))
    if found is None:
        raise NotFoundError(N_("There is no such person, or this person is not at one of your places."))
    return found
