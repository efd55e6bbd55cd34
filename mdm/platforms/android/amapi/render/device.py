"""What a device may: restrictions, place, updates, messages, and what it reports of itself."""

from typing import Any, Final

from mdm.platforms.android.amapi.render.draft import Draft, Mode, Settings, package

KEYS: Final = (
    "restrictions.camera", "restrictions.microphone", "restrictions.usb_storage", "restrictions.bluetooth",
    "restrictions.developer_mode", "restrictions.unknown_sources", "restrictions.screenshots", "restrictions.printing",
    "restrictions.user_switching", "restrictions.factory_reset", "restrictions.cloud_backup",
    "restrictions.account_changes", "restrictions.removal", "restrictions.location_sharing", "restrictions.volume",
    "apps.verified", "location.mode", "updates.auto", "updates.window", "updates.freeze", "factory_reset.accounts",
    "power.stay_on", "support.message", "work_profile.copy_paste", "work_profile.sharing", "work_profile.contacts",
    "work_profile.days_off", "personal.blocked", "personal.camera", "personal.screenshots",
)  # fmt: skip
REPORTED: Final = {
    "applicationReportsEnabled": True,
    "applicationReportingSettings": {"includeRemovedApps": True},
    "deviceSettingsEnabled": True,
    "softwareInfoEnabled": True,
    "networkInfoEnabled": True,
    "memoryInfoEnabled": True,
    "powerManagementEventsEnabled": False,
    "hardwareStatusEnabled": False,
    "systemPropertiesEnabled": False,
}
"""What a device reports; on a private phone Google tells of the work profile alone. The rest is never sent by the device."""
_BOTH, _MANAGED = frozenset(Mode), frozenset({Mode.MANAGED})
_FORBIDDEN: Final[tuple[tuple[str, frozenset[Mode], tuple[tuple[str, Any], ...]], ...]] = (
    ("restrictions.account_changes", _BOTH, (("modifyAccountsDisabled", True),)),
    ("restrictions.bluetooth", _MANAGED, (("bluetoothDisabled", True),)),
    ("restrictions.camera", _BOTH, (("cameraAccess", "CAMERA_ACCESS_DISABLED"),)),
    ("restrictions.cloud_backup", _MANAGED, (("backupService", "BACKUP_SERVICE_DISABLED"),)),
    (
        "restrictions.developer_mode",
        _BOTH,
        (("advancedSecurityOverrides.developerSettings", "DEVELOPER_SETTINGS_DISABLED"),),
    ),
    ("restrictions.factory_reset", _MANAGED, (("factoryResetDisabled", True),)),
    ("restrictions.location_sharing", _BOTH, (("shareLocationDisabled", True),)),
    ("restrictions.microphone", _MANAGED, (("microphoneAccess", "MICROPHONE_ACCESS_DISABLED"),)),
    ("restrictions.printing", _MANAGED, (("printingPolicy", "PRINTING_DISALLOWED"),)),
    ("restrictions.screenshots", _BOTH, (("screenCaptureDisabled", True),)),
    ("restrictions.unknown_sources", _BOTH, (("advancedSecurityOverrides.untrustedAppsPolicy", "DISALLOW_INSTALL"),)),
    (
        "restrictions.usb_storage",
        _MANAGED,
        (
            ("deviceConnectivityManagement.usbDataAccess", "DISALLOW_USB_FILE_TRANSFER"),
            ("mountPhysicalMediaDisabled", True),
        ),
    ),
    ("restrictions.user_switching", _MANAGED, (("addUserDisabled", True),)),
    ("restrictions.volume", _MANAGED, (("adjustVolumeDisabled", True),)),
)
_ALLOWED: Final = (
    ("restrictions.camera", "cameraAccess", "CAMERA_ACCESS_USER_CHOICE"),
    ("restrictions.microphone", "microphoneAccess", "MICROPHONE_ACCESS_USER_CHOICE"),
    ("restrictions.location_sharing", "shareLocationDisabled", False),
)
_LOCATION: Final = {"user": "LOCATION_USER_CHOICE", "on": "LOCATION_ENFORCED", "off": "LOCATION_DISABLED"}
_CROSS: Final = (
    ("work_profile.copy_paste", "crossProfileCopyPaste",
     "COPY_FROM_WORK_TO_PERSONAL_DISALLOWED", "CROSS_PROFILE_COPY_PASTE_ALLOWED"),
    ("work_profile.sharing", "crossProfileDataSharing",
     "DATA_SHARING_FROM_WORK_TO_PERSONAL_DISALLOWED", "CROSS_PROFILE_DATA_SHARING_ALLOWED"),
    ("work_profile.contacts", "showWorkContactsInPersonalProfile",
     "SHOW_WORK_CONTACTS_IN_PERSONAL_PROFILE_DISALLOWED", "SHOW_WORK_CONTACTS_IN_PERSONAL_PROFILE_ALLOWED"),
)  # fmt: skip


