"""What an entry in the field means: a device, a person, a piece of kit, or a few people of whom the clerk picks one."""

from collections.abc import Sequence
from dataclasses import dataclass

from mdm.core.errors import NotFoundError
from mdm.core.permissions import Permission
from mdm.desk.custody import codes, kit
from mdm.desk.custody.model import KitPiece
from mdm.inventory import queries as devices
from mdm.inventory.model import Device
from mdm.people.model import Person
from mdm.people.queries import Filters, people, people_select, person_by_number
from mdm.storage.call import Call

CANDIDATES = 9
"""So many people are offered: each has one digit."""


@dataclass(frozen=True, slots=True)
class Found:
    """One of the four, or nothing. ``sim`` is the ICCID of a SIM card that nobody has recorded yet."""

    device: Device | None = None
    person: Person | None = None
    piece: KitPiece | None = None
    sim: str = ""
    people: Sequence[Person] = ()

    @property
    def nothing(self) -> bool:
        """Whether the entry means nothing that this clerk may see."""
        return not (self.device or self.person or self.piece or self.sim or self.people)


def find(call: Call, entry: str) -> Found:
    """What the entry means to this clerk, exact codes first; things of other places are not there."""
    read = codes.read(entry)
    for spelling in read.spellings:
        device = _device(call, spelling)
        if device is not None:
            return Found(device=device)
    if not call.actor.may_somewhere(Permission.PEOPLE_VIEW):
        return _kit(call, entry)
    try:
        return Found(person=person_by_number(call, entry))
    except NotFoundError:
        pass
    found = _kit(call, entry)
    if not found.nothing:
        return found
    named = people(call, Filters(search=entry), limit=CANDIDATES)
    if len(named) == 1:
        return Found(person=named[0])
    return Found(people=named)


def _device(call: Call, code: str) -> Device | None:
    try:
        return devices.device(call, code)
    except NotFoundError:
        return None


def _kit(call: Call, entry: str) -> Found:
    piece = kit.piece(call, entry)
    return Found(piece=piece) if piece is not None else Found(sim=codes.iccid(entry) or "")


def person_by_id(call: Call, number: int | None) -> Person | None:
    """The person with this row id at the clerk's places; None for nobody."""
    return call.session.scalar(people_select(call).where(Person.id == number)) if number is not None else None
