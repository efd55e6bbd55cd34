"""What the clock looks for: lines of the diary that are alarms, and many orders at once."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from mdm.access.model import Operator
from mdm.alarms import service
from mdm.alarms.kinds import ALARMING, Kind, Line, alarm_of
from mdm.alarms.model import Alarm
from mdm.alarms.spike import WINDOW, spikes
from mdm.audit.model import AuditEntry, DiaryClosure
from mdm.core.actor import ActorKind
from mdm.core.clock import iso
from mdm.core.errors import N_
from mdm.core.permissions import Where
from mdm.orders.model import Order
from mdm.storage.call import Call

OLD = timedelta(hours=24)
"""What lies longer back than this is no alarm any more: a worker that starts tells nobody of last year."""
FEW = 200
USUAL = 15
"""Minutes that an order rests unless somebody shortened it."""
_SPIKE = N_("%(count)s orders were asked for within an hour, where fewer are usual. Look who asked, and why.")
_SHORT = N_(
    "Orders wait %(minutes)s minutes before they are signed, instead of 15. Take the setting order_cooling_minutes away."
)

_BACK = N_(
    "The diary has %(lines)s lines, and line %(number)s of it was witnessed and is not there any more, or is another one."
    " Privileged acts are refused. Look with havenmeester audit verify."
)


def look_at_diary(call: Call, after: int) -> int:
    """Raises an alarm for each line after number ``after`` that is one: the number of the last line that was looked at.

    Called again with the answer it raises nothing twice. ``after`` 0 begins at the last alarm that was raised for a line.
    In a diary that was cut, numbers come a second time: they are looked at anew, and belong to the new lines.
    """
    end = call.session.scalar(select(func.max(AuditEntry.id))) or 0
    begun = (after if after <= end else 0) or _last_raised(call)
    query = (
        select(AuditEntry)
        .where(
            AuditEntry.id > begun, AuditEntry.id <= end, AuditEntry.at > call.now - OLD, AuditEntry.action.in_(ALARMING)
        )
        .order_by(AuditEntry.id)
        .limit(FEW)
    )
    lines = call.session.scalars(query).all()
    call.session.execute(update(Alarm).where(Alarm.line.in_([entry.id for entry in lines])).values(line=None))
    first = _first_command(call)
    for entry in lines:
        if entry.actor_kind == ActorKind.COMMAND_LINE and entry.request_id == first:
            continue
        line = Line(entry.action, entry.actor_name, _subject(call, entry), entry.details)
        found = alarm_of(line)
        if found is not None:
            alarm = service.raise_alarm(
                call,
                found.kind,
                found.text,
                found.params,
                subject=(entry.subject_kind, entry.subject_id),
                where=Where(entry.service_point_id, entry.unit_id),
                at=entry.at,
            )
            alarm.line = entry.id
    return lines[-1].id if len(lines) == FEW else end


def _first_command(call: Call) -> str:
    """The command that let the first operator in: it had to do everything alone, and there was nobody to be told."""
    query = (
        select(AuditEntry.request_id).where(AuditEntry.action == "operator.created").order_by(AuditEntry.id).limit(1)
    )
    return call.session.scalar(query) or "-"


def _subject(call: Call, entry: AuditEntry) -> str:
    """What people call the subject of a line."""
    if entry.subject_name or not entry.subject_id.isdecimal() or entry.subject_kind != "operator":
        return entry.subject_name or entry.subject_id
    operator = call.session.get(Operator, int(entry.subject_id))
    return operator.name if operator is not None else entry.subject_id


def _last_raised(call: Call) -> int:
    """The last line for which an alarm was raised, and which is still the same line; 0 when there is none."""
    same = (AuditEntry.id == Alarm.line) & (AuditEntry.at == Alarm.at) & (AuditEntry.subject_id == Alarm.subject_id)
    return call.session.scalar(select(func.max(Alarm.line)).join(AuditEntry, same)) or 0


def look_for_spikes(call: Call) -> int:
    """Raises an alarm for each place where too many orders were asked for: how many."""
    rows = call.session.execute(
        select(Order.requested_at, Order.service_point_id).where(Order.requested_at > call.now - WINDOW)
    )
    told: dict[int | None, datetime] = {
        row[0]: row[1]
        for row in call.session.execute(
            select(Alarm.service_point_id, func.max(Alarm.at))
            .where(Alarm.kind == Kind.ORDER_SPIKE.value)
            .group_by(Alarm.service_point_id)
        )
    }
    found = spikes([(row[0], row[1]) for row in rows], told, call.now)
    for place, count in found.items():
        service.raise_alarm(
            call, Kind.ORDER_SPIKE, _SPIKE, {"count": count}, subject=("service_point", place or ""), where=Where(place)
        )
    return len(found)


def look_at_cooling(call: Call, minutes: int, usual: int = USUAL) -> bool:
    """Raises an alarm when orders wait for less than they should; at most once a day for the same number."""
    if minutes >= usual:
        return False
    last = call.session.scalar(
        select(Alarm).where(Alarm.kind == Kind.COOLING_SHORT.value).order_by(Alarm.id.desc()).limit(1)
    )
    if last is not None and last.at > call.now - OLD and last.params.get("minutes") == str(minutes):
        return False
    service.raise_alarm(call, Kind.COOLING_SHORT, _SHORT, {"minutes": minutes})
    return True


def look_at_closure(call: Call) -> bool:
    """Raises an alarm when the diary was found not to be the one that was witnessed; once for each time it is found."""
    closure = call.session.scalar(select(DiaryClosure))
    if closure is None:
        return False
    since = iso(closure.at)
    last = call.session.scalar(
        select(Alarm).where(Alarm.kind == Kind.DIARY_BACK.value).order_by(Alarm.id.desc()).limit(1)
    )
    if last is not None and last.params.get("since") == since:
        return False
    said = {"lines": closure.lines, "number": closure.witnessed, "since": since}
    service.raise_alarm(call, Kind.DIARY_BACK, _BACK, said, subject=("audit_entry", closure.witnessed))
    return True
