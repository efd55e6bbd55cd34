"""A small city that can call for help: two service points, people on duty and not, an employee with a phone."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from mdm.access.model import Operator, OperatorGrant
from mdm.core.actor import Actor, ActorKind
from mdm.core.permissions import Grant, PlaceKind, Role, Where
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.panic import keys
from mdm.panic.duty import Line, add
from mdm.panic.keys import Codes
from mdm.panic.telling import How
from mdm.people.model import Person
from mdm.portal.sessions import actor_of
from mdm.storage.call import Call
from tests.conftest import NOW, Calling

ZONE = ZoneInfo("Europe/Brussels")
HOW = How(ZONE, 30, "https://console.stad.example", "BE")
PRESS = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite, or the kind of database that the test asks for."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    return str(request.getfixturevalue("postgres").fresh())


@dataclass
class City:
    """Ids of what stands in it."""

    here: int
    there: int
    person: int
    device: int
    operators: dict[str, int]
    secret: str = ""

    def actor(self, name: str) -> Actor:
        """Somebody with an account, as the door knows them."""
        role, place = PEOPLE[name]
        point = {"here": self.here, "there": self.there}.get(place)
        grant = Grant(role, PlaceKind.SERVICE_POINT, point) if point else Grant(role)
        return Actor(ActorKind.OPERATOR, self.operators[name], name, (grant,), "req-1", "127.0.0.1")


PEOPLE: dict[str, tuple[Role, str]] = {
    "ann": (Role.DESK_CLERK, "here"),
    "bob": (Role.DESK_CLERK, "here"),
    "eve": (Role.DESK_CLERK, "there"),
    "mo": (Role.FLEET_ADMIN, "city"),
    "rita": (Role.AUDITOR, "city"),
}


def _build(call: Call) -> City:
    points = [ServicePoint(code=code, name=f"Loket {code}", created_at=NOW) for code in ("A", "B")]
    call.session.add_all(points)
    call.session.flush()
    places = {"here": points[0].id, "there": points[1].id, "city": None}
    operators = {}
    for name, (role, place) in PEOPLE.items():
        one = Operator(email=f"{name}@stad.example", name=name, language="en", created_at=NOW)
        call.session.add(one)
        call.session.flush()
        operators[name] = one.id
        call.session.add(
            OperatorGrant(
                operator_id=one.id, role=role.value, service_point_id=places[place], granted_at=NOW, granted_by="tests"
            )
        )
    person = Person(
        name="Fatma Yılmaz", language="tr", phone="0470 12 34 56", service_point_id=points[0].id, created_at=NOW
    )
    call.session.add(person)
    call.session.flush()
    device = Device(
        uid="d" * 32, platform="linux", kind="kiosk", name="kiosk-7", service_point_id=points[0].id, created_at=NOW
    )
    call.session.add(device)
    call.session.flush()
    return City(points[0].id, points[1].id, person.id, device.id, operators)


@pytest.fixture
def city(calling: Calling) -> City:
    """The city, and the key of the employee's phone in ``secret``."""
    with calling() as call:
        built = _build(call)
        built.secret = phone(call, built)
    return built


def phone(call: Call, city: City, codes: Codes | None = None) -> str:
    """One more phone of the employee's, set up by themselves."""
    me = actor_of(call.session.get_one(Person, city.person), "req-2")
    return keys.make(call.by(me), spot="Counter 3", locates=True, codes=codes)


def on_duty(call: Call, city: City, who: str, *, rank: int = 1, phone: str = "", **more: object) -> None:
    """Puts somebody on duty at the service point, all day, every day."""
    line = {"where": Where(city.here), "begins": "00:00", "ends": "23:59", "from_day": date(2026, 1, 1)} | more
    add(call, Line(who=f"{who}@stad.example", rank=rank, phone=phone, **line))  # type: ignore[arg-type]
