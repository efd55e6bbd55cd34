"""The home screen, and which applications may notify."""

from collections.abc import Mapping
from typing import Any

from mdm.platforms.apple.render.parts import Part, Resources, Settings, bundle, profile

LAYOUT = "com.apple.homescreenlayout"
NOTIFICATIONS = "com.apple.notificationsettings"
BANNER = 1
PREVIEW_UNLOCKED = 1
DOCK_HOLDS = 6
"""Places in the dock: four on a phone, six on a tablet; a phone shows the first four."""
Icons = list[dict[str, Any]]


def _layout(settings: Settings) -> Resources:
    dock: Icons = []
    pages: dict[int, Icons] = {}
    for record in settings.get("home_screen.icons", []):
        icon = _icon(record["item"])
        if icon is None:
            continue
        in_dock = record.get("place") == "dock"
        place = dock if in_dock else pages.setdefault(record.get("page", 1), [])
        if record.get("folder"):
            place = _folder(place, record["folder"])
        place.append(icon)
    if not dock and not pages:
        return []
    # A page that is left out would close up: what stands on the third page shall not come to the second.
    wanted = [pages.get(number, []) for number in range(1, max(pages, default=0) + 1)] or [[]]
    payload: dict[str, Any] = {"PayloadType": LAYOUT, "Pages": wanted}
    if dock:
        payload["Dock"] = dock[:DOCK_HOLDS]
    return [profile("home-screen", ["home_screen.icons"], "Home screen", [payload])]


def _icon(item: str) -> dict[str, Any] | None:
    """An icon; None for an application of another platform."""
    if "://" in item:
        return {"Type": "WebClip", "URL": item}
    name = bundle(item)
    return {"Type": "App", "BundleID": name} if name else None


def _folder(place: Icons, name: str) -> Icons:
    """The first page of the folder of this name, which is made where its first icon stands."""
    for icon in place:
        if icon["Type"] == "Folder" and icon["DisplayName"] == name:
            found: Icons = icon["Pages"][0]
            return found
    inside: Icons = []
    place.append({"Type": "Folder", "DisplayName": name, "Pages": [inside]})
    return inside


def _notifications(settings: Settings) -> Resources:
    records = settings.get("notifications.apps", [])
    told = [_told(name, record) for record in records if (name := bundle(record["app"]))]
    if not told:
        return []
    payload = {"PayloadType": NOTIFICATIONS, "NotificationSettings": told}
    return [profile("notifications", ["notifications.apps"], "Notifications", [payload])]


def _told(name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    if record["allowed"] == "none":
        return {"BundleIdentifier": name, "NotificationsEnabled": False}
    locked = record["allowed"] == "all"
    found: dict[str, Any] = {
        "BundleIdentifier": name,
        "NotificationsEnabled": True,
        "ShowInNotificationCenter": True,
        "ShowInLockScreen": locked,
        "AlertType": BANNER,
        "SoundsEnabled": record.get("sounds", True),
        "BadgesEnabled": record.get("badges", True),
    }
    return found if locked else {**found, "PreviewType": PREVIEW_UNLOCKED}


PARTS = (Part(("home_screen.icons",), _layout), Part(("notifications.apps",), _notifications))
