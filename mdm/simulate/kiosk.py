"""What a simulated kiosk says of itself: most are well, some wait for somebody. Pure, from its number and its own dice."""

from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from mdm.core.clock import iso

EVERY: Final = 3
"""Every so many simulated machines are kiosks, as their invitations say."""
QUARTER: Final = timedelta(minutes=15)


def is_kiosk(number: int) -> bool:
    """Whether the machine with this number is one."""
    return number % EVERY == 0


def section(number: int, draw: Random, now: datetime) -> dict[str, Any]:
    """The section ``kiosk`` at this moment."""
    broken = number % 30 == 9
    used = now - timedelta(minutes=draw.randint(0, 300))
    return {
        "browser": "stopped" if broken else "running",
        "restarts": 3 if broken else 0,
        "gave_up_at": iso((now - timedelta(hours=1)).replace(microsecond=0)) if broken else None,
        "last_use": iso(used - (used - datetime.min.replace(tzinfo=used.tzinfo)) % QUARTER),
        "temperature_c": 90 if number % 45 == 12 else draw.choice((40, 45, 50, 55, 60)),
        "printer": None if number % 4 == 2 else _printer(number, draw),
    }


def _printer(number: int, draw: Random) -> dict[str, Any]:
    if number % 60 == 21:
        problem = "The printer does not answer: No route to host."
        return {"state": "unreachable", "reasons": [], "paper": "unknown", "supplies": [], "problem": problem}
    paper = "empty" if number % 24 == 3 else "low" if number % 15 == 6 else "ok"
    reasons = {"ok": [], "low": ["media-low"], "empty": ["media-empty"]}[paper]
    supplies = [{"name": "Black", "level": draw.randrange(10, 101, 10)}]
    state = "stopped" if paper == "empty" else "idle"
    return {"state": state, "reasons": reasons, "paper": paper, "supplies": supplies, "problem": ""}
