"""Exercises: begun by an organiser for a place, marked everywhere as what they are, and told in figures afterwards.

Within an exercise the red button stays a true one: only what was pressed as an exercise is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from sqlalchemy import or_, select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean
from mdm.org import queries as org
from mdm.panic import keeping
from mdm.panic.model import PanicAlarm, PanicCall, PanicDrill, PanicLine
from mdm.panic.states import OPEN, State
from mdm.storage.call import Call
from mdm.storage.scoping import within

SHORTEST: Final = 5
LONGEST: Final = 480
"""Minutes."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One exercise in numbers."""

    calls: int
    answered: int
    told: int
    """People who were told."""
    silent: int
    """People who were told and did not answer."""
    seconds: tuple[int, ...]
    """From each press to the first answer, in the order of the calls; only those that were answered."""

    @property
    def middle(self) -> int | None:
        """The median of the seconds; None where nobody answered."""
        return round(median(self.seconds)) if self.seconds else None


def begin(call: Call, where: Where, minutes: int, note: str = "") -> PanicDrill:
    """An exercise at a place from now on. Asks ``panic:manage`` there.

    Raises InvalidError for a time that is too short or too long, ConflictError where one is under way at that place.
    """
    require(call.actor, Permission.PANIC_MANAGE, where)
    if not SHORTEST <= minutes <= LONGEST:
        sentence = N_("An exercise lasts from 5 minutes to 8 hours.")
        raise InvalidError(sentence, fields={"minutes": sentence})
    under_way = call.session.scalars(
        select(PanicDrill).where(
            PanicDrill.service_point_id.is_not_distinct_from(where.service_point_id),
            PanicDrill.unit_id.is_not_distinct_from(where.unit_id),
            PanicDrill.over_at.is_(None),
            PanicDrill.until > call.now,
        )
    ).first()
    if under_way is not None:
        raise ConflictError(
            N_("An exercise is under way at this place already. Nothing was begun."), code="drill_twice"
        )
    drill = PanicDrill(
        uid=new_uid(),
        service_point_id=where.service_point_id,
        unit_id=where.unit_id,
        note=clean(note),
        begun_at=call.now,
        begun_by=clean(call.actor.name),
        until=call.now + timedelta(minutes=minutes),
    )
    call.session.add(drill)
    call.session.flush()
    _record(call, drill, "panic.drill_begun", {"minutes": minutes})
    keeping.beat(call)
    return drill


def end(call: Call, uid: str, learned: str = "") -> PanicDrill:
    """Ends an exercise: what rings of it stops. Ended before, only what was learned is kept anew."""
    drill = managed(call, uid)
    drill.learned = clean(learned, 4000, lines=True) or drill.learned
    if drill.over_at is None:
        drill.over_at = min(call.now, drill.until)
        for alarm in call.session.scalars(
            select(PanicAlarm).where(PanicAlarm.drill_id == drill.id, PanicAlarm.state.in_(OPEN)).with_for_update()
        ):
            alarm.state, alarm.next_at = State.CLOSED.value, None
            alarm.closed_at, alarm.closed_by = call.now, clean(call.actor.name)
            keeping.line(call, alarm, "drill_ended")
        _record(call, drill, "panic.drill_ended")
        keeping.beat(call)
    call.session.flush()
    return drill


def end_due(call: Call) -> int:
    """Ends exercises whose time has passed; how many. For the clock."""
    late = call.session.scalars(
        select(PanicDrill).where(PanicDrill.over_at.is_(None), PanicDrill.until <= call.now)
    ).all()
    for drill in late:
        end(call, drill.uid)
    return len(late)


def any_due(call: Call) -> bool:
    """Whether an exercise waits for its end."""
    late = select(PanicDrill.id).where(PanicDrill.over_at.is_(None), PanicDrill.until <= call.now).limit(1)
    return call.session.scalar(late) is not None


def managed(call: Call, uid: str) -> PanicDrill:
    """One exercise that the actor may lead. Raises NotFoundError."""
    drill = call.session.scalar(select(PanicDrill).where(PanicDrill.uid == uid).with_for_update())
    if drill is None or not call.actor.may(Permission.PANIC_MANAGE, drill.where):
        raise NotFoundError(N_("There is no such exercise, or it is not one of yours."))
    return drill


def open_at(drill: PanicDrill, moment: datetime) -> bool:
    """Whether the exercise was under way at that moment."""
    return drill.begun_at <= moment < (drill.over_at or drill.until)


def at(call: Call, where: Where, moment: datetime) -> PanicDrill | None:
    """The exercise that covered a place at a moment: its service point's, its unit's or one above, the city's; or None."""
    above = org.unit_paths(call.session, call.now.date()).get(where.unit_id, ()) if where.unit_id else ()
    city = PanicDrill.service_point_id.is_(None) & PanicDrill.unit_id.is_(None)
    places = or_(city, PanicDrill.service_point_id == where.service_point_id, PanicDrill.unit_id.in_(above))
    found = call.session.scalars(
        select(PanicDrill)
        .where(places, PanicDrill.begun_at <= moment, PanicDrill.until > moment)
        .order_by(PanicDrill.id)
    )
    return next((one for one in found if open_at(one, moment)), None)


def drill(call: Call, uid: str) -> PanicDrill:
    """One exercise at the actor's places. Raises NotFoundError."""
    found = call.session.scalar(select(PanicDrill).where(PanicDrill.uid == uid))
    if found is None or not call.actor.may(Permission.PANIC_VIEW, found.where):
        raise NotFoundError(N_("There is no such exercise, or it is not one of yours."))
    return found


def all_of(call: Call, limit: int = 50) -> Sequence[PanicDrill]:
    """The exercises at the actor's places, newest first."""
    scope = call.actor.scope(Permission.PANIC_VIEW)
    return call.session.scalars(
        select(PanicDrill)
        .where(within(scope, PanicDrill.service_point_id, PanicDrill.unit_id))
        .order_by(PanicDrill.id.desc())
        .limit(limit)
    ).all()


def alarms_of(call: Call, found: PanicDrill) -> Sequence[PanicAlarm]:
    """The calls of one exercise, oldest first."""
    return call.session.scalars(select(PanicAlarm).where(PanicAlarm.drill_id == found.id).order_by(PanicAlarm.id)).all()


def figures(call: Call, found: PanicDrill) -> Figures:
    """How fast and by whom the calls of an exercise were answered."""
    alarms = alarms_of(call, found)
    told = call.session.scalars(
        select(PanicCall).join(PanicAlarm, PanicAlarm.id == PanicCall.alarm_id).where(PanicAlarm.drill_id == found.id)
    ).all()
    seconds = tuple(
        round((one.acknowledged_at - one.pressed_at).total_seconds())
        for one in alarms
        if one.acknowledged_at is not None
    )
    people = {one.who for one in told}
    answered = {one.who for one in told if one.answered_at is not None}
    return Figures(len(alarms), len(seconds), len(people), len(people - answered), seconds)


def lines_of(call: Call, found: PanicDrill) -> Sequence[tuple[PanicAlarm, PanicLine]]:
    """What happened in an exercise, oldest first."""
    rows = call.session.execute(
        select(PanicAlarm, PanicLine)
        .join(PanicLine, PanicLine.alarm_id == PanicAlarm.id)
        .where(PanicAlarm.drill_id == found.id)
        .order_by(PanicLine.id)
        .limit(500)
    )
    return [(row[0], row[1]) for row in rows]


def _record(call: Call, found: PanicDrill, action: str, details: dict[str, object] | None = None) -> None:
    audit.record(call, action, ("panic_drill", found.uid), name=found.note, where=found.where, details=details or {})
