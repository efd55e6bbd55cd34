"""A running gateway with the vendor's agent on its shelf, and simulated phones that speak the agent's wire to it."""

import http.client
import io
import shutil
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from mdm.core.actor import Actor
from mdm.core.clock import utcnow
from mdm.enrollment.queries import by_token
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.platforms.android import files
from mdm.platforms.android.files import Store
from mdm.platforms.android.headwind.numbers import Place, digest_of, provision
from mdm.platforms.android.model import AndroidFile, AndroidNumber
from mdm.simulate.handset import Answer, Handset
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from mdm.storage.seal import Seal, create_key, load_seal
from tests.conftest import FLEET_ADMIN, PrivatePostgres
from tests.gateway.conftest import RunningGateway, running
from tests.orders.ceremony import NO_COOLING, council, found, mirrored
from tests.signer.neighbour import RunningSigner
from tests.sim.apk import Vendor

VENDOR = Vendor()
_NUMBERS = count(1)


@dataclass
class City:
    """A gateway, and what a test does there as a person."""

    gateway: RunningGateway
    admin: Actor = FLEET_ADMIN

    @property
    def seal(self) -> Seal:
        """The seal of this installation."""
        return load_seal(self.gateway.home / "keys")

    @property
    def base(self) -> str:
        """Where phones find the gateway."""
        return f"https://localhost:{self.gateway.port}"

    @contextmanager
    def call(self, actor: Actor | None = None, *, write: bool = True) -> Iterator[Call]:
        """One transaction."""
        with transaction(self.gateway.engine, write=write) as session:
            yield Call(actor or self.admin, session, utcnow())

    def upload(self, name: str, content: bytes) -> AndroidFile:
        """Puts a file on the shelf."""
        with self.call() as call:
            return files.upload(call, Store(self.gateway.home), name, io.BytesIO(content))

    def code(self, **more: Any) -> str:
        """The content of a new QR code."""
        token = self.gateway.invite(platform="android", **{"email": f"p{next(_NUMBERS)}@example.org", **more})
        return self.code_of(token)

    def code_of(self, token: str) -> str:
        """The content of the QR code of this invitation."""
        with self.call() as call:
            invitation = by_token(call.session, token)
            assert invitation is not None
            return provision(call, self.seal, Place(self.base, "Antwerpen"), invitation, token)

    def handset(self, code: str | None = None, **more: Any) -> Handset:
        """A phone that was not switched on yet."""
        number = next(_NUMBERS)
        told = {"serial": f"HW{number:08}", "imei": f"35{number:013}", **more}
        return Handset(self.ask, code or self.code(), **told)

    def enrolled(self, **more: Any) -> Handset:
        """A phone that is enrolled."""
        made = self.handset(**more)
        made.enroll()
        return made

    def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One request on a connection of its own."""
        context = ssl.create_default_context(cafile=str(self.gateway.signer.home / "signer" / "ca.pem"))
        line = http.client.HTTPSConnection("localhost", self.gateway.port, context=context, timeout=60)
        try:
            line.request(method, path, body, dict(headers))
            answer = line.getresponse()
            return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
        finally:
            line.close()

    def row(self, phone: Handset) -> AndroidNumber:
        """What the server knows of a phone's number."""
        with self.call(write=False) as call:
            return call.session.scalars(
                select(AndroidNumber).where(AndroidNumber.digest == digest_of(phone.number))
            ).one()

    def device(self, phone: Handset) -> Device:
        """The device that a phone is."""
        with self.call(write=False) as call:
            return call.session.get_one(Device, self.row(phone).device_id)


BOTH = pytest.mark.parametrize("city", ["sqlite", "postgresql"], indirect=True)
"""For tests of what differs between the databases: the doorbell's statement, locks, and the gateway's own rights."""


@pytest.fixture(params=["sqlite"])
def city(request: pytest.FixtureRequest) -> City:
    """A city with a signer, people who approve orders, and the vendor's agent on the shelf."""
    made: City = request.getfixturevalue(f"{request.param}_city")
    return made


@pytest.fixture(scope="session")
def sqlite_city(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """The city on SQLite, the same for every test."""
    file = tmp_path_factory.mktemp("database") / "havenmeester.db"
    shutil.copy(sqlite_template, file)
    with _city(tmp_path_factory, f"sqlite:///{file}") as made:
        yield made


@pytest.fixture(scope="session")
def postgresql_city(postgres: PrivatePostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """The city on PostgreSQL, the same for every test."""
    with _city(tmp_path_factory, postgres.fresh()) as made:
        yield made


@contextmanager
def _city(folders: pytest.TempPathFactory, url: str) -> Iterator[City]:
    signer = RunningSigner(folders.mktemp("signer"), NO_COOLING)
    signer.start()
    people = council()
    found(signer.client, signer.home, people)
    gateway = RunningGateway(signer, folders.mktemp("city") / "home", url, people=people)
    create_key(gateway.home / "keys")
    with running(gateway) as started:
        mirrored(started.engine, signer.client)
        with transaction(started.engine) as session:
            session.add(ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=utcnow()))
        made = City(started)
        made.upload("hmdm.apk", VENDOR.apk("com.hmdm.launcher", "6.36", 16360))
        yield made
    signer.stop()
