"""From a phone's answers to facts: the inventory's own report functions take them, so that history and verdicts follow."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast

from sqlalchemy import select

from agent.wire import Report, short_digest
from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import iso
from mdm.core.ids import new_uid
from mdm.core.text import clean
from mdm.inventory import reports
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, FactSection
from mdm.platforms.apple.message import Message
from mdm.storage.call import Call

MAKER: Final = "Apple"
Sections = Mapping[str, Mapping[str, Any]]


def take(call: Call, device: Device, found: Sections) -> None:
    """Stores what a phone said, section by section; what it did not speak of stays as it is known."""
    known = {
        row.section: (row.digest, row.content)
        for row in call.session.execute(
            select(FactSection.section, FactSection.digest, FactSection.content).where(
                FactSection.device_id == device.id
            )
        )
    }
    sections = {
        name: dict(content) if name == "packages" else {**known.get(name, ("", {}))[1], **content}
        for name, content in found.items()
    }
    digests = {name: digest for name, (digest, _) in known.items()}
    digests |= {name: short_digest(content) for name, content in sections.items()}
    report = {"id": new_uid(), "at": iso(call.now), "sections": sections, "digests": digests}
    spoken = replace(call, actor=Actor(ActorKind.DEVICE, device.id, device.label, (), call.actor.request_id))
    reports.take_report(spoken, device, cast(Report, report))


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
