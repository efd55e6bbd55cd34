"""The protocol of orders as a machine that does anything at any time: what must hold, holds after every step.

Two devices and a private one, three people who ask and say no, the soft keys of four approvers, the real signer in this
process with its own ledger, and agents that judge by themselves. Steps ask, sign, reject, cancel, pause, lift, release,
crash in between, deliver, answer, freeze, thaw, restore, pass time, and write into the database as a thief would.

The invariants are those of destructive orders: two people, this device, once, in its time, not after it was taken back,
within the budgets, not while everything is stopped, not from before a restore, and never unnoticed by the diary.
"""

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, select, text

from agent.crypto import holds
from agent.proof import Facts, RefusedError, Roster, check_envelope
from mdm.audit import service as audit
from mdm.audit.model import AuditEntry
from mdm.core.actor import Actor, system
from mdm.core.errors import HavenmeesterError
from mdm.core.ids import secret_digest
from mdm.inventory.model import Device
from mdm.orders import delivery, kernel, mirror, queries, service
from mdm.orders.model import Approval, Lane, Order, OrderState, Release
from mdm.orders.release import release
from mdm.orders.states import CANCELLABLE, DELIVERABLE, OPEN, PAUSABLE, WAITS_FOR_SIGNER
from mdm.outbox.model import OutboxMessage
from mdm.signer.budgets import Limits
from mdm.signing.seals import OrderText, read_order
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.storage.metadata import all_tables
from tests.conftest import FLEET_ADMIN, NOW, Figure
from tests.orders.conftest import ADA, ADAS, BOS, BOTH, EVA, DeskClient, Fleet, add_places, person, speaking
from tests.sim.approvers import Person

PEOPLE = (FLEET_ADMIN, ADA, BOTH)
MIAS = person(5, "Mia Approver")
KEYS = (ADAS, person(3, "Eva Approver"), BOS, MIAS)
"""Key files: a signature of a passkey is judged elsewhere, and costs ten times as much."""
LIMITS = Limits(place_day=5, requester_day=4, fleet_percent_hour=0, fleet_least_hour=2, stolen_hour=1)
COOLING = timedelta(minutes=15)
SELDOM = st.sampled_from([False, False, False, True])
FIGURES: Counter[str] = Counter()


class _CrashError(Exception):
    """kill -9, as far as a transaction can tell."""


def _power(crash: bool) -> None:
    if crash:
        raise _CrashError


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
class World:
    """The installation that every run begins with: made once, copied for each."""

    folder: Path
    devices: list[Device]
    keys: dict[str, str]


_world: list[World] = []


def _template() -> World:
    """A signer with roster and certificates, and a database with places and devices."""
    if not _world:
        folder = Path(tempfile.mkdtemp())
        engine = make_engine(f"sqlite:///{folder / 'havenmeester.db'}")
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
        _world.append(World(folder, devices, fleet.keys))
    return _world[0]


