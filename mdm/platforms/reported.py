"""From what a phone answers to a report: the inventory's own functions take it, so that history and verdicts follow."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import select

from agent.wire import Report, short_digest
from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import iso
from mdm.core.ids import new_uid
from mdm.inventory import reports
from mdm.inventory.model import Device, FactSection
from mdm.storage.call import Call

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
