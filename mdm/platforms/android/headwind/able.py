"""What the free agent can do of what a phone shall be, and what is said where it cannot. Pure."""

from collections.abc import Mapping
from typing import Final

from mdm.core.errors import N_
from mdm.platforms.android.wanted import GOOGLE_ONLY, SUPPORTED, Wanted
from mdm.platforms.port import Foreseen

CANNOT: Final[Mapping[str, str]] = {
    "apps.available": N_(
        "the agent has no catalogue of its own: what is installed is required, the rest is not offered"
    ),
    "browser.bookmarks": N_("the browser takes them from an application setting of its own"),
    "browser.home_page": N_("the browser takes it from an application setting of its own"),
    "certificates.authorities": N_("it installs authorities only while a phone is set up"),
    "encryption.required": N_("every phone with Android 10 or later is encrypted; it reports no more than its version"),
    "encryption.storage_card": N_("it does not reach a storage card"),
    "kiosk.app": N_("the free agent does not hold a phone in one application"),
    "kiosk.url": N_("the free agent does not hold a phone on one page"),
    "lock_screen.message": N_("it shows a message only while a phone is locked by command"),
    "lock_screen.notifications": N_("it does not decide what the lock screen shows"),
    "passcode.history": N_("it knows four kinds of passcode and nothing more"),
    "passcode.max_age": N_("it knows four kinds of passcode and nothing more"),
    "passcode.max_failed": N_("it wipes nothing by itself"),
    "proxy.bypass": N_("it sets no proxy"),
    "proxy.mode": N_("it sets no proxy"),
    "proxy.pac_url": N_("it sets no proxy"),
    "proxy.server": N_("it sets no proxy"),
    "restrictions.camera": N_("it has no switch for the camera"),
    "restrictions.cloud_backup": N_("Android has no such restriction for an agent"),
    "screen_lock.enabled": N_("a screen locks by itself where a passcode is required"),
    "updates.deadline": N_("the system decides how long an update may wait"),
    "wifi.networks": N_("it knows no networks beside the one in its QR code"),
}
"""Settings that the agent makes nothing of, with the reason in English, as it goes into a sentence."""
_BROWSER: Final = N_("the browser takes it from an application setting of its own")
REASONS: Final[Mapping[str, str]] = {
    **CANNOT,
    **dict.fromkeys(GOOGLE_ONLY, N_("only Google's own management does this")),
    **{key: _BROWSER for key in SUPPORTED if key.startswith("browser.") and key not in CANNOT},
}


def why_not(key: str) -> str:
    """Why the agent makes nothing of a setting, in English; "" where it does."""
    return REASONS.get(key, "")


def foresee(wanted: Wanted) -> list[Foreseen]:
    """What phones with the free agent would not do, each setting once."""
    return [
        Foreseen(
            "headwind_cannot",
            False,
            (key,),
            N_("Phones with the free agent do not do this: %(why)s."),
            {"why": REASONS[key], "path": key},
        )
        for key in sorted(wanted.keys & set(REASONS))
    ]
