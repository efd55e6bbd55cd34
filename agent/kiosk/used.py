"""When a citizen was last at a kiosk, by what the session's idle watcher leaves behind.

The watcher, whom the compositor tells of touch and keys, touches ``STAMP`` whenever somebody goes on after a second's rest. The
agent reads the time of that file, and never opens an input device: what a citizen types is nobody's.
"""

import time
from typing import Final

from agent.roots import Root

FOLDER: Final = "/run/havenmeester-kiosk"
"""The folder of one run of the session; it goes with it."""
STAMP: Final = f"{FOLDER}/used"
QUARTER: Final = 900
QUIET: Final = 600
"""Seconds without a citizen before anything is done that one would see."""


def last(root: Root, now: float) -> int | None:
    """Seconds since 1970 of the last sign of a citizen in this run of the session; None where there is none."""
    seen = root.status(STAMP)
    return min(int(seen.st_mtime), int(now)) if seen else None


def quarter(at: int | None) -> str | None:
    """The quarter of an hour in which that was, RFC 3339: nobody can tell from it who came when."""
    return None if at is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at // QUARTER * QUARTER))
