"""Whom a simulated device believes: it judges orders and rosters by the same page as the agent.

What it does not do: it keeps no journal beyond the run, shows no code of presence (a hand-in is always refused), and
judges in the process of the fleet instead of a child. What one device has proved of a roster, the others take over.
"""

import json
import time
from functools import cached_property, lru_cache

from agent import crypto, proof
from agent.proof import Facts, Known, Pin, Roster
from agent.wire import canonical


@lru_cache(maxsize=16)
def _followed(order_key: str, pin: Pin | None, known: str | None, rosters: str, minute: int) -> tuple[Known, ...]:
    """The rosters that follow; every device of a fleet asks the same, so it is answered once a minute."""
    given, now = json.loads(rosters), minute * 60 + 59
    if known is None:
        return tuple(proof.pinned(pin, given, order_key, crypto.holds, now=now))
    return tuple(proof.follow(proof.read_roster(known), given, order_key, crypto.holds, now=now))


class Trust:
    """What one simulated device knows of signer and approvers, from its own certificate."""

    def __init__(self, device: str, chain: str) -> None:
        self.device = device
        self._chain = chain
        self._roster: Roster | None = None
        self._done: set[str] = set()

    @cached_property
    def _pinned(self) -> tuple[str, Pin | None]:
        """Order key, and version and digest of the roster at enrollment. Raises RefusedError."""
        return proof.read_pin(crypto.pin_of(self._chain))

    @cached_property
    def _enrollment(self) -> str:
        return str(crypto.inspect(self._chain)["public_key"])

    @property
    def version(self) -> int:
        """The version of the roster in hand; 0 until the server has sent it in this run."""
        return self._roster.version if self._roster else 0

    def learn(self, rosters: object) -> int:
        """Takes rosters that follow; the version in hand then. Raises RefusedError."""
        order_key, pin = self._pinned
        known = self._roster.text if self._roster else None
        found = _followed(order_key, pin, known, canonical(rosters).decode(), int(time.time()) // 60)
        if found:
            self._roster = found[-1].roster
        return self.version

    def accept(self, envelope: object) -> None:
        """Nothing when the order may be carried out; it is remembered then. Raises RefusedError that names the rule."""
        order_key, _ = self._pinned
        facts = Facts(self.device, self._enrollment, order_key, int(time.time()), done=frozenset(self._done))
        parts = proof.read_envelope(envelope)
        if parts["rosters"]:
            self.learn(parts["rosters"])
        order, _approvers = proof.check_order(parts, facts, self._roster, crypto.holds)
        self._done.add(order["id"])
