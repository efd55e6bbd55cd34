"""People: the list, one person with devices and invitations, making and editing."""

import segno
from flask import current_app, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.adoption.queries import how_far
from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.inventory.model import Device
from mdm.inventory.queries import devices_select
from mdm.org.queries import service_point_names, unit_names
from mdm.overview import words
from mdm.overview.devices import places, units_offered
from mdm.overview.people import PEOPLE
from mdm.people import queries, service
from mdm.people.model import Person
from mdm.people.service import PersonFields
from mdm.portal import keys
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.common.sealed import SEAL
from web.console.identity import settings
from web.console.lists import export, show
from web.console.pages.helpers import BOTH, GET, POST, Route, day_field, done, number, page, refused, text


@may(Permission.PEOPLE_VIEW)
def people(call: Call) -> Response:
    """The list."""
    return page("people/list.html", list=show(call, PEOPLE, "people"))


@may(Permission.PEOPLE_VIEW, write=True)
def people_file(call: Call) -> Response:
    """The list as a file."""
    return export(call, PEOPLE)


@may(Permission.PEOPLE_VIEW)
def person(call: Call, number: int) -> Response:
    """One person: what is known, which devices, where invited."""
    found = queries.person(call, number)
    devices = call.session.scalars(devices_select(call).where(Device.person_id == found.id).order_by(Device.name)).all()
    return page(
        "people/person.html",
        person=found,
        devices=devices,
        far=how_far(call, found.id),
        unit=unit_names(call.session, [found.unit_id]).get(found.unit_id) if found.unit_id else None,
        point=service_point_names(call.session, [found.service_point_id]).get(found.service_point_id)
        if found.service_point_id
        else None,
    )


def _form(call: Call, found: Person | None, failure: Failure | None = None, *, erased: bool = False) -> Response:
    response = page(
        "people/form.html",
        person=found,
        failure=failure,
        erased=erased,
        values=request.form if failure else found,
        words=words,
        places=places(call),
        units=units_offered(call),
    )
    return failure.stamp(response) if failure else response


def _fields() -> PersonFields:
    return PersonFields(
        number=text("number") or None,
        badge=text("badge") or None,
        name=text("name"),
        email=text("email") or None,
        phone=text("phone"),
        language=text("language"),
        persona=text("persona"),
        unit_id=number("unit_id"),
        service_point_id=number("service_point_id"),
    )


@may(Permission.PEOPLE_MANAGE)
def person_new(call: Call) -> Response:
    """Makes a person."""
    if request.method == "GET":
        return _form(call, None)
    try:
        wanted = text("bring_back") == "yes"
        made = service.take_on(call, current_app.extensions[SEAL], bring_back=wanted, **_fields())
    except HavenmeesterError as error:
        return _form(call, None, refused(call, error), erased=error.code == "person_erased")
    return done(gettext("%(name)s was saved.", name=made.name), url_for("person", number=made.id))


@may(Permission.PEOPLE_MANAGE)
def person_edit(call: Call, number: int) -> Response:
    """Edits a person; devices in the person's hands follow."""
    found = queries.person(call, number)
    if request.method == "GET":
        return _form(call, found)
    try:
        service.edit(call, found.id, **_fields())
    except HavenmeesterError as error:
        failure = refused(call, error)
        return _form(call, queries.person(call, number), failure)
    return done(gettext("%(name)s was saved.", name=found.name), url_for("person", number=found.id))


@may(Permission.PEOPLE_MANAGE)
def person_leave(call: Call, number: int) -> Response:
    """Notes that somebody leaves, or comes back."""
    if text("back"):
        found = service.come_back(call, number)
        return done(gettext("%(name)s is here again.", name=found.name), url_for("person", number=number))
    found = service.leave(call, number, day_field("on"))
    return done(gettext("It is noted that %(name)s leaves.", name=found.name), url_for("person", number=number))


@may(Permission.DESK_WORK)
def person_code(call: Call, number: int) -> Response:
    """A paper with a code for the employees' page. The code is shown this once; an earlier one does not work any more."""
    code = keys.make_paper(call, number)
    found = queries.person(call, number)
    response = page(
        "people/code.html",
        person=found,
        code=code,
        address=settings().portal_base,
        until=(call.now + keys.PAPER_LIFE).date(),
        qr=segno.make(settings().portal_base, error="m").svg_data_uri(border=2, scale=4, dark="#000", light="#fff"),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


ROUTES: tuple[Route, ...] = (
    ("/people", "people", people, GET),
    ("/people/file", "people_file", people_file, GET),
    ("/people/new", "person_new", person_new, BOTH),
    ("/people/<int:number>", "person", person, GET),
    ("/people/<int:number>/edit", "person_edit", person_edit, BOTH),
    ("/people/<int:number>/leave", "person_leave", person_leave, POST),
    ("/people/<int:number>/code", "person_code", person_code, POST),
)
