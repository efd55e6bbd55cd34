"""What devices cost: per unit that owns them and per employment measure that paid, with what they are still worth."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, select

from mdm.core.errors import N_
from mdm.core.money import CURRENCY
from mdm.core.permissions import Permission
from mdm.desk.repairs.model import Repair
from mdm.inventory.model import Device, LifeCycle, Ownership
from mdm.inventory.worth import worth
from mdm.org.queries import unit_names
from mdm.overview import words
from mdm.overview.home import Chart, Series
from mdm.storage.call import Call
from mdm.storage.scoping import within

UNITS_MOST = 12
NO_MEASURE = N_("No measure")
_COLOURS = ("main", "good", "warn", "bad", "calm")


@dataclass(slots=True)
class CostLine:
    """One unit, one measure and one currency. Amounts are hundredths."""

    unit_id: int | None
    unit: str
    measure: str
    currency: str
    devices: int = 0
    priced: int = 0
    """Of how many the price is known: the sums are of these alone."""
    cost: int = 0
    worth: int = 0
    dated: int = 0
    """Of how many the day of purchase is known as well: what they are worth is of these alone."""
    repairs: int = 0


@dataclass(slots=True)
class Costs:
    """The report as it stood on one day."""

    on: date
    lines: list[CostLine] = field(default_factory=list)

    @property
    def totals(self) -> list[CostLine]:
        """One line per currency, over everything."""
        found: dict[str, CostLine] = {}
        for line in self.lines:
            total = found.setdefault(line.currency, CostLine(None, "", "", line.currency))
            for name in ("devices", "priced", "cost", "worth", "dated", "repairs"):
                setattr(total, name, getattr(total, name) + getattr(line, name))
        return [found[currency] for currency in sorted(found)]


def costs(call: Call, on: date) -> Costs:
    """The report over the actor's devices that are in service, bought by the city, by unit and measure.

    A purchase is its owner's: it stays with the unit that owns the device, whoever holds it; where no unit owns it, it counts
    for the unit where it is. Amounts in several currencies are never added up. Repairs count with the device, those that
    were paid.
    """
    unit = func.coalesce(Device.owner_unit_id, Device.unit_id)
    rows = call.session.execute(
        select(
            Device.id, unit, Device.measure, Device.currency, Device.cost_cents, Device.purchased_on, Device.kind
        ).where(
            within(call.actor.scope(Permission.DESK_VIEW), Device.service_point_id, Device.unit_id),
            Device.ownership != Ownership.PRIVATE.value,
            Device.state != LifeCycle.RETIRED.value,
        )
    ).all()
    mended = _repairs(call)
    found: dict[tuple[int | None, str, str], CostLine] = {}

    def line(unit_id: int | None, measure: str, currency: str) -> CostLine:
        return found.setdefault((unit_id, measure, currency), CostLine(unit_id, "", measure, currency))

    for device_id, unit_id, measure, currency, cost, bought, kind in rows:
        one = line(unit_id, measure, currency or CURRENCY)
        one.devices += 1
        if cost is not None:
            one.priced, one.cost = one.priced + 1, one.cost + cost
        value = worth(cost, bought, kind, on)
        if value is not None:
            one.dated, one.worth = one.dated + 1, one.worth + value
        for paid, amount in mended.get(device_id, ()):
            line(unit_id, measure, paid).repairs += amount
    names = unit_names(call.session, {key[0] for key in found if key[0] is not None})
    for key, one in found.items():
        one.unit = names.get(key[0] or 0, "")
    return Costs(
        on, sorted(found.values(), key=lambda one: (one.unit == "", one.unit.casefold(), one.measure, one.currency))
    )


def _repairs(call: Call) -> dict[int, list[tuple[str, int]]]:
    rows = call.session.execute(
        select(Repair.device_id, Repair.currency, func.sum(Repair.cost_cents))
        .join(Device, Device.id == Repair.device_id)
        .where(within(call.actor.scope(Permission.DESK_VIEW), Device.service_point_id, Device.unit_id))
        .where(Repair.cost_cents.is_not(None))
        .group_by(Repair.device_id, Repair.currency)
    )
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for device_id, currency, amount in rows:
        found[device_id].append((currency or CURRENCY, int(amount or 0)))
    return found


def per_unit(report: Costs, currency: str = CURRENCY) -> Chart:
    """Purchases per unit in whole units of one currency, a colour per measure; the dearest unit first."""
    per: dict[tuple[int | None, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in report.lines:
        if line.currency == currency and line.cost:
            per[line.unit_id, line.unit][line.measure] += line.cost
    units = sorted(per, key=lambda key: -sum(per[key].values()))[:UNITS_MOST]
    shown = [measure for measure in ("", *words.MEASURES) if any(per[key].get(measure) for key in units)]
    return Chart(
        tuple(name or "—" for _unit_id, name in units),
        tuple(
            Series(
                words.MEASURES.get(measure, NO_MEASURE),
                _COLOURS[place % len(_COLOURS)],
                tuple(round(per[key].get(measure, 0) / 100) for key in units),
            )
            for place, measure in enumerate(shown)
        ),
        tuple((("unit", str(unit_id)),) if unit_id is not None else () for unit_id, _name in units),
    )
