"""People, places, enrolled devices, and a signer of which nothing is left out but the socket."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import Clock
from mdm.core.errors import HavenmeesterError
from mdm.core.ids import new_uid
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.signer import keys
from mdm.signer.budgets import Limits
from mdm.signer.desk import Desk
from mdm.signer.ledger import Ledger
from mdm.signing.client import Ownership, SignerClient
from mdm.signing.messages import decode_request, encode_error, encode_result
from mdm.storage.call import Call
from tests.conftest import NOW, Calling
from tests.signer.neighbour import csr, new_key

ADA = Actor(ActorKind.OPERATOR, 2, "Ada Approver", (Grant(Role.APPROVER),), "req-2")
EVA = Actor(ActorKind.OPERATOR, 3, "Eva Approver", (Grant(Role.APPROVER),), "req-3")
BOTH = Actor(ActorKind.OPERATOR, 4, "Bo Both", (Grant(Role.APPROVER), Grant(Role.FLEET_ADMIN)), "req-4")
"""Somebody who may ask and approve: never their own, all the same."""


def at_place(role: Role, service_point_id: int, number: int = 9) -> Actor:
    """Somebody with this role at one service point only."""
    grant = Grant(role, PlaceKind.SERVICE_POINT, service_point_id=service_point_id)
    return Actor(ActorKind.OPERATOR, number, f"Local {role.value}", (grant,))


class DeskClient(SignerClient):
    """A client that speaks to a desk in this process, by the same bytes; the clock is the test's."""

    def __init__(self, home: Path, clock: Clock, limits: Limits | None = None) -> None:
        super().__init__(home / "nowhere")
        folder = keys.create(home, "Antwerpen")
        self.desk = Desk(keys.load(home), Ledger(folder), "Antwerpen", clock=clock, limits=limits)
        self.down = False

    def _exchange(self, request: bytes) -> bytes:
        if self.down:
            return super()._exchange(request)
        try:
            return encode_result(self.desk.answer(*decode_request(request)))
        except HavenmeesterError as error:
            return encode_error(error)


@dataclass
class Fleet:
    """Devices with their certificates."""

    client: SignerClient
    places: dict[str, int]
    keys: dict[str, str] = field(default_factory=dict)

    def add(self, call: Call, *, place: str = "werkhaven", ownership: Ownership = "city") -> Device:
        """One enrolled device; its key digest is in ``keys``."""
        device = Device(
            uid=new_uid(),
            name=f"Kiosk {len(self.keys) + 1}",
            platform="linux",
            kind="kiosk",
            ownership=ownership,
            state="handed_out",
            service_point_id=self.places[place],
            enrolled_at=call.now,
            created_at=call.now,
        )
        call.session.add(device)
        call.session.flush()
        issued = self.client.issue(
            device=device.uid, invitation=new_uid(), csr=csr(new_key()), days=90, ownership=ownership
        )
        self.keys[device.uid] = device.key_digest = issued.key_digest
        return device


def add_places(call: Call) -> dict[str, int]:
    """Two service points."""
    rows = {
        "werkhaven": ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=NOW),
        "nova": ServicePoint(code="NOVA", name="NOVA", created_at=NOW),
    }
    call.session.add_all(rows.values())
    call.session.flush()
    return {name: row.id for name, row in rows.items()}


@pytest.fixture
def moment() -> list[datetime]:
    """The time that the signer's clock shows: its only element."""
    return [NOW]


@pytest.fixture
def client(tmp_path: Path, moment: list[datetime]) -> DeskClient:
    """A signer with keys and ledger of its own."""
    return DeskClient(tmp_path, lambda: moment[0])


@pytest.fixture
def fleet(calling: Calling, client: DeskClient) -> Fleet:
    """A fleet without devices."""
    with calling() as call:
        return Fleet(client, add_places(call))


@pytest.fixture
def device(calling: Calling, fleet: Fleet) -> Device:
    """An enrolled city kiosk at Werkhaven."""
    with calling() as call:
        return fleet.add(call)


def speaking(device: Device) -> Actor:
    """The device itself."""
    return Actor(ActorKind.DEVICE, device.id, device.label)
