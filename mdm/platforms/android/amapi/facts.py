"""From a device as Google tells of it to the sections of a report. Pure: what is not said is not there."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mdm.core.text import clean
from mdm.inventory import fields

MAX_APPLICATIONS: Final = 3000
Device = Mapping[str, Any]
_ENCRYPTED: Final = {
    "ACTIVE": True, "ACTIVE_DEFAULT_KEY": True, "ACTIVE_PER_USER": True,
    "INACTIVE": False, "ACTIVATING": False, "UNSUPPORTED": False,
}  # fmt: skip
_POSTURES: Final = {"SECURE": "secure", "AT_RISK": "at_risk", "POTENTIALLY_COMPROMISED": "compromised"}


def part(content: Device, name: str) -> Mapping[str, Any]:
    """An object of a resource; empty where there is none."""
    found = content.get(name)
    return found if isinstance(found, Mapping) else {}


def serial(device: Device) -> str | None:
    """The serial number, as the inventory writes it; None where Google tells none, as of private phones."""
    return fields.serial(part(device, "hardwareInfo").get("serialNumber"))


def imei(device: Device) -> str | None:
    """The IMEI; None where Google tells none."""
    said = clean(part(device, "networkInfo").get("imei"), 32)
    return said if 14 <= len(said) <= 16 and said.isdigit() else None


def sections(device: Device) -> dict[str, dict[str, Any]]:
    """What a device said of itself, section by section."""
    settings = part(device, "deviceSettings")
    found: dict[str, dict[str, Any]] = {"system": _system(device) | _switches(settings), "agent": _agent(device)}
    found |= _protection(settings)
    network = _network(part(device, "networkInfo"))
    if network:
        found["network"] = network
    total = str(part(device, "memoryInfo").get("totalInternalStorage") or "")
    if total.isascii() and total.isdigit() and len(total) < 18:
        found["disks"] = {"filesystems": [{"mount": "/data", "type": "internal", "size_mb": int(total) // 1_048_576}]}
    if isinstance(device.get("applicationReports"), list):
        found["packages"] = {"manager": "android", "items": _packages(device["applicationReports"])}
    update = part(part(device, "softwareInfo"), "systemUpdateInfo").get("updateStatus")
    if isinstance(update, str):
        waits = update in ("UNKNOWN_UPDATE_AVAILABLE", "SECURITY_UPDATE_AVAILABLE", "OS_UPDATE_AVAILABLE")
        security = int(update == "SECURITY_UPDATE_AVAILABLE")
        found["patch"] = {"pending_updates": int(waits), "pending_security": security}
    return found


def _system(device: Device) -> dict[str, Any]:
    hardware, software = part(device, "hardwareInfo"), part(device, "softwareInfo")
    said: dict[str, Any] = {"os_name": "Android"}
    for source, key, name in (
        (software, "androidVersion", "os_version"),
        (software, "androidBuildNumber", "os_build"),
        (software, "securityPatchLevel", "security_patch"),
        (software, "deviceKernelVersion", "kernel"),
        (software, "primaryLanguageCode", "language"),
        (hardware, "manufacturer", "manufacturer"),
        (hardware, "model", "model"),
        (hardware, "serialNumber", "serial"),
        (hardware, "enterpriseSpecificId", "enterprise_id"),
    ):
        if isinstance(source.get(key), str) and source[key]:
            said[name] = clean(source[key], 255)
    posture = _POSTURES.get(str(part(device, "securityPosture").get("devicePosture")))
    if posture:
        said["posture"] = posture
    return said


def _agent(device: Device) -> dict[str, Any]:
    version = part(device, "softwareInfo").get("androidDevicePolicyVersionName")
    said: dict[str, Any] = {"privileged": device.get("managementMode") == "DEVICE_OWNER"}
    if isinstance(version, str):
        said["version"] = clean(version, 32)
    return said


def _protection(settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    encrypted = _ENCRYPTED.get(str(settings.get("encryptionStatus")), settings.get("isEncrypted"))
    if isinstance(encrypted, bool):
        found["encryption"] = {"root_encrypted": encrypted, "method": "file based", "volumes": []}
    if isinstance(settings.get("isDeviceSecure"), bool):
        found["screenlock"] = {"enabled": settings["isDeviceSecure"], "method": "passcode"}
    return found


def _switches(settings: Mapping[str, Any]) -> dict[str, bool]:
    return {
        name: settings[key]
        for key, name in (
            ("adbEnabled", "debugging"),
            ("developmentSettingsEnabled", "developer_mode"),
            ("verifyAppsEnabled", "apps_verified"),
            ("unknownSourcesEnabled", "unknown_sources"),
        )
        if isinstance(settings.get(key), bool)
    }


def _network(said: Mapping[str, Any]) -> dict[str, Any]:
    if not said:
        return {}
    mac, lines = said.get("wifiMacAddress"), said.get("telephonyInfos")
    return {
        "interfaces": [{"name": "wifi", "kind": "wifi", "mac": clean(mac, 32), "addresses": []}] if mac else [],
        "lines": [
            {
                "name": f"sim {number}",
                "carrier": clean(one.get("carrierName"), 64),
                "number": clean(one.get("phoneNumber"), 32),
            }
            for number, one in enumerate(lines[:4] if isinstance(lines, list) else (), start=1)
            if isinstance(one, Mapping)
        ],
    }


def _packages(reports: Sequence[object]) -> dict[str, str]:
    return {
        clean(one["packageName"], 255): clean(one.get("versionName") or str(one.get("versionCode", "")), 128)
        for one in reports[:MAX_APPLICATIONS]
        if isinstance(one, Mapping) and isinstance(one.get("packageName"), str) and one.get("state") != "REMOVED"
    }
