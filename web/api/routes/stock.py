"""The stock for programs: levels, shelves, transfers between service points, what devices cost."""

from apiflask import APIBlueprint

from mdm.core.errors import N_, InvalidError
from mdm.core.permissions import Permission
from mdm.desk.stock import levels, queries, service
from mdm.desk.stock.model import LineState
from mdm.desk.stock.model import Transfer as Row
from mdm.inventory.queries import device_by_uid
from mdm.overview import costs
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, PageQuery, cut
from web.api.shapes import stock as shapes
from web.api.shapes.devices import Device
from web.api.shapes.stock import Shelf, StockLevel, StockLevels, Transfer, TransferWhole

api = APIBlueprint("stock", __name__, tag={"name": "Stock", "description": "Shelves, levels, transfers, costs."})
VIEW, WORK = Permission.DESK_VIEW, Permission.DESK_WORK
MOST = 10_000


@operation(api, "GET", "/stock-levels", VIEW, query=shapes.StockLevelQuery, answer=StockLevels, problems=(404,))
def list_stock_levels(call: Call, query: shapes.StockLevelQuery) -> StockLevels:
    """List what is ready.

    At one service point everything that stands there; without one the levels that are kept at your places.
    """
    found = levels.compared(call) if query.service_point_id is None else levels.levels(call, query.service_point_id)
    return StockLevels(items=[StockLevel.model_validate(level) for level in found])


@operation(api, "POST", "/stock-levels", WORK, body=shapes.StockLevelNew, answer=StockLevels)
def set_stock_level(call: Call, body: shapes.StockLevelNew) -> StockLevels:
    """Keep so many ready.

    0 keeps no level. Answers everything that stands at the service point.
    """
    service.set_minimum(call, body.service_point_id, body.kind.value, body.least, product_name=body.product)
    found = levels.levels(call, body.service_point_id)
    return StockLevels(items=[StockLevel.model_validate(level) for level in found])


@operation(api, "GET", "/shelves", VIEW, query=shapes.ShelfQuery, answer=shapes.ShelfPage)
def list_shelves(call: Call, query: shapes.ShelfQuery) -> Page[Shelf]:
    """List shelves.

    Those at your service points, closed ones as well.
    """
    found = queries.every_shelf(call, service_point_id=query.service_point_id)
    rows, following, total = cut(found, query, lambda shelf: shelf.id)
    return shapes.ShelfPage(items=[Shelf.model_validate(row) for row in rows], next=following, total=total)


@operation(api, "POST", "/shelves", WORK, body=shapes.ShelfNew, answer=Shelf, status=201, problems=(404,))
def create_shelf(call: Call, body: shapes.ShelfNew) -> Shelf:
    """Make a shelf.

    It gets a code of its own for its label. 409 when the service point has a shelf of that name.
    """
    return Shelf.model_validate(service.create_shelf(call, body.service_point_id, body.name, note=body.note))


@operation(api, "POST", "/devices/<uid:device_uid>/shelve", WORK, body=shapes.Shelving, answer=Device)
def shelve_device(call: Call, device_uid: str, body: shapes.Shelving) -> Device:
    """Put a device on a shelf.

    Of the service point at which it stands. 409 when it is in somebody's hands, on a transfer, or recorded elsewhere.
    """
    device = device_by_uid(call, device_uid)
    return Device.model_validate(service.shelve(call, device, queries.shelf(call, body.shelf_id)))


def _whole(call: Call, row: Row) -> TransferWhole:
    lines = [
        shapes.TransferLine(device=device.uid, label=device.label, state=LineState(line.state))
        for line, device in queries.lines(call, row)
    ]
    return TransferWhole(**Transfer.model_validate(row).model_dump(), lines=lines)


@operation(api, "GET", "/transfers", VIEW, query=PageQuery, answer=shapes.TransferPage)
def list_transfers(call: Call, query: PageQuery) -> Page[Transfer]:
    """List transfers.

    Those from and to your service points, newest first.
    """
    rows, following, total = cut(queries.transfers(call, limit=MOST), query, lambda row: -row.id)
    return shapes.TransferPage(items=[Transfer.model_validate(row) for row in rows], next=following, total=total)


@operation(api, "GET", "/transfers/<uid:transfer_uid>", VIEW, answer=TransferWhole)
def get_transfer(call: Call, transfer_uid: str) -> TransferWhole:
    """Read one transfer.

    With every device on it: both ends see the whole list.
    """
    return _whole(call, queries.transfer(call, transfer_uid))


@operation(api, "POST", "/transfers", WORK, body=shapes.TransferNew, answer=TransferWhole, status=201, problems=(404,))
def create_transfer(call: Call, body: shapes.TransferNew) -> TransferWhole:
    """Begin a transfer.

    With the devices that are named by any code on them. It can still be changed until it is sent.
    """
    transfer = service.open_transfer(call, body.service_point_id, body.to, note=body.note)
    for code in body.codes:
        service.add_device(call, transfer.uid, code)
    return _whole(call, transfer)


@operation(api, "POST", "/transfers/<uid:transfer_uid>/send", WORK, answer=TransferWhole)
def send_transfer(call: Call, transfer_uid: str) -> TransferWhole:
    """Send a transfer.

    From now on its devices are on nobody's shelf. Sending twice is like once.
    """
    return _whole(call, service.send(call, transfer_uid))


@operation(api, "POST", "/transfers/<uid:arriving_uid>/arrivals", WORK, body=shapes.Arrival, answer=TransferWhole)
def receive_device(call: Call, arriving_uid: str, body: shapes.Arrival) -> TransferWhole:
    """Receive one device of a transfer.

    By any code on it, onto a shelf where one is given. Twice is like once.
    """
    shelf = queries.shelf(call, body.shelf_id) if body.shelf_id is not None else None
    service.arrive(call, arriving_uid, body.code, shelf=shelf)
    return _whole(call, queries.transfer(call, arriving_uid))


@operation(api, "POST", "/transfers/<uid:arriving_uid>/finish", WORK, body=shapes.Receipt, answer=TransferWhole)
def finish_transfer(call: Call, arriving_uid: str, body: shapes.Receipt) -> TransferWhole:
    """End receiving.

    What has not arrived is missing; it can still be found at either end.
    """
    return _whole(call, service.finish(call, arriving_uid, note=body.note))


@operation(api, "GET", "/reports/costs", VIEW, query=shapes.CostQuery, answer=shapes.Costs)
def get_costs(call: Call, query: shapes.CostQuery) -> shapes.Costs:
    """Read what devices cost.

    Per unit that owns them, employment measure and currency, with what they are still worth on that day by a straight line.
    """
    day = query.on or call.now.date()
    if not 1990 <= day.year <= 2200:
        raise InvalidError(N_("Choose a day between 1990 and 2200."), fields={"on": N_("Between 1990 and 2200.")})
    report = costs.costs(call, day)
    return shapes.Costs(on=day, items=[shapes.CostLine.model_validate(line) for line in report.lines])
