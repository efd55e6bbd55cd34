"""What must hold after every step: two people, this device, once, in its time, within the budgets, never unnoticed."""

from datetime import timedelta

from hypothesis.stateful import invariant

from mdm.orders.model import OrderState
from mdm.orders.states import DELIVERABLE, OPEN
from tests.conftest import NOW
from tests.orders.machine.world import LIMITS, Installation

STOPPED = {OrderState.PAUSED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED}
"""What an order that its holder paused may become while nobody lifts the pause."""


class Invariants(Installation):
    """The invariants of destructive orders."""

    @invariant()
    def whatever_was_wiped_had_its_people_its_device_and_its_time(self) -> None:
        self.view()
        for one in self.wiped:
            said = one.said
            assert said.device in {here.device.uid for here in self.devices if here.key == said.enrollment}
            assert said.not_before <= one.at.timestamp() < said.not_after
            assert said.epoch == one.epoch
            if said.lane != "hand_in":
                really = self.signed.get(self.batch_of.get(said.id, said.canonical), set()) - {said.requester}
                assert len(really) >= 2, (said, really)
                assert set(one.approvers) <= really
        ids = [one.said.id for one in self.wiped]
        assert len(set(ids)) == len(ids)

    @invariant()
    def what_was_taken_back_was_not_wiped_afterwards(self) -> None:
        states = {order.id: OrderState(order.state) for order in self.view().orders}
        if not self.restores:
            gone = {number for number in self.cancelled if states[number] is OrderState.CANCELLED}
            assert not gone & {one.said.id for one in self.wiped}
        for number in self.stopped & states.keys():
            assert states[number] in STOPPED

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
        view = self.view()
        for here in self.devices:
            mine = [OrderState(order.state) for order in view.orders if order.device_uid == here.device.uid]
            assert view.waiting[here.device.id] == len([state for state in mine if state in DELIVERABLE])
            assert len([state for state in mine if state in OPEN]) <= 1
        for order in view.orders:
            assert (OrderState(order.state) in OPEN) == (order.finished_at is None)
            if order.answer is not None:
                assert str(order.answer) == self.answered.setdefault(order.id, str(order.answer))
        assert view.sound

    @invariant()
    def the_diary_says_what_each_order_is(self) -> None:
        view = self.view()
        for order in view.orders:
            forged = order.state in ("approved", "released") and view.said[order.id] == "requested"
            assert forged or view.said[order.id] == order.state
