"""From a phone's answers to facts: the inventory's own report functions take them, so that history and verdicts follow."""

from typing import Any, Final

from sqlalchemy import select

from mdm.core.text import clean
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.platforms.apple.message import Message
from mdm.platforms.reported import take
from mdm.storage.call import Call

__all__ = ["from_authenticate", "os_name", "take"]
MAKER: Final = "Apple"


def from_authenticate(call: Call, device: Device, message: Message) -> None:
    """What a phone tells of itself when it comes for the first time."""
    system: dict[str, Any] = {"manufacturer": MAKER}
    for key, name in (
        ("OSVersion", "os_version"),
        ("BuildVersion", "os_build"),
        ("ProductName", "model_identifier"),
        ("SerialNumber", "serial"),
    ):
        if text := clean(message.text(key), 128):
            system[name] = text
    system["os_name"] = os_name(system.get("model_identifier", ""))
    if model := system.get("model_identifier"):
        system["model"] = model
    take(call, device, {"system": system})
    imei = "".join(one for one in message.text("IMEI") if one.isdigit())
    if 14 <= len(imei) <= 16 and device.imei is None and not _imei_taken(call, imei):
        inventory.apply_fields(call, device, {"imei": imei}, None)


def _imei_taken(call: Call, imei: str) -> bool:
    return call.session.scalar(select(Device.id).where(Device.imei == imei)) is not None


def os_name(product: str) -> str:
    """What its system is called, by the product name."""
    return "iPadOS" if product.startswith("iPad") else "iOS"
