"""Worker and signer, time, a device that changes hands, backup and restore, and a thief who writes into the database."""

import os
import shutil
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from mdm.inventory.model import Device
from mdm.orders import delivery, kernel, mirror, service
from mdm.orders.model import Approval, Order, OrderState, Release
from mdm.orders.states import CANCELLABLE, WAITS_FOR_SIGNER
from mdm.outbox.model import OutboxMessage
from mdm.signing.seals import read_order
from tests.conftest import FLEET_ADMIN
from tests.orders.conftest import ADAS
from tests.orders.machine.world import MIAS, SELDOM, CrashError, Installation, power
from tests.sim.approvers import Person


class Mishaps(Installation):
    """What nobody asks for."""

    @precondition(lambda self: self.orders(*WAITS_FOR_SIGNER))
    @rule(pick=st.integers(0, 99), crash=SELDOM, down=SELDOM)
    def release(self, pick: int, crash: bool, down: bool) -> None:
        ids = self.orders(*WAITS_FOR_SIGNER)
        self.client.down = down

        def clock() -> datetime:
            power(crash)
            return self.now

        try:
            self.put_before_signer(ids[pick % len(ids)], clock)
        except CrashError:
            pass
        finally:
            self.client.down = False

    @rule(down=SELDOM)
    def the_worker_tells_the_signer(self, down: bool) -> None:
        """Cancelled orders, the red button and its end; what the signer says of itself is written down."""
        if down:
            return
        with self.call() as call:
            for message in call.session.scalars(select(OutboxMessage).where(OutboxMessage.done_at.is_(None))):
                if message.topic == "order.void":
                    self.client.void_order(message.payload["order"])
                elif message.topic == "kernel.freeze":
                    mirror.take_freeze(call, self.client.freeze(who="tests:1", why="").number)
                else:
                    continue
                message.done_at = self.now
            mirror.take_health(call, self.client.health())

    @rule(minutes=st.sampled_from([1, 5, 10, 15, 30, 61, 61, 24 * 60, 73 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.attempt(FLEET_ADMIN, lambda call: delivery.expire_due(call))

    @rule(private=st.booleans())
    def changes_hands(self, private: bool) -> None:
        """A device becomes private, and the city's again."""
        with self.call() as call:
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
        with self.call() as call:
            mirror.take_health(call, self.client.health())
            self.private = call.session.get_one(Device, self.devices[1].device.id).ownership == "private"
            self.frozen = kernel.state(call.session).frozen_at is not None
            self.stopped.clear()
        for number in self.orders(*CANCELLABLE):
            if self.attempt(FLEET_ADMIN, service.cancel, number) is not None:
                self.cancelled.add(number)
        self.answered.clear()

    @rule(device=st.integers(0, 2), stranger=st.booleans())
    def a_thief_writes_into_the_database(self, device: int, stranger: bool) -> None:
        """Whoever writes the database has an order, approvals by people of their own making, a state, and no signature."""
        here = self.devices[device]
        self.attempt(FLEET_ADMIN, service.request_wipe, here.device.uid, "Stolen.")
        with self.call() as call:
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
