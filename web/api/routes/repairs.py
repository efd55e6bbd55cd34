"""Repairs for programs, such as a supplier's own system."""

from apiflask import APIBlueprint

from mdm.core.permissions import Permission
from mdm.desk.repairs import queries, service
from mdm.desk.repairs.model import Fault
from mdm.desk.repairs.model import Repair as Row
from mdm.inventory.model import Device
from mdm.inventory.queries import device_by_uid
from mdm.overview.repairs import REPAIRS
from mdm.storage.call import Call
from web.api.listings import page_of, query_model
from web.api.operation import operation
from web.api.paging import Page, PageQuery
from web.api.shapes import stock as shapes
from web.api.shapes.stock import Repair

api = APIBlueprint(
    "repairs", __name__, tag={"name": "Repairs", "description": "From the counter to the supplier and back."}
)
VIEW, WORK = Permission.DESK_VIEW, Permission.DESK_WORK
RepairQuery = query_model(REPAIRS, "RepairQuery")
OWN = frozenset({"device", "faults"})


def _shown(call: Call, rows: list[Row]) -> list[Repair]:
    faults = queries.faults(call, [row.id for row in rows])
    return [
        Repair(
            **{name: getattr(row, name) for name in Repair.model_fields if name not in OWN},
            device=call.session.get_one(Device, row.device_id).uid,
            faults=[Fault(fault) for fault in faults.get(row.id, [])],
        )
        for row in rows
    ]


def _one(call: Call, uid: str) -> tuple[Row, Device]:
    row = queries.repair(call, uid)
    return row, call.session.get_one(Device, row.device_id)


@operation(api, "GET", "/repairs", VIEW, query=RepairQuery, answer=shapes.RepairPage)
def list_repairs(call: Call, query: PageQuery) -> Page[Repair]:
    """List repairs.

    The list of the console with its filters and orders. Only repairs of devices at your places are listed.
    """
    rows, following, total = page_of(call, REPAIRS, query)
    found = queries.by_id(call, [row["_id"] for row in rows])
    return shapes.RepairPage(items=_shown(call, found), next=following, total=total)


@operation(api, "GET", "/repairs/<uid:repair_uid>", VIEW, answer=Repair)
def get_repair(call: Call, repair_uid: str) -> Repair:
    """Read one repair.

    What is wrong, where the device is, what it cost.
    """
    return _shown(call, [queries.repair(call, repair_uid)])[0]


@operation(
    api, "POST", "/devices/<uid:device_uid>/repairs", WORK, body=shapes.RepairNew, answer=Repair, status=201,
    problems=(404,),
)  # fmt: skip
def open_repair(call: Call, device_uid: str, body: shapes.RepairNew) -> Repair:
    """Open a repair.

    The device is in repair from now on, and still its holder's. 409 when one is open already.
    """
    device = device_by_uid(call, device_uid)
    row = service.open(
        call,
        device,
        faults=[fault.value for fault in body.faults],
        note=body.note,
        supplier=body.supplier,
        due_on=body.due_on,
        warranty=body.warranty,
        loaner=device_by_uid(call, body.loaner) if body.loaner else None,
    )
    return _shown(call, [row])[0]


@operation(api, "POST", "/repairs/<uid:repair_uid>/send", WORK, body=shapes.RepairSending, answer=Repair)
def send_repair(call: Call, repair_uid: str, body: shapes.RepairSending) -> Repair:
    """Send a device to its supplier.

    For the first time or again. 409 where it is there already.
    """
    _row, device = _one(call, repair_uid)
    row = service.send(
        call,
        device,
        supplier=body.supplier,
        reference=body.reference,
        due_on=body.due_on,
        warranty=body.warranty,
    )
    return _shown(call, [row])[0]


@operation(api, "POST", "/repairs/<uid:away_uid>/back", WORK, body=shapes.RepairReturn, answer=Repair)
def take_repair_back(call: Call, away_uid: str, body: shapes.RepairReturn) -> Repair:
    """Take a device back from its supplier.

    Twice is like once. 409 where it was not sent.
    """
    _row, device = _one(call, away_uid)
    return _shown(call, [service.take_back(call, device, note=body.note)])[0]


@operation(api, "POST", "/repairs/<uid:repair_uid>/close", WORK, body=shapes.RepairEnd, answer=Repair)
def close_repair(call: Call, repair_uid: str, body: shapes.RepairEnd) -> Repair:
    """Close a repair.

    With its outcome and its price. A mended device goes on where it was; one that is beyond repair stays with its holder
    until the counter takes it in.
    """
    _row, device = _one(call, repair_uid)
    row = service.close(
        call,
        device,
        outcome=body.outcome.value,
        cost_cents=body.cost_cents,
        currency=body.currency,
        warranty=body.warranty,
        replacement=device_by_uid(call, body.replacement) if body.replacement else None,
        note=body.note,
    )
    return _shown(call, [row])[0]
