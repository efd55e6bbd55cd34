"""Restrictions, and which applications run. Grouped by who may get them, because one payload is all or nothing."""

from collections.abc import Mapping
from typing import Any

from mdm.platforms.apple.render.parts import (
    Part,
    Resources,
    Settings,
    bundle,
    configuration,
    given,
    key_facts,
    profile,
    settings_command,
)

RESTRICTIONS = "com.apple.applicationaccess"
FORBIDS: Mapping[str, tuple[str, ...]] = {
    "restrictions.account_changes": ("allowAccountModification",),
    "restrictions.bluetooth": ("allowBluetoothModification",),
    "restrictions.camera": ("allowCamera",),
    "restrictions.cloud_backup": ("allowCloudBackup",),
    "restrictions.factory_reset": ("allowEraseContentAndSettings",),
    "restrictions.screenshots": ("allowScreenShot",),
    "restrictions.unknown_sources": ("allowEnterpriseAppTrust",),
    "restrictions.usb_storage": ("allowFilesUSBDriveAccess",),
    "lock_screen.notifications": ("allowLockScreenNotificationsView",),
    "browser.password_manager": ("allowPasswordAutoFill",),
    "browser.popups": ("safariAllowPopups",),
}
"""Keys of the catalogue that say what is allowed, and what Apple calls it."""
APPS = ("apps.allow_only", "apps.allowed", "apps.blocked")
WEB_CLIPS = "com.apple.webapp"
NEW = "27.0"
"""From this version on a declaration says which applications run."""
_SUPERVISED_SINCE = {"allowCamera"}
"""What Apple moved to supervised devices without saying so in its facts."""


def _restrictions(settings: Settings) -> Resources:
    groups: dict[tuple[bool, bool], dict[str, list[str]]] = {}
    for key, names in FORBIDS.items():
        if settings.get(key) is not False:
            continue
        for name in names:
            facts = key_facts(RESTRICTIONS, name)
            supervised = bool(facts.get("S")) or name in _SUPERVISED_SINCE
            group = groups.setdefault((supervised, facts.get("U") == "forbidden"), {})
            group.setdefault(key, []).append(name)
    found = []
    for (supervised, city), forbidden in sorted(groups.items()):
        values = {name: False for names in forbidden.values() for name in names}
        id_ = "restrictions" + (".supervised" if supervised else "") + (".city" if city and not supervised else "")
        limits: dict[str, Any] = {key: True for key, on in (("supervised", supervised), ("city", city)) if on}
        found.append(
            profile(id_, sorted(forbidden), "Restrictions", [{"PayloadType": RESTRICTIONS, **values}], **limits)
        )
    if settings.get("restrictions.bluetooth") is False:
        off = [{"Item": "Bluetooth", "Enabled": False}]
        found.append(settings_command("bluetooth", ["restrictions.bluetooth"], off, supervised=True, city=True))
    return found


def _names(settings: Settings, key: str) -> list[str]:
    return sorted({name for item in settings.get(key, ()) if (name := bundle(item))})


def _applications(settings: Settings) -> Resources:
    keys = given(settings, APPS)
    allowed = _names(settings, "apps.allowed") if settings.get("apps.allow_only") else []
    blocked = _names(settings, "apps.blocked")
    if allowed:
        # Never both lists on one device; what is blocked is simply not allowed. What is installed or offered stays allowed.
        installed = [name for key in ("apps.required", "apps.available") for name in _names(settings, key)]
        names = [name for name in sorted({*allowed, *installed}) if name not in blocked]
        if settings.get("web_links.links") or settings.get("kiosk.url"):
            names = sorted({*names, WEB_CLIPS})
        return _lists(keys, {"allowListedAppBundleIDs": names}, {"AllowedApps": names})
    return _lists(keys, {"blockedAppBundleIDs": blocked}, {"DeniedApps": blocked}) if blocked else []


def _lists(keys: list[str], before: dict[str, Any], since: dict[str, Any]) -> Resources:
    limits = {"supervised": True, "city": True}
    payload = {"PayloadType": RESTRICTIONS, **before}
    return [
        profile("apps.list", keys, "Applications", [payload], before=NEW, **limits),
        configuration(
            "apps.settings", keys, "com.apple.configuration.app.settings", {"Allowed": since}, **{"from": NEW}, **limits
        ),
    ]


def _managed(settings: Settings) -> Resources:
    """Applications that are installed, or offered: by declaration, so that the phone keeps them so by itself."""
    wanted = dict.fromkeys(_names(settings, "apps.available"), "Optional")
    wanted |= dict.fromkeys(_names(settings, "apps.required"), "Required")
    keys = given(settings, ("apps.required", "apps.available"))
    return [
        configuration(
            f"app.{name}",
            keys,
            "com.apple.configuration.app.managed",
            {"BundleID": name, "InstallBehavior": {"Install": how, "License": {"Assignment": "Device"}}},
            **{"from": "17.2"},
        )
        for name, how in sorted(wanted.items())
    ]


PARTS = (
    Part(tuple(FORBIDS), _restrictions),
    Part((*APPS, "apps.required", "apps.available"), _applications),
    Part(("apps.required", "apps.available"), _managed),
)
