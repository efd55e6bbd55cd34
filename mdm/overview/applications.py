"""The list of applications that devices have."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, cast, func, or_, select, true

from mdm.core.errors import N_
from mdm.core.permissions import Permission
from mdm.inventory.model import Application, AppSetItem, Device
from mdm.overview import words
from mdm.overview.listing import Column, Filter, Listing, any_of
from mdm.storage.call import Call
from mdm.storage.scoping import within


def counted(call: Call) -> Any:
    """Per application: on how many of the actor's devices it is, and in how many versions.

    Devices are counted per distinct set first: there are few sets, however many devices there are.
    """
    seen = within(call.actor.scope(Permission.APPLICATION_VIEW), Device.service_point_id, Device.unit_id)
    per_set = (
        select(Device.app_set_id, func.count().label("devices"))
        .where(Device.app_set_id.is_not(None), seen)
        .group_by(Device.app_set_id)
        .subquery()
    )
    return (
        select(
            AppSetItem.application_id,
            cast(func.sum(per_set.c.devices), Integer).label("devices"),
            func.count(AppSetItem.version.distinct()).label("versions"),
        )
        .join(per_set, per_set.c.app_set_id == AppSetItem.app_set_id)
        .group_by(AppSetItem.application_id)
        .subquery("counted")
    )


def _words(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return and_(
        true(),
        *(
            or_(
                Application.identifier.icontains(value, autoescape=True),
                Application.name.icontains(value, autoescape=True),
            )
            for value in values
        ),
    )


def listing(call: Call) -> Listing:
    """The list for one call: its counts are columns, and they are the actor's own."""
    counts = counted(call)

    def base(_call: Call) -> Select[Any]:
        return select(Application.id).join(counts, counts.c.application_id == Application.id)

    return Listing(
        name="applications",
        permission=Permission.APPLICATION_VIEW,
        base=base,
        id=Application.id,
        sort="-devices",
        extra=(Application.name.label("_name"),),
        columns=(
            Column(
                "identifier", N_("Application"), Application.identifier, "application", True, Application.identifier
            ),
            Column("platform", N_("Platform"), Application.platform, "platform", True, Application.platform),
            Column("devices", N_("Devices"), counts.c.devices, "number", True, counts.c.devices),
            Column("versions", N_("Versions"), counts.c.versions, "number", True, counts.c.versions),
        ),
        filters=(
            Filter("q", N_("Search"), _words, shown=False),
            Filter("platform", N_("Platform"), any_of(Application.platform), words=words.PLATFORMS),
        ),
    )
