"""Reads of calls for help, at the actor's places."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from mdm.core.actor import ActorKind
from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.org.queries import service_point_names, unit_names
from mdm.panic import duty
from mdm.panic.model import PanicAlarm, PanicCall, PanicLine, PanicPulse, PanicReport
from mdm.panic.states import LOUD, OPEN
from mdm.storage.call import Call
from mdm.storage.scoping import within

PAGE = 50


@dataclass(frozen=True, slots=True)
class Ringing:
    """An open call for help as a console shows it on every page."""

    alarm: PanicAlarm
    place: str
    loud: bool
    """Whether it is played to this person: they are on duty or were told, and nobody has answered yet."""
    may_answer: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A call for help in a list."""

    alarm: PanicAlarm
    place: str
    outcome: str


def pulse(session: Session) -> tuple[int, int]:
    """The number that grows with each change, and how many calls for help may ring. Two looks at an index; not scoped."""
    number = session.scalar(select(PanicPulse.number)) or 0
    loud = session.scalar(select(func.count()).where(PanicAlarm.state.in_(OPEN))) or 0
    return number, loud


def ringing(call: Call, zone: ZoneInfo) -> list[Ringing]:
    """The calls for help that this person's console shows now, true ones first, the newest of each first."""
    found = call.session.scalars(alarms_select(call).where(PanicAlarm.state.in_(LOUD)).limit(PAGE)).all()
    names = places_of(call, found)
    shown = [Ringing(one, names[one.id], _loud(call, one, zone), _may_answer(call, one)) for one in found]
    return sorted(shown, key=lambda one: (one.alarm.exercise, -one.alarm.id))


def alarms_select(call: Call) -> Select[PanicAlarm]:
    """Calls for help at the actor's places, the newest first; those of no place are the city's."""
    scope = call.actor.scope(Permission.PANIC_VIEW)
    return (
        select(PanicAlarm)
        .where(within(scope, PanicAlarm.service_point_id, PanicAlarm.unit_id))
        .order_by(PanicAlarm.id.desc())
    )


def alarms(call: Call, *, open_only: bool = False, before: int | None = None, limit: int = PAGE) -> list[Line]:
    """One page of calls for help; ``before`` is the number of the last one of the page before."""
    query = alarms_select(call)
    if open_only:
        query = query.where(PanicAlarm.state.in_(OPEN))
    if before is not None:
        query = query.where(PanicAlarm.id < before)
    return lines_for(call, call.session.scalars(query.limit(limit)).all())


def lines_for(call: Call, found: Sequence[PanicAlarm]) -> list[Line]:
    """These calls for help with the names of their places and what they turned out to be, in the same order."""
    names = places_of(call, found)
    outcomes = dict(
        call.session.execute(
            select(PanicReport.alarm_id, PanicReport.outcome).where(PanicReport.alarm_id.in_([one.id for one in found]))
        ).all()
    )
    return [Line(one, names[one.id], outcomes.get(one.id, "")) for one in found]


def alarm(call: Call, uid: str) -> PanicAlarm:
    """One call for help; NotFoundError when it is not there or not the actor's."""
    found = call.session.scalar(alarms_select(call).where(PanicAlarm.uid == uid))
    if found is None:
        raise NotFoundError(N_("There is no such call for help, or it is not one of yours."))
    return found


def lines(call: Call, found: PanicAlarm) -> Sequence[PanicLine]:
    """What happened with a call for help, oldest first."""
    return call.session.scalars(
        select(PanicLine).where(PanicLine.alarm_id == found.id).order_by(PanicLine.id).limit(500)
    ).all()


def told(call: Call, found: PanicAlarm) -> Sequence[PanicCall]:
    """Who was told of a call for help, first ones first."""
    return call.session.scalars(
        select(PanicCall).where(PanicCall.alarm_id == found.id).order_by(PanicCall.id).limit(500)
    ).all()


def report_of(call: Call, found: PanicAlarm) -> PanicReport | None:
    """That there is a report, for a page that decides whether to show a way to it. Read it with ``service.read_report``."""
    return call.session.scalar(select(PanicReport).where(PanicReport.alarm_id == found.id))


def places_of(call: Call, found: Sequence[PanicAlarm]) -> dict[int, str]:
    """The name of the place of each: the service point's, else the unit's, else nothing."""
    points = service_point_names(call.session, {one.service_point_id for one in found if one.service_point_id})
    units = unit_names(call.session, {one.unit_id for one in found if one.unit_id})
    return {one.id: points.get(one.service_point_id or 0) or units.get(one.unit_id or 0, "") for one in found}


def forget(session: Session, before: datetime, limit: int = 500) -> int:
    """Deletes calls for help that were raised before that moment and are closed, with all that hangs on them; how many."""
    old = session.scalars(
        select(PanicAlarm.id).where(PanicAlarm.raised_at < before, PanicAlarm.state.not_in(OPEN)).limit(limit)
    ).all()
    session.execute(delete(PanicAlarm).where(PanicAlarm.id.in_(old)))
    return len(old)


def _may_answer(call: Call, found: PanicAlarm) -> bool:
    return call.actor.may(Permission.PANIC_ANSWER, found.where)


def _loud(call: Call, found: PanicAlarm, zone: ZoneInfo) -> bool:
    if found.acknowledged_at is not None or call.actor.kind is not ActorKind.OPERATOR:
        return False
    was_told = select(PanicCall.id).where(PanicCall.alarm_id == found.id, PanicCall.operator_id == call.actor.id)
    if call.session.scalar(was_told.limit(1)) is not None:
        return True
    return any(one.operator_id == call.actor.id for _, one in duty.of_alarm(call, found, zone))
