"""The list of repairs, and which faults come back on which product."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true

from mdm.core.errors import N_
from mdm.core.permissions import Permission
from mdm.core.text import fold
from mdm.desk.repairs import queries
from mdm.desk.repairs.model import Repair, RepairFault
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.overview import cells, desk_words, words
from mdm.overview.devices import places, point_of
from mdm.overview.home import Chart, Series
from mdm.overview.listing import Column, Filter, Listing, any_of, any_place, moment_order, text_order
from mdm.people.model import Person
from mdm.storage.call import Call

YEAR = timedelta(days=365)
PRODUCTS_MOST = 12


def repairs_of(call: Call) -> Select[Any]:
    """Repairs of devices at the actor's places."""
    return (
        select(Repair.id)
        .join(Device, Device.id == Repair.device_id)
        .outerjoin(ServicePoint, ServicePoint.id == Device.service_point_id)
        .outerjoin(Person, Person.id == Repair.person_id)
        .where(queries.mine(call))
    )


def _overdue(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    late = queries.overdue(call.now.date())
    on_time = or_(Repair.due_on.is_(None), ~late)
    return or_(false(), *(late if value == "yes" else on_time for value in values))


def _standing(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return or_(
        false(), *(Repair.closed_at.is_(None) if value == "yes" else Repair.closed_at.is_not(None) for value in values)
    )


def _fault(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return (
        select(RepairFault.repair_id).where(RepairFault.repair_id == Repair.id, RepairFault.fault.in_(values)).exists()
    )


def _device(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return Device.uid.in_(values)


def _words(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    columns = (Device.search, func.lower(Repair.supplier), func.lower(Repair.reference))
    return and_(
        true(), *(or_(*(column.contains(fold(value), autoescape=True) for column in columns)) for value in values)
    )


REPAIRS = Listing(
    name="repairs",
    permission=Permission.DESK_VIEW,
    base=repairs_of,
    id=Repair.id,
    sort="-opened",
    extra=(
        Repair.uid.label("_repair"),
        Repair.currency.label("_currency"),
        *cells.DEVICE,
    ),
    columns=(
        Column("number", N_("Repair"), Repair.id, "repair", default=True, sort=Repair.id),
        Column("device", N_("Device"), Device.name, "device", default=True, sort=Device.name),
        Column("state", N_("State"), Repair.state, "repair_state", default=True, sort=Repair.state),
        Column("supplier", N_("Supplier"), Repair.supplier, default=True, sort=text_order(Repair.supplier)),
        Column("due", N_("Due"), Repair.due_on, "date", default=True),
        Column("outcome", N_("Outcome"), Repair.outcome, "repair_outcome", default=True, sort=Repair.outcome),
        Column("cost", N_("Cost"), Repair.cost_cents, "money", default=True),
        Column("opened", N_("Opened"), Repair.opened_at, "moment", default=True, sort=moment_order(Repair.opened_at)),
        Column("closed", N_("Closed"), Repair.closed_at, "moment", sort=moment_order(Repair.closed_at)),
        Column("warranty", N_("Warranty"), Repair.warranty, "truth"),
        Column("reference", N_("Supplier's number"), Repair.reference, "code"),
        Column("person", N_("Holder then"), Person.name),
        Column("service_point", N_("Service point"), ServicePoint.name, sort=text_order(ServicePoint.name)),
        Column("opened_by", N_("Opened by"), Repair.opened_by),
    ),
    filters=(
        Filter("q", N_("Search"), _words, shown=False),
        Filter("device", N_("Device"), _device, shown=False),
        Filter("product", N_("Model"), any_of(Device.product), shown=False),
        Filter("open", N_("Not closed"), _standing, words=words.YES_NO),
        Filter("overdue", N_("Overdue"), _overdue, words=words.YES_NO),
        Filter("state", N_("State"), any_of(Repair.state), words=desk_words.REPAIR_STATES),
        Filter("outcome", N_("Outcome"), any_of(Repair.outcome), words=desk_words.REPAIR_OUTCOMES),
        Filter("fault", N_("Fault"), _fault, words=desk_words.FAULTS),
        Filter("service_point", N_("Service point"), any_place(Device.service_point_id, point_of), choices=places),
    ),
)


def faults_by_product(call: Call) -> Chart:
    """Repairs of the last year per product, a colour per fault; the product with the most first."""
    per: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in queries.by_product(call, since=call.now - YEAR):
        per[one.product or "—"][one.fault] += one.repairs
    products = sorted(per, key=lambda name: (-sum(per[name].values()), name))[:PRODUCTS_MOST]
    found = [fault for fault in desk_words.FAULTS if any(per[name].get(fault) for name in products)]
    colours = ("main", "bad", "warn", "good", "calm")
    return Chart(
        tuple(products),
        tuple(
            Series(
                desk_words.FAULTS[fault],
                colours[place % len(colours)],
                tuple(per[name].get(fault, 0) for name in products),
            )
            for place, fault in enumerate(found)
        ),
        tuple((("product", name),) for name in products),
    )
