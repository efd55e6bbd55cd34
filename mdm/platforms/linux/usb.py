"""Which USB devices may be used: USBGuard's rules. What is attached when they come, the agent adds on the device."""

import re
from typing import Any, Final

from mdm.platforms.linux.parts import Part, Resources, Settings, given

KEYS: Final = ("usb.only_allowed", "usb.allowed", "usb.attached")
CLASSES: Final = {
    "input": ("03:*:*",),
    "printer": ("07:*:*",),
    "scanner": ("06:*:*",),
    "smartcard": ("0b:*:*",),
    "audio": ("01:*:*",),
    "camera": ("0e:*:*", "01:*:*"),
}
"""Classes of https://www.usb.org/defined-class-codes. Every interface of a device must be one of these: a keyboard that is a
disk as well is neither."""
_ID: Final = re.compile(r"[0-9a-f]{4}:(?:[0-9a-f]{4}|\*)")
_HUBS: Final = ("allow id 1d6b:*", "allow with-interface match-all { 09:*:* }")


def _rule(record: dict[str, Any]) -> str:
    """One rule; empty for a record that names neither a kind nor a device."""
    classes = CLASSES.get(record.get("kind", ""), ())
    found = _ID.fullmatch(str(record.get("id", "")).lower())
    words = [
        "allow",
        *(["id", found[0]] if found else []),
        *(["with-interface match-all {", *classes, "}"] if classes else []),
    ]
    return " ".join(words) if len(words) > 1 else ""


def _usb(settings: Settings) -> Resources:
    """Nothing where not only the allowed devices count. Without a list, keyboards, mice and touch screens are allowed."""
    if settings.get("usb.only_allowed") is not True:
        return []
    rules = [rule for record in settings.get("usb.allowed", [{"kind": "input"}]) if (rule := _rule(record))]
    return [
        {
            "id": "usb.rules",
            "kind": "usb",
            "keys": given(settings, KEYS),
            "rules": [*_HUBS, *dict.fromkeys(rules)],
            "keep_attached": settings.get("usb.attached", "keep") == "keep",
        }
    ]


PARTS = (Part(KEYS, _usb),)
