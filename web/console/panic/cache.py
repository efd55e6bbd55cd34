"""The number of the pulse, read at most once a second by each process."""

import threading
import time
from collections.abc import Callable
from typing import Final

from flask import current_app

EXTENSION: Final = "havenmeester_pulse"
EVERY: Final = 1.0


class Pulse:
    """Remembers what was read for a second. Whoever comes while it is being read gets what was read before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: tuple[int, int] | None = None
        self._until = 0.0

    def read(self, ask: Callable[[], tuple[int, int]]) -> tuple[int, int]:
        """The number, and how many calls for help are open; ``ask`` reads them."""
        known = self._known
        if known is not None and time.monotonic() < self._until:
            return known
        if not self._lock.acquire(blocking=known is None):
            return known or (0, 0)
        try:
            fresh = self._known = ask()
            self._until = time.monotonic() + EVERY
        finally:
            self._lock.release()
        return fresh

    def forget(self) -> None:
        """Reads anew the next time: for who has just changed something and wants to see it."""
        self._until = 0.0


def remembered() -> Pulse:
    """The one of the running application."""
    found: Pulse = current_app.extensions.setdefault(EXTENSION, Pulse())
    return found
