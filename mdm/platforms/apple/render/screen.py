"""What is on the screen: web clips, and one application alone."""

from typing import Any

from mdm.platforms.apple.render.parts import Part, Resources, Settings, bundle, given, profile, settings_command
from mdm.platforms.apple.render.restrictions import WEB_CLIPS
from mdm.platforms.linux.escape import slug

CLIP = "com.apple.webClip.managed"


def _clips(settings: Settings) -> Resources:
    return [
        profile(
            f"web-clip.{slug(link['name'])}",
            ["web_links.links"],
            link["name"],
            [
                {
                    "PayloadType": CLIP,
                    "Label": link["name"],
                    "URL": link["url"],
                    "IsRemovable": False,
                    "FullScreen": False,
                }
            ],
        )
        for link in settings.get("web_links.links", [])
    ]


def _kiosk(settings: Settings) -> Resources:
    """One application and no other; an address alone becomes a web clip over the whole screen."""
    keys = given(settings, ("kiosk.url", "kiosk.app"))
    payloads: list[dict[str, Any]] = []
    application = bundle(settings["kiosk.app"]) if settings.get("kiosk.app") else None
    if application is None and settings.get("kiosk.url"):
        application = WEB_CLIPS
        payloads.append(
            {
                "PayloadType": CLIP,
                "Label": "Kiosk",
                "URL": settings["kiosk.url"],
                "IsRemovable": False,
                "FullScreen": True,
                "IgnoreManifestScope": True,
            }
        )
    if application is None:
        return []
    payloads.append({"PayloadType": "com.apple.app.lock", "App": {"Identifier": application}})
    return [profile("kiosk", keys, "Kiosk", payloads)]


def _time(settings: Settings) -> Resources:
    if "time.zone" not in settings:
        return []
    items = [{"Item": "TimeZone", "TimeZone": settings["time.zone"]}]
    return [settings_command("time-zone", ["time.zone"], items, supervised=True, city=True, **{"from": "14.0"})]


PARTS = (
    Part(("web_links.links",), _clips),
    Part(("kiosk.url", "kiosk.app"), _kiosk),
    Part(("time.zone",), _time),
)
