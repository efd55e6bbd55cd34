"""Answering calls for help: coming, closing with a report, reading one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import select

from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import N_, DeniedError, GoneError, InvalidError, NotFoundError
from mdm.core.ids import secret_digest
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.panic import keeping, telling
from mdm.panic.model import PanicAlarm, PanicCall, PanicReport
from mdm.panic.states import OPEN, Move, after
from mdm.panic.telling import How
from mdm.storage.call import Call

MAX_TEXT: Final = 4000


class Outcome(StrEnum):
    """What a call for help turned out to be."""

    AGGRESSION = "aggression"
    FALSE_ALARM = "false_alarm"
    MEDICAL = "medical"
    OTHER = "other"
    THREAT = "threat"


class Readers(StrEnum):
    """Who may read a report, beside who wrote it."""

    ANSWERERS = "answerers"
    """Everybody who may answer calls for help at that place."""
    MANAGERS = "managers"
    """Those who answer for the buttons of that place."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report as somebody writes it."""

    outcome: Outcome
    happened: str = ""
    injured: bool = False
    police: bool = False
    police_report: str = ""
    follow_up: str = ""
    readers: Readers = Readers.MANAGERS


def acknowledge(call: Call, uid: str) -> PanicAlarm:
    """ "I am coming." Several may; twice is like once. Raises NotFoundError, DeniedError, ConflictError when it is over."""
    alarm = keeping.locked(call, uid, Permission.PANIC_ANSWER)
    told = call.session.scalar(
        select(PanicCall).where(PanicCall.alarm_id == alarm.id, PanicCall.operator_id == call.actor.id)
    )
    own = told if call.actor.kind is ActorKind.OPERATOR else None
    _coming(call, alarm, clean(call.actor.name), own)
    return alarm


def by_link(call: Call, secret: str) -> tuple[PanicAlarm, PanicCall]:
    """The call for help that a link of an SMS or a letter leads to, and who was told.

    Raises NotFoundError for a link that leads nowhere, GoneError when the call for help is closed.
    """
    told = call.session.scalar(select(PanicCall).where(PanicCall.link_digest == secret_digest(secret)))
    if told is None:
        raise NotFoundError(N_("This link leads nowhere: a newer message has a newer one. Nothing was changed."))
    alarm = call.session.scalar(select(PanicAlarm).where(PanicAlarm.id == told.alarm_id).with_for_update())
    if alarm is None or alarm.state not in OPEN:
        raise GoneError(N_("This call for help is over. You need not go."))
    return alarm, told


def acknowledge_by_link(call: Call, secret: str) -> PanicAlarm:
    """ "I am coming", by the link that only this person got. Raises like ``by_link``, and ConflictError when it is over."""
    alarm, told = by_link(call, secret)
    speaker = Actor(ActorKind.VISITOR, None, told.name, (), call.actor.request_id, call.actor.address)
    _coming(call.by(speaker), alarm, told.name, told)
    return alarm


def close(call: Call, uid: str, report: Report) -> PanicAlarm:
    """Closes with a report. Asks ``panic:answer`` at the place.

    Raises ConflictError while nobody has answered, InvalidError without words where something did happen.
    """
    alarm = keeping.locked(call, uid, Permission.PANIC_ANSWER)
    happened = clean(report.happened, MAX_TEXT, lines=True)
    if not happened and report.outcome is not Outcome.FALSE_ALARM:
        sentence = N_("Say in a few words what happened.")
        raise InvalidError(N_("The report was not saved."), fields={"happened": sentence})
    alarm.state, alarm.next_at = after(alarm.state, Move.CLOSE).value, None
    alarm.closed_at, alarm.closed_by = call.now, clean(call.actor.name)
    call.session.add(
        PanicReport(
            alarm_id=alarm.id,
            outcome=report.outcome.value,
            happened=happened,
            injured=report.injured,
            police=report.police,
            police_report=clean(report.police_report, 64),
            follow_up=clean(report.follow_up, MAX_TEXT, lines=True),
            readers=report.readers.value,
            written_at=call.now,
            written_by=clean(call.actor.name),
            operator_id=call.actor.id if call.actor.kind is ActorKind.OPERATOR else None,
        )
    )
    keeping.line(call, alarm, "closed")
    # What is in it stays in it: the diary has other readers.
    keeping.record(call, alarm, "panic.closed", {"outcome": report.outcome.value})
    keeping.beat(call)
    return alarm


def may_read(call: Call, alarm: PanicAlarm, report: PanicReport) -> bool:
    """Whether this actor may read the report."""
    own = call.actor.kind is ActorKind.OPERATOR and report.operator_id == call.actor.id
    wide = report.readers == Readers.ANSWERERS.value and call.actor.may(Permission.PANIC_ANSWER, alarm.where)
    return own or wide or call.actor.may(Permission.PANIC_MANAGE, alarm.where)


def read_report(call: Call, uid: str) -> PanicReport:
    """The report of a call for help; that it was read stands in the diary.

    Raises NotFoundError where there is none, DeniedError for those whom it is not for.
    """
    alarm = keeping.locked(call, uid, Permission.PANIC_VIEW)
    report = call.session.scalar(select(PanicReport).where(PanicReport.alarm_id == alarm.id))
    if report is None:
        raise NotFoundError(N_("There is no report about this call for help."))
    if not may_read(call, alarm, report):
        raise DeniedError(N_("This report is not for you. Whoever answers for the buttons of that place may read it."))
    keeping.record(call, alarm, "panic.report_read")
    return report


def duress_due(call: Call) -> bool:
    """Whether somebody ended a call under duress and nobody was told of it yet."""
    waiting = select(PanicAlarm.id).where(PanicAlarm.duress_at.is_not(None), PanicAlarm.duress_told_at.is_(None))
    return call.session.scalar(waiting.limit(1)) is not None


def tell_duress(call: Call, how: How) -> int:
    """Tells everybody of calls that were ended under duress and of which nobody was told yet; how many calls. For the clock."""
    waiting = call.session.scalars(
        select(PanicAlarm).where(PanicAlarm.duress_at.is_not(None), PanicAlarm.duress_told_at.is_(None)).limit(20)
    ).all()
    for alarm in waiting:
        alarm.duress_told_at = call.now
        if alarm.state in OPEN:
            telling.tell_all(call, alarm, how)
            keeping.line(call, alarm, "told_all", by="")
            keeping.beat(call)
    return len(waiting)


def _coming(call: Call, alarm: PanicAlarm, name: str, told: PanicCall | None) -> None:
    alarm.state = after(alarm.state, Move.ACKNOWLEDGE).value
    if told is not None:
        if told.answered_at is not None:
            return
        told.answered_at = call.now
    if alarm.acknowledged_at is None:
        alarm.acknowledged_at, alarm.acknowledged_by = call.now, name
    alarm.next_at = None
    keeping.line(call, alarm, "coming", by=name)
    keeping.record(call, alarm, "panic.acknowledged")
    keeping.beat(call)
