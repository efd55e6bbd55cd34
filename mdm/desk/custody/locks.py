"""The account-lock light: may the next person use this device, and what must be done while its holder still stands here.

A pure rule over what the device last said of itself. Red: it is locked to an account. Amber: nobody can tell, so look.
Green: it says that it is not. A device that came back yesterday with a private account is a brick; that is why this is
asked before the signature and not after the wipe.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from mdm.core.errors import N_
from mdm.inventory import queries
from mdm.inventory.model import Device, Platform
from mdm.storage.call import Call

FRESH: Final = timedelta(days=2)
"""How old what a device said may be to be believed at the counter."""


class Light(StrEnum):
    """The three colours."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, and what to do about it now, in plain words."""

    code: str
    text: str
    todo: str


@dataclass(frozen=True, slots=True)
class Locks:
    """The light and its reasons, the worst first."""

    colour: Light
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rule is given of a device."""

    platform: str
    enrolled: bool
    said_at: datetime | None
    system: Mapping[str, Any]
    encryption: Mapping[str, Any]
    accounts: Mapping[str, Any]


_ACTIVATION = Finding(
    "activation_lock",
    N_("This device is locked to an Apple account (Activation Lock)."),
    N_(
        "Have the holder sign out now: Settings, their name at the top, Sign Out, and give the password of the Apple account. "
        "Then ask the device again."
    ),
)
_FIND_MY = Finding(
    "find_my",
    N_("Find My is on: after a wipe the device may ask for the holder's Apple account."),
    N_("Have the holder switch it off now: Settings, their name at the top, Find My, Find My iPhone, off."),
)
_FRP = Finding(
    "factory_reset_protection",
    N_(
        "A private Google account is on this device: after a reset it asks for that account (factory-reset protection)."
    ),
    N_(
        "Have the holder remove it now: Settings, Accounts, choose the account, Remove account. Then ask the device again."
    ),
)
_PRIVATE = Finding(
    "private_account",
    N_("A private account is on this device."),
    N_("Have the holder sign out of it now, while they are here."),
)
_ENCRYPTED = Finding(
    "disk_passphrase",
    N_("The disk is encrypted."),
    N_("Ask the holder for the passphrase only if the device cannot be wiped from here; a wipe does not need it."),
)
_UNKNOWN: Final[Mapping[str, Finding]] = {
    Platform.IOS: Finding(
        "unknown_ios",
        N_("Nobody can tell from here whether this device is locked to an Apple account."),
        N_(
            "Look together with the holder: open Settings. If a name stands at the top, have them tap it and Sign Out now; "
            "without their password nobody can use the device again."
        ),
    ),
    Platform.ANDROID: Finding(
        "unknown_android",
        N_("Nobody can tell from here whether a private Google account is on this device."),
        N_(
            "Look together with the holder: Settings, Accounts. Have them remove every account that is not the city's, "
            "or the device asks for it after a reset."
        ),
    ),
    Platform.LINUX: Finding(
        "unknown_linux",
        N_("This device has not reported lately."),
        N_("Switch it on, connect it and wait for its report; or have it looked at before it goes on the shelf."),
    ),
}


def look(facts: Facts, now: datetime) -> Locks:
    """The light for these facts at ``now``."""
    fresh = facts.enrolled and facts.said_at is not None and now - facts.said_at <= FRESH
    found = _said(facts)
    if any(one.code in _LOCKED for one in found):
        # A lock that was reported is believed, however long ago: that it is gone, the device must say itself.
        return Locks(Light.RED, tuple(found))
    if not fresh or not _can_tell(facts):
        return Locks(Light.AMBER, (*found, _UNKNOWN[facts.platform]))
    return Locks(Light.AMBER if any(one is not _ENCRYPTED for one in found) else Light.GREEN, tuple(found))


_LOCKED: Final = frozenset({_ACTIVATION.code, _FRP.code})


def _said(facts: Facts) -> list[Finding]:
    found = []
    if facts.platform == Platform.IOS:
        if facts.system.get("activation_lock") is True:
            found.append(_ACTIVATION)
        if facts.system.get("find_my") is True:
            found.append(_FIND_MY)
    elif facts.platform == Platform.ANDROID:
        if facts.accounts.get("frp") is True or facts.accounts.get("private_google") is True:
            found.append(_FRP)
    elif facts.encryption.get("root_encrypted") is True:
        found.append(_ENCRYPTED)
    if facts.accounts.get("private") is True:
        found.append(_PRIVATE)
    return found


def _can_tell(facts: Facts) -> bool:
    if facts.platform == Platform.IOS:
        return isinstance(facts.system.get("activation_lock"), bool)
    if facts.platform == Platform.ANDROID:
        return isinstance(facts.accounts.get("frp"), bool)
    return True


def light_of(call: Call, device: Device) -> Locks:
    """The light for one device, from its last report."""
    said = queries.facts_of(call.session, device.id)
    return look(facts_from({name: one.content for name, one in said.items()}, device), call.now)


def facts_from(sections: Mapping[str, Mapping[str, Any]], device: Device) -> Facts:
    """What the rule needs of a report."""
    return Facts(
        platform=device.platform,
        enrolled=device.enrolled_at is not None,
        said_at=device.last_report_at or device.last_seen_at,
        system=sections.get("system", {}),
        encryption=sections.get("encryption", {}),
        accounts=sections.get("accounts", {}),
    )
