"""A clock that does not leap ahead: whoever sets the machine's clock forward ends no waiting time and frees no budget."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from mdm.core.clock import utcnow

LEAP: Final = timedelta(minutes=5)
"""What a clock is corrected by in one go when all is well; more than this is a leap."""


def _since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SteadyClock:
    """The machine's time, as long as it runs like the seconds since boot, sleep counted.

    After a leap ahead it goes on from where it was. A small correction is followed, and so is every step back. Started
    anew it believes the machine again: whoever may start the signer may say what time it is.
    """

    def __init__(self, wall: Callable[[], datetime] = utcnow, boot: Callable[[], float] = _since_boot) -> None:
        self._wall = wall
        self._boot = boot
        self._last = wall()
        self._at = boot()

    def __call__(self) -> datetime:
        """Now, as far as it can be believed; UTC."""
        wall, boot = self._wall(), self._boot()
        due = self._last + timedelta(seconds=boot - self._at)
        self._last = wall if wall - due <= LEAP else due
        self._at = boot
        return self._last.astimezone(UTC)
