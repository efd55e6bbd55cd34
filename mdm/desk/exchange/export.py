"""Moving out to Snipe-IT: the actor's devices in the columns that its importer takes, as CSV."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import undefer

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.money import plain
from mdm.core.permissions import Permission
from mdm.core.text import spreadsheet_safe
from mdm.desk.exchange.assets import after
from mdm.desk.exchange.columns import CATEGORY_OF, EXPORTED, STATUS_OF
from mdm.inventory.lifecycle import HELD
from mdm.inventory.model import Device, Ownership
from mdm.inventory.queries import devices_select
from mdm.org.model import ServicePoint, Unit
from mdm.people.model import Person
from mdm.storage.call import Call

STEP = 2000


def export_assets(call: Call) -> str:
    """Every device of the actor's as Snipe-IT's importer takes it; noted in the diary. Text that begins like a formula is
    defused, and our own import takes the mark off again.

    Locations are named by code, so that they find themselves again; custom fields stand behind our own columns.
    """
    if not call.actor.may_somewhere(Permission.DEVICE_EXPORT):
        require(call.actor, Permission.DEVICE_EXPORT)
    names = _custom_names(call)
    output = io.StringIO()
    writer = csv.writer(output)
    writer.writerow([*EXPORTED, *names])
    rows = 0
    for device, point, unit, person in _devices(call):
        cells = [*_cells(device, point, unit, person), *(device.custom.get(name, "") for name in names)]
        writer.writerow([spreadsheet_safe(cell) for cell in cells])
        rows += 1
    audit.record(call, "snipe.exported", ("list", "snipe"), details={"rows": rows, "custom": names})
    return output.getvalue()


def _devices(call: Call) -> Iterator[tuple[Device, str, str, Person | None]]:
    last = 0
    while True:
        query: Any = (
            devices_select(call, Permission.DEVICE_EXPORT)
            .options(undefer(Device.custom))
            .add_columns(ServicePoint.code, Unit.code, Person)
            .outerjoin(ServicePoint, ServicePoint.id == Device.service_point_id)
            .outerjoin(Unit, Unit.id == Device.owner_unit_id)
            .outerjoin(Person, Person.id == Device.person_id)
            .where(Device.id > last)
            .order_by(Device.id)
            .limit(STEP)
        )
        rows = call.session.execute(query).all()
        for row in rows:
            yield row[0], row[1] or "", row[2] or "", row[3]
        if len(rows) < STEP:
            return
        last = rows[-1][0].id


def _custom_names(call: Call) -> list[str]:
    names: set[str] = set()
    scope = devices_select(call, Permission.DEVICE_EXPORT).with_only_columns(Device.id)
    for kept in call.session.scalars(select(Device.custom).where(Device.id.in_(scope))):
        names |= kept.keys()
    taken = {name.casefold() for name in EXPORTED}
    return sorted(name for name in names if name.casefold() not in taken)


def _cells(device: Device, point: str, unit: str, person: Person | None) -> list[str]:
    held = person is not None and device.state in HELD
    return [
        device.name, device.tag or "", device.serial or "", device.model, device.manufacturer,
        CATEGORY_OF[device.kind], STATUS_OF[device.state], point, _day(device.purchased_on), plain(device.cost_cents),
        device.supplier, device.order_number, _months(device), device.note,
        "yes" if device.ownership == Ownership.PRIVATE else "no", "User" if held else "",
        person.name if person and held else "", (person.email or "") if person and held else "",
        (person.number or person.email or "") if person and held else "", (person.number or "") if person and held else "",
        device.imei or "", device.phone_number, device.platform, device.ownership, device.ring, unit, device.currency,
        device.contract, _day(device.contract_until), device.measure, _day(device.warranty_until), device.state,
    ]  # fmt: skip


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""


def _months(device: Device) -> str:
    """The warranty in months from the purchase, as Snipe-IT keeps it: whole ones that have begun."""
    if device.purchased_on is None or device.warranty_until is None or device.warranty_until <= device.purchased_on:
        return ""
    begin, end = device.purchased_on, device.warranty_until
    months = (end.year - begin.year) * 12 + end.month - begin.month
    return str(months + (after(begin, months) < end))
