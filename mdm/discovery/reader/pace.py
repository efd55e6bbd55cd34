"""How fast packets may leave: a bucket of tokens. Pure: it is told the time."""

from dataclasses import dataclass

PER_SECOND = 40.0
"""Packets per second; the city allows fewer than 50."""
BURST = 5.0


@dataclass(slots=True)
class Bucket:
    """Never more than ``burst`` plus ``rate`` times the seconds that have gone by."""

    rate: float = PER_SECOND
    burst: float = BURST
    tokens: float = BURST
    at: float | None = None

    def wait(self, now: float) -> float:
        """Takes a token and returns 0.0; or takes none and returns the seconds until there is one."""
        if self.at is not None:
            self.tokens = min(self.burst, self.tokens + max(0.0, now - self.at) * self.rate)
        self.at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate
