"""Passcode, lock, encryption, least version, and what happens when they are not met."""

from typing import Any, Final

from mdm.platforms.android.amapi.document.of_locks import BY_DEFAULT
from mdm.platforms.android.amapi.render.draft import Draft, Settings

DAY: Final = 86_400
KEYS: Final = (
    "passcode.required", "passcode.min_length", "passcode.complexity", "passcode.max_age", "passcode.history",
    "passcode.max_failed", "passcode.daily", "work_profile.separate_lock", "screen_lock.enabled", "screen_lock.timeout",
    "lock_screen.message", "lock_screen.notifications", "encryption.required", "updates.min_os", "enforcement.rules",
)  # fmt: skip
USUAL_LOCK: Final = 300
"""Seconds: what "locks by itself" means where nobody gave a time."""
BAND_LENGTH: Final = 8
"""Characters that the highest band of complexity asks for; a longer minimum is said as a length."""
NEVER: Final = 10_000
"""Days: Google's rules know no "never". This is more than any phone lasts, and in seconds it still fits 32 bits."""
_API_LEVELS: Final = (
    ((16,), 36), ((15,), 35), ((14,), 34), ((13,), 33), ((12, 1), 32), ((12,), 31), ((11,), 30), ((10,), 29), ((9,), 28),
    ((8, 1), 27), ((8,), 26), ((7, 1), 25), ((7,), 24), ((6,), 23), ((5, 1), 22), ((5,), 21),
)  # fmt: skip
_SETTINGS: Final = {
    "passcode": "passwordPolicies",
    "os_version": "minimumApiLevel",
    "encryption": "encryptionPolicy",
    "lock_screen": "keyguardDisabled",
    "applications": "applications",
    "vpn": "alwaysOnVpnPackage",
    "networks": "openNetworkConfiguration",
}


def render(draft: Draft, settings: Settings) -> None:
    """Writes these parts of the policy."""
    _passcode(draft, settings)
    _screen(draft, settings)
    if settings.get("encryption.required"):
        draft.put("encryptionPolicy", "ENABLED_WITHOUT_PASSWORD", "encryption.required")
    level = api_level(settings.get("updates.min_os", ""))
    if level:
        draft.put("minimumApiLevel", level, "updates.min_os")


def api_level(version: str) -> int:
    """The least API level that has this version of Android or a later one; 0 for none."""
    numbers = tuple(int(part) for part in version.split(".") if part.isascii() and part.isdigit())
    if not numbers:
        return 0
    if numbers[0] > _API_LEVELS[0][0][0]:
        # From 16 on every version has one level.
        return _API_LEVELS[0][1] + numbers[0] - _API_LEVELS[0][0][0]
    wanted = (*numbers, 0)[:2]
    fitting = [level for least, level in _API_LEVELS if (*least, 0)[:2] >= wanted]
    return min(fitting, default=0)


def _passcode(draft: Draft, settings: Settings) -> None:
    keys = [key for key in KEYS if key.startswith("passcode.") and key in settings]
    wanted = any(settings[key] not in (False, "any") for key in keys)
    separate = settings.get("work_profile.separate_lock")
    if not (wanted or (separate and not draft.managed)):
        return
    one: dict[str, Any] = {
        "passwordScope": "SCOPE_DEVICE" if draft.managed else "SCOPE_PROFILE",
        **_quality(draft, settings),
    }
    for key, name, value in (
        ("passcode.history", "passwordHistoryLength", int),
        ("passcode.max_failed", "maximumFailedPasswordsForWipe", int),
        ("passcode.max_age", "passwordExpirationTimeout", lambda days: f"{days * DAY}s"),
    ):
        if key in settings:
            one[name] = value(settings[key])
    if settings.get("passcode.daily"):
        one["requirePasswordUnlock"] = "REQUIRE_EVERY_DAY"
    policies = [one]
    if not draft.managed:
        if separate:
            one["unifiedLockSettings"] = "REQUIRE_SEPARATE_WORK_LOCK"
            keys.append("work_profile.separate_lock")
        # Of the phone itself, which is private, no more is asked than that it has a lock; and nothing there wipes it.
        policies.append({"passwordScope": "SCOPE_DEVICE", "passwordQuality": "COMPLEXITY_LOW"})
    draft.put("passwordPolicies", policies, *keys)


def _quality(draft: Draft, settings: Settings) -> dict[str, Any]:
    """Bands of complexity, always the one that is not weaker than what was asked: Android 12 and later know only these."""
    length, complexity = settings.get("passcode.min_length", 0), settings.get("passcode.complexity", "any")
    if length > BAND_LENGTH and draft.managed:
        quality = "NUMERIC_COMPLEX" if complexity == "any" else "ALPHANUMERIC"
        return {"passwordQuality": quality, "passwordMinimumLength": length}
    if length > 4 or complexity == "mixed":
        return {"passwordQuality": "COMPLEXITY_HIGH"}
    if length or complexity == "letters_digits":
        return {"passwordQuality": "COMPLEXITY_MEDIUM"}
    return {"passwordQuality": "COMPLEXITY_LOW"}


def _screen(draft: Draft, settings: Settings) -> None:
    if settings.get("screen_lock.enabled") or "screen_lock.timeout" in settings:
        keys = [key for key in ("screen_lock.enabled", "screen_lock.timeout") if key in settings]
        draft.put("maximumTimeToLock", str(settings.get("screen_lock.timeout", USUAL_LOCK) * 1000), *keys)
    if settings.get("lock_screen.message") and draft.managed:
        draft.put("deviceOwnerLockScreenInfo.defaultMessage", settings["lock_screen.message"], "lock_screen.message")
    if settings.get("lock_screen.notifications") is False:
        draft.put("keyguardDisabledFeatures", ["UNREDACTED_NOTIFICATIONS"], "lock_screen.notifications")


def enforcement(draft: Draft, settings: Settings) -> None:
    """Writes what happens when a policy is not met: what people chose, and "never" wherever Google would wipe.

    Comes last, because it looks at what the policy holds. A rule that somebody wrote in Google's own words stays.
    """
    rules = {one.get("settingName"): one for one in draft.policy.get("policyEnforcementRules", ())}
    left = set()
    for one in settings.get("enforcement.rules", ()):
        name = _SETTINGS[one["about"]]
        if one.get("as_google"):
            left.add(name)
        else:
            rules.setdefault(name, _rule(name, one.get("block_after"), one.get("wipe_after")))
    for name in BY_DEFAULT:
        if draft.policy.get(name) not in (None, False, [], {}, "", 0) and name not in left:
            rules.setdefault(name, _rule(name, None, None))
    if rules:
        keys = ["enforcement.rules"] if settings.get("enforcement.rules") else []
        draft.put("policyEnforcementRules", list(rules.values()), *keys)


def _rule(name: str, block: int | None, wipe: int | None) -> dict[str, Any]:
    """Google wants both, and the block before the wipe."""
    wiped = NEVER if wipe is None else wipe
    blocked = wiped - 1 if block is None else block
    return {
        "settingName": name,
        "blockAction": {"blockAfterDays": blocked},
        "wipeAction": {"wipeAfterDays": wiped, "preserveFrp": True},
    }
