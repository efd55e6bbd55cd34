"""Units as a tree with dated moves, and service points."""

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext
from sqlalchemy import func

from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.inventory.model import Device
from mdm.inventory.queries import devices_select
from mdm.org import hours, queries, service
from mdm.org import service_points as points
from mdm.org.model import ServicePoint
from mdm.overview.devices import units_offered
from mdm.overview.moves import coming_along
from mdm.people.model import Person
from mdm.people.queries import people_select
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.pages.helpers import BOTH, GET, POST, Route, day_field, done, number, page, refused, text


def _per(call: Call, column: str) -> tuple[dict[int, int], dict[int, int]]:
    """People and devices per place, within the actor's scope."""
    people = (
        people_select(call).with_only_columns(getattr(Person, column), func.count()).group_by(getattr(Person, column))
    )
    devices = (
        devices_select(call).with_only_columns(getattr(Device, column), func.count()).group_by(getattr(Device, column))
    )
    return (
        {row[0]: row[1] for row in call.session.execute(people)},
        {row[0]: row[1] for row in call.session.execute(devices)},
    )


@may(Permission.ORG_VIEW)
def units(call: Call) -> Response:
    """The tree, on today or on another date."""
    wanted = day_field("on", request.args)
    on = wanted or call.now.date()
    people, devices = _per(call, "unit_id")
    lines = queries.units(call, search=request.args.get("q", "").strip()[:100], on=on)
    return page("org/units.html", lines=lines, people=people, devices=devices, on=on, dated=wanted is not None)


@may(Permission.ORG_VIEW)
def unit(call: Call, number: int) -> Response:
    """One unit: where it hung, hangs and will hang."""
    return _unit(call, number)


def _unit(call: Call, key: int, failure: Failure | None = None, effect: service.MoveEffect | None = None) -> Response:
    found = queries.unit(call, key)
    history = queries.unit_history(call, key)
    ids = [row.parent_id for row in history if row.parent_id]
    ids += [*(effect.before if effect else ()), *(effect.after if effect else ()), *(effect.units if effect else ())]
    below = queries.units_below(call.session, key, call.now.date())
    response = page(
        "org/unit.html",
        unit=found,
        history=history,
        names=queries.unit_names(call.session, ids),
        units=[pair for pair in units_offered(call) if pair[0] != str(key)],
        below=len(below) - 1,
        people=call.session.scalar(
            people_select(call).where(Person.unit_id.in_(below)).with_only_columns(func.count())
        ),
        devices=call.session.scalar(
            devices_select(call).where(Device.unit_id.in_(below)).with_only_columns(func.count())
        ),
        along=coming_along(call, effect) if effect else None,
        effect=effect,
        failure=failure,
        values=request.form,
        today=call.now.date(),
    )
    return failure.stamp(response) if failure else response


@may(Permission.ORG_MANAGE)
def unit_new(call: Call) -> Response:
    """Makes a unit."""
    failure = None
    if request.method == "POST":
        try:
            made = service.create_unit(
                call, code=text("code"), name=text("name"), parent_id=number("parent_id"), from_date=day_field("from")
            )
        except HavenmeesterError as error:
            failure = refused(call, error)
        else:
            return done(gettext("%(name)s was saved.", name=made.name), url_for("unit", number=made.id))
    response = page("org/unit_new.html", failure=failure, values=request.form, units=units_offered(call))
    return failure.stamp(response) if failure else response


@may(Permission.ORG_MANAGE)
def unit_edit(call: Call, number: int) -> Response:
    """Renames a unit, or closes and reopens it."""
    try:
        if text("step") == "close":
            service.close_unit(call, number, day_field("on"))
        elif text("step") == "reopen":
            service.reopen_unit(call, number)
        else:
            lead = text("lead_email") if "lead_email" in request.form else None
            service.edit_unit(call, number, code=text("code"), name=text("name"), lead_email=lead)
    except HavenmeesterError as error:
        return _unit(call, number, refused(call, error))
    return done(gettext("The unit was saved."), url_for("unit", number=number))


