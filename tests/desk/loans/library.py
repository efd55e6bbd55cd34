"""A flexible work place at a library with two laptops, and the people who come there."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from mdm.desk.loans import places, service
from mdm.desk.loans.model import LoanPlace, Reservation
from mdm.inventory import service as inventory
from mdm.org import hours
from mdm.org import service as org
from mdm.people import service as people
from mdm.storage.call import Call
from tests.conftest import NOW

ZONE = "Europe/Brussels"
HOURS = "mon-fri 08:30-17:30"


@dataclass
class Library:
    """Ids of what there is."""

    point: int
    laptops: list[str]
    people: list[int] = field(default_factory=list)
    units: list[int] = field(default_factory=list)


def library(call: Call, *, laptops: int = 2, people_: int = 4, opening: str = HOURS, **rules: int | None) -> Library:
    """The library, its laptops and its people, in a unit below another one; both units have a lead."""
    point = org.create_service_point(
        call, code="LIB", name="Library", opening_hours=hours.parse(opening), email="library@example.org"
    )
    above = org.create_unit(call, code="ABOVE", name="Above")
    unit = org.create_unit(call, code="TEAM", name="Team", parent_id=above.id)
    org.edit_unit(call, above.id, lead_email="boss@example.org")
    found = Library(point.id, [lend_out(call, point.id, number) for number in range(laptops)], [], [above.id, unit.id])
    for number in range(people_):
        person = people.create(
            call,
            name=f"Person {number}",
            email=f"p{number}@example.org",
            unit_id=unit.id,
            service_point_id=point.id,
            language="en",
        )
        found.people.append(person.id)
    places.open_place(call, point.id, zone=ZONE, flex=True, **rules)  # type: ignore[typeddict-item]
    return found


def lend_out(call: Call, point: int, number: int, kind: str = "laptop") -> str:
    """One more device of the pool."""
    device = inventory.create(
        call,
        {
            "platform": "linux",
            "kind": kind,
            "name": f"Flex {number}",
            "tag": f"L-{kind}-{number}",
            "service_point_id": point,
            "ownership": "loan_pool",
        },
    )
    return device.uid


def at(day: int, hour: float, zone: str = ZONE, month: int = 11, year: int = 2026) -> datetime:
    """A local hour of a day of November 2026 (``NOW`` is Monday the 23rd, ten o'clock there)."""
    return datetime(year, month, day, int(hour), int(hour % 1 * 60), tzinfo=ZoneInfo(zone))


def reserve(
    call: Call, place: Library, who: int, begins: datetime, ends: datetime, *, kind: str = "laptop", wait: bool = False
) -> Reservation:
    """A reservation at the library for its ``who``-th person."""
    return service.reserve(
        call, place.people[who], service_point_id=place.point, kind=kind, begins=begins, ends=ends, wait=wait
    )


def rules_of(call: Call, place: Library) -> LoanPlace:
    """The place as it is kept."""
    return call.session.get_one(LoanPlace, place.point)


LATER = NOW + timedelta(days=3)
