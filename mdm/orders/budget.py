"""How many devices may be wiped in a while, as one pure rule. The signer asks it, with its own ledger as history.

A budget holds even when everybody involved is tricked: what goes over it is held, not refused, and signed when the
window has moved on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from mdm.core.errors import N_

DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """The safe defaults. They hold from the first minute; nothing switches them off."""

    place_per_day: int = 10
    """Orders for one service point in 24 hours."""
    requester_per_day: int = 5
    """Orders asked by one requester in 24 hours."""
    fleet_share_per_hour: float = 0.02
    """Part of all enrolled devices in one hour …"""
    fleet_least_per_hour: int = 3
    """… but a small fleet may still wipe this many."""


@dataclass(frozen=True, slots=True)
class Spent:
    """One order that was signed: it uses three budgets."""

    at: datetime
    place: str
    requester: str


@dataclass(frozen=True, slots=True)
class Held:
    """Not now: which budget is used up, in a sentence, and the seconds until it has room again."""

    why: str
    retry_after: int


def judge(
    now: datetime, spent: Iterable[Spent], limits: Limits, *, fleet: int, place: str, requester: str
) -> Held | None:
    """None when one more order fits every budget, else the one that it must wait for the longest.

    What was signed exactly 24 hours (or one hour) ago counts no more; what is dated after ``now`` counts.
    """
    history = list(spent)
    per_hour = max(limits.fleet_least_per_hour, int(fleet * limits.fleet_share_per_hour))
    budgets = (
        (
            [one.at for one in history if one.place == place],
            DAY,
            limits.place_per_day,
            N_("The service point has used its budget of %(limit)s orders in 24 hours."),
        ),
        (
            [one.at for one in history if one.requester == requester],
            DAY,
            limits.requester_per_day,
            N_("The requester has used the budget of %(limit)s orders in 24 hours."),
        ),
        (
            [one.at for one in history],
            HOUR,
            per_hour,
            N_("The fleet has used its budget of %(limit)s orders in one hour."),
        ),
    )
    waits = [
        Held(why % {"limit": limit}, wait)
        for moments, window, limit, why in budgets
        if (wait := _wait(now, moments, window, limit)) > 0
    ]
    return max(waits, key=lambda held: held.retry_after, default=None)


def _wait(now: datetime, moments: list[datetime], window: timedelta, limit: int) -> int:
    counted = sorted(moment for moment in moments if moment > now - window)
    if len(counted) < limit:
        return 0
    frees = counted[len(counted) - limit] + window
    return max(1, ceil((frees - now).total_seconds()))
