"""The loan pools of the pilot: flexible work places with two laptops each, and who comes there in the next days."""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from mdm.desk.loans import places, service
from mdm.desk.loans.model import LoanPlace
from mdm.desk.loans.opening import open_time
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.pilot.places import PilotPlace
from mdm.storage.call import Call

ZONE = "Europe/Brussels"
KIND = "laptop"
COMING = ((0, 1, 1), (0, 1, 1), (0, 1, 1), (1, 2, 1), (1, 2, 3), (2, 1, 2), (3, 3, 1), (4, 1, 1), (5, 2, 1))
"""Who comes: number of the place, open days from now until they come, open days that they stay. The third one waits."""


def load_pools(call: Call, points: Sequence[PilotPlace]) -> list[int]:
    """Every place with a pool of laptops lends, two at a time; the ids of those that lend from now on."""
    codes = [point.code for point in points if point.stock.get("laptops")]
    query = select(ServicePoint.id).where(ServicePoint.code.in_(codes)).order_by(ServicePoint.code)
    lending = set(call.session.scalars(select(LoanPlace.service_point_id)))
    new = [number for number in call.session.scalars(query) if number not in lending]
    for number in new:
        places.open_place(call, number, zone=ZONE, flex=True)
    return new


def load_reservations(call: Call, lending: Sequence[int]) -> None:
    """Reservations of the next days, so that the calendar has something to show."""
    people = call.session.scalars(select(Person).where(Person.left_on.is_(None)).order_by(Person.id.desc()).limit(40))
    coming = [line for line in COMING if line[0] < len(lending)]
    for (place, first, days), person in zip(coming, people.all(), strict=False):
        point = call.session.get_one(ServicePoint, lending[place])
        spans = list(open_time(point.opening_hours, call.now + timedelta(days=1), ZoneInfo(ZONE), 21))
        # The first span may have begun already; all others are whole.
        begins, ends = spans[first][0], spans[first + days - 1][1]
        service.reserve(call, person.id, service_point_id=point.id, kind=KIND, begins=begins, ends=ends, wait=True)
