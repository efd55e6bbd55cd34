"""Places that lend: opening one, and its rules."""

from typing import Any, TypedDict, Unpack
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, InvalidError
from mdm.core.mail import email_address
from mdm.core.permissions import Permission, Where
from mdm.desk.loans import booking, queries, room
from mdm.desk.loans.model import FLEX_AT_MOST, LoanPlace
from mdm.org.queries import service_point
from mdm.storage.call import Call


class Rules(TypedDict, total=False):
    """The rules of a place; what is left out stays, or has its default for a new one."""

    flex: bool
    at_most: int | None
    prepare_days: int
    no_show_hours: int
    longest_days: int
    remind_hours: int
    lead_days: int
    lock_days: int
    keeper_email: str


BOUNDS = {
    "at_most": (1, 500),
    "prepare_days": (0, 30),
    "no_show_hours": (1, 200),
    "longest_days": (1, 92),
    "remind_hours": (0, 720),
    "lead_days": (1, 60),
    "lock_days": (1, 120),
}
"""The least and the most of each number."""


def open_place(call: Call, service_point_id: int, *, zone: str, **given: Unpack[Rules]) -> LoanPlace:
    """Has a service point lend, or lend again; a flexible one lends two at a time where nothing else is said.

    Raises InvalidError that names the field, NotFoundError for a service point that is not the actor's.
    """
    point = service_point(call, service_point_id)
    require(call.actor, Permission.DESK_WORK, Where(service_point_id=point.id))
    found = call.session.get(LoanPlace, point.id)
    if found is not None:
        return change_place(call, point.id, **given, closed=False)
    kept = _checked(given)
    if kept.get("flex") and "at_most" not in given:
        kept["at_most"] = FLEX_AT_MOST
    row = LoanPlace(service_point_id=point.id, zone=_zone(zone), created_at=call.now, **kept)
    call.session.add(row)
    call.session.flush()
    _ladder_in_order(row)
    audit.record(call, "loan_place.opened", ("service_point", point.id), name=point.name, where=row.where, details=kept)
    return row


def change_place(call: Call, service_point_id: int, *, closed: bool | None = None, **given: Unpack[Rules]) -> LoanPlace:
    """Changes the rules that are given; ``closed``: whether it takes no new reservation. Those who wait may move up.

    What is reserved already stays reserved, also where there may be fewer from now on. Raises as ``open_place``.
    """
    point = service_point(call, service_point_id)
    require(call.actor, Permission.DESK_WORK, queries.place(call, point.id).where)
    row = room.lock_place(call, point.id)
    kept = _checked(given)
    changes = {key: [getattr(row, key), value] for key, value in kept.items() if getattr(row, key) != value}
    for key, (_, value) in changes.items():
        setattr(row, key, value)
    _ladder_in_order(row)
    if closed is not None and closed != (row.closed_at is not None):
        row.closed_at = call.now if closed else None
        changes["closed"] = [not closed, closed]
    if changes:
        call.session.flush()
        audit.record(
            call, "loan_place.changed", ("service_point", point.id), name=point.name, where=row.where, details=changes
        )
        booking.move_up(call, row)
    return row


def _checked(given: Rules) -> dict[str, Any]:
    kept: dict[str, Any] = dict(given)
    for name, (least, most) in BOUNDS.items():
        value = kept.get(name)
        if name not in kept or (name == "at_most" and value is None):
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            sentence = N_("Write a whole number from %(least)s to %(most)s.")
            raise InvalidError(
                sentence, fields={name: sentence % {"least": least, "most": most}}, least=least, most=most
            )
    if kept.get("keeper_email"):
        kept["keeper_email"] = email_address(kept["keeper_email"], "keeper_email")
    return kept


def _ladder_in_order(row: LoanPlace) -> None:
    if not row.remind_hours <= row.lead_days * 24 <= row.lock_days * 24:
        sentence = N_("The reminder comes first, then the team lead, then the proposal to lock.")
        raise InvalidError(sentence, fields={"lock_days": sentence}, code="loan_ladder")


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidError(N_("There is no time zone with this name."), code="zone_unknown") from error
