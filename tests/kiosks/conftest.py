"""Kiosks that are real OpenSSH servers, and a set-up that one test can drive step by step."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from mdm.core.clock import utcnow
from mdm.enrollment.links import Links
from mdm.kiosks import access, networks, runner, service
from mdm.kiosks.book import Book
from mdm.kiosks.model import KioskSetup, SignIn
from mdm.kiosks.runner import Ground
from mdm.kiosks.ssh import Limits
from mdm.kiosks.wanted import checked
from mdm.org.model import ServicePoint
from mdm.releases import package
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import FLEET_ADMIN, alone
from tests.sim.kiosk import SSHD, Kiosk

HASTY = Limits(reach=5, exchange=5, sign_in=10, most=30)
LOOPBACK = networks.read("127.0.0.0/8")


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with our keys and the signed package."""
    home = tmp_path_factory.mktemp("kiosks-home")
    package.make(home)
    return home


@pytest.fixture
def kiosk(tmp_path: Path, house: Path) -> Iterator[Kiosk]:
    """A kiosk that lets our key in."""
    if not SSHD:
        pytest.skip("OpenSSH server not installed (apt-get install openssh-server)")
    made = Kiosk(tmp_path / "kiosk")
    made.trust("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDoWneighbourNeighbourNeighbourNeighbourNeig somebody else")
    made.trust(access.access(house).lines(made.account)[SignIn.KEY])
    yield made.start()
    made.stop()


@dataclass
class Setup:
    """One set-up with everything it stands on; ``now`` is moved by hand, so that no test waits for a later try."""

    ground: Ground
    engine: Engine
    uid: str = ""
    ahead: list[float] = field(default_factory=lambda: [0.0])

    def begin(self, kiosk: Kiosk, **more: str) -> "Setup":
        given = {"port": str(kiosk.port), "account": kiosk.account, "host_key": kiosk.fingerprint}
        given |= {"root": str(kiosk.root), "host": "127.0.0.1", "email": "mo@example.org", "service_point": "WERKHAVEN"}
        with transaction(self.engine) as session:
            if session.scalar(select(ServicePoint.id)) is None:
                session.add(ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=utcnow()))
                session.flush()
            call = Call(FLEET_ADMIN, session, utcnow(), alone())
            self.uid = service.begin(call, checked(**(given | more))).uid
        return self

    def once(self) -> KioskSetup:
        """One go, as the process does it; then the row."""
        # What is due later is due now: only the order of things counts here.
        with transaction(self.engine) as session:
            for row in session.scalars(select(KioskSetup)):
                row.due_at = utcnow()
        for job in self.ground.book.claim(5):
            runner.work(self.ground, job)
        return self.row

    def to_the_end(self, goes: int = 12) -> KioskSetup:
        """Goes until it has ended."""
        for _ in range(goes):
            if not self.once().open:
                break
        return self.row

    @property
    def row(self) -> KioskSetup:
        with transaction(self.engine, write=False) as session:
            return session.scalars(select(KioskSetup).where(KioskSetup.uid == self.uid)).one()


@pytest.fixture
def made(sqlite_url: str, house: Path) -> Iterator[Setup]:
    """A set-up that stands on a database of its own; nobody answers as gateway."""
    engine = make_engine(sqlite_url)
    links = Links("http://console", "https://localhost:1", "0" * 64, 24)
    kept = package.make(house)
    yield Setup(Ground(Book(engine), house, LOOPBACK, lambda: links, lambda: kept, HASTY, 20), engine)
    engine.dispose()


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Waits until it is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
