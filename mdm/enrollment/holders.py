"""Where people and devices meet: a person as a device remembers them, and devices that follow a changed person."""

from mdm.inventory import service as inventory
from mdm.inventory.holder import Holder
from mdm.people.model import Person
from mdm.storage.call import Call


def holder_of(person: Person) -> Holder:
    """What a device remembers of the person who holds it."""
    return Holder(person.id, person.name, person.number, person.email, person.unit_id, person.persona)


def follow_person(call: Call, person_id: int) -> int:
    """Carries a changed person over to the devices they hold; how many. For the topic ``person.changed``."""
    person = call.session.get(Person, person_id)
    return inventory.holder_changed(call, holder_of(person)) if person is not None else 0
