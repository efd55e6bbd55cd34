"""What devices do: they fetch, judge by themselves, write down, wipe, and answer, unless the power goes first."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from agent.crypto import holds
from agent.proof import Facts, RefusedError, check_envelope
from mdm.orders import delivery
from mdm.signing.seals import read_order
from tests.orders.conftest import speaking
from tests.orders.machine.world import FIGURES, SELDOM, Carried, Handset, Installation


class Devices(Installation):
    """A kiosk at a counter, one that is lost, and somebody's private device."""

    @rule(device=st.integers(0, 1), answers=st.booleans())
    def check_in_without_trouble(self, device: int, answers: bool) -> None:
        self.check_in(device, crash=not answers, state="done")

    @rule(pick=st.integers(0, 99), crash=SELDOM, state=st.sampled_from(["done", "done", "failed", "busy", ""]))
    def check_in(self, pick: int, crash: bool, state: str) -> None:
        """The device fetches, judges, carries out what it has not done yet, and answers, unless the power goes first."""
        waits = self.view().waiting
        waiting = [one for one in self.devices if waits[one.device.id]] or self.devices[:1]
        here = waiting[pick % len(waiting)]
        actor = speaking(here.device)
        with self.call(actor) as call:
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
            self.attempt(actor, delivery.take_answer, here.device.id, answer)

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
