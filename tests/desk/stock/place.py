"""Two service points with a clerk each, and devices to put on shelves."""

from collections.abc import Iterator
from itertools import count

import pytest

from mdm.core.actor import Actor, ActorKind
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.storage.call import Call
from tests.conftest import NOW

_NUMBERS: Iterator[int] = count(1)
ON_ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For rules in which no statement differs between the two."""


def point(call: Call, code: str, *, email: str = "") -> ServicePoint:
    """A service point that is open."""
    made = ServicePoint(code=code, name=f"Desk {code}", email=email, created_at=NOW)
    call.session.add(made)
    call.session.flush()
    return made


def clerk(point_id: int, name: str = "Clerk") -> Actor:
    """Somebody who works at one desk."""
    grant = Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, service_point_id=point_id)
    return Actor(ActorKind.OPERATOR, 100 + point_id, f"{name} {point_id}", (grant,))


def phone(call: Call, place: ServicePoint, **more: object) -> Device:
    """A phone in stock at a service point."""
    number = next(_NUMBERS)
    given = {
        "platform": "android",
        "kind": "phone",
        "tag": f"AST-{number:04d}",
        "serial": f"SER{number:06d}",
        "manufacturer": "Fairphone",
        "model": "Fairphone 5",
        "service_point_id": place.id,
        **more,
    }
    return inventory.create(call, given)  # type: ignore[arg-type]
