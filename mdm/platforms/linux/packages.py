"""Packages: what the policies name, and what the settings need to come true."""

import re
from typing import Any, Final

from mdm.platforms.linux import kiosk
from mdm.platforms.linux.parts import Part, Resources, Settings, given

APPS: Final = ("apps.required", "apps.available", "apps.allow_only", "apps.allowed", "apps.blocked")
NEEDING: Final = ("kiosk.url", "kiosk.app", "kiosk.done_button", "usb.only_allowed", "printing.printers")
_PACKAGE: Final = re.compile(r"[a-z0-9][a-z0-9+.-]{1,100}\Z")


def _needed(settings: Settings) -> set[str]:
    """What must be there for a kiosk, USB rules or a printer; a browser of another name is somebody's own package."""
    names: set[str] = set()
    if given(settings, ("kiosk.url", "kiosk.app")):
        names |= kiosk.PACKAGES
        names |= {kiosk.BUTTON_PACKAGE} if kiosk.done_corner(settings) else set()
        names |= {kiosk.BROWSER} if settings.get("kiosk.app", kiosk.BROWSER) == kiosk.BROWSER else set()
    if settings.get("usb.only_allowed") is True:
        names.add("usbguard")
    if settings.get("printing.printers") and settings.get("restrictions.printing") is not False:
        names |= {"cups", "cups-client"}
    return names


def _packages(settings: Settings) -> Resources:
    """One resource for all packages. What is blocked wins over everything; what is required is allowed.

    Names that no Debian package can have belong to other platforms and are left out.
    """
    keys = given(settings, APPS)
    needed = _needed(settings)
    if needed:
        keys += given(settings, NEEDING)
    if not keys:
        return []

    def names(key: str) -> set[str]:
        return {name for name in settings.get(key, []) if _PACKAGE.match(name)}

    blocked = names("apps.blocked")
    required = (names("apps.required") | needed) - blocked
    allowed: list[str] | None = None
    if settings.get("apps.allow_only") is True:
        allowed = sorted((required | names("apps.available") | names("apps.allowed")) - blocked)
    resource: dict[str, Any] = {
        "id": "apps.packages",
        "kind": "packages",
        "keys": keys,
        "required": sorted(required),
        "allowed": allowed,
        "blocked": sorted(blocked),
    }
    return [resource]


PARTS = (Part((*APPS, *NEEDING), _packages),)
