"""``havenmeester loan``: pools, reservations and overdue loans from the command line."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import rich_click as click

from mdm.cli import output
from mdm.cli.choice import Words
from mdm.cli.work import work
from mdm.core.errors import InvalidError
from mdm.settings import load

if TYPE_CHECKING:
    from mdm.desk.loans.model import LoanPlace, Reservation
    from mdm.storage.call import Call

JSON = click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
KINDS = Words(["laptop", "tablet", "phone", "kiosk"])
SHOWN = ("uid", "state", "kind", "person", "service_point", "begins_at", "ends_at", "device")


@click.group()
def loan() -> None:
    """Reserve, prepare and extend loans, and decide about overdue ones.

    Moments are written as 2026-11-24T09:00, in the time zone of the place.
    """


@loan.command("places")
@JSON
def places_(json_wanted: bool) -> None:
    """Show the places that lend, and what is free there now."""
    from mdm.desk.loans import pools

    columns = ("service_point", "free", "in_use", "at_most", "devices", "waiting", "overdue")
    with work(write=False) as call:
        found = [
            {
                "service_point": line.point.code,
                "free": line.free,
                "in_use": line.here,
                "at_most": line.place.at_most,
                "devices": {kind.kind: kind.devices for kind in line.kinds},
                "waiting": line.waiting,
                "overdue": line.overdue,
            }
            for line in pools.pools(call)
        ]
    output.rows(found, columns, json_wanted=json_wanted)


@loan.command("open")
@click.argument("code")
@click.option("--flex", is_flag=True, help="A flexible work place: two at a time.")
@click.option("--at-most", type=click.IntRange(1, 500), default=None, help="Loans at a time.")
@JSON
def open_place(code: str, flex: bool, at_most: int | None, json_wanted: bool) -> None:
    """Have the service point CODE lend."""
    from mdm.desk.loans import places
    from mdm.desk.loans.places import Rules
    from mdm.org.queries import service_point_by_code

    settings = load()
    rules: Rules = {"flex": flex}
    if at_most is not None:
        rules["at_most"] = at_most
    with work(settings=settings) as call:
        row = places.open_place(call, service_point_by_code(call, code).id, zone=settings.timezone, **rules)
        told = {"service_point": code.upper(), "flex": row.flex, "at_most": row.at_most, "zone": row.zone}
    output.record(told, json_wanted=json_wanted)


@loan.command("list")
@click.option("--state", "states", multiple=True, help="Only these; may be repeated.")
@click.option("--service-point", "code", default=None, metavar="CODE", help="Only there.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True, help="How many at the most.")
@JSON
def list_loans(states: Sequence[str], code: str | None, limit: int, json_wanted: bool) -> None:
    """List reservations by their beginning; without --state those that have not ended."""
    from mdm.desk.loans import queries
    from mdm.desk.loans.model import OPEN, LoanState

    unknown = set(states) - set(LoanState)
    if unknown:
        raise InvalidError(
            "There is no state %(state)s. Choose from %(known)s.",
            state=min(unknown),
            known=", ".join(sorted(state.value for state in LoanState)),
        )
    with work(write=False) as call:
        point = queries.place_by_code(call, code).service_point_id if code else None
        wanted = list(states) or [state.value for state in OPEN]
        rows = queries.reservations(call, states=wanted, service_point_id=point, limit=limit)
        lines = [_line(call, row) for row in rows]
    output.rows(lines, SHOWN, json_wanted=json_wanted)


@loan.command("reserve")
@click.argument("person")
@click.option("--service-point", "code", required=True, metavar="CODE", help="Where.")
@click.option("--kind", type=KINDS, default="laptop", show_default=True, help="What.")
@click.option("--from", "begins", required=True, metavar="MOMENT", help="From when.")
@click.option("--until", "ends", required=True, metavar="MOMENT", help="Until when.")
@click.option("--wait", is_flag=True, help="Onto the wait list where there is no room.")
@click.option("--note", default="", help="For the desk.")
@JSON
def reserve(
    person: str, code: str, kind: str, begins: str, ends: str, wait: bool, note: str, json_wanted: bool
) -> None:
    """Reserve for PERSON (e-mail address or personnel number)."""
    from mdm.desk.loans import queries, service
    from mdm.people import queries as people

    with work() as call:
        place = queries.place_by_code(call, code)
        who = people.person_by_email(call, person) if "@" in person else people.person_by_number(call, person)
        row = service.reserve(
            call,
            who.id,
            service_point_id=place.service_point_id,
            kind=kind,
            begins=_moment(begins, place, "begins_at"),
            ends=_moment(ends, place, "ends_at"),
            wait=wait,
            note=note,
        )
        told = _line(call, row)
    output.record(told, json_wanted=json_wanted)


@loan.command("prepare")
@click.argument("uid")
@click.argument("device")
@JSON
def prepare(uid: str, device: str, json_wanted: bool) -> None:
    """Lay DEVICE (serial number, tag, IMEI or id) ready for the reservation UID."""
    from mdm.desk.loans import service

    with work() as call:
        told = _line(call, service.prepare(call, uid, device))
    output.record(told, json_wanted=json_wanted)


@loan.command("extend")
@click.argument("uid")
@click.argument("ends", metavar="MOMENT")
@JSON
def extend(uid: str, ends: str, json_wanted: bool) -> None:
    """Let the loan UID end at MOMENT; refused when somebody waits for that time."""
    from mdm.desk.loans import queries, service

    with work() as call:
        place = queries.place(call, queries.reservation(call, uid).service_point_id)
        told = _line(call, service.extend(call, uid, _moment(ends, place, "ends_at")))
    output.record(told, json_wanted=json_wanted)


@loan.command("cancel")
@click.argument("uid")
@click.option("--reason", default="", help="Why.")
@JSON
def cancel(uid: str, reason: str, json_wanted: bool) -> None:
    """Take the reservation UID back; who waits moves up."""
    from mdm.desk.loans import service

    with work() as call:
        told = _line(call, service.cancel(call, uid, reason))
    output.record(told, json_wanted=json_wanted)


@loan.command("overdue")
@JSON
def overdue_(json_wanted: bool) -> None:
    """List what was not brought back, with the step of the ladder."""
    from mdm.desk.loans import queries

    columns = ("number", "device", "person", "due_at", "step", "decision", "lead_email")
    with work(write=False) as call:
        found = [
            {
                "number": row.id,
                "device": device.label,
                "uid": device.uid,
                "person": person.name,
                "due_at": row.due_at,
                "step": row.step,
                "decision": row.decision,
                "lead_email": row.lead_email,
                "proposed_at": row.proposed_at,
            }
            for row, device, person in queries.overdue(call, limit=10_000)
        ]
    output.rows(found, columns, json_wanted=json_wanted)


@loan.command("lock")
@click.argument("number", type=int)
@click.option("--reason", default="", help="Why.")
def lock(number: int, reason: str) -> None:
    """Confirm that the device of the overdue loan NUMBER is locked."""
    from mdm.desk.loans import overdue

    with work() as call:
        overdue.lock(call, number, reason)
    output.say("The device gets the command to lock itself.")


@loan.command("spare")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why it is not locked.")
def spare(number: int, reason: str) -> None:
    """Turn the proposal to lock the device of the overdue loan NUMBER down."""
    from mdm.desk.loans import overdue

    with work() as call:
        overdue.spare(call, number, reason)
    output.say("The device is not locked.")


def _line(call: "Call", row: "Reservation") -> dict[str, Any]:
    from mdm.inventory.model import Device
    from mdm.org.model import ServicePoint
    from mdm.people.model import Person

    device = call.session.get(Device, row.device_id) if row.device_id else None
    fields = ("uid", "state", "kind", "begins_at", "ends_at", "prepare_by", "note", "why")
    return {name: getattr(row, name) for name in fields} | {
        "person": call.session.get_one(Person, row.person_id).name,
        "service_point": call.session.get_one(ServicePoint, row.service_point_id).code,
        "device": device.label if device else None,
    }


def _moment(written: str, place: "LoanPlace", field: str) -> datetime:
    """A moment as people write it: in the time zone of the place, unless it names another one."""
    from mdm.desk.loans.opening import local_moment

    try:
        given = datetime.fromisoformat(written)
    except ValueError as error:
        raise InvalidError("%(text)s is no moment. Write it as 2026-11-24T09:00.", text=written) from error
    return given if given.tzinfo else local_moment(given.date(), given.time(), ZoneInfo(place.zone), field)
