"""Repairs: the list, one repair from opening to closing, and the faults that come back."""

from flask import flash, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import N_, HavenmeesterError, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.repairs import queries, service
from mdm.desk.repairs.model import Repair, RepairState
from mdm.desk.stock import look
from mdm.inventory.model import Device
from mdm.inventory.queries import device_by_uid, devices_by_id
from mdm.overview import desk_words
from mdm.overview import repairs as lists
from mdm.people.model import Person
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.charts import address, as_file, drawn, named
from web.console.desk.frame import desk_page
from web.console.desk.once import once
from web.console.frame import translated
from web.console.lists import export, show
from web.console.pages.helpers import BOTH, GET, Route, amount, day_field, done, refused, text


@may(Permission.DESK_VIEW)
def desk_repairs(call: Call) -> Response:
    """The list; of one device alone, its open repair where there is one."""
    uid = clean(request.args.get("device", ""), 32)
    if uid and len(request.args) == 1:
        device = device_by_uid(call, uid)
        open_one = queries.open_for(call, device)
        if open_one is not None:
            return make_response(redirect(url_for("desk_repair", uid=open_one.uid), 303))
    return desk_page(
        call,
        "desk/repairs/list.html",
        list=show(call, lists.REPAIRS, "desk_repairs"),
        overdue=queries.overdue_count(call),
    )


@may(Permission.DESK_VIEW, write=True)
def desk_repairs_file(call: Call) -> Response:
    """The list as a file."""
    return export(call, lists.REPAIRS)


@may(Permission.DESK_VIEW)
def desk_faults(call: Call) -> Response:
    """Which faults come back on which product: chart and table of a year."""
    found = queries.by_product(call, since=call.now - lists.YEAR)
    return desk_page(
        call,
        "desk/repairs/faults.html",
        chart=lists.faults_by_product(call),
        rows=found,
        repeated=queries.REPEATED,
        drawn=drawn,
        named=named,
        address=lambda parameters: address(parameters, "desk_repairs"),
    )


@may(Permission.DESK_VIEW)
def desk_faults_file(call: Call) -> Response:
    """The figures of that chart as CSV."""
    return as_file(lists.faults_by_product(call), "faults")


@may(Permission.DESK_WORK)
def desk_repair_open(call: Call) -> Response:
    """Opens a repair of the device that was scanned."""
    if request.method == "GET":
        code = clean(request.args.get("device", ""), 128)
        try:
            device = look.device(call, code) if code else None
        except NotFoundError as error:
            return _opening(call, None, refused(call, error))
        known = queries.open_for(call, device) if device is not None else None
        if known is not None:
            return make_response(redirect(url_for("desk_repair", uid=known.uid), 303))
        return _opening(call, device)

    def begin() -> Response:
        device = device_by_uid(call, clean(text("device"), 32))
        try:
            made = service.open(
                call,
                device,
                faults=request.form.getlist("faults"),
                note=text("note"),
                supplier=text("supplier"),
                due_on=day_field("due_on"),
                warranty=text("warranty") == "yes",
                loaner=look.device(call, text("loaner")) if text("loaner") else None,
            )
        except HavenmeesterError as error:
            failure = refused(call, error)
            return _opening(call, device_by_uid(call, clean(text("device"), 32)), failure)
        return done(gettext("Repair %(number)s was opened.", number=made.number), url_for("desk_repair", uid=made.uid))

    return once(call, begin)


def _opening(call: Call, device: Device | None, failure: Failure | None = None) -> Response:
    response = desk_page(
        call,
        "desk/repairs/open.html",
        camera=device is None,
        device=device,
        in_warranty=bool(device and device.warranty_until and device.warranty_until >= call.now.date()),
        earlier=queries.of_device(call, device) if device else [],
        fault_words=translated(desk_words.FAULTS),
        chosen=request.form.getlist("faults"),
        failure=failure,
        values=request.form,
    )
    return failure.stamp(response) if failure else response


@may(Permission.DESK_VIEW)
def desk_repair(call: Call, uid: str) -> Response:
    """One repair and its next step."""
    repair = queries.repair(call, uid)
    if request.method == "GET":
        return _repair(call, repair)
    device = call.session.get_one(Device, repair.device_id)

    def step() -> Response:
        try:
            told = _step(call, device, text("step"))
        except HavenmeesterError as error:
            failure = refused(call, error)
            return _repair(call, queries.repair(call, uid), failure)
        flash(told, "done")
        return make_response(redirect(url_for("desk_repair", uid=uid), 303))

    return once(call, step)


def _step(call: Call, device: Device, step: str) -> str:
    if step == "send":
        warranty = text("warranty") == "yes"
        service.send(
            call,
            device,
            supplier=text("supplier"),
            reference=text("reference"),
            due_on=day_field("due_on"),
            warranty=warranty,
        )
        return str(gettext("It is at the supplier."))
    if step == "back":
        service.take_back(call, device, note=text("note"))
        return str(gettext("It is back."))
    if step == "edit":
        service.edit(
            call,
            device,
            faults=request.form.getlist("faults"),
            note=text("note"),
            supplier=text("supplier"),
            reference=text("reference"),
            due_on=day_field("due_on"),
            warranty=text("warranty") == "yes",
        )
        service.link_loaner(call, device, look.device(call, text("loaner")) if text("loaner") else None)
        return str(gettext("The repair was saved."))
    if step == "close":
        service.close(
            call,
            device,
            outcome=text("outcome"),
            cost_cents=amount("cost"),
            currency=text("currency"),
            warranty=text("warranty") == "yes",
            replacement=look.device(call, text("replacement")) if text("replacement") else None,
            note=text("note"),
        )
        return str(gettext("The repair is closed."))
    raise InvalidError(N_("Choose what to do. Nothing was changed."))


def _repair(call: Call, repair: Repair, failure: Failure | None = None) -> Response:
    device = call.session.get_one(Device, repair.device_id)
    others = {
        one.id: one for one in devices_by_id(call, [key for key in (repair.loaner_id, repair.replacement_id) if key])
    }
    response = desk_page(
        call,
        "desk/repairs/repair.html",
        repair=repair,
        device=device,
        loaner=others.get(repair.loaner_id or 0),
        replacement=others.get(repair.replacement_id or 0),
        person=call.session.get(Person, repair.person_id) if repair.person_id else None,
        faults=queries.faults(call, [repair.id]).get(repair.id, []),
        fault_words=translated(desk_words.FAULTS),
        outcomes=translated(desk_words.REPAIR_OUTCOMES),
        overdue=repair.due_on is not None
        and repair.due_on < call.now.date()
        and repair.state in (RepairState.OPEN, RepairState.AT_SUPPLIER),
        work_here=call.actor.may(Permission.DESK_WORK, device.where),
        failure=failure,
        values=request.form if failure else {},
        step=text("step") if failure else "",
    )
    return failure.stamp(response) if failure else response


ROUTES: tuple[Route, ...] = (
    ("/desk/repairs", "desk_repairs", desk_repairs, GET),
    ("/desk/repairs/file", "desk_repairs_file", desk_repairs_file, GET),
    ("/desk/repairs/faults", "desk_faults", desk_faults, GET),
    ("/desk/repairs/faults.csv", "desk_faults_file", desk_faults_file, GET),
    ("/desk/repairs/open", "desk_repair_open", desk_repair_open, BOTH),
    ("/desk/repairs/<uid>", "desk_repair", desk_repair, BOTH),
)
