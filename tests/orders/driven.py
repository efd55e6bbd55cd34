"""The whole way of one order in one process that goes on where the one before it was killed."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, event, select

from mdm.inventory.model import Device
from mdm.orders import delivery, mirror, service
from mdm.orders.model import Approval, Order, OrderState
from mdm.orders.release import release
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.storage.metadata import all_tables
from tests.conftest import FLEET_ADMIN, NOW
from tests.orders.conftest import DeskClient, Fleet, add_places, person, speaking

LATER = NOW + timedelta(minutes=1)


def begin(home: Path) -> None:
    """A signer with a roster, a database with a device, and two people's signatures-to-be in a file."""
    home.mkdir()
    engine = make_engine(f"sqlite:///{home / 'havenmeester.db'}")
    all_tables().create_all(engine)
    client = DeskClient(home, lambda: NOW)
    people = [person(number, f"Approver {number}") for number in (2, 3)]
    client.found(people)
    with transaction(engine) as session:
        call = Call(FLEET_ADMIN, session, NOW)
        Fleet(client, add_places(call)).add(call)
        mirror.take_rosters(call, client.rosters())
        mirror.take_health(call, client.health())
    keys = [one.keys[0].private for one in people]
    (home / "people").write_bytes(
        b"".join(one.private_bytes_raw() for one in keys if isinstance(one, Ed25519PrivateKey))
    )
    client.ledger.close()
    engine.dispose()


def go_on(home: Path, point: Callable[..., None]) -> None:
    """Asks, signs, releases, fetches and answers, as far as that is not done; ``point`` is called around each commit."""
    all_tables()
    engine = make_engine(f"sqlite:///{home / 'havenmeester.db'}")
    event.listen(engine, "commit", point)
    client = DeskClient(home, lambda: LATER)
    writing = client.ledger.writing
    client.ledger.writing = _around(writing, point)  # type: ignore[method-assign]
    people = [person(number, f"Approver {number}") for number in (2, 3)]
    kept = (home / "people").read_bytes()
    for number, one in enumerate(people):
        one.keys[0].private = Ed25519PrivateKey.from_private_bytes(kept[32 * number : 32 * number + 32])

    with transaction(engine, write=False) as session:
        found = session.scalar(select(Order.id))
        device = session.scalars(select(Device)).one()
    if found is None:
        with transaction(engine) as session:
            found = service.request_wipe(Call(FLEET_ADMIN, session, NOW), device.uid, "Stolen.").id
        point()
    for one in people:
        with transaction(engine, write=False) as session:
            text = session.get_one(Order, found).canonical
            signed = session.scalar(select(Approval.id).where(Approval.approver_id == one.person))
        if signed is None:
            with transaction(engine) as session:
                service.take_proof(Call(FLEET_ADMIN, session, NOW), found, one.proof(text))
            point()
    release(engine, client, found, clock=lambda: LATER)
    point()
    _device(engine, client, device, found, point)


def _device(engine: Engine, client: DeskClient, device: Device, order_id: str, point: Callable[..., None]) -> None:
    with transaction(engine, write=False) as session:
        if session.get_one(Order, order_id).state == OrderState.DONE:
            return
    with transaction(engine) as session:
        call = Call(speaking(device), session, LATER)
        key = client.ca().order_key
        command = delivery.released_for(call, device.id, order_key=key, key_digest=device.key_digest)
        assert command is not None
    point()
    assert json.loads(command["args"]["order"])["id"] == order_id
    with transaction(engine) as session:
        delivery.take_answer(Call(speaking(device), session, LATER), device.id, {"id": order_id, "state": "done"})
    point()


def _around(
    writing: Callable[[], AbstractContextManager[None]], point: Callable[..., None]
) -> Callable[[], AbstractContextManager[None]]:
    """The ledger's transaction with a point before it begins and after it has ended."""

    @contextmanager
    def around() -> Iterator[None]:
        point()
        with writing():
            yield
            point()
        point()

    return around
