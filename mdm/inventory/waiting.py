"""How many commands and orders a device still has to fetch or answer: the one number that the hot path reads."""

from collections.abc import Collection

from sqlalchemy import case, update

from mdm.inventory.model import Device
from mdm.storage.call import Call


def add_waiting(call: Call, device_ids: Collection[int], delta: int) -> None:
    """Adds ``delta`` to what waits for each of these devices, in one statement. Never goes below zero.

    A device that is gone changes nothing. Bumps no version: an open form of the device stays valid.
    """
    call.session.execute(
        update(Device)
        .where(Device.id.in_(device_ids))
        .values(waiting=case((Device.waiting + delta < 0, 0), else_=Device.waiting + delta))
        .execution_options(synchronize_session=False)
    )
    for device_id in device_ids:
        held = call.session.identity_map.get(call.session.identity_key(Device, device_id))
        if held is not None:
            call.session.expire(held, ["waiting"])
