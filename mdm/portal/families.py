"""What a device is called by the one who holds it: guessed from a browser, known from a record. Pure."""

import re
from enum import StrEnum
from typing import Final

from mdm.inventory.model import DeviceKind, Platform


class Family(StrEnum):
    """Kinds of device that look alike and are set up alike; each has its own pictures."""

    ANDROID = "android"
    COMPUTER = "computer"
    IPAD = "ipad"
    IPHONE = "iphone"
    IPHONE_BUTTON = "iphone_button"
    """An iPhone with a round button below its screen."""
    KIOSK = "kiosk"


PLATFORMS: Final = {
    Family.ANDROID: Platform.ANDROID,
    Family.COMPUTER: Platform.LINUX,
    Family.IPAD: Platform.IOS,
    Family.IPHONE: Platform.IOS,
    Family.IPHONE_BUTTON: Platform.IOS,
    Family.KIOSK: Platform.LINUX,
}
KINDS: Final = {
    Family.ANDROID: DeviceKind.PHONE,
    Family.COMPUTER: DeviceKind.LAPTOP,
    Family.IPAD: DeviceKind.TABLET,
    Family.IPHONE: DeviceKind.PHONE,
    Family.IPHONE_BUTTON: DeviceKind.PHONE,
    Family.KIOSK: DeviceKind.KIOSK,
}
CHOICES: Final = (Family.IPHONE, Family.IPAD, Family.ANDROID, Family.COMPUTER, Family.KIOSK)
"""What a person is asked: nobody needs to know which iPhone it is."""
BUTTON: Final = re.compile(
    r"iphone ?(se|[5678]\b|[678] plus|6s)|iphone(8,\d|9,\d|10,[1245]|12,8|14,6)\b", re.IGNORECASE | re.ASCII
)
"""Names and identifiers of the models with a round button."""


def guess(agent: str) -> Family | None:
    """What the browser that says this runs on; None where it does not tell. An iPad often says that it is a Mac."""
    said = agent[:400].lower()
    for word, family in (
        ("iphone", Family.IPHONE),
        ("ipad", Family.IPAD),
        ("android", Family.ANDROID),
        ("macintosh", None),
        ("windows", None),
        ("linux", Family.COMPUTER),
    ):
        if word in said:
            return family
    return None


def family_of(platform: str, kind: str, model: str) -> Family:
    """The family of a device that is recorded."""
    if platform == Platform.ANDROID:
        return Family.ANDROID
    if platform == Platform.IOS:
        if kind == DeviceKind.TABLET or model.lower().startswith("ipad"):
            return Family.IPAD
        return Family.IPHONE_BUTTON if BUTTON.match(model.strip()) else Family.IPHONE
    return Family.KIOSK if kind == DeviceKind.KIOSK else Family.COMPUTER
