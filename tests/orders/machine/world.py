"""The installation that the machine acts upon: people, keys, devices, a database and the real signer, all in one process.

Every run begins with a copy of one template. What a run knows by itself (who really signed what, what was carried out) is
kept here too: invariants compare it with what the database says, and the database may lie.
"""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy import Engine, event, select, text

from agent.proof import Roster
from mdm.audit import service as audit
from mdm.audit.model import AuditEntry
from mdm.core.actor import Actor
from mdm.core.errors import HavenmeesterError
from mdm.inventory.model import Device
from mdm.orders import mirror, service
from mdm.orders.model import Order, OrderBatch, OrderState
from mdm.orders.release import release
from mdm.signer.budgets import Limits
from mdm.signing.seals import OrderText
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.storage.metadata import all_tables
from tests.conftest import FLEET_ADMIN, NOW
from tests.orders.conftest import ADA, ADAS, BOS, BOTH, DeskClient, Fleet, add_places, person
from tests.sim.approvers import Person

PEOPLE = (FLEET_ADMIN, ADA, BOTH)
MIAS = person(5, "Mia Approver")
KEYS = (ADAS, person(3, "Eva Approver"), BOS, MIAS)
"""Key files: a signature of a passkey is judged elsewhere, and costs ten times as much."""
LIMITS = Limits(place_day=5, requester_day=4, fleet_percent_hour=0, fleet_least_hour=2, stolen_hour=1)
COOLING = timedelta(minutes=15)
SELDOM = st.sampled_from([False, False, False, True])
FIGURES: Counter[str] = Counter()
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where a folder costs no disk; None is the usual place."""

_templates: list["Template"] = []


class CrashError(Exception):
    """kill -9, as far as a transaction can tell."""


def power(crash: bool) -> None:
    """Goes, where ``crash``."""
    if crash:
        raise CrashError


@dataclass
class Carried:
    """One order that a device accepted."""

    said: OrderText
    at: datetime
    approvers: tuple[str, ...]
    epoch: int


@dataclass
class Handset:
    """A device with what it remembers by itself: no server can change that."""

    device: Device
    key: str
    done: set[str] = field(default_factory=set)
    roster: Roster | None = None
    epoch: int = 1
    shown: set[str] = field(default_factory=set)


@dataclass
class Template:
    """What every run begins with: made once, copied for each."""

    folder: Path
    devices: list[Device]
    keys: dict[str, str]


@dataclass
class View:
    """The database as it stands between two steps, read once for all conditions and invariants."""

    orders: list[Order]
    """In the order in which they were asked, and not by their random ids: a run must be the same a second time."""
    batches: dict[str, str]
    waiting: dict[int, int]
    sound: bool
    said: dict[str, str]
    """What the diary's last line says of each order."""


class OneEngine:
    """The one engine of all runs, so that a statement is compiled once; its next connection goes to ``path``."""

    def __init__(self) -> None:
        self.path = ""
        self.engine = make_engine("sqlite:///somewhere")
        event.listen(self.engine, "do_connect", self._here)
        event.listen(self.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))

    def _here(self, _dialect: object, _record: object, arguments: list[Any], _named: dict[str, Any]) -> None:
        arguments[:] = [self.path]

    def at(self, folder: Path) -> Engine:
        """The engine, on the database of this folder from now on."""
        self.engine.dispose()
        self.path = str(folder / "havenmeester.db")
        return self.engine


_engine = OneEngine()


def template() -> Template:
    """A signer with roster and certificates, and a database with places and devices."""
    if not _templates:
        folder = Path(tempfile.mkdtemp(dir=MEMORY))
        engine = _engine.at(folder)
        all_tables().create_all(engine)
        client = DeskClient(folder, lambda: NOW, LIMITS)
        client.found(KEYS)
        with transaction(engine) as session:
            call = Call(FLEET_ADMIN, session, NOW)
            fleet = Fleet(client, add_places(call))
            devices = [fleet.add(call), fleet.add(call, state="lost"), fleet.add(call, ownership="private")]
            mirror.take_rosters(call, client.rosters())
            mirror.take_health(call, client.health())
        client.ledger.close()
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        _templates.append(Template(folder, devices, fleet.keys))
    return _templates[0]


