"""What can be asked of a phone in Apple's protocol, as data: who may, how long it stands, how careful we are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Final

from mdm.core.permissions import Permission
from mdm.platforms.apple.schema.table import COMMAND, entries

_SEND, _LOCK = Permission.COMMAND_SEND, Permission.COMMAND_LOCK
DAY: Final = timedelta(days=1)
FIRST, URGENT, SOON, USUAL, LAST = -20, -10, 0, 10, 20
"""Priorities: a lock is never behind an inventory."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``danger``: 0 reads, 1 changes what can be changed back, 2 is felt by the holder, 3 cannot be undone."""

    danger: int
    permission: Permission = _SEND
    lifetime: timedelta = 7 * DAY
    priority: int = USUAL
    one: bool = False
    """Asked while the same still waits, it is not asked twice."""
    secret: bool = False
    """What is sent or answered holds a secret: neither is kept as it is."""
    by_people: bool = True
    """Whether people ask it themselves; the rest is asked by other use cases."""

    @property
    def guarded(self) -> bool:
        """Whether it is judged once more right before it is given."""
        return self.danger >= 2 or self.secret


RULES: Final[Mapping[str, Rule]] = {
    "ActivationLockBypassCode": Rule(0, priority=SOON, one=True, secret=True, by_people=False),
    "CertificateList": Rule(0, one=True, lifetime=DAY),
    "ClearPasscode": Rule(3, _LOCK, DAY, URGENT, one=True, secret=True),
    "DeclarativeManagement": Rule(1, priority=SOON, lifetime=30 * DAY, by_people=False),
    "DeviceConfigured": Rule(1, priority=LAST, one=True, lifetime=30 * DAY, by_people=False),
    "DeviceInformation": Rule(0, one=True, lifetime=DAY),
    "DeviceLocation": Rule(0, Permission.CASE_LOCATE, DAY, URGENT, one=True, secret=True, by_people=False),
    "DeviceLock": Rule(2, _LOCK, 30 * DAY, URGENT),
    "DisableLostMode": Rule(1, _LOCK, 30 * DAY, URGENT, one=True),
    "EnableLostMode": Rule(2, _LOCK, 30 * DAY, URGENT),
    "EraseDevice": Rule(3, Permission.ORDER_REQUEST, DAY, FIRST, one=True, by_people=False),
    "InstallApplication": Rule(1),
    "InstallProfile": Rule(2, priority=SOON, lifetime=30 * DAY),
    "InstalledApplicationList": Rule(0, one=True, lifetime=DAY),
    "ManagedApplicationList": Rule(0, one=True, lifetime=DAY),
    "PlayLostModeSound": Rule(1, _LOCK, DAY, URGENT, one=True),
    "ProfileList": Rule(0, one=True, lifetime=DAY),
    "RemoveApplication": Rule(2),
    "RemoveProfile": Rule(2, priority=SOON, lifetime=30 * DAY),
    "RestartDevice": Rule(2, lifetime=DAY, priority=URGENT, one=True),
    "Restrictions": Rule(0, one=True, lifetime=DAY),
    "SecurityInfo": Rule(0, one=True, lifetime=DAY),
    "Settings": Rule(1),
    "ShutDownDevice": Rule(2, lifetime=DAY, priority=URGENT, one=True),
}

QUERIES: Final = (
    "UDID", "DeviceName", "OSVersion", "SupplementalOSVersionExtra", "BuildVersion", "ModelName", "Model", "ModelNumber",
    "ProductName", "SerialNumber", "DeviceCapacity", "AvailableDeviceCapacity", "IMEI", "MEID", "ModemFirmwareVersion",
    "CellularTechnology", "BatteryLevel", "IsSupervised", "IsDeviceLocatorServiceEnabled", "IsActivationLockEnabled",
    "EASDeviceIdentifier", "IsCloudBackupEnabled", "IsMDMLostModeEnabled", "DiagnosticSubmissionEnabled",
    "AppAnalyticsEnabled", "TimeZone", "AwaitingConfiguration", "ICCID", "BluetoothMAC", "WiFiMAC", "SIMCarrierNetwork",
    "PhoneNumber", "IsNetworkTethered", "IsRoaming", "ServiceSubscriptions", "iTunesStoreAccountIsActive",
)  # fmt: skip
"""What a phone is asked of itself. Nothing of what its holder does: no calls, no places, no contents."""


@cache
def _forbidden() -> frozenset[str]:
    """Questions that a private phone may not be asked, by Apple's own facts."""
    (entry,) = entries(COMMAND, "DeviceInformation")
    (names,) = entry["s"][0]["s"]
    return frozenset(name for name, facts in names["w"].items() if facts.get("U") == "forbidden")


def inventory(*, user_enrollment: bool) -> list[tuple[str, dict[str, Any]]]:
    """The questions of a whole inventory. A private phone is asked only what it may be asked, and only of managed apps."""
    queries = [name for name in QUERIES if not user_enrollment or name not in _forbidden()]
    applications: dict[str, Any] = {"ManagedAppsOnly": True} if user_enrollment else {}
    return [
        ("DeviceInformation", {"Queries": queries}),
        ("SecurityInfo", {}),
        ("InstalledApplicationList", applications),
        ("ProfileList", {"ManagedOnly": True} if user_enrollment else {}),
        ("CertificateList", {"ManagedOnly": True} if user_enrollment else {}),
        ("ManagedApplicationList", {}),
    ]
