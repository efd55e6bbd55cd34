"""Which device of the inventory is meant: by its network card, by its serial number, by its host name. Pure at its core."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from mdm.discovery.model import MatchedBy
from mdm.discovery.reading import Heard
from mdm.inventory.model import Device, FactSection, LifeCycle

_EVERYDAY = frozenset(
    {"localhost", "iphone", "ipad", "android", "macbook", "linux", "debian", "ubuntu", "raspberrypi", "kiosk"}
)
"""Host names that say nothing: many devices carry them from the factory."""
SHORTEST = 4


@dataclass(slots=True)
class Known:
    """What the inventory knows its devices by. A sign that two devices share points at none."""

    by_mac: dict[str, int] = field(default_factory=dict)
    by_serial: dict[str, int] = field(default_factory=dict)
    by_name: dict[str, int] = field(default_factory=dict)


def host(name: str) -> str:
    """A host name as it is compared: small letters, without its domain; empty for one that says nothing."""
    short = name.lower().split(".", 1)[0].strip()
    return "" if len(short) < SHORTEST or short in _EVERYDAY else short


def match(known: Known, heard: Heard) -> tuple[int, MatchedBy] | None:
    """The device, and by what it was found; None when it is none of ours."""
    found = known.by_mac.get(heard.mac)
    if found is not None:
        return found, MatchedBy.MAC
    found = known.by_serial.get(heard.serial.lower()) if heard.serial else None
    if found is not None:
        return found, MatchedBy.SERIAL
    names = {known.by_name[key] for name in heard.names if (key := host(name)) in known.by_name}
    return (names.pop(), MatchedBy.NAME) if len(names) == 1 else None


def known(session: Session) -> Known:
    """The signs of every device that has not been retired, of the whole city: a device may be far from its place."""
    gone = select(Device.id).where(Device.state == LifeCycle.RETIRED.value)
    serials, names, macs = [], [], []
    query = select(Device.id, Device.serial, Device.name).where(Device.id.not_in(gone))
    for number, serial, name in session.execute(query.execution_options(yield_per=2000)):
        serials.append((serial.lower() if serial and len(serial) >= SHORTEST else "", number))
        names.append((host(name), number))
    sections = select(FactSection.device_id, FactSection.section, FactSection.content).where(
        FactSection.section.in_(("network", "system")), FactSection.device_id.not_in(gone)
    )
    for number, section, content in session.execute(sections.execution_options(yield_per=1000)):
        if section == "system":
            names.append((host(str(content.get("hostname") or "")), number))
            continue
        for interface in content.get("interfaces") or ():
            if isinstance(interface, dict):
                macs.append((str(interface.get("mac") or "").lower().replace("-", ":"), number))
    return Known(_single(macs), _single(serials), _single(names))


def _single(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    different = set(pairs)
    counted = Counter(key for key, _ in different)
    return {key: number for key, number in different if key and counted[key] == 1}
