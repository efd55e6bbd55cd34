"""A bucket of tokens: Google gives a project so many calls in a while, and a burst must not starve what comes after."""

import threading
from collections.abc import Callable
from typing import Final

RATE: Final = 8.0
"""Calls in a second, kept up for ever: Google's limit is 1,000 in 100 seconds, and other programs may use the project."""
BURST: Final = 100
"""Calls that may be made at once after a quiet while."""


class Bucket:
    """Counts tokens by a clock that only goes forward. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float], *, rate: float = RATE, burst: int = BURST) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._at = clock()
        self._closed_until = 0.0
        self._lock = threading.Lock()

    def take(self) -> float:
        """Takes one token; 0.0 where there was one, else the seconds until there is one, and nothing was taken."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
            if now < self._closed_until:
                return self._closed_until - now
            if self._tokens < 1.0:
                return (1.0 - self._tokens) / self._rate
            self._tokens -= 1.0
            return 0.0

    def shut(self, seconds: float) -> None:
        """Google said that it is enough: nothing is taken for so long, and no burst waits behind it."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock() + seconds)
            self._tokens = min(self._tokens, 1.0)
