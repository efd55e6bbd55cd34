"""How many commands and orders a device still has to fetch or answer: the one number that the hot path reads."""

from collections.abc import Collection

from sqlalchemy import case, update

from mdm.inventory.model import Device
from mdm.storage.call import Call


def set_waiting(call: Call, device_id: int, delta: int) -> None:
    """Adds ``delta`` to what waits for one device. Never goes below zero; a device that is gone changes nothing."""
    add_waiting(call, (device_id,), delta)


def add_waiting(call: Call, device_ids: Collection[int], delta: int) -> None:
    """The same for many devices in one statement. Bumps no version: an open form of the device stays valid."""
    call.session.execute(
        update(Device)
        .where(Device.id.in_(device_ids))
        .values(waiting=case((Device.waiting + delta < 0, 0), else_=Device.waiting + delta))
        .execution_options(synchronize_session="fetch")
    )
