"""Devices as assets: list, record, correct, hand out, take in, move along their life."""

from apiflask import APIBlueprint

from mdm.core.permissions import Permission
from mdm.core.risk import Risk
from mdm.enrollment.holders import holder_of
from mdm.inventory import model, queries, service
from mdm.inventory.fields import AssetData
from mdm.people import queries as people
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.shapes import devices as shapes
from web.api.shapes.devices import Device
from web.api.versions import unchanged
from web.common.looks import note_device

api = APIBlueprint("devices", __name__, tag={"name": "Devices", "description": "Asset and managed device in one."})
VIEW, MANAGE = Permission.DEVICE_VIEW, Permission.DEVICE_MANAGE
ONE = "/devices/<uid:device_uid>"


def _shown(device: model.Device) -> Device:
    return Device.model_validate(device)


def _one(call: Call, device_uid: str) -> Device:
    return _shown(queries.device_by_uid(call, device_uid))


@operation(api, "GET", "/devices/lookup", VIEW, query=shapes.DeviceKey, answer=Device, problems=(404,), tagged=True)
def find_device(call: Call, query: shapes.DeviceKey) -> Device:
    """Find one device by what is written on it.

    By its id, serial number, asset tag or IMEI, exactly as recorded.
    """
    found = queries.device(call, query.key)
    note_device(call, found.uid)
    return _shown(found)


@operation(api, "GET", ONE, VIEW, answer=Device, tagged=True)
def get_device(call: Call, device_uid: str) -> Device:
    """Read one device.

    The answer carries an ETag for an edit.
    """
    return _one(call, device_uid)


@operation(
    api, "POST", "/devices", MANAGE, body=shapes.DeviceNew, answer=Device, status=201, problems=(404,), tagged=True
)
def create_device(call: Call, body: shapes.DeviceNew) -> Device:
    """Record a device.

    It is in stock. Give at least one of tag, serial, IMEI and name. 409 when another device has one of them.
    """
    device = service.create(call, AssetData(**body.model_dump()))  # type: ignore[typeddict-item]
    return _shown(device)


@operation(api, "PATCH", ONE, MANAGE, body=shapes.DeviceEdit, answer=Device, problems=(409,), tagged=True, guarded=True)
def edit_device(call: Call, device_uid: str, body: shapes.DeviceEdit) -> Device:
    """Correct the record of a device.

    What is left out stays. State and holder have operations of their own.
    """
    unchanged(_one(call, device_uid))
    return _shown(service.edit(call, device_uid, AssetData(**body.given())))  # type: ignore[typeddict-item]


@operation(api, "POST", f"{ONE}/hand-out", MANAGE, body=shapes.HandOut, answer=Device, tagged=True)
def hand_out_device(call: Call, device_uid: str, body: shapes.HandOut) -> Device:
    """Give a device into somebody's hands.

    Handing it to the one who has it changes nothing. 409 in a state that it cannot be handed out from.
    """
    queries.device_by_uid(call, device_uid)
    holder = holder_of(people.person(call, body.person_id))
    return _shown(service.hand_out(call, device_uid, holder, loan=body.loan, service_point_id=body.service_point_id))


@operation(api, "POST", f"{ONE}/take-back", MANAGE, body=shapes.TakeBack, answer=Device, tagged=True)
def take_back_device(call: Call, device_uid: str, body: shapes.TakeBack) -> Device:
    """Take a device back over the counter.

    Twice is like once. 409 in a state that it cannot be returned from.
    """
    return _shown(service.take_back(call, device_uid, body.service_point_id, reason=body.reason))


@operation(
    api, "POST", f"{ONE}/state", MANAGE, body=shapes.StateMove, answer=Device, tagged=True, risks=(Risk.DEVICE_RETIRE,)
)
def move_device(call: Call, device_uid: str, body: shapes.StateMove) -> Device:
    """Take a device one step along its life.

    To repair, lost, into stock, retired and so on. 409 for a step that its present state does not allow.
    """
    queries.device_by_uid(call, device_uid)
    holder = holder_of(people.person(call, body.person_id)) if body.person_id is not None else None
    return _shown(service.move(call, device_uid, body.state, reason=body.reason, holder=holder))
