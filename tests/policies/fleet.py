"""A small city for the tests of intent: two service points, a tree of units, a group, and devices that stand there."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from mdm.core.ids import new_uid
from mdm.inventory.model import Device, DeviceGroup, DeviceGroupMember
from mdm.org.model import ServicePoint, Unit, UnitParent
from mdm.storage.call import Call
from tests.conftest import NOW


@dataclass
class City:
    """Row ids by name."""

    ids: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> int:
        return self.ids[name]


def build(call: Call) -> City:
    """Units SB > VEEG, service points WERKHAVEN and NOVA, the group Kiosks (empty)."""
    rows: dict[str, Any] = {
        "werkhaven": ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=NOW),
        "nova": ServicePoint(code="NOVA", name="NOVA", created_at=NOW),
        "sb": Unit(code="SB", name="Stadsbeheer", created_at=NOW),
        "veeg": Unit(code="VEEG", name="Veegdienst", created_at=NOW),
        "kiosks": DeviceGroup(name="Kiosks", created_at=NOW),
    }
    call.session.add_all(rows.values())
    call.session.flush()
    ids = {name: row.id for name, row in rows.items()}
    start = date(2020, 1, 1)
    call.session.add(UnitParent(unit_id=ids["sb"], parent_id=None, from_date=start))
    call.session.add(UnitParent(unit_id=ids["veeg"], parent_id=ids["sb"], from_date=start))
    call.session.flush()
    return City(ids)


def device(call: Call, name: str, **more: Any) -> Device:
    """One enrolled Linux laptop, unless said otherwise."""
    values = {"platform": "linux", "kind": "laptop", "ownership": "city", "state": "handed_out", "enrolled_at": NOW}
    made = Device(uid=new_uid(), name=name, serial=name, created_at=NOW, **{**values, **more})
    call.session.add(made)
    call.session.flush()
    return made


def join(call: Call, group_id: int, *devices: Device) -> None:
    """Puts devices into a group."""
    call.session.add_all(DeviceGroupMember(group_id=group_id, device_id=one.id) for one in devices)
    call.session.flush()
