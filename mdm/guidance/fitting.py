"""Which guide is for which device, and which films may be linked. Pure."""

from collections.abc import Collection
from urllib.parse import urlsplit

from mdm.core.text import clean, fold
from mdm.guidance.model import Guide
from mdm.inventory.model import Device


def fit(guide: Guide, device: Device) -> int | None:
    """How closely a guide is for this device, the higher the closer; None where it is for others."""
    if guide.platform and guide.platform != device.platform:
        return None
    if guide.kind and guide.kind != device.kind:
        return None
    if guide.model and not has_words(device.product, guide.model):
        return None
    return 4 * bool(guide.model) + 2 * bool(guide.kind) + bool(guide.platform)


def has_words(product: str, model: str) -> bool:
    """Whether the product's name has these words in this order: ``iPhone SE`` is in ``Apple iPhone SE (2022)``."""
    return f" {fold(model)} " in f" {fold(product)} "


def hosts(written: str) -> frozenset[str]:
    """The hosts of a setting: names with commas between them."""
    return frozenset(one.strip().lower() for one in written.split(",") if one.strip())


def film_allowed(address: str, allowed: Collection[str]) -> bool:
    """Whether this is a film by https at one of these hosts. Nothing of it is ever shown inside our pages."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    plain = address == clean(address, 500) and " " not in address and "\\" not in address
    return (
        plain
        and parts.scheme == "https"
        and (parts.hostname or "") in allowed
        and port is None
        and "@" not in parts.netloc
    )
