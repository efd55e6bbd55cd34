"""What this device knows when an order or a roster comes, and what the child process makes of it.

Nothing is judged in the resident process: it gathers the facts, asks the child (``agent/judge.py``, one process for one
order), and keeps on disk what was proved.
"""

import time
from collections.abc import Callable
from typing import Any

from agent import presence, programs
from agent.errors import AgentError, OrderRefusedError
from agent.journal import Journal
from agent.state import Identity, State

Clock = Callable[[], float]


class Trust:
    """The roster of approvers that this device believes, in ``roster.json``; in memory only its version.

    ``{"chain": [[version, digest], ...], "sealed": {...}}``: every roster that was ever believed under this enrollment by
    its digest, and the newest in full.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        chain = state.read("roster.json").get("chain", [])
        self.version: int = chain[-1][0] if chain else 0

    def text(self) -> str | None:
        """The newest roster's text; None before the founding."""
        sealed = self.state.read("roster.json").get("sealed")
        return None if sealed is None else str(sealed["roster"])

    def keep(self, learned: list[dict[str, Any]]) -> None:
        """Writes down what was proved. Raises OSError; then the rosters before still hold."""
        if not learned:
            return
        chain = self.state.read("roster.json").get("chain", [])
        chain += [[one["version"], one["digest"]] for one in learned]
        self.state.save("roster.json", {"chain": chain, "sealed": learned[-1]["sealed"]})
        self.version = learned[-1]["version"]
        self.state.log(f"Roster {self.version} of approvers is known.")


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    """The child's answer. Raises OrderRefusedError ``helper`` when there is none."""
    try:
        return programs.crypto(request)
    except AgentError as trouble:
        raise OrderRefusedError("helper", f"The signatures could not be checked: {trouble}") from trouble


def _kept(trust: Trust, answer: dict[str, Any]) -> None:
    """Keeps what an answer taught, and raises OrderRefusedError when it refuses."""
    trust.keep(answer["rosters"])
    if "refused" in answer:
        raise OrderRefusedError(answer["refused"], answer["sentence"])


def facts(identity: Identity, journal: Journal, state: State, now: float) -> dict[str, Any]:
    """What a device knows of itself when it judges an order, see ``proof.Facts``."""
    return {
        "device": identity.device,
        "enrollment": identity.public_key,
        "order_key": identity.order_key,
        "now": int(now),
        # Signed words of that time were seen, so it is not earlier, wherever the clock was put back to.
        "floor": max(identity.not_before, journal.latest()),
        "epoch": journal.epoch(identity.order_key),
        "done": sorted(journal.taken()),
        "presence": sorted(presence.accepted(state) - journal.codes()),
        "presence_shut": presence.shut(state),
        "former": identity.former,
    }


def verify(
    envelope: object, identity: Identity, journal: Journal, trust: Trust, now: float, *, keep: bool
) -> dict[str, Any]:
    """The order, once every rule holds. Raises OrderRefusedError. ``keep``: write down the rosters that came with it."""
    request = {
        "do": "judge",
        "envelope": envelope,
        "facts": facts(identity, journal, trust.state, now),
        "roster": trust.text(),
    }
    answer = _ask(request)
    _kept(trust, answer if keep else {**answer, "rosters": []})
    order: dict[str, Any] = answer["order"]
    return order


def learn(given: object, identity: Identity, trust: Trust, now: float | None = None) -> int:
    """Takes rosters that follow the known one; returns the version that is known now. Raises OrderRefusedError, OSError."""
    request = {
        "do": "follow",
        "rosters": given,
        "roster": trust.text(),
        "order_key": identity.order_key,
        "now": int(time.time() if now is None else now),
    }
    _kept(trust, _ask(request))
    return trust.version
