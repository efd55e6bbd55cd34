"""Carries out orders: checks, journal, act, receipt. An interrupted wipe is finished; a finished one is never repeated."""

import base64
import time
from typing import Any

from agent import disk, orders, programs, wipe
from agent.commands import Commands, not_done
from agent.errors import AgentError
from agent.journal import Journal
from agent.orders import OrderRefusedError
from agent.roots import Root
from agent.state import Identity, State, now_text


def verify(text: bytes, signature: str, identity: Identity, journal: Journal, now: float) -> dict[str, Any]:
    """The order, once every rule and the signature hold. Raises OrderRefusedError; nothing is done here."""
    order = orders.parse(text)
    orders.check(order, orders.Facts(identity.device, identity.public_key, int(now), journal.taken()))
    message = base64.b64encode(orders.signed(text)).decode()
    asked = {"do": "verify", "key": identity.order_key, "signature": signature, "message": message}
    try:
        valid = programs.crypto(asked).get("valid") is True
    except AgentError as trouble:
        raise OrderRefusedError("signature", f"The signature could not be checked: {trouble}") from trouble
    if not valid:
        raise OrderRefusedError("signature", "The signature is not the signer's. The order was not carried out.")
    return order


def read_args(args: dict[str, Any]) -> tuple[bytes, str]:
    """The order's exact bytes and its signature. Raises OrderRefusedError when they are not there."""
    text, signature = args.get("order"), args.get("signature")
    if not isinstance(text, str) or not isinstance(signature, str):
        raise OrderRefusedError("form", "The order or its signature is missing.")
    try:
        return text.encode(), signature
    except UnicodeEncodeError:
        raise OrderRefusedError("form", "The order is not text.") from None


class Destroyer:
    """The one who wipes. ``pending`` is true from the first destroyed key until the identity is gone."""

    def __init__(self, state: State, root: Root, identity: Identity) -> None:
        self.state, self.root, self.identity = state, root, identity
        self.journal = Journal(state)

    @property
    def pending(self) -> bool:
        """A wipe has begun, and its receipt is not acknowledged yet."""
        return self.journal.interrupted() is not None or self.journal.unacknowledged() is not None

    def obey(self, command: str, args: dict[str, Any]) -> dict[str, Any]:
        """The answer to a wipe command: done with its receipt, failed with it, or refused with the rule."""
        try:
            text, signature = read_args(args)
            order = verify(text, signature, self.identity, self.journal, time.time())
        except OrderRefusedError as refused:
            self.state.log(f"A wipe was refused: {refused}")
            return {**not_done("refused", str(refused)), "data": {"rule": refused.rule}}
        # On disk before anything is destroyed: whatever happens now, this order is never begun a second time.
        self.journal.note("accepted", order["id"], command=command, enrollment=self.identity.public_key)
        return self._act(order["id"])

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
            "acknowledged" in steps and steps.get("accepted", {}).get("enrollment") == self.identity.public_key
            for steps in self.journal.orders.values()
        )

    def go(self) -> None:
        """Removes the identity: keys first, the file that names them last, so that a crash in between is finished."""
        last = [steps["done"]["receipt"] for steps in self.journal.orders.values() if "done" in steps][-1]
        self.state.save("wiped.json", {"order": last["order"], "at": last["at"], "sentence": last["sentence"]})
        forget(self.state)


def forget(state: State) -> None:
    """Removes everything of this enrollment from the state folder but the journal of orders and the log."""
    for folder in ("keys", "before", "spool"):
        disk.remove_folder(state.file(folder))
    names = ("applied", "desired", "known", "commands", "lock", "messages", "contact")
    for name in (*(f"{name}.json" for name in names), "ca.pem", "identity.json"):
        state.file(name).unlink(missing_ok=True)
