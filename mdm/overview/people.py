"""The list of people."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true

from mdm.core.errors import N_
from mdm.core.permissions import Permission
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint, Unit
from mdm.overview import words
from mdm.overview.devices import places, point_of, unit_ids, units_offered
from mdm.overview.listing import Column, Filter, Listing, any_of, any_place, text_order
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.scoping import has_words, within


def people_of(call: Call) -> Select[Any]:
    """People that the actor may see, with unit and service point."""
    scope = call.actor.scope(Permission.PEOPLE_VIEW)
    return (
        select(Person.id)
        .outerjoin(ServicePoint, ServicePoint.id == Person.service_point_id)
        .outerjoin(Unit, Unit.id == Person.unit_id)
        .where(within(scope, Person.service_point_id, Person.unit_id))
    )


def _words(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return and_(true(), *(has_words(Person.search, value) for value in values))


def _unit(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return Person.unit_id.in_(unit_ids(call, values))


def _left(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    today = call.now.date()
    gone = Person.left_on <= today
    here = or_(Person.left_on.is_(None), Person.left_on > today)
    return or_(false(), *(gone if value == "yes" else here for value in values))


_has_device = select(Device.id).where(Device.person_id == Person.id).exists()
_devices = select(func.count()).select_from(Device).where(Device.person_id == Person.id).scalar_subquery()

PEOPLE = Listing(
    name="people",
    permission=Permission.PEOPLE_VIEW,
    base=people_of,
    id=Person.id,
    sort="name",
    extra=(Person.name.label("_name"),),
    columns=(
        Column("name", N_("Name"), Person.name, "person_name", default=True, sort=Person.name),
        Column("unit", N_("Unit"), Unit.name, default=True, sort=text_order(Unit.name)),
        Column(
            "service_point", N_("Service point"), ServicePoint.name, default=True, sort=text_order(ServicePoint.name)
        ),
        Column("devices", N_("Devices"), _devices, "number", default=True),
        Column("email", N_("E-mail address"), Person.email, default=True, sort=text_order(Person.email)),
        Column("persona", N_("Persona"), Person.persona, "persona", sort=Person.persona),
        Column("language", N_("Language"), Person.language, "spoken", sort=Person.language),
        Column("number", N_("Personnel number"), Person.number, "code", sort=text_order(Person.number)),
        Column("phone", N_("Phone number"), Person.phone, "code"),
        Column("left", N_("Left on"), Person.left_on, "date"),
    ),
    filters=(
        Filter("q", N_("Search"), _words, shown=False),
        Filter("service_point", N_("Service point"), any_place(Person.service_point_id, point_of), choices=places),
        Filter("unit", N_("Unit"), _unit, choices=units_offered),
        Filter("persona", N_("Persona"), any_of(Person.persona), words=words.PERSONAS),
        Filter("language", N_("Language"), any_of(Person.language), words=words.LANGUAGES),
        Filter(
            "device",
            N_("Has a device"),
            lambda _call, values: or_(false(), *(_has_device if value == "yes" else ~_has_device for value in values)),
            words=words.YES_NO,
        ),
        Filter("left", N_("Has left"), _left, words=words.YES_NO),
    ),
)
