"""Whom the city's identity provider has proved, among the employees."""

from sqlalchemy import select

from mdm.access.oidc import Identity
from mdm.people.model import Person
from mdm.portal.keys import has_left
from mdm.storage.call import Call


def person_for(call: Call, identity: Identity, number_claim: str) -> Person | None:
    """The employee whom this identity belongs to; None when there is none, they have left, or it fits two people.

    Known by the verified e-mail address, and by the personnel number where the city says it in ``number_claim``. Nobody is
    made here, and no right is given: an operator who comes in here is an employee like all others.
    """
    found: dict[int, Person] = {}
    if identity.email is not None:
        for person in call.session.scalars(select(Person).where(Person.email == identity.email)):
            found[person.id] = person
    number = identity.numbers.get(number_claim, "") if number_claim else ""
    if number:
        for person in call.session.scalars(select(Person).where(Person.number == number)):
            found[person.id] = person
    if len(found) != 1:
        return None
    person = next(iter(found.values()))
    return None if has_left(person, call.now) else person
