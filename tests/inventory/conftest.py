"""Devices, the people who hold them, and the places where they stand."""

from collections.abc import Callable

import pytest

from mdm.core.actor import Actor, ActorKind
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.inventory import service
from mdm.inventory.fields import AssetData
from mdm.inventory.holder import Holder
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint, Unit
from mdm.people.model import Person
from mdm.storage.call import Call
from tests.conftest import NOW, Calling


@pytest.fixture
def place(calling: Calling) -> dict[str, int]:
    """Two service points, two units and one person; their row ids by name."""
    with calling() as call:
        rows = {
            "werkhaven": ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=NOW),
            "nova": ServicePoint(code="NOVA", name="NOVA", created_at=NOW),
            "renovation": Unit(code="REN", name="Renovatie", created_at=NOW),
            "sweeping": Unit(code="VEEG", name="Veegdienst", created_at=NOW),
            "sarah": Person(name="Sarah Aït", email="sarah@example.org", created_at=NOW),
        }
        call.session.add_all(rows.values())
        call.session.flush()
        return {name: row.id for name, row in rows.items()}


@pytest.fixture
def sarah(place: dict[str, int]) -> Holder:
    """Somebody of the renovation unit."""
    return Holder(place["sarah"], "Sarah Aït", "P123", "sarah@example.org", place["renovation"], "unit")


def clerk(service_point_id: int) -> Actor:
    """A desk clerk of one service point."""
    grant = Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, service_point_id=service_point_id)
    return Actor(ActorKind.OPERATOR, 2, "Marijke Balie", (grant,), "req-2")


def speaking(device: Device) -> Actor:
    """The device itself."""
    return Actor(ActorKind.DEVICE, device.id, device.label)


Making = Callable[..., Device]


@pytest.fixture
def making() -> Making:
    """``making(call, serial="X", …)`` records a Linux kiosk."""

    def make(call: Call, **data: object) -> Device:
        asset: AssetData = {"platform": "linux", "kind": "kiosk", **data}  # type: ignore[typeddict-item]
        return service.create(call, asset)

    return make
