"""Applications: what is installed, offered and forbidden, the kiosk, and what the browser may."""

import json
from collections.abc import Mapping
from typing import Any, Final

from mdm.platforms.android.amapi.render.draft import Draft, Settings, package

BROWSER: Final = "com.android.chrome"
KEYS: Final = (
    "apps.required", "apps.available", "apps.allow_only", "apps.allowed", "apps.blocked", "apps.permissions",
    "apps.settings", "apps.options", "apps.auto_update", "kiosk.app", "browser.home_page", "browser.url_allow",
    "browser.url_block", "browser.bookmarks", "browser.incognito", "browser.password_manager", "browser.downloads",
    "browser.popups",
)  # fmt: skip
_ANSWERS: Final = {"ask": "PROMPT", "grant": "GRANT", "deny": "DENY"}
_UPDATES: Final = {
    "usual": "AUTO_UPDATE_DEFAULT",
    "postponed": "AUTO_UPDATE_POSTPONED",
    "at_once": "AUTO_UPDATE_HIGH_PRIORITY",
}
_AUTO: Final = {"user": "CHOICE_TO_THE_USER", "never": "NEVER", "wifi": "WIFI_ONLY", "always": "ALWAYS"}
_KIOSK: Final = {
    "powerButtonActions": "POWER_BUTTON_BLOCKED",
    "systemErrorWarnings": "ERROR_AND_WARNINGS_MUTED",
    "systemNavigation": "NAVIGATION_DISABLED",
    "statusBar": "NOTIFICATIONS_AND_SYSTEM_INFO_DISABLED",
    "deviceSettings": "SETTINGS_ACCESS_BLOCKED",
}


def render(draft: Draft, settings: Settings) -> None:
    """Writes these parts of the policy."""
    apps = _listed(settings)
    used = [key for key in ("apps.required", "apps.available", "apps.allowed", "apps.blocked") if key in settings]
    used += _kiosk(draft, settings, apps)
    used += _detailed(draft, settings, apps)
    used += _browser(settings, apps)
    if apps:
        draft.put("applications", list(apps.values()), *used)
    if apps or "apps.allow_only" in settings:
        only = bool(settings.get("apps.allow_only"))
        # Google's own default takes away whatever is not listed; that happens only where somebody asked for it.
        draft.put("playStoreMode", "WHITELIST" if only else "BLACKLIST", "apps.allow_only")
    if "apps.auto_update" in settings:
        draft.put("appAutoUpdatePolicy", _AUTO[settings["apps.auto_update"]], "apps.auto_update")


def _listed(settings: Settings) -> dict[str, dict[str, Any]]:
    """Each package once; what is forbidden wins over what is offered, and required over offered."""
    apps: dict[str, dict[str, Any]] = {}
    blocked = {package(item) for item in settings.get("apps.blocked", ())}
    for key, kind in (
        ("apps.required", "FORCE_INSTALLED"),
        ("apps.available", "AVAILABLE"),
        ("apps.allowed", "AVAILABLE"),
        ("apps.blocked", "BLOCKED"),
    ):
        for item in settings.get(key, ()):
            name = package(item)
            if name is not None and name not in apps and (kind == "BLOCKED" or name not in blocked):
                apps[name] = {"packageName": name, "installType": kind}
    return apps


def _kiosk(draft: Draft, settings: Settings, apps: dict[str, dict[str, Any]]) -> list[str]:
    name = settings.get("kiosk.app")
    if not name or not draft.managed:
        return []
    apps[name] = {"packageName": name, "installType": "REQUIRED_FOR_SETUP", "roles": [{"roleType": "KIOSK"}]}
    draft.put("kioskCustomization", dict(_KIOSK), "kiosk.app")
    if not settings.get("passcode.required") and not settings.get("screen_lock.enabled"):
        # Nobody stands at a kiosk who could unlock it.
        draft.put("keyguardDisabled", True, "kiosk.app")
    return ["kiosk.app"]


