"""The protocol of orders as a machine that does anything at any time: what must hold, holds after every step.

Two devices and a private one, three people, a signer with its own ledger, an agent that keeps a journal. Steps ask,
approve, reject, cancel, release, crash in between, deliver, answer, pass time, tamper with the database.
"""

import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import event, select

from mdm.audit import service as audit
from mdm.core.actor import Actor
from mdm.core.errors import HavenmeesterError
from mdm.inventory.model import Device
from mdm.orders import delivery, service
from mdm.orders.model import Approval, Order, OrderState, Release
from mdm.orders.release import release
from mdm.orders.states import DELIVERABLE, OPEN
from mdm.signer.budgets import Limits
from mdm.signing.v1 import OrderText, open_order
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.storage.metadata import all_tables
from tests.conftest import FLEET_ADMIN, NOW, alone
from tests.orders.conftest import ADA, BOTH, DeskClient, Fleet, add_places, speaking

PEOPLE = (FLEET_ADMIN, ADA, BOTH)
LIMITS = Limits(place_day=5, requester_day=4, fleet_percent_hour=0, fleet_least_hour=2)
_template: list[Path] = []


SELDOM = st.sampled_from([False, False, False, True])


class _CrashError(Exception):
    """kill -9, as far as a transaction can tell."""


def _power(crash: bool) -> None:
    if crash:
        raise _CrashError


