"""The journal of orders: one line per step, on disk before the step is taken. It is never rewritten.

    accepted {order, command, at, enrollment, signer, epoch, asked, presence}    before anything is destroyed
    keys     {order, volumes, at}       the key slots are destroyed
    done     {order, receipt, at}       everything is destroyed
    acknowledged {order, at}            the server has the receipt; the identity goes next

An order that is accepted and not done was interrupted: it is finished. One that is done is never done again.

Every line is written a second time beside the state folder (``DIR.orders``), and both are read: whoever puts back an older
copy of the folder does not make an order fresh again.
"""

import json
import time
from typing import Any

from agent import disk
from agent.state import State

MAX_LINES = 10_000


class Journal:
    """The steps so far, and a place for the next one."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.path = state.file("orders.journal")
        self.second = state.folder.with_name(f"{state.folder.name}.orders")
        self.orders: dict[str, dict[str, dict[str, Any]]] = {}
        """Order id → step → what was noted."""
        for path in (self.second, self.path):
            if path.exists():
                for line in path.read_bytes().split(b"\n")[-MAX_LINES:]:
                    self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            self.orders.setdefault(entry["order"], {})[entry["step"]] = entry
        except (ValueError, KeyError, TypeError):
            # Half a line is what a power cut leaves: its step had not begun, because the line comes first.
            return

    def note(self, step: str, order: str, **more: Any) -> None:
        """Writes a step down and forces it to disk. Raises OSError; then the step must not be taken."""
        entry = {"step": step, "order": order, "at": int(time.time()), **more}
        line = json.dumps(entry, ensure_ascii=False).encode()
        disk.append_line(self.path, line)
        try:
            disk.append_line(self.second, line)
        except OSError as trouble:
            # The folder above may not be ours to write in; the first copy is what counts.
            self.state.log(f"The second copy of the journal could not be written: {trouble.strerror}.")
        self.orders.setdefault(order, {})[step] = entry

    def taken(self) -> frozenset[str]:
        """Ids of all orders that were ever accepted."""
        return frozenset(self.orders)

    def _accepted(self) -> list[dict[str, Any]]:
        return [steps["accepted"] for steps in self.orders.values() if "accepted" in steps]

    def epoch(self, signer: str) -> int:
        """The highest epoch of an order of this signer that was ever accepted; 1 when there was none."""
        return max((note.get("epoch", 1) for note in self._accepted() if note.get("signer") == signer), default=1)

    def latest(self) -> int:
        """When the latest accepted order was asked for, in seconds since 1970; 0 when there was none."""
        return max((note.get("asked", 0) for note in self._accepted()), default=0)

    def codes(self) -> frozenset[str]:
        """Codes of presence that were used."""
        return frozenset(note["presence"] for note in self._accepted() if note.get("presence"))

    def interrupted(self) -> dict[str, Any] | None:
        """The note of an order that was accepted and is not done; None when there is none."""
        for steps in self.orders.values():
            if "accepted" in steps and "done" not in steps:
                return steps["accepted"]
        return None

    def unacknowledged(self) -> dict[str, Any] | None:
        """The note of a wipe that is done and whose receipt the server has not acknowledged; None when there is none."""
        for steps in self.orders.values():
            if "done" in steps and "acknowledged" not in steps:
                return steps["done"]
        return None

    def receipt(self, order: str) -> dict[str, Any] | None:
        """What was done for an order; None when it was never finished."""
        done = self.orders.get(order, {}).get("done")
        return done["receipt"] if done else None