@may(Permission.ORG_MANAGE)
def unit_move(call: Call, number: int) -> Response:
    """Shows what a move would do, and does it when asked again."""
    try:
        parent = _parent()
        on = day_field("from_date") or call.now.date()
        if not text("sure"):
            return _unit(call, number, effect=service.preview_move(call, number, parent, on))
        service.move_unit(call, number, parent, on)
    except HavenmeesterError as error:
        return _unit(call, number, refused(call, error))
    return done(gettext("The unit moves on that date, with all that is below it."), url_for("unit", number=number))


def _parent() -> int | None:
    return number("parent_id")


@may(Permission.ORG_MANAGE)
def unit_move_cancel(call: Call, number: int) -> Response:
    """Takes back a move that has not come yet."""
    day = day_field("from_date")
    if day is not None:
        service.cancel_move(call, number, day)
    return done(gettext("The move was taken back."), url_for("unit", number=number))


@may(Permission.ORG_VIEW)
def service_points(call: Call) -> Response:
    """The list of service points."""
    found = queries.service_points(call, search=request.args.get("q", "").strip()[:100], closed=True)
    people, devices = _per(call, "service_point_id")
    stock = {
        row[0]: row[1]
        for row in call.session.execute(
            devices_select(call)
            .where(Device.state == "in_stock")
            .with_only_columns(Device.service_point_id, func.count())
            .group_by(Device.service_point_id)
        )
    }
    return page("org/service_points.html", points=found, people=people, devices=devices, stock=stock)


@may(Permission.ORG_VIEW)
def service_point(call: Call, number: int) -> Response:
    """One service point: address, hours, what stands there."""
    found = queries.service_point(call, number)
    states = call.session.execute(
        devices_select(call)
        .where(Device.service_point_id == found.id)
        .with_only_columns(Device.state, func.count())
        .group_by(Device.state)
    ).all()
    return page("org/service_point.html", point=found, states=states, days=hours.DAYS)


def _point_form(found: ServicePoint | None, failure: Failure | None = None) -> Response:
    values = request.form if failure else found
    written = request.form.get("opening_hours") if failure else hours.as_text(found.opening_hours) if found else ""
    response = page("org/service_point_form.html", point=found, values=values, opening=written, failure=failure)
    return failure.stamp(response) if failure else response


def _point_fields() -> points.ServicePointFields:
    return points.ServicePointFields(
        code=text("code"),
        name=text("name"),
        address=text("address"),
        phone=text("phone"),
        email=text("email"),
        opening_hours=hours.parse(text("opening_hours")),
    )


@may(Permission.ORG_MANAGE)
def service_point_new(call: Call) -> Response:
    """Makes a service point."""
    if request.method == "GET":
        return _point_form(None)
    try:
        made = points.create_service_point(call, **_point_fields())
    except HavenmeesterError as error:
        return _point_form(None, refused(call, error))
    return done(gettext("%(name)s was saved.", name=made.name), url_for("service_point", number=made.id))


@may(Permission.ORG_MANAGE)
def service_point_edit(call: Call, number: int) -> Response:
    """Edits, closes or reopens a service point."""
    found = queries.service_point(call, number)
    if request.method == "GET":
        return _point_form(found)
    try:
        if text("step") == "close":
            points.close_service_point(call, number, day_field("on"))
        elif text("step") == "reopen":
            points.reopen_service_point(call, number)
        else:
            points.edit_service_point(call, number, **_point_fields())
    except HavenmeesterError as error:
        failure = refused(call, error)
        return _point_form(queries.service_point(call, number), failure)
    return done(gettext("The service point was saved."), url_for("service_point", number=number))


ROUTES: tuple[Route, ...] = (
    ("/units", "units", units, GET),
    ("/units/new", "unit_new", unit_new, BOTH),
    ("/units/<int:number>", "unit", unit, GET),
    ("/units/<int:number>/edit", "unit_edit", unit_edit, POST),
    ("/units/<int:number>/move", "unit_move", unit_move, POST),
    ("/units/<int:number>/move/cancel", "unit_move_cancel", unit_move_cancel, POST),
    ("/service-points", "service_points", service_points, GET),
    ("/service-points/new", "service_point_new", service_point_new, BOTH),
    ("/service-points/<int:number>", "service_point", service_point, GET),
    ("/service-points/<int:number>/edit", "service_point_edit", service_point_edit, BOTH),
)
