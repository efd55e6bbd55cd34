"""When a citizen was last at a kiosk, by what the session's idle watcher leaves behind.

The watcher, which the compositor tells of touch and keys, touches ``STAMP`` when somebody begins and when nobody has done
anything for a while, and keeps ``PRESENT`` there in between. The agent reads the times of these two files. It never opens an
input device: what a citizen types is nobody's.
"""

import time
from typing import Final

from agent.roots import Root

STAMP: Final = "/run/havenmeester-kiosk/used"
PRESENT: Final = "/run/havenmeester-kiosk/present"
QUARTER: Final = 900
QUIET: Final = 600
"""Seconds without a citizen before anything is done that one would see."""


def last(root: Root, now: float) -> int | None:
    """Seconds since 1970 of the last sign of a citizen; None where no watcher has ever left one."""
    if root.exists(PRESENT):
        return int(now)
    seen = root.status(STAMP)
    return min(int(seen.st_mtime), int(now)) if seen else None


def quarter(at: int | None) -> str | None:
    """The quarter of an hour in which that was, RFC 3339: nobody can tell from it who came when."""
    return None if at is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at // QUARTER * QUARTER))
