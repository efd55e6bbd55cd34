"""Two places with a clerk each, somebody who has a phone and a laptop, and the seal of the installation."""

from dataclasses import dataclass

from mdm.core.actor import Actor, ActorKind
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.enrollment.holders import holder_of
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.org import service as org
from mdm.people import service as people
from mdm.storage.call import Call
from mdm.storage.seal import Seal

SEAL = Seal(b"s" * 32)


@dataclass
class Town:
    """Ids of what stands in the town."""

    here: int
    there: int
    person: int
    phone: str
    laptop: str
    far: str

    def clerk(self, place: int | None = None, number: int = 7) -> Actor:
        """A clerk of a service point; of the first one where none is named."""
        where = Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, place or self.here)
        return Actor(ActorKind.OPERATOR, number, f"Clerk {number}", (where,), "req", "127.0.0.1")


def build(call: Call) -> Town:
    """The town, by its services."""
    here = org.create_service_point(call, code="WERK", name="Werkhaven", phone="03 338 00 00")
    there = org.create_service_point(call, code="NOVA", name="Nova")
    person = people.create(
        call, name="Jan Peeters", email="jan@stad.example", language="nl", service_point_id=here.id, number="P-1"
    )
    phone = device(call, "Veeg 12", here.id, "ios", "phone")
    laptop = device(call, "Laptop 3", here.id, "linux", "laptop")
    far = device(call, "Nova 1", there.id, "linux", "laptop")
    inventory.hand_out(call, phone.uid, holder_of(person))
    inventory.hand_out(call, laptop.uid, holder_of(person))
    return Town(here.id, there.id, person.id, phone.uid, laptop.uid, far.uid)


def device(call: Call, name: str, place: int, platform: str, kind: str) -> Device:
    """One enrolled device at a place."""
    made = inventory.create(
        call,
        {"platform": platform, "kind": kind, "name": name, "serial": f"SER-{name}", "service_point_id": place},
    )
    made.enrolled_at, made.key_digest = call.now, name.encode().hex().ljust(64, "0")[:64]
    return made
