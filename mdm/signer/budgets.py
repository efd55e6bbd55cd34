"""How many devices may be wiped in a while, as pure rules over the ledger's own history.

A budget holds even when everybody involved is tricked: what goes over it is held, not refused, and signed when the
window has moved on. Each lane has budgets of its own, except that a stolen device also uses the ordinary ones. A mass
order has none: more people, a day of rest, and the number of devices that they saw bound it instead.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import Final

from mdm.core.errors import N_, InvalidError
from mdm.signer.book import Spent

DAY: Final = 24 * 3600
HOUR: Final = 3600
CEILING: Final = 10
"""A budget may be raised to this many times its default, and no further."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The safe defaults, in orders. They hold from the first minute; nothing switches them off."""

    place_day: int = 10
    requester_day: int = 5
    token_day: int = 2
    fleet_percent_hour: int = 2
    """Per cent of the devices that hold a valid certificate …"""
    fleet_least_hour: int = 3
    """… but a small fleet may still wipe this many."""
    stolen_hour: int = 2
    hand_in_place_day: int = 40
    hand_in_fleet_hour: int = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """What an order would use."""

    lane: str
    place: str
    requester: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One budget as an order would find it: ``retry_after`` is 0 when there is room."""

    name: str
    limit: int
    used: int
    window: int
    retry_after: int

    @property
    def why(self) -> str:
        """Which budget is used up, in a sentence."""
        return _WHY[self.name] % {"limit": self.limit}


_WHY: Final = {
    "place": N_("The service point has used its budget of %(limit)s orders in 24 hours."),
    "requester": N_("The requester has used the budget of %(limit)s orders in 24 hours."),
    "token": N_("The token has used its budget of %(limit)s orders in 24 hours."),
    "fleet": N_("The fleet has used its budget of %(limit)s orders in one hour."),
    "stolen": N_("The fleet has used its budget of %(limit)s orders for stolen devices in one hour."),
    "hand_in_place": N_("The service point has used its budget of %(limit)s devices handed in in 24 hours."),
    "hand_in_fleet": N_("The fleet has used its budget of %(limit)s devices handed in in one hour."),
}


def changed(changes: Mapping[str, int], base: Limits | None = None) -> Limits:
    """``base`` (the defaults) with these changes. Raises InvalidError for a name that is none, above a ceiling and below 0."""
    defaults = asdict(Limits())
    for name, value in changes.items():
        if name not in defaults:
            raise InvalidError(N_("There is no budget %(name)s. Nothing was changed."), code="budget_name", name=name)
        most = defaults[name] * CEILING
        if not 0 <= value <= most:
            raise InvalidError(
                N_("The budget %(name)s may be from 0 to %(most)s. Nothing was changed."),
                code="budget_ceiling",
                name=name,
                most=most,
            )
    return replace(base or Limits(), **changes)


def lines(now: int, spent: Iterable[Spent], limits: Limits, *, fleet: int, asked: Asked) -> list[Line]:
    """Every budget that one more order would use. What is dated after ``now`` counts; exactly a window ago no more."""
    history = list(spent)
    if asked.lane == "mass":
        return []
    if asked.lane == "hand_in":
        handed = [one for one in history if one.lane == "hand_in"]
        here = [one.at for one in handed if one.place == asked.place]
        return [
            _line(now, "hand_in_place", here, DAY, limits.hand_in_place_day),
            _line(now, "hand_in_fleet", [one.at for one in handed], HOUR, limits.hand_in_fleet_hour),
        ]
    usual = [one for one in history if one.lane in ("ordinary", "stolen")]
    per_hour = max(limits.fleet_least_hour, fleet * limits.fleet_percent_hour // 100)
    found = [
        _line(now, "place", [one.at for one in usual if one.place == asked.place], DAY, limits.place_day),
        _line(
            now, "requester", [one.at for one in usual if one.requester == asked.requester], DAY, limits.requester_day
        ),
        _line(now, "fleet", [one.at for one in usual], HOUR, per_hour),
    ]
    if asked.token:
        with_it = [one.at for one in usual if one.token == asked.token]
        found.append(_line(now, "token", with_it, DAY, limits.token_day))
    if asked.lane == "stolen":
        stolen = [one.at for one in usual if one.lane == "stolen"]
        found.append(_line(now, "stolen", stolen, HOUR, limits.stolen_hour))
    return found


def worst(found: Iterable[Line]) -> Line | None:
    """The budget that must be waited for the longest, None when there is room in each."""
    return max((line for line in found if line.retry_after), key=lambda line: line.retry_after, default=None)


def _line(now: int, name: str, moments: list[int], window: int, limit: int) -> Line:
    counted = sorted(moment for moment in moments if moment > now - window)
    if len(counted) < limit:
        return Line(name, limit, len(counted), window, 0)
    # With a limit of 0 there is never room; asked again in a window's time, it says so again.
    frees = counted[len(counted) - limit] + window if limit else now + window
    return Line(name, limit, len(counted), window, max(1, ceil(frees - now)))