def _empty_database(folder: Path) -> Path:
    if not _template:
        path = Path(tempfile.mkdtemp()) / "template.db"
        engine = make_engine(f"sqlite:///{path}")
        all_tables().create_all(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        _template.append(path)
    return Path(shutil.copy(_template[0], folder / "havenmeester.db"))


class OrderProtocol(RuleBasedStateMachine):
    """People, worker, signer and agents around one database."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.engine = make_engine(f"sqlite:///{_empty_database(self.folder)}")
        event.listen(self.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        self.now = NOW
        self.client = DeskClient(self.folder, lambda: self.now, LIMITS)
        self.order_key = self.client.ca().order_key
        with transaction(self.engine) as session:
            call = Call(FLEET_ADMIN, session, NOW, alone())
            self.fleet = Fleet(self.client, add_places(call))
            self.devices = [
                self.fleet.add(call),
                self.fleet.add(call),
                self.fleet.add(call, ownership="private"),
            ]
        self.private = False
        self.journal: set[str] = set()
        self.wiped: list[tuple[OrderText, datetime]] = []
        self.cancelled: set[str] = set()
        self.answered: dict[str, str] = {}

    def teardown(self) -> None:
        self.engine.dispose()
        shutil.rmtree(self.folder)

    def _try(self, actor: Actor, act: Any, *args: Any, crash: bool = False) -> Any:
        try:
            with transaction(self.engine) as session:
                outcome = act(Call(actor, session, self.now, alone()), *args)
                _power(crash)
                return outcome
        except (HavenmeesterError, _CrashError):
            return None

    def _orders(self, *states: OrderState) -> list[str]:
        with transaction(self.engine, write=False) as session:
            query = select(Order.id).order_by(Order.requested_at, Order.id)
            if states:
                query = query.where(Order.state.in_([state.value for state in states]))
            return list(session.scalars(query))

    @rule(device=st.integers(0, 2), person=st.sampled_from((FLEET_ADMIN, BOTH)))
    def the_usual_way_but_for_the_device(self, device: int, person: Actor) -> None:
        """Most orders are asked, approved and released without trouble: the trouble comes at the end."""
        order = self._try(person, service.request_wipe, self.devices[device].uid, "Stolen.")
        if order is not None:
            self._try(ADA, service.approve, order.id)
            release(self.engine, self.client, order.id, clock=lambda: self.now)

    @rule(device=st.integers(0, 2), person=st.sampled_from(PEOPLE), crash=SELDOM)
    def ask(self, device: int, person: Actor, crash: bool) -> None:
        self._try(person, service.request_wipe, self.devices[device].uid, "Stolen.", crash=crash)

    @precondition(lambda self: self._orders())
    @rule(pick=st.integers(0, 99), person=st.sampled_from(PEOPLE), crash=SELDOM)
    def approve(self, pick: int, person: Actor, crash: bool) -> None:
        ids = self._orders(OrderState.REQUESTED) or self._orders()
        self._try(person, service.approve, ids[pick % len(ids)], crash=crash)

    @precondition(lambda self: self._orders(OrderState.REQUESTED))
    @rule(pick=st.integers(0, 99), person=st.sampled_from(PEOPLE))
    def reject(self, pick: int, person: Actor) -> None:
        ids = self._orders(OrderState.REQUESTED)
        self._try(person, service.reject, ids[pick % len(ids)], "No.")

    @precondition(lambda self: self._orders())
    @rule(pick=st.integers(0, 99), person=st.sampled_from(PEOPLE), sure=SELDOM)
    def cancel(self, pick: int, person: Actor, sure: bool) -> None:
        ids = self._orders() if sure else self._orders(OrderState.CANCELLED, OrderState.DONE, OrderState.FETCHED)
        if not ids:
            return
        order_id = ids[pick % len(ids)]
        if self._try(person, service.cancel, order_id) is not None:
            self.cancelled.add(order_id)

    @precondition(lambda self: self._orders(OrderState.APPROVED, OrderState.HELD))
    @rule(pick=st.integers(0, 99), crash=SELDOM, down=SELDOM)
    def release(self, pick: int, crash: bool, down: bool) -> None:
        ids = self._orders(OrderState.APPROVED, OrderState.HELD)
        self.client.down = down

        def clock() -> datetime:
            _power(crash)
            return self.now

        try:
            release(self.engine, self.client, ids[pick % len(ids)], clock=clock)
        except _CrashError:
            pass
        finally:
            self.client.down = False

    @rule(pick=st.integers(0, 99), crash=SELDOM, state=st.sampled_from(["done", "done", "failed", "busy", ""]))
    def check_in(self, pick: int, crash: bool, state: str) -> None:
        """The device fetches, carries out what it has not done yet, and answers, unless the power goes first."""
        with transaction(self.engine, write=False) as session:
            waiting = [n for n, one in enumerate(self.devices) if session.get_one(Device, one.id).waiting] or [0]
        device = waiting[pick % len(waiting)]
        here = self.devices[device]
        with transaction(self.engine) as session:
            call = Call(speaking(here), session, self.now, alone())
            command = delivery.released_for(
                call, here.id, order_key=self.order_key, key_digest=self.fleet.keys[here.uid]
            )
        if command is None:
            return
        said = open_order(self.order_key, command["args"]["order"], command["args"]["signature"])
        if state != "busy" and said.id not in self.journal:
            assert not (self.private and device == 1)
            self.journal.add(said.id)
            self.wiped.append((said, self.now))
        if not crash and state:
            self._try(speaking(here), delivery.take_answer, here.id, {"id": command["id"], "state": state})

    @rule(minutes=st.sampled_from([1, 5, 10, 30, 61, 61, 24 * 60, 73 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self._try(FLEET_ADMIN, lambda call: delivery.expire_due(call))

    @rule(private=st.booleans())
    def changes_hands(self, private: bool) -> None:
        """A device becomes private, and the city's again."""
        with transaction(self.engine) as session:
            session.get_one(Device, self.devices[1].id).ownership = "private" if private else "city"
        self.private = private

    @rule(device=st.integers(0, 2))
    def somebody_writes_a_release_into_the_database(self, device: int) -> None:
        """Whoever writes the database has an order, a state, and no signature."""
        here = self.devices[device]
        self._try(FLEET_ADMIN, service.request_wipe, here.uid, "Stolen.")
        with transaction(self.engine) as session:
            order = session.scalar(select(Order).where(Order.device_id == here.id, Order.finished_at.is_(None)))
            if order is None or order.state in {state.value for state in DELIVERABLE}:
                return
            text = OrderText(
                order.id, here.uid, self.fleet.keys[here.uid], "wipe", "Forged.", "A", ("B",),
                int(self.now.timestamp()) - 9, int(self.now.timestamp()) + 999,
            )  # fmt: skip
            session.merge(
                Release(order_id=order.id, canonical=text.canonical, signature="A" * 86 + "==", released_at=self.now)
            )
            order.state = OrderState.RELEASED.value
            session.get_one(Device, here.id).waiting = 1

    @invariant()
    def whatever_was_wiped_had_two_people_and_its_time(self) -> None:
        with transaction(self.engine, write=False) as session:
            for said, at in self.wiped:
                order = session.get_one(Order, said.id)
                yes = session.scalars(select(Approval).where(Approval.order_id == said.id, Approval.approved)).all()
                assert len(yes) == 1
                assert yes[0].approver_id != order.requested_by_id
                assert said.not_before <= at.timestamp() < said.not_after
                assert said.device == order.device_uid
            for order, approval in session.execute(select(Order, Approval).join(Approval)):
                assert approval.approver_id != order.requested_by_id
        assert not {said.id for said, _ in self.wiped} & self.cancelled
        assert len({said.id for said, _ in self.wiped}) == len(self.wiped)

    @invariant()
    def a_private_device_is_not_wiped(self) -> None:
        assert self.devices[2].uid not in {said.device for said, _ in self.wiped}

    @invariant()
    def budgets_hold(self) -> None:
        history = self.client.desk._ledger.book.spent(NOW - timedelta(days=1))
        for one in history:
            day = [other for other in history if one.at <= other.at < one.at + 24 * 3600]
            assert len([other for other in day if other.place == one.place]) <= LIMITS.place_day
            assert len([other for other in day if other.requester == one.requester]) <= LIMITS.requester_day
            hour = [other for other in history if one.at <= other.at < one.at + 3600]
            assert len(hour) <= LIMITS.fleet_least_hour

    @invariant()
    def states_waiting_and_diary_agree(self) -> None:
        with transaction(self.engine, write=False) as session:
            orders = session.scalars(select(Order)).all()
            for device in self.devices:
                mine = [order for order in orders if order.device_uid == device.uid]
                deliverable = [order for order in mine if OrderState(order.state) in DELIVERABLE]
                assert session.get_one(Device, device.id).waiting == len(deliverable)
                assert len([order for order in mine if OrderState(order.state) in OPEN]) <= 1
            for order in orders:
                assert (OrderState(order.state) in OPEN) == (order.finished_at is None)
                if order.state == OrderState.DONE:
                    assert order.id in self.journal
                if order.answer is not None:
                    first = self.answered.setdefault(order.id, str(order.answer))
                    assert str(order.answer) == first
            assert audit.verify(session).sound


OrderProtocol.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestOrderProtocol = OrderProtocol.TestCase
