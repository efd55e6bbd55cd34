"""Carries out orders: checks, journal, act, receipt. An interrupted wipe is finished; a finished one is never repeated."""

import time
from typing import Any

from agent import disk, orders, presence, wipe
from agent.commands import Commands, done, not_done
from agent.errors import OrderRefusedError
from agent.journal import Journal
from agent.orders import Clock, Trust
from agent.roots import Root
from agent.state import Identity, State, now_text


class Destroyer:
    """The one who wipes. ``pending`` is true from the first destroyed key until the identity is gone."""

    def __init__(self, state: State, root: Root, identity: Identity, clock: Clock = time.time) -> None:
        self.state, self.root, self.identity, self.clock = state, root, identity, clock
        self.journal = Journal(state)
        self.trust = Trust(state)

    @property
    def pending(self) -> bool:
        """A wipe has begun, and its receipt is not acknowledged yet."""
        return self.journal.interrupted() is not None or self.journal.unacknowledged() is not None

    def obey(self, command: str, args: dict[str, Any]) -> dict[str, Any]:
        """The answer to a wipe command: done with its receipt, failed with it, or refused with the rule."""
        try:
            order = orders.verify(args, self.identity, self.journal, self.trust, self.clock(), keep=True)
        except OrderRefusedError as refused:
            if refused.rule == "presence":
                presence.wrong(self.state)
            self.state.log(f"A wipe was refused: {refused}")
            return {**not_done("refused", str(refused)), "data": {"rule": refused.rule}}
        # On disk before anything is destroyed: whatever happens now, this order is never begun a second time.
        self.journal.note(
            "accepted",
            order["id"],
            command=command,
            enrollment=self.identity.public_key,
            signer=self.identity.order_key,
            epoch=order["epoch"],
            asked=order["not_before"],
            presence=order["presence"],
        )
        return self._act(order["id"])

    def learn(self, _: str, args: dict[str, Any]) -> dict[str, Any]:
        """The answer to a roster command: done with the version that is known now, or refused with the rule."""
        try:
            version = orders.learn(args.get("rosters"), self.identity, self.trust, self.clock())
        except OrderRefusedError as refused:
            self.state.log(f"A roster was refused: {refused}")
            return {**not_done("refused", str(refused)), "data": {"rule": refused.rule}}
        return done(f"Roster {version} of approvers is known.", {"version": version})

    def _act(self, order: str) -> dict[str, Any]:
        noted = self.journal.orders[order].get("keys")
        volumes: list[dict[str, Any]] = noted["volumes"] if noted else wipe.destroy_keys(self.root)
        if not noted:
            # The list of volumes is among the data that goes next: what was done to them must be known afterwards.
            self.journal.note("keys", order, volumes=volumes)
        receipt = {"order": order, "at": now_text(), **wipe.destroy_data(self.state, self.root, volumes)}
        self.journal.note("done", order, receipt=receipt)
        return self._answer(receipt)

    @staticmethod
    def _answer(receipt: dict[str, Any]) -> dict[str, Any]:
        state = "done" if receipt["complete"] else "failed"
        return {"state": state, "detail": receipt["sentence"], "data": receipt}

    def resume(self, commands: Commands) -> None:
        """Finishes what a crash interrupted, and sees to it that the receipt waits for delivery."""
        interrupted = self.journal.interrupted()
        if interrupted is not None:
            self._act(interrupted["order"])
        accepted = {steps["accepted"]["command"] for steps in self.journal.orders.values() if "accepted" in steps}
        for name, entry in list(commands.entries.items()):
            if entry["verb"] == "wipe" and entry["result"] is None and name not in accepted:
                commands.set_result(name, "wipe", self.obey(name, entry["args"]))
        finished = self.journal.unacknowledged()
        if finished is None:
            return
        command = self.journal.orders[finished["order"]]["accepted"]["command"]
        known = commands.entries.get(command)
        if known is None or known["result"] is None:
            commands.set_result(command, "wipe", self._answer(finished["receipt"]))

    def acknowledge(self, delivered: list[str]) -> None:
        """Notes that the server has the receipt, when its command is among those delivered."""
        finished = self.journal.unacknowledged()
        if finished is not None:
            command = self.journal.orders[finished["order"]]["accepted"]["command"]
            if command in delivered:
                self.journal.note("acknowledged", finished["order"])

    def may_go(self) -> bool:
        """Whether this enrollment was ended by a wipe whose receipt has arrived."""
        return any(
            "acknowledged" in steps
            and steps.get("accepted", {}).get("enrollment") in (self.identity.public_key, *self.identity.former)
            for steps in self.journal.orders.values()
        )

    def go(self) -> None:
        """Removes the identity: keys first, the file that names them last, so that a crash in between is finished."""
        last = [steps["done"]["receipt"] for steps in self.journal.orders.values() if "done" in steps][-1]
        self.state.save("wiped.json", {"order": last["order"], "at": last["at"], "sentence": last["sentence"]})
        forget(self.state)


def forget(state: State) -> None:
    """Removes everything of this enrollment from the state folder but the journal of orders and the log.

    The secret behind the codes of presence goes too: a code that was shown before is nothing worth afterwards.
    """
    for folder in ("keys", "before", "spool"):
        disk.remove_folder(state.file(folder))
    names = ("applied", "desired", "known", "commands", "lock", "messages", "contact", "roster", "presence")
    for name in (*(f"{name}.json" for name in names), "ca.pem", "identity.json"):
        state.file(name).unlink(missing_ok=True)