def _detailed(draft: Draft, settings: Settings, apps: Mapping[str, dict[str, Any]]) -> list[str]:
    """What is said of single applications, where they are installed or offered."""
    used = set()
    usable = {name: app for name, app in apps.items() if app["installType"] != "BLOCKED"}
    for one in settings.get("apps.permissions", ()):
        if one["app"] in usable:
            usable[one["app"]]["defaultPermissionPolicy"] = _ANSWERS[one["answer"]]
            used.add("apps.permissions")
    for one in settings.get("apps.settings", ()):
        name, _, field = str(one["item"]).partition("/")
        if name in usable and field:
            usable[name].setdefault("managedConfiguration", {})[field] = _value(one.get("value", ""), one.get("kind"))
            used.add("apps.settings")
    for one in settings.get("apps.options", ()):
        if one["app"] in usable:
            usable[one["app"]].update(_options(one, draft))
            used.add("apps.options")
    return sorted(used)


def _value(text: str, kind: str | None) -> str | int | bool:
    if kind == "number" and text.strip().removeprefix("-").isdigit():
        return int(text)
    if kind == "switch":
        return text.strip().lower() in ("true", "on", "yes", "1")
    return text


def _options(one: Mapping[str, Any], draft: Draft) -> dict[str, Any]:
    made: dict[str, Any] = {}
    grants = [{"permission": name, "policy": "GRANT"} for name in one.get("granted", ())]
    grants += [{"permission": name, "policy": "DENY"} for name in one.get("denied", ())]
    if grants:
        made["permissionGrants"] = grants
    if "update" in one:
        made["autoUpdateMode"] = _UPDATES[one["update"]]
    if "minimum_version" in one:
        made["minimumVersionCode"] = one["minimum_version"]
    if one.get("unmetered"):
        made["installConstraint"] = [{"networkTypeConstraint": "INSTALL_ONLY_ON_UNMETERED_NETWORK"}]
    if "priority" in one:
        made["installPriority"] = one["priority"]
    if "vpn_bound" in one:
        made["alwaysOnVpnLockdownExemption"] = "VPN_LOCKDOWN_" + ("ENFORCED" if one["vpn_bound"] else "EXEMPTION")
    if "widgets" in one and not draft.managed:
        made["workProfileWidgets"] = "WORK_PROFILE_WIDGETS_" + ("ALLOWED" if one["widgets"] else "DISALLOWED")
    if "user_control" in one:
        made["userControlSettings"] = "USER_CONTROL_" + ("ALLOWED" if one["user_control"] else "DISALLOWED")
    return made


def _browser(settings: Settings, apps: dict[str, dict[str, Any]]) -> list[str]:
    """The browser's own policies, as its managed configuration; lists are text in JSON there."""
    found: dict[str, Any] = {}
    used: list[str] = []

    def said(key: str, name: str, value: Any) -> None:
        found[name] = value
        used.append(key)

    for key, name in (("browser.url_allow", "URLAllowlist"), ("browser.url_block", "URLBlocklist")):
        if settings.get(key):
            said(key, name, json.dumps(settings[key]))
    if "browser.home_page" in settings:
        said("browser.home_page", "HomepageLocation", settings["browser.home_page"])
    if settings.get("browser.bookmarks"):
        marks = [{"name": one["name"], "url": one["url"]} for one in settings["browser.bookmarks"]]
        said("browser.bookmarks", "ManagedBookmarks", json.dumps(marks))
    if "browser.incognito" in settings:
        said("browser.incognito", "IncognitoModeAvailability", 0 if settings["browser.incognito"] else 1)
    if "browser.password_manager" in settings:
        said("browser.password_manager", "PasswordManagerEnabled", settings["browser.password_manager"])
    if "browser.downloads" in settings:
        levels = {"all": 0, "safe": 1, "none": 3}
        said("browser.downloads", "DownloadRestrictions", levels[settings["browser.downloads"]])
    if "browser.popups" in settings:
        said("browser.popups", "DefaultPopupsSetting", 1 if settings["browser.popups"] else 2)
    if not found or apps.get(BROWSER, {}).get("installType") == "BLOCKED":
        return []
    app = apps.setdefault(BROWSER, {"packageName": BROWSER, "installType": "AVAILABLE"})
    app.setdefault("managedConfiguration", {}).update(found)
    return used
