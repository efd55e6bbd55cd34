"""A console with its signer and a roster that is founded: Ann and Bob sign with key files, Marijke with her passkey."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from mdm.access import service as access
from mdm.access.model import Operator, Passkey
from mdm.core.actor import command_line
from mdm.core.clock import utcnow
from mdm.core.permissions import Role
from mdm.core.risk import Permit, Why
from mdm.inventory.model import Device
from mdm.orders import mirror
from mdm.settings import Settings
from mdm.signer import keys
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.worker import post
from mdm.worker.office import Office
from mdm.worker.topics import TOPICS
from tests.console.house import sign_in_link
from tests.console.visiting import Visitor
from tests.signer.neighbour import RunningSigner, enrol
from tests.sim.approvers import DAY, Person, b64, roster, text_of
from web.console.app import make_console

APPROVERS = (("ann@stad.example", "Ann Approver"), ("bob@stad.example", "Bob Approver"))
OF_NOBODY_HERE = ("mail",)


@dataclass
class Council:
    """The signer, the people with key files, and the worker when it is needed."""

    settings: Settings
    signer: RunningSigner
    people: dict[str, Person] = field(default_factory=dict)

    def found(self) -> None:
        """Founds the roster: whoever has a passkey at this moment is in it as well."""
        with self._session() as session:
            entries = [person.entry() for person in self.people.values()]
            for operator, passkey in session.execute(
                select(Operator, Passkey).join(Passkey, Passkey.operator_id == Operator.id)
            ):
                key = {"id": passkey.key_id, "public": b64(passkey.public_key), "type": "webauthn"}
                since = int(time.time()) - 30 * DAY
                person = f"operator:{operator.id}"
                entries.append({"from": since, "keys": [key], "name": operator.name, "person": person, "places": ["*"]})
        made = roster(
            [],
            approvers=sorted(entries, key=lambda one: str(one["person"])),
            origins=[self.settings.console_base],
            rp_id="localhost",
        )
        proofs = [person.proof(made) for person in self.people.values()]
        secret = keys.founding_secret(self.signer.home)
        self.signer.client.found_roster(secret=secret, roster=text_of(made), proofs=proofs)
        self.mirror()

    def mirror(self) -> None:
        """What the worker does every minute: writes down what the signer says."""
        with self._session() as session:
            call = Call(command_line("tests"), session, utcnow())
            mirror.take_rosters(call, self.signer.client.rosters())
            mirror.take_health(call, self.signer.client.health())

    def work(self) -> None:
        """What the worker does every second, but for mail."""
        engine = make_engine(self.settings.database)
        office = Office(engine, self.settings)
        post.deliver(office, {topic: handler for topic, handler in TOPICS.items() if topic not in OF_NOBODY_HERE})
        engine.dispose()

    def certify(self) -> None:
        """Every enrolled laptop of the city gets a certificate, so that orders can be made for it."""
        with self._session() as session:
            chosen = session.scalars(
                select(Device)
                .where(Device.enrolled_at.is_not(None), Device.ownership == "city")
                .order_by(Device.id)
                .limit(9)
            )
            for device in chosen:
                device.key_digest = enrol(self.signer.client, device.uid).key_digest
                device.serial = device.serial or f"SN-{device.id:05}"

    def paper(self, name: str, statement: str) -> dict[str, Any]:
        """The statement signed by one person's key file, as ``havenmeester approve`` writes it."""
        return {"statement": statement, "proofs": [self.people[name].proof(statement)]}

    def written(self, name: str, statement: str) -> bytes:
        """The same as the bytes of a file."""
        return json.dumps(self.paper(name, statement)).encode()

    @contextmanager
    def _session(self) -> Iterator[Session]:
        engine = make_engine(self.settings.database)
        with transaction(engine) as session:
            yield session
        engine.dispose()


@contextmanager
def council(settings: Settings) -> Iterator[Council]:
    """A signer that runs, certified laptops, and two approvers with key files; nothing is founded yet."""
    signer = RunningSigner(settings.home)
    signer.start()
    try:
        made = Council(settings, signer)
        with made._session() as session:
            call = Call(command_line("tests"), session, utcnow(), Permit(Why.NO_ROSTER))
            for email, name in APPROVERS:
                operator = access.ensure_operator(call, email=email, name=name, language="en")
                access.add_grant(call, operator.id, Role.APPROVER)
                made.people[name.split()[0].lower()] = Person(f"operator:{operator.id}", name=name)
        made.certify()
        yield made
    finally:
        signer.stop()


def laptop(settings: Settings) -> tuple[str, str]:
    """The id and the serial of a laptop that orders can be made for."""
    with create_engine(settings.database).connect() as connection:
        query = "SELECT uid, serial FROM device WHERE key_digest <> '' AND ownership = 'city' ORDER BY id LIMIT 1"
        row = connection.execute(text(query)).one()
    return row.uid, row.serial


def laptops(settings: Settings, count: int) -> list[str]:
    """The ids of several of them."""
    with create_engine(settings.database).connect() as connection:
        query = "SELECT uid FROM device WHERE key_digest <> '' AND ownership = 'city' ORDER BY id"
        return list(connection.execute(text(query)).scalars())[:count]


def states(settings: Settings) -> list[str]:
    """The states of all orders."""
    with create_engine(settings.database).connect() as connection:
        return list(connection.execute(text("SELECT state FROM wipe_order ORDER BY id")).scalars())


def statement_of(settings: Settings) -> str:
    """The text of the only order."""
    with create_engine(settings.database).connect() as connection:
        return str(connection.execute(text("SELECT canonical FROM wipe_order")).scalar_one())


def visitor(settings: Settings, email: str) -> Visitor:
    """Somebody who has signed in at this console by a link, without a browser."""
    made = Visitor(make_console(settings))
    address = f"/sign-in/link/{sign_in_link(settings.database, email)}"
    made.get(address)
    assert made.post(address).status_code == 303
    made.get("/account")
    return made


def ask(settings: Settings, **changed: str) -> str:
    """Mo asks for a wipe; the address of the order."""
    mo = visitor(settings, "mo@stad.example")
    uid, serial = laptop(settings)
    mo.get(f"/devices/{uid}/wipe")
    answer = mo.post(f"/devices/{uid}/wipe", **{"reason": "stolen at the station", "typed": serial, **changed})
    assert answer.status_code == 303, answer.text
    return str(answer.location)
