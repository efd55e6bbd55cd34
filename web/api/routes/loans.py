"""Loans: places that lend, reservations, what is overdue."""

from datetime import datetime

from apiflask import APIBlueprint
from flask import current_app

from mdm.core.permissions import Permission
from mdm.core.risk import Risk
from mdm.desk.custody.asked import Signed
from mdm.desk.loans import model, overdue, places, pools, queries, service
from mdm.inventory.model import Device
from mdm.settings import Settings
from mdm.storage.call import Call
from web.api.links import invitation_links
from web.api.operation import operation
from web.api.paging import Page, PageQuery, cut, walk
from web.api.shapes import loans as shapes
from web.api.shapes.loans import Loan, LoanPlace, OverdueLoan
from web.api.versions import unchanged
from web.common.app import SETTINGS

api = APIBlueprint("loans", __name__, tag={"name": "Loans", "description": "Pools, reservations, overdue loans."})
VIEW, WORK = Permission.DESK_VIEW, Permission.DESK_WORK
PLACE = "/loan-places/<key:loan_place_id>"
ONE = "/loans/<uid:loan_uid>"
LATE = "/overdue-loans/<key:overdue_loan_id>"
OWN = frozenset({"device", "position"})


def _place(line: pools.PlaceLine) -> LoanPlace:
    own = ("name", "code", "free", "in_use", "waiting", "overdue", "kinds")
    rules = {name: getattr(line.place, name) for name in LoanPlace.model_fields if name not in own}
    kinds = [shapes.PoolKind.model_validate(kind) for kind in line.kinds]
    return LoanPlace(
        **rules,
        name=line.point.name,
        code=line.point.code,
        free=line.free,
        in_use=line.here,
        waiting=line.waiting,
        overdue=line.overdue,
        kinds=kinds,
    )


def _one_place(call: Call, number: int) -> LoanPlace:
    queries.place(call, number)
    return _place(pools.pools(call, only=number)[0])


def _loan(call: Call, row: model.Reservation) -> Loan:
    device = call.session.get(Device, row.device_id) if row.device_id else None
    fields = {name: getattr(row, name) for name in Loan.model_fields if name not in OWN}
    return Loan(**fields, device=device.uid if device else None, position=queries.position(call, row))


def _overdue(row: model.OverdueLoan, device: Device) -> OverdueLoan:
    fields = {name: getattr(row, name) for name in OverdueLoan.model_fields if name != "device"}
    return OverdueLoan(**fields, device=device.uid)


@operation(api, "GET", "/loan-places", VIEW, query=PageQuery, answer=shapes.LoanPlacePage)
def list_loan_places(call: Call, query: PageQuery) -> Page[LoanPlace]:
    """List places that lend.

    By name, with what is free there now.
    """
    rows, following, total = cut(pools.pools(call), query, lambda line: line.point.id)
    return shapes.LoanPlacePage(items=[_place(line) for line in rows], next=following, total=total)


@operation(api, "GET", PLACE, VIEW, answer=LoanPlace, tagged=True)
def get_loan_place(call: Call, loan_place_id: int) -> LoanPlace:
    """Read one place that lends.

    Its number is that of its service point. The answer carries an ETag for an edit.
    """
    return _one_place(call, loan_place_id)


@operation(
    api, "POST", "/loan-places", WORK, body=shapes.LoanPlaceNew, answer=LoanPlace, status=201, problems=(404,),
    tagged=True,
)  # fmt: skip
def open_loan_place(call: Call, body: shapes.LoanPlaceNew) -> LoanPlace:
    """Have a service point lend.

    One that lends already gets the rules that are given.
    """
    settings: Settings = current_app.extensions[SETTINGS]
    given = body.given()
    number = int(given.pop("service_point_id"))
    places.open_place(call, number, zone=settings.timezone, **given)
    return _one_place(call, number)


@operation(api, "PATCH", PLACE, WORK, body=shapes.LoanPlaceEdit, answer=LoanPlace, tagged=True, guarded=True)
def edit_loan_place(call: Call, loan_place_id: int, body: shapes.LoanPlaceEdit) -> LoanPlace:
    """Change the rules of a place that lends.

    What is reserved already stays reserved; who waits may move up.
    """
    unchanged(_one_place(call, loan_place_id))
    places.change_place(call, loan_place_id, **body.given())
    return _one_place(call, loan_place_id)