def forget() -> None:
    """Removes the template; the next run makes another."""
    while _templates:
        shutil.rmtree(_templates.pop().folder)


class Installation(RuleBasedStateMachine):
    """One run: a database, a signer, three devices, and what the test itself knows."""

    def __init__(self) -> None:
        super().__init__()
        FIGURES["runs"] += 1
        self.home = Path(tempfile.mkdtemp(dir=MEMORY))
        self.folder = self.home / "now"
        self.devices = [Handset(one, template().keys[one.uid]) for one in template().devices]
        shutil.copytree(template().folder, self.folder)
        self.now = NOW
        self.restores = 0
        self._view: View | None = None
        self._open()
        self.private = False
        self.wiped: list[Carried] = []
        self.cancelled: set[str] = set()
        self.stopped: set[str] = set()
        self.signed: dict[str, set[str]] = {}
        """By the text: who really signed it. What the test itself knows, whatever the database says."""
        self.batch_of: dict[str, str] = {}
        self.answered: dict[str, str] = {}
        self.refused: set[str] = set()
        self.frozen = False
        self.backup: Path | None = None

    def _open(self) -> None:
        self.engine = _engine.at(self.folder)
        self.client = DeskClient(self.folder, lambda: self.now, LIMITS, COOLING)
        self.client.ledger._db.execute("PRAGMA synchronous=OFF")
        self.order_key = self.client.ca().order_key
        self._view = None

    def teardown(self) -> None:
        FIGURES["orders carried out"] += len(self.wiped)
        self.engine.dispose()
        self.client.ledger.close()
        shutil.rmtree(self.home)

    @contextmanager
    def call(self, actor: Actor = FLEET_ADMIN, *, write: bool = True) -> Iterator[Call]:
        """One transaction of somebody."""
        if write:
            self._view = None
        with transaction(self.engine, write=write) as session:
            yield Call(actor, session, self.now)

    def attempt(self, actor: Actor, act: Callable[..., Any], *args: Any, crash: bool = False, **more: Any) -> Any:
        """What it answered; None when it was refused, or the power went before the commit."""
        FIGURES["steps"] += 1
        try:
            with self.call(actor) as call:
                outcome = act(call, *args, **more)
                power(crash)
                return outcome
        except (HavenmeesterError, CrashError):
            FIGURES["refused or crashed"] += 1
            return None

    def view(self) -> View:
        """The database as it stands now."""
        if self._view is None:
            with transaction(self.engine, write=False) as session:
                orders = session.scalars(select(Order).order_by(text("wipe_order.rowid"))).all()
                batches = {
                    row.id: row.canonical for row in session.execute(select(OrderBatch.id, OrderBatch.canonical))
                }
                waiting = {row.id: row.waiting for row in session.execute(select(Device.id, Device.waiting))}
                said: dict[str, str] = {}
                lines = select(AuditEntry.subject_id, AuditEntry.details).where(AuditEntry.subject_kind == "order")
                for subject, details in session.execute(lines.order_by(AuditEntry.id)):
                    said[subject] = details.get("state", said.get(subject, "requested"))
                self._view = View(list(orders), batches, waiting, audit.verify(session).sound, said)
            self.batch_of |= {one.id: batches[one.batch_id] for one in orders if one.batch_id}
        return self._view

    def orders(self, *states: OrderState) -> list[str]:
        """The numbers of all orders, or of those in one of these states."""
        return [one.id for one in self.view().orders if not states or OrderState(one.state) in states]

    def sign_order(self, number: str, who: Person, by: Actor = FLEET_ADMIN, *, crash: bool = False) -> None:
        """Somebody signs what is really asked: the order, or the batch that it stands in."""
        view = self.view()
        order = next(one for one in view.orders if one.id == number)
        asked = view.batches[order.batch_id] if order.batch_id else order.canonical
        self.signed.setdefault(asked, set()).add(who.person)
        self.attempt(by, service.take_proof, number, who.proof(asked), crash=crash)

    def put_before_signer(self, number: str, clock: Callable[[], datetime] | None = None) -> None:
        """What the worker does with an approved order."""
        FIGURES["steps"] += 1
        self._view = None
        release(self.engine, self.client, number, clock=clock or (lambda: self.now))
