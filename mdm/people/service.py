"""What can be done to people: make, change, find or make, let go."""

from datetime import date
from typing import Any, TypedDict, Unpack

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.permissions import Permission, Where
from mdm.outbox import service as outbox
from mdm.people import erased, fields, queries
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.seal import Seal
from mdm.storage.unique import flush_unique

FOLLOWED = frozenset({"name", "unit_id", "service_point_id", "persona"})
"""Fields of which devices in the person's hands keep a copy, or by which assignments choose."""


class PersonFields(TypedDict, total=False):
    """What is known of a person; what is left out stays, or has its default for a new one."""

    number: str | None
    badge: str | None
    name: str
    email: str | None
    phone: str
    language: str
    persona: str
    unit_id: int | None
    service_point_id: int | None


def create(call: Call, **given: Unpack[PersonFields]) -> Person:
    """Makes a person; a name is needed. Raises InvalidError that names the field, ConflictError for a taken key."""
    values = fields.checked({"name": "", **given})
    require(call.actor, Permission.PEOPLE_MANAGE, Where(values.get("service_point_id"), values.get("unit_id")))
    return _add(call, values)


def take_on(call: Call, seal: Seal, *, bring_back: bool = False, **given: Unpack[PersonFields]) -> Person:
    """The same for whoever makes one by hand or by a program: somebody whose record was erased gets a new one only where
    ``bring_back`` says so, and it stands in the diary. Raises as ``create``, and ConflictError (``person_erased``)."""
    values = fields.checked({"name": "", **given})
    require(call.actor, Permission.PEOPLE_MANAGE, Where(values.get("service_point_id"), values.get("unit_id")))
    found = erased.Known(call, seal).find(values)
    if found is not None and not bring_back:
        raise erased.undecided(found)
    person = _add(call, values)
    if found is not None:
        erased.brought_back(call, person, found)
    return person


def edit(call: Call, person_id: int, **given: Unpack[PersonFields]) -> Person:
    """Changes what is given and leaves the rest; devices in the person's hands follow. Raises as ``create``.

    Moving somebody to another place asks for the right at both places.
    """
    person = _person(call, person_id)
    values = fields.checked(given)
    changes = {key: [getattr(person, key), value] for key, value in values.items() if getattr(person, key) != value}
    if not changes:
        return person
    for key, (_, value) in changes.items():
        setattr(person, key, value)
    require(call.actor, Permission.PEOPLE_MANAGE, person.where)
    person.search = fields.search_text(person)
    flush_unique(call.session, taken())
    _record(call, "person.edited", person, changes)
    if FOLLOWED & changes.keys():
        _followed(call, person)
    return person


def ensure(
    call: Call,
    email: str,
    *,
    name: str | None = None,
    service_point_id: int | None = None,
    unit_id: int | None = None,
    language: str = "nl",
) -> Person:
    """The person with this e-mail address, made when there is none; an existing one is not changed.

    Whoever may invite at the place may make the person there. Without a name, the part before the @ becomes it. Raises
    NotFoundError when the person stands at none of the actor's places, ConflictError when the person has left.
    """
    values = fields.checked(
        {"email": email, "name": name or _name_from(email), "language": language}
        | {"unit_id": unit_id, "service_point_id": service_point_id}
    )
    if values["email"] is None:
        sentence = N_("An e-mail address is needed.")
        raise InvalidError(sentence, fields={"email": sentence}, code="email_invalid")
    there = call.session.scalar(select(Person.id).where(Person.email == values["email"]))
    if there is None:
        where = Where(service_point_id, unit_id)
        if not call.actor.may(Permission.ENROLLMENT_INVITE, where):
            require(call.actor, Permission.PEOPLE_MANAGE, where)
        return _add(call, values)
    person = queries.person(call, there)
    if person.left_on is not None and person.left_on <= call.now.date():
        raise ConflictError(
            N_("%(name)s has left. Nothing was changed; take the person on again first."),
            code="person_left",
            name=person.name,
        )
    return person


def leave(call: Call, person_id: int, on: date | None = None) -> Person:
    """Notes that the person leaves on a date (today). What the person holds stays in the person's name until taken in."""
    person = _person(call, person_id)
    day = on or call.now.date()
    if person.left_on != day:
        person.left_on = day
        _record(call, "person.left", person, {"on": day.isoformat()})
        _followed(call, person)
    return person


def come_back(call: Call, person_id: int) -> Person:
    """Takes back that the person left; somebody who is here stays as they are."""
    person = _person(call, person_id)
    if person.left_on is not None:
        person.left_on = None
        _record(call, "person.came_back", person, {})
        _followed(call, person)
    return person


def _person(call: Call, person_id: int) -> Person:
    person = queries.person(call, person_id)
    require(call.actor, Permission.PEOPLE_MANAGE, person.where)
    return person


def _add(call: Call, values: dict[str, Any]) -> Person:
    person = Person(**values, created_at=call.now)
    person.search = fields.search_text(person)
    call.session.add(person)
    flush_unique(call.session, taken())
    _record(call, "person.created", person, {"email": person.email, "number": person.number})
    return person


def _name_from(email: str) -> str:
    return email.split("@", 1)[0].replace(".", " ").replace("_", " ").title()


def taken() -> ConflictError:
    """The answer when a key is another person's."""
    return ConflictError(
        N_(
            "Another person has this e-mail address, personnel number or badge, or the place does not exist. Nothing was changed."
        ),
        code="person_taken",
    )


def _followed(call: Call, person: Person) -> None:
    outbox.post(call, "person.changed", {"person": person.id})


def _record(call: Call, action: str, person: Person, details: dict[str, Any]) -> None:
    audit.record(call, action, ("person", person.id), name=person.name, where=person.where, details=details)
