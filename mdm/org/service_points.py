"""What can be done to service points; ``mdm.org.service`` offers it to the other rooms."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypedDict, Unpack

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError
from mdm.core.mail import email_address
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean
from mdm.org import fields, queries
from mdm.org.hours import checked
from mdm.org.model import ServicePoint
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique


class ServicePointFields(TypedDict, total=False):
    """What a service point says of itself; what is left out stays, or is empty for a new one."""

    code: str
    name: str
    address: str
    opening_hours: Mapping[str, Sequence[Sequence[str]]]
    phone: str
    email: str


def create_service_point(call: Call, **given: Unpack[ServicePointFields]) -> ServicePoint:
    """Makes a service point; code and name are needed.

    Raises InvalidError that names the field, ConflictError when the code is taken.
    """
    require(call.actor, Permission.ORG_MANAGE)
    values = checked_fields({"code": "", "name": "", **given})
    point = ServicePoint(**values, created_at=call.now)
    call.session.add(point)
    flush_unique(call.session, _code_taken(point.code))
    _record(call, "service_point.created", point, {"code": point.code})
    return point


def edit_service_point(call: Call, service_point_id: int, **given: Unpack[ServicePointFields]) -> ServicePoint:
    """Changes what is given and leaves the rest. Raises as ``create_service_point``."""
    point = _point(call, service_point_id)
    values = checked_fields(given)
    changes = {key: [getattr(point, key), value] for key, value in values.items() if getattr(point, key) != value}
    if changes:
        for key, (_, value) in changes.items():
            setattr(point, key, value)
        flush_unique(call.session, _code_taken(point.code))
        _record(call, "service_point.edited", point, changes)
    return point


def close_service_point(call: Call, service_point_id: int, on: date | None = None) -> ServicePoint:
    """Closes a service point from a date on (today): it is no longer offered. What stands there stays there."""
    point = _point(call, service_point_id)
    day = on or call.now.date()
    if point.closed_on != day:
        point.closed_on = day
        _record(call, "service_point.closed", point, {"on": day.isoformat()})
    return point


def reopen_service_point(call: Call, service_point_id: int) -> ServicePoint:
    """Opens a closed service point again; an open one stays as it is."""
    point = _point(call, service_point_id)
    if point.closed_on is not None:
        point.closed_on = None
        _record(call, "service_point.reopened", point, {})
    return point


def _point(call: Call, service_point_id: int) -> ServicePoint:
    point = queries.service_point(call, service_point_id)
    require(call.actor, Permission.ORG_MANAGE, Where(service_point_id=service_point_id))
    return point


def checked_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields as they are kept; raises InvalidError that names the first wrong one."""
    checks: dict[str, Callable[[Any], Any]] = {
        "code": fields.code,
        "name": fields.name,
        "address": lambda text: clean(text, 500, lines=True),
        "opening_hours": checked,
        "phone": lambda text: clean(text, 64),
        "email": lambda text: email_address(text) if text.strip() else "",
    }
    return {key: checks[key](value) for key, value in given.items()}


def _code_taken(code: str) -> ConflictError:
    return ConflictError(N_("The code %(value)s is taken. Nothing was changed."), code="code_taken", value=code)


def _record(call: Call, action: str, point: ServicePoint, details: dict[str, Any]) -> None:
    where = Where(service_point_id=point.id)
    audit.record(call, action, ("service_point", point.id), name=point.name, where=where, details=details)
