"""May somebody invite themselves? Pure rules: data in, the refusal out."""

from dataclasses import dataclass
from typing import Final

from mdm.core.errors import N_, ConflictError
from mdm.inventory.model import LifeCycle, Platform
from mdm.portal.families import PLATFORMS, Family

A_DAY: Final = 10
"""Beginnings within a day: enough for whoever tries again and again, too few to fill a table."""
OWN_FAMILIES: Final = (Family.IPHONE, Family.IPAD, Family.COMPUTER)
"""What can be somebody's own: a kiosk is never a private device."""
IN_HAND: Final = frozenset({LifeCycle.HANDED_OUT.value, LifeCycle.ON_LOAN.value})


@dataclass(frozen=True, slots=True)
class Target:
    """A device of the city's that is in the person's name."""

    platform: str
    state: str
    enrolled: bool


@dataclass(frozen=True, slots=True)
class Had:
    """What the person has and did already."""

    private: int
    """Private devices of theirs that are enrolled."""
    today: int
    """How often they have begun within a day."""
    place: bool
    """Whether there is an open service point that looks after them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the city allows."""

    private: bool
    devices: int


def refusal(family: Family, target: Target | None, had: Had, limits: Limits) -> ConflictError | None:
    """Why this person may not set up this device here; None when they may. ``target`` is None for a device of their own."""
    if not had.place:
        return ConflictError(
            N_("No service point looks after you, so nothing was begun. Ask the service point that is near you."),
            code="portal_place",
        )
    wrong = _not_yours(family, limits, had) if target is None else _not_this(family, target)
    if wrong is None and PLATFORMS[family] is Platform.ANDROID and target is None:
        return ConflictError(
            N_("Only Android phones of the city can be set up here, not your own. Nothing was begun."),
            code="portal_android",
        )
    if wrong is None and had.today >= A_DAY:
        return ConflictError(
            N_("You have begun many times today. Nothing was begun. Your service point helps you on."),
            code="portal_today",
        )
    return wrong


def _not_yours(family: Family, limits: Limits, had: Had) -> ConflictError | None:
    if not limits.private:
        return ConflictError(
            N_("Only devices of the city can be set up here, not your own. Nothing was begun."), code="portal_private"
        )
    if family is Family.KIOSK:
        return ConflictError(
            N_("A kiosk is never a private device. Nothing was begun. Choose another kind."), code="portal_kiosk"
        )
    if had.private >= limits.devices:
        return ConflictError(
            N_("You have as many own devices here as you may. Nothing was begun. Take one away first."),
            code="portal_devices",
        )
    return None


def _not_this(family: Family, target: Target) -> ConflictError | None:
    if target.enrolled:
        return ConflictError(N_("This device is set up already. Nothing was begun."), code="portal_enrolled")
    if target.state not in IN_HAND:
        return ConflictError(
            N_("This device is not in your hands now. Nothing was begun. Ask your service point."), code="portal_away"
        )
    if PLATFORMS[family].value != target.platform:
        return ConflictError(
            N_("The device in your name is of another kind. Nothing was begun. Ask your service point."),
            code="portal_kind",
        )
    return None
