"""The brake on guessing: how long somebody waits after wrong tries. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

WINDOW = timedelta(minutes=15)
"""Failures of longer ago are forgotten."""


@dataclass(frozen=True, slots=True)
class Brake:
    """The first ``free`` failures cost nothing; after that each one doubles the wait, from ``first`` up to ``most``."""

    free: int
    first: timedelta = timedelta(seconds=5)
    most: timedelta = WINDOW

    def wait(self, failures: Sequence[datetime], now: datetime) -> int:
        """Seconds until the next try may be made; 0 when now."""
        recent = [moment for moment in failures if moment > now - WINDOW]
        over = len(recent) - self.free
        if over < 0:
            return 0
        pause = min(self.first * (1 << min(over, 16)), self.most)
        return max(0, ceil((max(recent) + pause - now).total_seconds()))


ACCOUNT = Brake(free=5)
ADDRESS = Brake(free=30)
"""More than for an account: a whole office may stand behind one address."""
