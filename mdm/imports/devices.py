"""Devices from a file: found by asset tag, else by serial number, else by IMEI.

State and holder are taken for a new device. For one that is known they must agree: handing out and taking in is done
over the counter, where it leaves its trace.
"""

from typing import Any

from mdm.core.errors import N_, InvalidError
from mdm.core.money import cents
from mdm.imports.columns import word
from mdm.imports.plan import Once, Places, Planned, Progress, RowError, day, planned, values_of
from mdm.imports.table import Row
from mdm.inventory import bulk, fields
from mdm.inventory.bulk import Draft
from mdm.inventory.holder import Holder
from mdm.inventory.lifecycle import HELD, WITH_HOLDER
from mdm.inventory.model import Device, LifeCycle
from mdm.people.model import Person
from mdm.people.queries import people_select
from mdm.storage.call import Call

KEYS = ("tag", "serial", "imei")
_TEXTS = ("tag", "serial", "imei", "name", "manufacturer", "model", "phone_number", "ring", "note")
_MONEY = ("currency", "supplier", "order_number", "contract")
_WORDS = ("platform", "kind", "ownership", "measure")
_DAYS = ("purchased_on", "warranty_until", "contract_until")
_EMPTY: dict[str, Any] = dict.fromkeys((*KEYS, *_DAYS, "unit", "service_point", "cost")) | dict.fromkeys(
    ("name", "manufacturer", "model", "phone_number", "ring", "note", "measure", *_MONEY), ""
)
_RENAMED = {"unit": "owner_unit_id", "service_point": "service_point_id", "cost": "cost_cents"}


def plan(call: Call, rows: list[Row], progress: Progress | None = None) -> list[Planned[Draft]]:
    """What each row comes to."""
    return planned(rows, "tag", _Reader(call, rows).one, progress)


def _cents(cell: str) -> int | None:
    try:
        return cents(cell)
    except ValueError:
        raise RowError("cost", N_('"%(value)s" is no amount. Write it as 1234.56.'), value=cell) from None


class _Reader:
    """Knows the devices and the people that the file speaks of."""

    def __init__(self, call: Call, rows: list[Row]) -> None:
        self.call = call
        self.places = Places(call)
        self.once = Once()
        self.known = {key: bulk.by_key(call, key, self._values_of(rows, key)) for key in KEYS}
        self.people: dict[str, Person] = {}
        if any(row.cells.get("holder") for row in rows):
            for person in call.session.scalars(people_select(call).where(Person.left_on.is_(None))):
                self.people |= {key: person for key in (person.email, person.number) if key}

    def one(self, row: Row) -> tuple[Draft, bool, list[str]]:
        """The draft of one row."""
        values = self._values(row.cells)
        for key in KEYS:
            self.once.take(key, values.get(key), row.line)
        device = self._existing(values)
        state, holder = self._state(row.cells)
        if device is not None:
            self._agrees(device, state, holder)
        elif not any(values.get(key) for key in (*KEYS, "name")):
            raise RowError("tag", N_("Give at least one of asset tag, serial number, IMEI and name."))
        for key in ("platform", "kind"):
            if device is None and not values.get(key):
                raise RowError(key, N_("A new device needs this."))
        if device is not None and values.get("platform", device.platform) != device.platform and device.enrolled_at:
            raise RowError("platform", N_("The platform of an enrolled device cannot be changed."))
        draft = Draft(values, device, state or (LifeCycle.HANDED_OUT if holder else LifeCycle.IN_STOCK), holder)
        if not draft.allowed(self.call):
            raise RowError("service_point", N_("You may not manage devices at this place."))
        return draft, device is None, list(draft.changes)

    @staticmethod
    def _values_of(rows: list[Row], key: str) -> list[str]:
        found = set()
        for row in rows:
            try:
                found.add(fields.cleaned({key: row.cells.get(key, "")}).get(key))  # type: ignore[misc]
            except InvalidError:
                continue
        return sorted(value for value in found if isinstance(value, str) and value)

    def _values(self, cells: dict[str, str]) -> dict[str, Any]:
        converters: dict[str, Any] = dict.fromkeys((*_TEXTS, *_MONEY), str) | {"cost": _cents}
        converters |= {name: lambda cell, name=name: word(name, cell) for name in _WORDS}
        converters |= {name: lambda cell, name=name: day(name, cell) for name in _DAYS}
        converters |= {"unit": self.places.unit, "service_point": self.places.service_point}
        found = values_of(cells, converters, _EMPTY)
        asset: fields.AssetData = {_RENAMED.get(key, key): value for key, value in found.items()}  # type: ignore[assignment]
        return fields.cleaned(asset)

    def _existing(self, values: dict[str, Any]) -> Device | None:
        hits = [(key, self.known[key].get(values[key])) for key in KEYS if values.get(key)]
        found = next((device for _, device in hits if device is not None), None)
        for key, device in hits:
            if device is not None and device is not found:
                raise RowError(key, N_('"%(value)s" is another device than the one named first.'), value=values[key])
        return found

    def _state(self, cells: dict[str, str]) -> tuple[LifeCycle | None, Holder | None]:
        holder = None
        if cells.get("holder"):
            person = self.people.get(cells["holder"].lower()) or self.people.get(cells["holder"])
            if person is None:
                raise RowError(
                    "holder", N_('There is nobody with the address or number "%(value)s".'), value=cells["holder"]
                )
            holder = Holder(person.id, person.name, person.number, person.email, person.unit_id, person.persona)
        state = None
        if cells.get("state"):
            try:
                state = LifeCycle(word("state", cells["state"]))
            except ValueError:
                raise RowError("state", N_('"%(value)s" is no state of a device.'), value=cells["state"]) from None
        if state in WITH_HOLDER and holder is None:
            raise RowError("holder", N_("Say who has the device: an e-mail address or a personnel number."))
        if holder is not None and state is not None and state not in HELD:
            raise RowError("holder", N_("A device in this state is in nobody's hands."))
        return state, holder

    @staticmethod
    def _agrees(device: Device, state: LifeCycle | None, holder: Holder | None) -> None:
        if state is not None and state != device.state:
            raise RowError(
                "state", N_("The device is %(state)s; an import does not move it along its life."), state=device.state
            )
        if holder is not None and holder.person_id != device.person_id:
            raise RowError("holder", N_("The device is not with this person; an import does not hand it over."))
