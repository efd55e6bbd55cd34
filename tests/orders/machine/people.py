"""What people do to orders: they ask, sign, say no, take back, pause, go on, stop everything and let it go on."""

import json

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from mdm.core.actor import Actor, system
from mdm.core.errors import HavenmeesterError
from mdm.core.ids import secret_digest
from mdm.orders import mirror, service
from mdm.orders.model import Lane, Order, OrderState
from mdm.orders.states import PAUSABLE
from tests.conftest import FLEET_ADMIN
from tests.orders.conftest import ADA, ADAS, BOTH, EVA
from tests.orders.machine.world import COOLING, KEYS, MIAS, PEOPLE, SELDOM, Installation
from tests.sim.approvers import Person


class People(Installation):
    """Three who ask and decide, and four who hold a key."""

    @initialize(device=st.integers(0, 2), asker=st.sampled_from((FLEET_ADMIN, BOTH)))
    def most_runs_begin_with_an_order(self, device: int, asker: Actor) -> None:
        if device < 2:
            self.the_usual_way_but_for_the_device(device, asker)

    @rule(device=st.integers(0, 1), asker=st.sampled_from((FLEET_ADMIN, BOTH)))
    def the_usual_way_but_for_the_device(self, device: int, asker: Actor) -> None:
        """Most orders are asked, signed and released without trouble: the trouble comes at the end."""
        lane = Lane.STOLEN if device else Lane.ORDINARY
        order = self.attempt(asker, service.request_wipe, self.devices[device].device.uid, "Stolen.", lane=lane)
        if order is not None:
            for who in (ADAS, MIAS):
                self.sign_order(order.id, who)
            self.put_before_signer(order.id)
            if lane is Lane.ORDINARY:
                self.now += COOLING
                self.put_before_signer(order.id)

    @rule(device=st.integers(0, 1), good=st.booleans())
    def handed_in_at_the_counter(self, device: int, good: bool) -> None:
        here = self.devices[device]
        code = f"{len(here.done):04d}{device:04d}"
        if good:
            here.shown.add(code)
        order = self.attempt(
            FLEET_ADMIN, service.request_wipe, here.device.uid, "Returned.", lane=Lane.HAND_IN, presence=code
        )
        if order is not None:
            self.put_before_signer(order.id)

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
        self.attempt(asker, service.request_wipe, here.device.uid, "Stolen.", lane=lane, presence=code, crash=crash)

    @rule(asker=st.sampled_from((FLEET_ADMIN, BOTH)), crash=SELDOM)
    def ask_for_all(self, asker: Actor, crash: bool) -> None:
        """A batch: the private device is left out."""
        uids = [one.device.uid for one in self.devices]
        batch = self.attempt(asker, service.request_wipes, uids, "The shop was robbed.", crash=crash)
        if batch is not None:
            assert self.devices[2].device.uid not in batch.canonical
            assert self.devices[2].device.uid in {one["device"] for one in batch.left_out}

    @precondition(lambda self: self.orders())
    @rule(pick=st.integers(0, 99), who=st.sampled_from(KEYS), by=st.sampled_from(PEOPLE), crash=SELDOM)
    def sign(self, pick: int, who: Person, by: Actor, crash: bool) -> None:
        ids = self.orders(OrderState.REQUESTED) or self.orders()
        self.sign_order(ids[pick % len(ids)], who, by, crash=crash)

    @precondition(lambda self: self.orders(OrderState.REQUESTED))
    @rule(pick=st.integers(0, 99), who=st.sampled_from(PEOPLE), sure=SELDOM)
    def reject(self, pick: int, who: Actor, sure: bool) -> None:
        ids = self.orders(OrderState.REQUESTED)
        if sure:
            self.attempt(who, service.reject, ids[pick % len(ids)], "No.")

    @precondition(lambda self: self.orders())
    @rule(pick=st.integers(0, 99), who=st.sampled_from(PEOPLE), sure=SELDOM)
    def cancel(self, pick: int, who: Actor, sure: bool) -> None:
        ids = self.orders() if sure else self.orders(OrderState.CANCELLED, OrderState.DONE, OrderState.FETCHED)
        if not ids:
            return
        order = self.attempt(who, service.cancel, ids[pick % len(ids)])
        if order is not None:
            self.cancelled.add(order.id)

    @precondition(lambda self: self.orders(*PAUSABLE))
    @rule(pick=st.integers(0, 99), crash=SELDOM)
    def pause(self, pick: int, crash: bool) -> None:
        """The holder follows the link of a letter."""
        number = (ids := self.orders(*PAUSABLE))[pick % len(ids)]
        with self.call() as call:
            call.session.get_one(Order, number).pause_digest = secret_digest(number)
        if self.attempt(system("visitor"), service.pause, number, crash=crash) is not None:
            self.stopped.add(number)

    @precondition(lambda self: self.orders(OrderState.PAUSED))
    @rule(pick=st.integers(0, 99), who=st.sampled_from((*PEOPLE, EVA)))
    def lift(self, pick: int, who: Actor) -> None:
        number = (ids := self.orders(OrderState.PAUSED))[pick % len(ids)]
        if self.attempt(who, service.lift, number) is not None:
            self.stopped.discard(number)

    @rule(sure=SELDOM)
    def freeze(self, sure: bool) -> None:
        if sure and self.attempt(ADA, service.freeze, "Something is wrong.") is not None:
            self.frozen = True

    @precondition(lambda self: self.frozen)
    @rule(first=st.sampled_from(KEYS), second=st.sampled_from(KEYS), crash=SELDOM)
    def thaw(self, first: Person, second: Person, crash: bool) -> None:
        self.the_worker_tells_the_signer(down=False)
        text = self.attempt(ADA, service.begin_thaw)
        if text is None:
            return
        for who in (first, second):
            self.signed.setdefault(text, set()).add(who.person)
            self.attempt(ADA, service.take_thaw_proof, who.proof(text))
        with self.call(write=False) as call:
            proofs = mirror.thaw_proofs(call, text)
        try:
            self.client.thaw(statement=text, proofs=proofs)
        except HavenmeesterError:
            assert len(self.signed[text]) < 2
            return
        assert len(self.signed[text]) >= 2
        # The signer's word ends it: the database follows now, or when the worker asks the signer next how it stands.
        self.frozen = False
        if not crash:
            self.attempt(system("worker"), service.thawed, freeze_of(text))


def freeze_of(text: str) -> int:
    """The freeze that a thaw statement ends."""
    return int(json.loads(text)["freeze"])
