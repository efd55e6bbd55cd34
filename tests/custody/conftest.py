"""A counter: two service points, people, devices in stock, a clerk of one of the points."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from mdm.core.actor import Actor, ActorKind
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.desk.custody.asked import HandedOut, HandOut, Signed, TakeIn, TakenIn
from mdm.desk.custody.service import hand_out, take_in
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint, Unit
from mdm.people.fields import search_text
from mdm.people.model import Person
from mdm.storage.call import Call
from tests.conftest import NOW, Calling

DRAWN = [[[100, 100], [300, 250], [500, 120]], [[520, 300], [700, 310]]]
"""A signature as a page sends it."""
SIGNED = Signed(strokes=DRAWN)


@dataclass
class Counter:
    """Row ids of what stands around the counter."""

    point: dict[str, int] = field(default_factory=dict)
    person: dict[str, int] = field(default_factory=dict)
    device: dict[str, str] = field(default_factory=dict)
    """Name to uid."""

    @property
    def here(self) -> int:
        return self.point["werkhaven"]


def clerk(service_point_id: int, name: str = "Marijke Balie") -> Actor:
    """A desk clerk of one service point."""
    grant = Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, service_point_id=service_point_id)
    return Actor(ActorKind.OPERATOR, 2, name, (grant,), "req-2")


@pytest.fixture
def counter(calling: Calling) -> Counter:
    made = Counter()
    with calling() as call:
        unit = Unit(code="REN", name="Renovatie", created_at=NOW)
        call.session.add(unit)
        for code in ("werkhaven", "nova"):
            call.session.add(ServicePoint(code=code.upper(), name=code.title(), created_at=NOW))
        call.session.flush()
        for point in call.session.query(ServicePoint):
            made.point[point.code.lower()] = point.id
        people = {
            "sarah": Person(
                name="Sarah Aït", email="sarah@example.org", number="P1", badge="B-77", language="fr",
                unit_id=unit.id, persona="unit", service_point_id=made.here, created_at=NOW,
            ),
            "mo": Person(name="Mo Peeters", number="P2", service_point_id=made.here, created_at=NOW),
            "elsewhere": Person(name="Nora Nova", service_point_id=made.point["nova"], created_at=NOW),
        }  # fmt: skip
        for person in people.values():
            person.search = search_text(person)
        call.session.add_all(people.values())
        call.session.flush()
        made.person = {name: row.id for name, row in people.items()}
        for name, imei in (("one", "490154203237518"), ("two", "356938035643809"), ("three", None)):
            made.device[name] = phone(call, f"TAG-{name}", made.here, serial=f"SER{name.upper()}01", imei=imei).uid
        made.device["elsewhere"] = phone(call, "TAG-elsewhere", made.point["nova"]).uid
    return made


def phone(call: Call, tag: str, service_point_id: int, **more: Any) -> Device:
    """A phone in stock at a service point."""
    return inventory.create(
        call,
        {
            "platform": "ios",
            "kind": "phone",
            "tag": tag,
            "model": "iPhone 16",
            "service_point_id": service_point_id,
            **more,
        },  # type: ignore[typeddict-item]
    )


Desk = Callable[..., Any]


@pytest.fixture
def out(calling: Calling, counter: Counter) -> Callable[..., HandedOut]:
    """``out("one", to="sarah")`` hands a device out by the clerk of Werkhaven."""

    def give(*names: str, to: str = "sarah", by: Actor | None = None, **more: Any) -> HandedOut:
        wanted = HandOut(
            counter.person[to],
            tuple(counter.device[name] for name in names),
            counter.here,
            **{"signed": SIGNED, "invite": False, **more},
        )
        with calling(by or clerk(counter.here)) as call:
            return hand_out(call, wanted)

    return give


@pytest.fixture
def back(calling: Calling, counter: Counter) -> Callable[..., TakenIn]:
    """``back("one")`` takes a device in by the clerk of Werkhaven."""

    def take(name: str, by: Actor | None = None, **more: Any) -> TakenIn:
        with calling(by or clerk(counter.here)) as call:
            return take_in(call, TakeIn(counter.device[name], counter.here, **more))

    return take
