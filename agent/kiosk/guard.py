"""Pure: when a browser that is not well is started anew, and when that is no longer tried.

seen            what happens
running         nothing; what was missed is forgotten
starting        nothing: it has its time
off             nothing: the screen is dark at this hour
silent, stopped after ``PATIENCE`` looks in a row: it is started anew, at most ``LIMIT`` times in ``WINDOW``
the same again  it is given up: nothing is started any more until a person asks for it, or the machine starts
"""

from dataclasses import dataclass, replace
from typing import Any, Final

LIMIT: Final = 3
MAX_LIMIT: Final = 20
WINDOW: Final = 3600
PATIENCE: Final = 3
"""Looks in a row; one alone may fall into the moment in which the session is reset between two citizens."""
WELL: Final = ("running", "starting", "off")


@dataclass(frozen=True, slots=True)
class Guard:
    """What is remembered of one kiosk. Times are seconds since 1970."""

    boot: str = ""
    restarts: tuple[int, ...] = ()
    missed: int = 0
    gave_up: int | None = None

    def lately(self, now: float) -> tuple[int, ...]:
        """The restarts of the last hour; one in the future, of a clock that was wrong, is none."""
        return tuple(at for at in self.restarts if now - WINDOW < at <= now)

    def kept(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"boot": self.boot, "restarts": list(self.restarts), "gave_up": self.gave_up}


def read(kept: dict[str, Any], boot: str) -> Guard:
    """What was kept; a machine that has started since begins afresh. What is damaged counts as nothing."""
    restarts, gave_up = kept.get("restarts"), kept.get("gave_up")
    if kept.get("boot") != boot or not isinstance(restarts, list):
        return Guard(boot)
    whole = tuple(at for at in restarts if isinstance(at, int))[-MAX_LIMIT:]
    return Guard(boot, whole, gave_up=gave_up if isinstance(gave_up, int) else None)


def after(guard: Guard, seen: str, now: float, limit: int = LIMIT) -> tuple[Guard, bool]:
    """What is remembered after a look, and whether the session is started anew now."""
    if seen in WELL:
        return replace(guard, missed=0), False
    missed = min(guard.missed + 1, PATIENCE)
    if missed < PATIENCE or guard.gave_up is not None:
        return replace(guard, missed=missed), False
    lately = guard.lately(now)
    if len(lately) >= limit:
        return replace(guard, missed=missed, restarts=lately, gave_up=int(now)), False
    return replace(guard, missed=0, restarts=(*lately, int(now))), True


def once_more(guard: Guard) -> Guard:
    """A person asks for another try: what happened before no longer counts."""
    return Guard(guard.boot)
