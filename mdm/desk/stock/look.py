"""The device or the shelf that a code stands for, in whichever spelling it was read."""

from sqlalchemy import or_

from mdm.core.errors import N_, NotFoundError
from mdm.desk.paper import codes
from mdm.desk.stock import queries
from mdm.desk.stock.model import Shelf
from mdm.inventory.model import Device
from mdm.inventory.queries import devices_select
from mdm.storage.call import Call


def device(call: Call, code: str) -> Device:
    """The actor's device with this id, asset tag, serial number or IMEI; NotFoundError when it is not there or not theirs."""
    wanted = codes.read(code).spellings
    found = call.session.scalars(
        devices_select(call)
        .where(or_(*(column.in_(wanted) for column in (Device.uid, Device.tag, Device.serial, Device.imei))))
        .limit(10)
    ).all()
    for spelling in wanted:
        for one in found:
            if spelling in (one.uid, one.tag, one.serial, one.imei):
                return one
    raise NotFoundError(
        N_("No device of yours has the code %(read)s. Nothing was changed; scan it again, or type it."),
        read=codes.read(code).text[:64],
    )


def shelf(call: Call, code: str) -> Shelf | None:
    """The actor's shelf whose label says this; None for any other code."""
    wanted = {spelling.upper() for spelling in codes.read(code).spellings}
    return call.session.scalar(queries.shelves_select(call).where(Shelf.code.in_(wanted)))
