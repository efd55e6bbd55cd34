"""A city with a founded roster, somebody who asks for risky acts, and the steps of a request."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest
from sqlalchemy import select

from mdm.access import service as access
from mdm.access.model import Operator
from mdm.audit.model import AuditEntry
from mdm.core.actor import Actor, command_line, system
from mdm.core.errors import (
    ApprovalNeededError,
)
from mdm.core.permissions import Role
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.orders import acts
from mdm.orders.acts import Outcome
from mdm.orders.model import Act, ActState
from mdm.org import service as org
from mdm.storage.call import Call
from mdm.worker.acts import handlers
from tests.conftest import NOW, Calling
from tests.orders.founding import mirror, people
from tests.orders.people import ADA
from tests.sim.approvers import Council, Person

HANDLERS = handlers("https://console.example")
S = ActState


@dataclass
class City:
    """A founded roster, an admin who asks, and a device to ask about."""

    council: Council
    admin: Actor
    device: str
    place: int

    @property
    def ada(self) -> Person:
        return self.council.people[0]

    @property
    def eva(self) -> Person:
        return self.council.people[1]


def admin_of(call: Call, email: str = "mo@stad.example") -> Operator:
    """A fleet admin who stands in the database, as whoever asks must."""
    made = access.create_operator(call, email=email, name=email.split("@")[0].title(), language="en")
    access.add_grant(call, made.id, Role.FLEET_ADMIN)
    return made


@pytest.fixture
def city(calling: Calling) -> City:
    with calling(command_line("tests")) as call:
        boss = admin_of(call)
        for number, name in ((2, "ada"), (3, "eva")):
            made = access.create_operator(call, email=f"{name}@stad.example", name=name)
            assert made.id == number
        point = org.create_service_point(call, code="WERKHAVEN", name="Werkhaven")
        device = inventory.create(
            call, {"platform": "linux", "kind": "laptop", "name": "Laptop 1", "service_point_id": point.id}
        )
        actor = access.actor_for(call.session, boss, "req", None, call.now, lambda _s, unit, _d: frozenset({unit}))
        council = people(NOW)
        mirror(call, council)
        return City(council, actor, device.uid, point.id)


def wanted(calling: Calling, city: City, verb: Callable[[Call], object], actor: Actor | None = None) -> str:
    """Does something risky without an approval, as a door does: the id of the request that was made of it."""
    with calling(actor or city.admin, asked=True) as call, pytest.raises(ApprovalNeededError) as caught:
        verb(call)
    with calling(actor or city.admin) as call:
        return acts.ask(call, caught.value).id


def lines_of(call: Call, action: str) -> list[AuditEntry]:
    return list(call.session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


def retire(city: City) -> Callable[[Call], object]:
    return lambda call: inventory.retire(call, city.device, reason="broken")


def agree(calling: Calling, act_id: str, person: Person, actor: Actor = ADA, now: datetime = NOW) -> None:
    with calling(actor, now) as call:
        text = call.session.get_one(Act, act_id).canonical
        acts.approve(call, act_id, person.proof(text))


def performed(calling: Calling, act_id: str, now: datetime = NOW, version: int = 1) -> Outcome | None:
    trust = acts.Trust(people(NOW).order_key, version)
    with calling(system("worker"), now, asked=True) as call:
        return acts.perform(call, act_id, HANDLERS, trust)


def state_of(calling: Calling, city: City) -> str:
    with calling() as call:
        return call.session.scalars(select(Device.state).where(Device.uid == city.device)).one()
