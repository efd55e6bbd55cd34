"""The passcode and the lock: one declaration, which every kind of enrollment takes."""

from typing import Any

from mdm.platforms.apple.render.parts import Part, Resources, Settings, configuration, given, profile

KEYS = (
    "passcode.required",
    "passcode.min_length",
    "passcode.complexity",
    "passcode.max_age",
    "passcode.history",
    "passcode.max_failed",
    "screen_lock.enabled",
    "screen_lock.timeout",
    "screen_lock.grace",
    "encryption.required",
)
LONGEST, MOST_FAILED, LATEST_LOCK, USUAL_LOCK = 16, 11, 15, 5
"""Apple knows no longer minimum, no more attempts, and no later lock; the last is what "by itself" means without a time."""


def _passcode(settings: Settings) -> Resources:
    keys = given(settings, KEYS)
    payload: dict[str, Any] = {}
    if settings.get("passcode.required") or settings.get("encryption.required"):
        # Without a passcode a phone is encrypted with a key that everybody has.
        payload["RequirePasscode"] = True
    if "passcode.min_length" in settings:
        payload["MinimumLength"] = min(settings["passcode.min_length"], LONGEST)
    if settings.get("passcode.complexity") in ("letters_digits", "mixed"):
        payload["RequireAlphanumericPasscode"] = True
    if settings.get("passcode.complexity") == "mixed":
        payload["MinimumComplexCharacters"] = 1
    for key, name in (("passcode.max_age", "MaximumPasscodeAgeInDays"), ("passcode.history", "PasscodeReuseLimit")):
        if key in settings:
            payload[name] = settings[key]
    if "passcode.max_failed" in settings:
        payload["MaximumFailedAttempts"] = min(settings["passcode.max_failed"], MOST_FAILED)
    if settings.get("screen_lock.enabled") or "screen_lock.timeout" in settings:
        seconds = settings.get("screen_lock.timeout", USUAL_LOCK * 60)
        payload["MaximumInactivityInMinutes"] = max(1, min(seconds // 60, LATEST_LOCK))
    if "screen_lock.grace" in settings:
        payload["MaximumGracePeriodInMinutes"] = settings["screen_lock.grace"] // 60
    if not payload:
        return []
    return [configuration("passcode", keys, "com.apple.configuration.passcode.settings", payload, **{"from": "15.0"})]


def _lock_screen(settings: Settings) -> Resources:
    if not settings.get("lock_screen.message"):
        return []
    payload = {
        "PayloadType": "com.apple.shareddeviceconfiguration",
        "LockScreenFootnote": settings["lock_screen.message"],
    }
    return [profile("lock-screen", ["lock_screen.message"], "Lock screen", [payload])]


PARTS = (Part(KEYS, _passcode), Part(("lock_screen.message",), _lock_screen))
