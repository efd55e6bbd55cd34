"""The list of devices, as the console shows it."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from mdm.core.permissions import Permission
from mdm.inventory import queries
from mdm.overview.devices import DEVICES
from mdm.storage.call import Call
from web.api.export import MEDIA, exported
from web.api.listings import export_model, page_of, query_model, wanted
from web.api.operation import operation
from web.api.paging import Page, PageQuery
from web.api.shapes.devices import Device, DevicePage

api = APIBlueprint("device_list", __name__, tag={"name": "Devices", "description": "Asset and managed device in one."})
DeviceQuery = query_model(DEVICES, "DeviceQuery")
DeviceExport = export_model(DEVICES, "DeviceExport")


@operation(api, "GET", "/devices", Permission.DEVICE_VIEW, query=DeviceQuery, answer=DevicePage)
def list_devices(call: Call, query: PageQuery) -> Page[Device]:
    """List devices.

    The list of the console with its filters and orders. Only devices at your places are listed.
    """
    rows, following, total = page_of(call, DEVICES, query)
    found = queries.devices_by_id(call, [row["_id"] for row in rows])
    items = [Device.model_validate(device) for device in found]
    return DevicePage(items=items, next=following, total=total)


@operation(
    api, "GET", "/devices/export", Permission.DEVICE_EXPORT, query=DeviceExport, answer=None,
    media=tuple(MEDIA.values()), write=True,
)  # fmt: skip
def export_devices(call: Call, query: Any) -> Response:
    """Export the list of devices as a file.

    CSV or XLSX, all rows that match at your places, noted in the diary. Text that a spreadsheet would take for a formula
    begins with an apostrophe.
    """
    return exported(call, DEVICES, wanted(DEVICES, query, tuple(query.columns)), query.format)
