"""What is wrong with kiosks, told once: an alarm and a letter per service point, with every kiosk that is newly in trouble.

What counts is what the rules of compliance find, without what somebody is excused from and after its grace.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import and_, delete, select

from mdm.compliance.model import Exemption, Finding, RuleInForce
from mdm.core.errors import N_
from mdm.inventory.model import Device, DeviceKind
from mdm.kiosks.model import KioskTold
from mdm.org.model import ServicePoint
from mdm.outbox import service as outbox
from mdm.storage.call import Call

RULES: Final = ("disk_room", "kiosk_browser", "kiosk_paper", "kiosk_printer", "kiosk_warmth")
WORDS: Final[Mapping[str, str]] = {
    "disk_room": "the disk is almost full",
    "kiosk_browser": "the browser does not stay up",
    "kiosk_paper": "the paper is gone",
    "kiosk_printer": "the printer does not print",
    "kiosk_warmth": "it is too hot",
}
"""For letters and alarms, which are written in English."""
AGAIN: Final = timedelta(hours=6)
"""What comes and goes is told again only after this time."""
LISTED: Final = 20
TEXT: Final = N_("Kiosks at %(place)s need somebody: %(kiosks)s.")
LETTER: Final = """At {place} these kiosks need somebody:

{lines}

This letter comes once. What became of them is on the page of kiosks.
"""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One finding of one kiosk."""

    device: Device
    rule: str


def tell(call: Call) -> int:
    """Tells of what is new since the last time; how many service points. For the clock: every place is looked at."""
    known = {(row.device_id, row.rule): row for row in call.session.scalars(select(KioskTold))}
    fresh: dict[int | None, list[Trouble]] = defaultdict(list)
    standing = set()
    for trouble in _found(call):
        key = (trouble.device.id, trouble.rule)
        standing.add(key)
        if key not in known:
            fresh[trouble.device.service_point_id].append(trouble)
            call.session.add(KioskTold(device_id=key[0], rule=key[1], told_at=call.now))
    over = [row.id for key, row in known.items() if key not in standing and row.told_at < call.now - AGAIN]
    if over:
        call.session.execute(delete(KioskTold).where(KioskTold.id.in_(over)))
    for place, troubles in fresh.items():
        _tell(call, place, troubles)
    return len(fresh)


def _found(call: Call) -> list[Trouble]:
    excused = and_(
        Exemption.device_id == Finding.device_id,
        Exemption.rule_id == Finding.rule_id,
        Exemption.ended_at.is_(None),
        Exemption.until > call.now,
    )
    query = (
        select(Device, RuleInForce.rule)
        .join(Finding, Finding.device_id == Device.id)
        .join(RuleInForce, RuleInForce.id == Finding.rule_id)
        .where(
            RuleInForce.rule.in_(RULES),
            RuleInForce.enabled.is_(True),
            Device.kind == DeviceKind.KIOSK.value,
            Finding.unknown.is_(False),
            Finding.grace_until <= call.now,
            ~select(Exemption.id).where(excused).exists(),
        )
        .order_by(Device.name, Device.id, RuleInForce.rule)
    )
    return [Trouble(row[0], row[1]) for row in call.session.execute(query).unique()]


def _tell(call: Call, place: int | None, troubles: list[Trouble]) -> None:
    point = call.session.get(ServicePoint, place) if place else None
    lines = [f"{one.device.label}: {WORDS[one.rule]}" for one in troubles[:LISTED]]
    more = [f"and {len(troubles) - LISTED} more"] if len(troubles) > LISTED else []
    name = point.name if point else "no service point"
    payload = {
        "kind": "kiosk",
        "text": TEXT,
        "params": {"place": name, "kiosks": "; ".join([*lines, *more])},
        "subject": ["service_point", str(place or "")],
        "where": [place, None],
    }
    outbox.post(call, "alarm", payload)
    if point is not None and point.email and point.closed_on is None:
        text = LETTER.format(place=name, lines="\n".join(f"- {line}" for line in [*lines, *more]))
        outbox.post(call, "mail", {"to": point.email, "subject": f"Kiosks at {name} need somebody", "text": text})