@operation(api, "GET", "/loans", VIEW, query=shapes.LoanQuery, answer=shapes.LoanPage)
def list_loans(call: Call, query: shapes.LoanQuery) -> Page[Loan]:
    """List reservations.

    By beginning; those that wait, are on loan or have ended are among them.
    """
    rows, following = walk(
        query,
        lambda mark, limit: queries.reservations(
            call,
            states=[state.value for state in query.state or ()],
            service_point_id=query.service_point_id,
            person_id=query.person_id,
            after=(datetime.fromisoformat(mark[0]), mark[1]) if mark else None,
            limit=limit,
        ),
        lambda row: (row.begins_at.isoformat(), row.id),
    )
    return shapes.LoanPage(items=[_loan(call, row) for row in rows], next=following)


@operation(api, "GET", ONE, VIEW, answer=Loan)
def get_loan(call: Call, loan_uid: str) -> Loan:
    """Read one reservation.

    With its place on the wait list, when it waits.
    """
    return _loan(call, queries.reservation(call, loan_uid))


@operation(api, "POST", "/loans", WORK, body=shapes.LoanNew, answer=Loan, status=201, problems=(404,))
def create_loan(call: Call, body: shapes.LoanNew) -> Loan:
    """Reserve a device of a kind for a person.

    409 `loan_full` says when there is room again; with `wait` it goes onto the wait list instead.
    """
    row = service.reserve(
        call,
        body.person_id,
        service_point_id=body.service_point_id,
        kind=body.kind.value,
        begins=body.begins_at,
        ends=body.ends_at,
        wait=body.wait,
        note=body.note,
    )
    return _loan(call, row)


@operation(api, "POST", f"{ONE}/cancel", WORK, body=shapes.LoanCancel, answer=Loan)
def cancel_loan(call: Call, loan_uid: str, body: shapes.LoanCancel) -> Loan:
    """Take a reservation back.

    Who waits moves up. 409 once it was collected.
    """
    return _loan(call, service.cancel(call, loan_uid, body.reason))


@operation(api, "POST", f"{ONE}/prepare", WORK, body=shapes.LoanPrepare, answer=Loan)
def prepare_loan(call: Call, loan_uid: str, body: shapes.LoanPrepare) -> Loan:
    """Lay a device ready for a reservation.

    Another one may take its place until it is collected.
    """
    return _loan(call, service.prepare(call, loan_uid, body.device))


@operation(api, "POST", f"{ONE}/collect", WORK, body=shapes.LoanCollect, answer=Loan)
def collect_loan(call: Call, loan_uid: str, body: shapes.LoanCollect) -> Loan:
    """Hand a reserved device out.

    It is due at the end of the reservation. Collecting twice is like once.
    """
    row = service.collect(
        call,
        loan_uid,
        body.device or "",
        signed=Signed(typed=body.typed) if body.typed else None,
        unsigned=body.unsigned,
        links=invitation_links(),
    )
    return _loan(call, row)


@operation(api, "POST", f"{ONE}/extend", WORK, body=shapes.LoanExtend, answer=Loan)
def extend_loan(call: Call, loan_uid: str, body: shapes.LoanExtend) -> Loan:
    """Let a loan end later.

    409 `loan_waited_for` when somebody waits for that time, `loan_full` when there is no room in it.
    """
    return _loan(call, service.extend(call, loan_uid, body.ends_at))


@operation(api, "GET", "/overdue-loans", VIEW, query=shapes.OverdueQuery, answer=shapes.OverdueLoanPage)
def list_overdue_loans(call: Call, query: shapes.OverdueQuery) -> Page[OverdueLoan]:
    """List loans that were not brought back.

    With the step of the ladder that they stand on.
    """
    step = query.step.value if query.step else None
    rows, following = walk(
        query,
        lambda mark, limit: queries.overdue(call, step=step, after=mark[0] if mark else None, limit=limit),
        lambda row: (row[0].id,),
    )
    return shapes.OverdueLoanPage(items=[_overdue(row, device) for row, device, _ in rows], next=following)


@operation(
    api, "POST", f"{LATE}/lock", WORK, body=shapes.LockReason, answer=OverdueLoan, problems=(409,),
    risks=(Risk.LOCK_MANY,),
)  # fmt: skip
def lock_overdue_loan(call: Call, overdue_loan_id: int, body: shapes.LockReason) -> OverdueLoan:
    """Confirm that an overdue device is locked.

    Only where the ladder proposes it. Locking twice is like once.
    """
    row = overdue.lock(call, overdue_loan_id, body.reason)
    return _overdue(row, call.session.get_one(Device, row.device_id))


@operation(api, "POST", f"{LATE}/spare", WORK, body=shapes.LockReason, answer=OverdueLoan, problems=(409,))
def spare_overdue_loan(call: Call, overdue_loan_id: int, body: shapes.LockReason) -> OverdueLoan:
    """Turn the proposal to lock down.

    A reason is needed. The loan stays overdue.
    """
    row = overdue.spare(call, overdue_loan_id, body.reason)
    return _overdue(row, call.session.get_one(Device, row.device_id))