def render(draft: Draft, settings: Settings) -> None:
    """Writes these parts of the policy."""
    draft.put("statusReportingSettings", dict(REPORTED))
    for key, modes, fields in _FORBIDDEN:
        if settings.get(key) is False and draft.mode in modes:
            for path, value in fields:
                draft.put(path, value, key)
    for key, name, value in _ALLOWED:
        if settings.get(key) is True and draft.managed:
            draft.put(name, value, key)
    if settings.get("apps.verified"):
        draft.put("advancedSecurityOverrides.googlePlayProtectVerifyApps", "VERIFY_APPS_ENFORCED", "apps.verified")
    if draft.managed:
        _updates(draft, settings)
        _of_the_city(draft, settings)
    else:
        _work_profile(draft, settings)
    _messages(draft, settings)


def _of_the_city(draft: Draft, settings: Settings) -> None:
    if "location.mode" in settings:
        draft.put("locationMode", _LOCATION[settings["location.mode"]], "location.mode")
    if settings.get("factory_reset.accounts"):
        draft.put("frpAdminEmails", list(settings["factory_reset.accounts"]), "factory_reset.accounts")
    if settings.get("power.stay_on"):
        draft.put("stayOnPluggedModes", ["AC", "USB"], "power.stay_on")


def _updates(draft: Draft, settings: Settings) -> None:
    auto, window, freezes = (settings.get(f"updates.{name}") for name in ("auto", "window", "freeze"))
    if auto == "off":
        draft.put("systemUpdate.type", "POSTPONE", "updates.auto")
    elif window:
        draft.put("systemUpdate.type", "WINDOWED", "updates.window", *(["updates.auto"] if auto else []))
        for name, word in (("startMinutes", "from"), ("endMinutes", "to")):
            draft.put(f"systemUpdate.{name}", int(window[word][:2]) * 60 + int(window[word][3:]))
    elif auto:
        draft.put("systemUpdate.type", "AUTOMATIC", "updates.auto")
    if freezes:
        periods = [{"startDate": _day(one["from"]), "endDate": _day(one["to"])} for one in freezes]
        draft.put("systemUpdate.freezePeriods", periods, "updates.freeze")


def _day(text: str) -> dict[str, int]:
    return {"month": int(text[:2]), "day": int(text[3:])}


def _work_profile(draft: Draft, settings: Settings) -> None:
    for key, name, no, yes in _CROSS:
        if key in settings:
            draft.put(f"crossProfilePolicies.{name}", yes if settings[key] else no, key)
    blocked = [package(item) for item in settings.get("personal.blocked", ())]
    apps = [{"packageName": one, "installType": "BLOCKED"} for one in blocked if one is not None]
    if apps:
        draft.put("personalUsagePolicies.personalPlayStoreMode", "BLOCKLIST", "personal.blocked")
        draft.put("personalUsagePolicies.personalApplications", apps, "personal.blocked")
    for key, name in (("personal.camera", "cameraDisabled"), ("personal.screenshots", "screenCaptureDisabled")):
        if key in settings:
            draft.put(f"personalUsagePolicies.{name}", not settings[key], key)
    if "work_profile.days_off" in settings:
        draft.put(
            "personalUsagePolicies.maxDaysWithWorkOff", settings["work_profile.days_off"], "work_profile.days_off"
        )


def _messages(draft: Draft, settings: Settings) -> None:
    said = {one["language"]: one["text"] for one in settings.get("support.message", ())}
    if not said:
        return
    default = said.pop("all", None) or next(iter(said.values()))
    draft.put("shortSupportMessage.defaultMessage", default, "support.message")
    if said:
        draft.put("shortSupportMessage.localizedMessages", said, "support.message")
