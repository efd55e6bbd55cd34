"""The journal of orders: one line per step, on disk before the step is taken. It is never rewritten.

    accepted {order, command, at}       before anything is destroyed
    done     {order, receipt, at}       everything is destroyed
    acknowledged {order, at}            the server has the receipt; the identity goes next

An order that is accepted and not done was interrupted: it is finished. One that is done is never done again.
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
        self.path = state.file("orders.journal")
        self.orders: dict[str, dict[str, dict[str, Any]]] = {}
        """Order id → step → what was noted."""
        if self.path.exists():
            for line in self.path.read_bytes().split(b"\n")[-MAX_LINES:]:
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
        disk.append_line(self.path, json.dumps(entry, ensure_ascii=False).encode())
        self.orders.setdefault(order, {})[step] = entry

    def taken(self) -> frozenset[str]:
        """Ids of all orders that were ever accepted."""
        return frozenset(self.orders)

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
