"""People, places, enrolled devices, and a signer of which nothing is left out but the socket."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import Clock
from mdm.core.errors import HavenmeesterError
from mdm.core.ids import new_uid
from mdm.inventory.model import Device
from mdm.orders import mirror, queries, service
from mdm.org.model import ServicePoint
from mdm.signer import keys
from mdm.signer.budgets import Limits
from mdm.signer.desk import Desk
from mdm.signer.ledger import Ledger
from mdm.signing.client import Ownership, SignerClient
from mdm.signing.messages import decode_request, encode_error, encode_result
from mdm.storage.call import Call
from tests.conftest import FLEET_ADMIN, NOW, Calling
from tests.orders.acting import city as city
from tests.orders.people import ADA as ADA
from tests.orders.people import BOTH as BOTH
from tests.orders.people import EVA as EVA
from tests.orders.people import at_place as at_place
from tests.signer.neighbour import csr, new_key
from tests.sim.approvers import Person, roster, text_of

LONG_AGO = int((NOW - timedelta(days=30)).timestamp())


def person(number: int, name: str, kind: str = "ed25519", **more: Any) -> Person:
    """An approver who has waited long enough, with one key."""
    return Person(f"operator:{number}", kind, name=name, **{"since": LONG_AGO, **more})


ADAS, EVAS, BOS = person(2, "Ada Approver"), person(3, "Eva Approver", "es256"), person(4, "Bo Both")
MIA = person(5, "Mia Mass", "eddsa")
PEOPLE = [ADAS, EVAS, BOS, MIA]
"""Who may approve everywhere: the first roster."""


class DeskClient(SignerClient):
    """A client that speaks to a desk in this process, by the same bytes; the clock is the test's."""

    def __init__(
        self, home: Path, clock: Clock, limits: Limits | None = None, cooling: timedelta = timedelta(0)
    ) -> None:
        super().__init__(home / "nowhere")
        folder = keys.create(home, "Antwerpen")
        self.home = home
        self.ledger = Ledger(folder)
        self.desk = Desk(keys.load(home), self.ledger, "Antwerpen", clock=clock, limits=limits, cooling=cooling)
        self.down = False

    def found(self, people: Sequence[Person], now: datetime = NOW, **changes: Any) -> None:
        """The first roster, signed by all of these people."""
        text = text_of(roster(people, **{"issued": int(now.timestamp()) - 3600, **changes}))
        proofs = [one.proof(text) for one in people]
        self.found_roster(secret=keys.founding_secret(self.home), roster=text, proofs=proofs)

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

    def add(self, call: Call, *, place: str = "werkhaven", ownership: Ownership = "city", **more: Any) -> Device:
        """One enrolled device; its key digest is in ``keys``."""
        device = Device(
            uid=new_uid(),
            name=f"Kiosk {len(self.keys) + 1}",
            platform="linux",
            kind="kiosk",
            ownership=ownership,
            state=more.pop("state", "handed_out"),
            service_point_id=self.places[place],
            enrolled_at=call.now,
            created_at=call.now,
            **more,
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
    """A signer with keys, ledger and roster of its own, whose ordinary orders do not cool."""
    made = DeskClient(tmp_path, lambda: moment[0])
    made.found(PEOPLE)
    return made


@pytest.fixture
def fleet(calling: Calling, client: DeskClient) -> Fleet:
    """A fleet without devices."""
    with calling() as call:
        mirror.take_rosters(call, client.rosters())
        mirror.take_health(call, client.health())
        return Fleet(client, add_places(call))


def sign(
    calling: Calling, number: str, *people: Person, now: datetime = NOW, text: str = "", by: Actor = FLEET_ADMIN
) -> int:
    """These people sign an order or a batch, or another ``text``; how many people still lack."""
    lacking = -1
    for one in people:
        with calling(by, now) as call:
            signed = one.proof(text or queries.dossier(call, number).text)
            lacking = service.take_proof(call, number, signed)
    return lacking


@pytest.fixture
def device(calling: Calling, fleet: Fleet) -> Device:
    """An enrolled city kiosk at Werkhaven."""
    with calling() as call:
        return fleet.add(call)


def speaking(device: Device) -> Actor:
    """The device itself."""
    return Actor(ActorKind.DEVICE, device.id, device.label)
