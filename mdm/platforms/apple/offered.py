"""What can be asked of one phone just now, and in words why the rest cannot: so that nobody fills a form for nothing. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from mdm.core.errors import N_
from mdm.core.permissions import Permission
from mdm.platforms.apple.commands import RULES
from mdm.platforms.apple.model import AppleDevice, DeviceState
from mdm.platforms.apple.schema.check import Finding, Severity, check, errors
from mdm.platforms.apple.schema.table import COMMAND, Target

Args = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that people ask of a phone: the command, and arguments like those that it will have."""

    request_type: str
    example: Args
    lost: bool | None = None
    """Only while the phone is in lost mode, or only while it is not; None: either way."""

    @property
    def permission(self) -> Permission:
        """The right that it needs."""
        return RULES[self.request_type].permission


ASKS: Final[Mapping[str, Ask]] = {
    "name": Ask("Settings", {"Settings": [{"Item": "DeviceName", "DeviceName": "x"}]}),
    "wallpaper": Ask("Settings", {"Settings": [{"Item": "Wallpaper", "Image": b"x", "Where": 3}]}),
    "restart": Ask("RestartDevice", {}),
    "shut_down": Ask("ShutDownDevice", {}),
    "clear_passcode": Ask("ClearPasscode", {"UnlockToken": b"x"}),
    "lost_mode": Ask("EnableLostMode", {"Message": "x"}, lost=False),
    "sound": Ask("PlayLostModeSound", {}, lost=True),
    "found": Ask("DisableLostMode", {}, lost=True),
}
"""What the page of a phone offers, in its order. Locking, refreshing and wiping are words of the house for every device."""

_BARS: Final = frozenset(
    {"automated_only", "enrollment_forbidden", "enrollment_ignored", "removed", "supervision", "too_new"}
)
"""Findings that mean that the phone would pass it over or refuse it."""
NOT_ENROLLED: Final = N_("The phone is not enrolled, so nothing reaches it.")
NO_TOKEN: Final = N_("No unlock token is kept for this phone, so its passcode cannot be taken off.")
IS_LOST: Final = N_("The phone is in lost mode already.")
NOT_LOST: Final = N_("Only while the phone is in lost mode.")
SUPERVISION: Final = N_("Only a supervised phone does this; this one is not.")
PRIVATE: Final = N_("A private phone does not do this for the city.")
TOO_OLD: Final = N_("The system of this phone is too old for this.")
GONE: Final = N_("The system of this phone does not do this any more.")
_WHY: Final = {
    "automated_only": SUPERVISION,
    "enrollment_forbidden": PRIVATE,
    "enrollment_ignored": PRIVATE,
    "removed": GONE,
    "supervision": SUPERVISION,
    "too_new": TOO_OLD,
}


def impossible(findings: Iterable[Finding]) -> list[Finding]:
    """The findings with those as errors that a person who asks for it once must be told of: the phone would not do it."""
    return [replace(one, severity=Severity.ERROR) if one.code in _BARS else one for one in findings]


def hurdles(apple: AppleDevice, target: Target, held: Collection[str] = ASKS) -> dict[str, str]:
    """For each of the asks, the English sentence why the phone cannot be asked; "" where it can. In the order of the page."""
    return {name: _why(ASKS[name], apple, target) for name in held}


def _why(ask: Ask, apple: AppleDevice, target: Target) -> str:
    if apple.state != DeviceState.ENROLLED:
        return NOT_ENROLLED
    wrong = errors(impossible(check(COMMAND, ask.request_type, ask.example, target)))
    codes = [one.code for one in wrong]
    # Of several reasons the one that nobody can change is told: a private phone is never supervised by us.
    for code in ("enrollment_forbidden", "enrollment_ignored", *codes):
        if code in codes:
            return _WHY.get(code, wrong[0].text)
    if ask.request_type == "ClearPasscode" and apple.unlock_token is None:
        return NO_TOKEN
    if ask.lost is not None and ask.lost != apple.lost_mode:
        return NOT_LOST if ask.lost else IS_LOST
    return ""