class OrderProtocol(RuleBasedStateMachine):
    """People, worker, signer and agents around one database."""

    def __init__(self) -> None:
        super().__init__()
        FIGURES["runs"] += 1
        self.home = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
        self.folder = self.home / "now"
        shutil.copytree(_template().folder, self.folder)
        self.now = NOW
        self.restores = 0
        self._open()
        self.devices = [Handset(one, _template().keys[one.uid]) for one in _template().devices]
        self.private = False
        self.wiped: list[Carried] = []
        self.cancelled: set[str] = set()
        self.stopped: set[str] = set()
        self.signed: dict[str, set[str]] = {}
        """By the text: who really signed it. What the test itself knows, whatever the database says."""
        self.answered: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.refused: set[str] = set()
        self.frozen = False
        self.backup: Path | None = None

    def _open(self) -> None:
        self.engine = make_engine(f"sqlite:///{self.folder / 'havenmeester.db'}")
        event.listen(self.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        self.client = DeskClient(self.folder, lambda: self.now, LIMITS, COOLING)
        self.client.ledger._db.execute("PRAGMA synchronous=OFF")
        self.order_key = self.client.ca().order_key

    def teardown(self) -> None:
        FIGURES["orders carried out"] += len(self.wiped)
        self.engine.dispose()
        self.client.ledger.close()
        shutil.rmtree(self.home)

    @contextmanager
    def _call(self, actor: Actor = FLEET_ADMIN, *, write: bool = True) -> Any:
        with transaction(self.engine, write=write) as session:
            yield Call(actor, session, self.now)

    def _try(self, actor: Actor, act: Callable[..., Any], *args: Any, crash: bool = False, **more: Any) -> Any:
        FIGURES["steps"] += 1
        try:
            with self._call(actor) as call:
                outcome = act(call, *args, **more)
                _power(crash)
                return outcome
        except (HavenmeesterError, _CrashError):
            FIGURES["refused or crashed"] += 1
            return None

    def _orders(self, *states: OrderState) -> list[str]:
        with transaction(self.engine, write=False) as session:
            # In the order in which they were asked, and not by their random ids: a run must be the same a second time.
            query = select(Order.id).order_by(text("wipe_order.rowid"))
            if states:
                query = query.where(Order.state.in_([state.value for state in states]))
            return list(session.scalars(query))

    def _sign(self, number: str, who: Person, by: Actor = FLEET_ADMIN, *, crash: bool = False) -> None:
        with transaction(self.engine, write=False) as session:
            order = session.get_one(Order, number)
            text = (
                queries.dossier(Call(FLEET_ADMIN, session, self.now), number).text
                if order.batch_id
                else order.canonical
            )
        self.signed.setdefault(text, set()).add(who.person)
        self._try(by, service.take_proof, number, who.proof(text), crash=crash)

    def _release(self, number: str, clock: Callable[[], datetime] | None = None) -> None:
        FIGURES["steps"] += 1
        release(self.engine, self.client, number, clock=clock or (lambda: self.now))

    @initialize(device=st.integers(0, 2), asker=st.sampled_from((FLEET_ADMIN, BOTH)))
    def most_runs_begin_with_an_order(self, device: int, asker: Actor) -> None:
        if device < 2:
            self.the_usual_way_but_for_the_device(device, asker)

    @rule(device=st.integers(0, 1), asker=st.sampled_from((FLEET_ADMIN, BOTH)))
    def the_usual_way_but_for_the_device(self, device: int, asker: Actor) -> None:
        """Most orders are asked, signed and released without trouble: the trouble comes at the end."""
        lane = Lane.STOLEN if device else Lane.ORDINARY
        order = self._try(asker, service.request_wipe, self.devices[device].device.uid, "Stolen.", lane=lane)
        if order is not None:
            for who in (ADAS, MIAS):
                self._sign(order.id, who)
            self._release(order.id)
            if lane is Lane.ORDINARY:
                self.now += COOLING
                self._release(order.id)

    @rule(device=st.integers(0, 1), answers=st.booleans())
    def check_in_without_trouble(self, device: int, answers: bool) -> None:
        self.check_in(device, crash=not answers, state="done")

    @rule(device=st.integers(0, 1), good=st.booleans())
    def handed_in_at_the_counter(self, device: int, good: bool) -> None:
        here = self.devices[device]
        code = f"{len(here.done):04d}{device:04d}"
        if good:
            here.shown.add(code)
        order = self._try(
            FLEET_ADMIN, service.request_wipe, here.device.uid, "Returned.", lane=Lane.HAND_IN, presence=code
        )
        if order is not None:
            self._release(order.id)

    @rule(
        device=st.integers(0, 2),
        asker=st.sampled_from(PEOPLE),
        lane=st.sampled_from([Lane.ORDINARY, Lane.STOLEN, Lane.HAND_IN]),
        crash=SELDOM,
    )
    def ask(self, device: int, asker: Actor, lane: Lane, crash: bool) -> None:
        here = self.devices[device]
        code = f"{len(here.shown):08d}"
        if lane is Lane.HAND_IN and not crash:
            here.shown.add(code)
        self._try(asker, service.request_wipe, here.device.uid, "Stolen.", lane=lane, presence=code, crash=crash)

    @rule(asker=st.sampled_from((FLEET_ADMIN, BOTH)), crash=SELDOM)
    def ask_for_all(self, asker: Actor, crash: bool) -> None:
        """A batch: the private device is left out."""
        uids = [one.device.uid for one in self.devices]
        batch = self._try(asker, service.request_wipes, uids, "The shop was robbed.", crash=crash)
        if batch is not None:
            assert self.devices[2].device.uid not in batch.canonical
            assert self.devices[2].device.uid in {one["device"] for one in batch.left_out}

    @precondition(lambda self: self._orders())
    @rule(pick=st.integers(0, 99), who=st.sampled_from(KEYS), by=st.sampled_from(PEOPLE), crash=SELDOM)
    def sign(self, pick: int, who: Person, by: Actor, crash: bool) -> None:
        ids = self._orders(OrderState.REQUESTED) or self._orders()
        self._sign(ids[pick % len(ids)], who, by, crash=crash)

    @precondition(lambda self: self._orders(OrderState.REQUESTED))
    @rule(pick=st.integers(0, 99), who=st.sampled_from(PEOPLE), sure=SELDOM)
    def reject(self, pick: int, who: Actor, sure: bool) -> None:
        ids = self._orders(OrderState.REQUESTED)
        if sure:
            self._try(who, service.reject, ids[pick % len(ids)], "No.")

    @precondition(lambda self: self._orders())
    @rule(pick=st.integers(0, 99), who=st.sampled_from(PEOPLE), sure=SELDOM)
    def cancel(self, pick: int, who: Actor, sure: bool) -> None:
        ids = self._orders() if sure else self._orders(OrderState.CANCELLED, OrderState.DONE, OrderState.FETCHED)
        if not ids:
            return
        order = self._try(who, service.cancel, ids[pick % len(ids)])
        if order is not None:
            self.cancelled.add(order.id)

    @precondition(lambda self: self._orders(*PAUSABLE))
    @rule(pick=st.integers(0, 99), crash=SELDOM)
    def pause(self, pick: int, crash: bool) -> None:
        """The holder follows the link of a letter."""
        number = (ids := self._orders(*PAUSABLE))[pick % len(ids)]
        with self._call() as call:
            call.session.get_one(Order, number).pause_digest = secret_digest(number)
        if self._try(system("visitor"), service.pause, number, crash=crash) is not None:
            self.stopped.add(number)

    @precondition(lambda self: self._orders(OrderState.PAUSED))
    @rule(pick=st.integers(0, 99), who=st.sampled_from((*PEOPLE, EVA)))
    def lift(self, pick: int, who: Actor) -> None:
        number = (ids := self._orders(OrderState.PAUSED))[pick % len(ids)]
        if self._try(who, service.lift, number) is not None:
            self.stopped.discard(number)

    @precondition(lambda self: self._orders(*WAITS_FOR_SIGNER))
    @rule(pick=st.integers(0, 99), crash=SELDOM, down=SELDOM)
    def release(self, pick: int, crash: bool, down: bool) -> None:
        ids = self._orders(*WAITS_FOR_SIGNER)
        self.client.down = down

        def clock() -> datetime:
            _power(crash)
            return self.now

        try:
            self._release(ids[pick % len(ids)], clock)
        except _CrashError:
            pass
        finally:
            self.client.down = False

    @rule(down=SELDOM)
    def the_worker_tells_the_signer(self, down: bool) -> None:
        """Cancelled orders, the red button and its end; what the signer says of itself is written down."""
        if down:
            return
        with self._call() as call:
            for message in call.session.scalars(select(OutboxMessage).where(OutboxMessage.done_at.is_(None))):
                if message.topic == "order.void":
                    self.client.void_order(message.payload["order"])
                elif message.topic == "kernel.freeze":
                    mirror.take_freeze(call, self.client.freeze(who="tests:1", why="").number)
                else:
                    continue
                message.done_at = self.now
            mirror.take_health(call, self.client.health())

    @rule(sure=SELDOM)
    def freeze(self, sure: bool) -> None:
        if sure and self._try(ADA, service.freeze, "Something is wrong.") is not None:
            self.frozen = True

    @precondition(lambda self: self.frozen)
    @rule(first=st.sampled_from(KEYS), second=st.sampled_from(KEYS), crash=SELDOM)
    def thaw(self, first: Person, second: Person, crash: bool) -> None:
        self.the_worker_tells_the_signer(down=False)
        text = self._try(ADA, service.begin_thaw)
        if text is None:
            return
        for who in (first, second):
            self.signed.setdefault(text, set()).add(who.person)
            self._try(ADA, service.take_thaw_proof, who.proof(text))
        with self._call(write=False) as call:
            proofs = mirror.thaw_proofs(call, text)
        try:
            self.client.thaw(statement=text, proofs=proofs)
        except HavenmeesterError:
            assert len(self.signed[text]) < 2
            return
        if not crash:
            assert len(self.signed[text]) >= 2
            self._try(system("worker"), service.thawed, kernel_number(text))
            self.frozen = False

    @rule(pick=st.integers(0, 99), crash=SELDOM, state=st.sampled_from(["done", "done", "failed", "busy", ""]))
    def check_in(self, pick: int, crash: bool, state: str) -> None:
        """The device fetches, judges, carries out what it has not done yet, and answers, unless the power goes first."""
        with transaction(self.engine, write=False) as session:
            waiting = [one for one in self.devices if session.get_one(Device, one.device.id).waiting] or self.devices[
                :1
            ]
        here = waiting[pick % len(waiting)]
        actor = speaking(here.device)
        with self._call(actor) as call:
            command = delivery.released_for(call, here.device.id, order_key=self.order_key, key_digest=here.key)
        if command is None:
            return
        assert not self.frozen, "nothing is delivered while everything is stopped"
        said = read_order(command["args"]["order"])
        assert said.epoch >= self.restores + 1, "nothing from before a restore is delivered"
        answer = {"id": command["id"], "state": state}
        if state != "busy" and not self._obeys(here, command["args"]):
            answer["state"] = "refused"
        if not crash and state:
            self._try(actor, delivery.take_answer, here.device.id, answer)

    def _obeys(self, here: Handset, envelope: dict[str, Any]) -> bool:
        """What the agent does: it judges, writes its journal, and wipes."""
        facts = Facts(
            device=here.device.uid,
            enrollment=here.key,
            order_key=self.order_key,
            now=int(self.now.timestamp()),
            epoch=here.epoch,
            done=frozenset(here.done),
            presence=frozenset(here.shown),
        )
        try:
            verdict = check_envelope(envelope, facts, here.roster, holds)
        except RefusedError as refused:
            FIGURES[f"device refused: {refused.rule}"] += 1
            self.refused.add(refused.rule)
            return refused.rule == "replay"
        if verdict.rosters:
            here.roster = verdict.rosters[-1].roster
        said = read_order(envelope["order"])
        here.done.add(said.id)
        here.epoch = max(here.epoch, said.epoch)
        here.shown.discard(said.presence)
        self.wiped.append(Carried(said, self.now, verdict.approvers, self.restores + 1))
        assert not (self.private and here is self.devices[1])
        assert here is not self.devices[2]
        return True

    @rule(minutes=st.sampled_from([1, 5, 10, 15, 30, 61, 61, 24 * 60, 73 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self._try(FLEET_ADMIN, lambda call: delivery.expire_due(call))

    @rule(private=st.booleans())
    def changes_hands(self, private: bool) -> None:
        """A device becomes private, and the city's again."""
        with self._call() as call:
            call.session.get_one(Device, self.devices[1].device.id).ownership = "private" if private else "city"
        self.private = private

    @rule()
    def somebody_makes_a_backup(self) -> None:
        if self.backup is None:
            self.backup = self.home / "backup"
            with self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copytree(self.folder, self.backup)

    @precondition(lambda self: self.backup is not None)
    @rule(sure=SELDOM)
    def restore(self, sure: bool) -> None:
        """The database of the backup comes back; the signer begins a new epoch; what no device has fetched is over."""
        if not sure or self.backup is None:
            return
        self.engine.dispose()
        for name in ("havenmeester.db", "havenmeester.db-wal", "havenmeester.db-shm"):
            (self.folder / name).unlink(missing_ok=True)
            if (self.backup / name).exists():
                shutil.copy(self.backup / name, self.folder / name)
        self.client.ledger.close()
        self._open()
        self.restores += 1
        with self.client.ledger.writing():
            self.client.ledger.book.add_epoch(self.restores + 1, int(self.now.timestamp()))
        with self._call() as call:
            mirror.take_health(call, self.client.health())
            self.private = call.session.get_one(Device, self.devices[1].device.id).ownership == "private"
            self.frozen = kernel.state(call.session).frozen_at is not None
            self.stopped.clear()
        for number in self._orders(*CANCELLABLE):
            if self._try(FLEET_ADMIN, service.cancel, number) is not None:
                self.cancelled.add(number)
        self.answered.clear()

    @rule(device=st.integers(0, 2), stranger=st.booleans())
    def a_thief_writes_into_the_database(self, device: int, stranger: bool) -> None:
        """Whoever writes the database has an order, approvals by people of their own making, a state, and no signature."""
        here = self.devices[device]
        self._try(FLEET_ADMIN, service.request_wipe, here.device.uid, "Stolen.")
        with self._call() as call:
            order = call.session.scalar(
                select(Order).where(Order.device_id == here.device.id, Order.finished_at.is_(None))
            )
            if order is None or OrderState(order.state) is not OrderState.REQUESTED or order.batch_id:
                return
            for real in (ADAS, MIAS):
                forger = Person(real.person, "ed25519", since=0)
                call.session.merge(_approval(order, forger, self.now))
            if stranger:
                order.state = OrderState.APPROVED.value
                return
            forged = replace(read_order(order.canonical), reason="Forged.").canonical
            order.canonical = forged
            call.session.merge(
                Release(order_id=order.id, canonical=forged, signature="A" * 86 + "==", released_at=self.now)
            )
            order.state = OrderState.RELEASED.value
            call.session.get_one(Device, here.device.id).waiting = 1

    @invariant()
    def whatever_was_wiped_had_its_people_its_device_and_its_time(self) -> None:
        texts = self._texts()
        for one in self.wiped:
            said = one.said
            assert said.device in {here.device.uid for here in self.devices if here.key == said.enrollment}
            assert said.not_before <= one.at.timestamp() < said.not_after
            assert said.epoch == one.epoch
            if said.lane != "hand_in":
                really = self.signed.get(texts.get(said.id, said.canonical), set()) - {said.requester}
                assert len(really) >= 2, (said, really)
                assert set(one.approvers) <= really
        ids = [one.said.id for one in self.wiped]
        assert len(set(ids)) == len(ids)

    def _texts(self) -> dict[str, str]:
        """What was signed for each order that stands in a batch."""
        with transaction(self.engine, write=False) as session:
            call = Call(FLEET_ADMIN, session, self.now)
            orders = session.scalars(select(Order).where(Order.batch_id.is_not(None))).all()
            found = {order.id: queries.batch(call, order.batch_id or "")[0].canonical for order in orders}
        self._known = getattr(self, "_known", {}) | found
        return self._known

    @invariant()
    def what_was_taken_back_was_not_wiped_afterwards(self) -> None:
        with transaction(self.engine, write=False) as session:
            for number in self.cancelled:
                order = session.get(Order, number)
                if order is not None and order.state == OrderState.CANCELLED and not self.restores:
                    assert number not in {one.said.id for one in self.wiped}
            for number in self.stopped:
                order = session.get(Order, number)
                assert order is None or order.state in (
                    OrderState.PAUSED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED
                )  # fmt: skip

    @invariant()
    def the_server_kept_from_devices_what_they_would_refuse(self) -> None:
        """But for what they did before, and codes that only they know."""
        assert self.refused <= {"replay", "presence"}

    @invariant()
    def budgets_hold(self) -> None:
        history = self.client.ledger.book.spent(NOW - timedelta(days=1))
        for one in history:
            if one.lane == "hand_in":
                continue
            day = [other for other in history if one.at <= other.at < one.at + 86_400 and other.lane != "hand_in"]
            assert len([other for other in day if other.place == one.place]) <= LIMITS.place_day
            assert len([other for other in day if other.requester == one.requester]) <= LIMITS.requester_day
            hour = [other for other in day if other.at < one.at + 3600]
            assert len(hour) <= LIMITS.fleet_least_hour
            assert len([other for other in hour if other.lane == "stolen"]) <= LIMITS.stolen_hour

    @invariant()
    def states_waiting_and_diary_agree(self) -> None:
        with transaction(self.engine, write=False) as session:
            orders = session.scalars(select(Order)).all()
            for here in self.devices:
                mine = [order for order in orders if order.device_uid == here.device.uid]
                deliverable = [order for order in mine if OrderState(order.state) in DELIVERABLE]
                assert session.get_one(Device, here.device.id).waiting == len(deliverable)
                assert len([order for order in mine if OrderState(order.state) in OPEN]) <= 1
            for order in orders:
                assert (OrderState(order.state) in OPEN) == (order.finished_at is None)
                if order.answer is not None:
                    first = self.answered.setdefault(order.id, str(order.answer))
                    assert str(order.answer) == first
            assert audit.verify(session).sound

    @invariant()
    def the_diary_says_what_each_order_is(self) -> None:
        with transaction(self.engine, write=False) as session:
            said: dict[str, str] = {}
            for line in session.scalars(
                select(AuditEntry).where(AuditEntry.subject_kind == "order").order_by(AuditEntry.id)
            ):
                said[line.subject_id] = line.details.get("state", said.get(line.subject_id, "requested"))
            for order in session.scalars(select(Order)):
                forged = order.state in ("approved", "released") and said[order.id] == "requested"
                assert forged or said[order.id] == order.state


def kernel_number(text: str) -> int:
    """The freeze that a thaw statement ends."""
    return int(json.loads(text)["freeze"])


def _approval(order: Order, forger: Person, now: datetime) -> Approval:
    return Approval(
        order_id=order.id,
        approver_id=f"{forger.person}-{now.timestamp():.0f}-{os.urandom(3).hex()}"[:64],
        approver_name=forger.name,
        approved=True,
        at=now,
        proof=forger.proof(order.canonical),
        key_id=forger.keys[0].id,
    )


HEALTH = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def _run(examples: int, figure: Figure) -> None:
    FIGURES.clear()
    wanted = settings(max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=HEALTH)
    run_state_machine_as_test(OrderProtocol, settings=wanted)
    figure("the state machine of orders: " + ", ".join(f"{count} {name}" for name, count in sorted(FIGURES.items())))
    assert FIGURES["runs"] >= examples
    assert FIGURES["orders carried out"] > examples // 20, "a machine that wipes nothing proves nothing"


def test_whatever_happens_in_some_runs_nothing_is_wiped_that_should_not_be(figure: Figure) -> None:
    _run(40, figure)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_whatever_happens_in_two_thousand_runs_nothing_is_wiped_that_should_not_be(figure: Figure) -> None:
    _run(2000, figure)
