"""Reads of devices. Those that take a ``Call`` give only what lies in its actor's scope of ``device:view``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, or_, select, tuple_
from sqlalchemy.orm import Session

from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.text import fold
from mdm.inventory import search
from mdm.inventory.model import (
    Application,
    AppSetItem,
    Device,
    DeviceEvent,
    FactChange,
    FactSection,
)
from mdm.storage.call import Call
from mdm.storage.scoping import within

SUGGESTIONS = 10
TAIL = 5
"""How many last characters of a serial number or IMEI people read out to find a device."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The last thing a device said in one section, and since when it says so."""

    section: str
    content: dict[str, Any]
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Installed:
    """One application on one device."""

    application_id: int
    identifier: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class CatalogueLine:
    """One application, and on how many of the actor's devices it is."""

    application: Application
    devices: int
    versions: int


def devices_select(call: Call, permission: Permission = Permission.DEVICE_VIEW) -> Select[Device]:
    """Devices over which the actor holds ``permission``."""
    return select(Device).where(within(call.actor.scope(permission), Device.service_point_id, Device.unit_id))


def device(call: Call, key: str) -> Device:
    """One device by its id, serial number, asset tag or IMEI; NotFoundError when it is not there or not the actor's."""
    query = devices_select(call).where(
        or_(Device.uid == key, Device.serial == key, Device.tag == key, Device.imei == key)
    )
    found = call.session.scalars(query.limit(2)).all()
    exact = [one for one in found if one.uid == key] or list(found)
    if not exact:
        raise _missing()
    return exact[0]


def device_by_uid(call: Call, uid: str) -> Device:
    """One device by its id alone; NotFoundError as ``device``."""
    found = call.session.scalar(devices_select(call).where(Device.uid == uid))
    if found is None:
        raise _missing()
    return found


def facts(call: Call, uid: str) -> dict[str, Facts]:
    """What the device last said, by section; NotFoundError as ``device``."""
    return facts_of(call.session, device_by_uid(call, uid).id)


def facts_of(session: Session, device_id: int) -> dict[str, Facts]:
    """What a device last said, by section. For the machinery: not scoped."""
    rows = session.execute(
        select(FactSection.section, FactSection.content, FactSection.changed_at)
        .where(FactSection.device_id == device_id)
        .order_by(FactSection.section)
    )
    return {row.section: Facts(row.section, row.content, row.changed_at) for row in rows}


def changes(call: Call, uid: str, *, before: int | None = None, limit: int = 50) -> Sequence[FactChange]:
    """What changed in the facts, newest first; ``before`` is the number of the last one of the page before."""
    query = select(FactChange).where(FactChange.device_id == device_by_uid(call, uid).id)
    if before is not None:
        query = query.where(FactChange.id < before)
    return call.session.scalars(query.order_by(FactChange.id.desc()).limit(limit)).all()


def events(call: Call, uid: str, *, before: int | None = None, limit: int = 50) -> Sequence[DeviceEvent]:
    """The device's own time line, newest first; ``before`` as in ``changes``."""
    query = select(DeviceEvent).where(DeviceEvent.device_id == device_by_uid(call, uid).id)
    if before is not None:
        query = query.where(DeviceEvent.id < before)
    return call.session.scalars(query.order_by(DeviceEvent.id.desc()).limit(limit)).all()


def applications(call: Call, uid: str, *, words: str = "") -> list[Installed]:
    """What is installed on one device, by identifier; NotFoundError as ``device``."""
    found = installed(call.session, device_by_uid(call, uid).app_set_id)
    wanted = fold(words)
    return [one for one in found if wanted in fold(f"{one.identifier} {one.name}")] if wanted else found


def installed(session: Session, app_set_id: int | None) -> list[Installed]:
    """What one set of applications holds, by identifier. For the machinery: not scoped."""
    if app_set_id is None:
        return []
    rows = session.execute(
        select(Application.id, Application.identifier, Application.name, AppSetItem.version)
        .join(AppSetItem, AppSetItem.application_id == Application.id)
        .where(AppSetItem.app_set_id == app_set_id)
        .order_by(Application.identifier)
    )
    return [Installed(*row) for row in rows]


def catalogue(
    call: Call, *, words: str = "", platform: str = "", after: tuple[str, str] | None = None, limit: int = 50
) -> list[CatalogueLine]:
    """Applications that the actor's devices have, by identifier and platform, with counts.

    ``after`` is the identifier and platform of the last one shown before; one identifier may be on several platforms.

    Devices are counted per distinct set first: there are few sets, however many devices there are.
    """
    query = _counted(call, platform)
    if words:
        query = query.where(
            or_(
                Application.identifier.icontains(words, autoescape=True),
                Application.name.icontains(words, autoescape=True),
            )
        )
    if after is not None:
        query = query.where(tuple_(Application.identifier, Application.platform) > tuple_(*after))
    rows = call.session.execute(query.order_by(Application.identifier, Application.platform).limit(limit))
    return [CatalogueLine(row[0], int(row[1]), int(row[2])) for row in rows]


def _counted(call: Call, platform: str) -> Select[Application, Any, int]:
    seen = within(call.actor.scope(Permission.APPLICATION_VIEW), Device.service_point_id, Device.unit_id)
    per_set = (
        select(Device.app_set_id, func.count().label("devices"))
        .where(Device.app_set_id.is_not(None), seen)
        .group_by(Device.app_set_id)
        .subquery()
    )
    query = (
        select(Application, func.sum(per_set.c.devices), func.count(AppSetItem.version.distinct()))
        .join(AppSetItem, AppSetItem.application_id == Application.id)
        .join(per_set, per_set.c.app_set_id == AppSetItem.app_set_id)
        .group_by(Application.id)
    )
    return query.where(Application.platform == platform) if platform else query


def versions(call: Call, application_id: int) -> list[tuple[str, int]]:
    """On how many of the actor's devices each version of one application is, most frequent first."""
    seen = within(call.actor.scope(Permission.APPLICATION_VIEW), Device.service_point_id, Device.unit_id)
    rows: Sequence[Row[str, int]] = call.session.execute(
        select(AppSetItem.version, func.count(Device.id))
        .join(Device, Device.app_set_id == AppSetItem.app_set_id)
        .where(AppSetItem.application_id == application_id, seen)
        .group_by(AppSetItem.version)
        .order_by(func.count(Device.id).desc(), AppSetItem.version)
    ).all()
    return [(row[0], row[1]) for row in rows]


def suggestions(call: Call, words: str, *, limit: int = SUGGESTIONS) -> Sequence[Device]:
    """Devices that a half-typed word may mean: by name, holder, tag, serial, IMEI or its last five characters.

    Those whose serial number, tag or IMEI ends in the word come first: that is what people read out at a desk.
    """
    wanted = fold(words)
    if not wanted:
        return []
    ends = or_(
        *(func.lower(column).endswith(wanted, autoescape=True) for column in (Device.serial, Device.tag, Device.imei))
    )
    query = devices_select(call).where(search.condition(call.session, wanted))
    if len(wanted) >= TAIL:
        query = query.order_by(func.coalesce(ends, False).desc())
    return call.session.scalars(query.order_by(Device.name, Device.id).limit(limit)).all()


def _missing() -> NotFoundError:
    return NotFoundError(N_("There is no such device, or it is not one of yours."))


def devices_by_id(call: Call, ids: Sequence[int]) -> list[Device]:
    """The devices with these row ids in this order; what is not the actor's is left out."""
    found = {device.id: device for device in call.session.scalars(devices_select(call).where(Device.id.in_(ids)))}
    return [found[number] for number in ids if number in found]
