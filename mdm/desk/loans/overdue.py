"""Loans that were not brought back: the clock climbs the ladder, a person decides whether to lock."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import exists, or_, select

from mdm.audit import service as audit
from mdm.commands import service as commands
from mdm.commands.model import Verb
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.custody.model import Custody
from mdm.desk.loans import queries
from mdm.desk.loans.ladder import USUAL, Rungs, next_step
from mdm.desk.loans.letters import NO_LEAD, letter
from mdm.desk.loans.model import LadderStep, LoanPlace, LockDecision, OverdueLoan
from mdm.desk.loans.telling import KEEPERS_LANGUAGE, mail
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint, Unit
from mdm.org.queries import unit_paths
from mdm.people.model import Person
from mdm.storage.call import Call

AT_ONCE = 200
"""Loans that one transaction of the clock looks at."""
NO_ZONE = "UTC"
ADDRESS = "{console}/desk/loans/overdue"


def climb(call: Call, after: int = 0) -> int | None:
    """Takes for overdue loans the step that is due; the row id to go on after, None when that was the last of them.

    For the clock. It closes what came back or was extended, proposes and writes letters; it never locks.
    """
    require(call.actor, Permission.DESK_WORK)
    if not after:
        _close(call)
    custodies = _late(call, after)
    for custody in custodies:
        row = _row(call, custody)
        place = call.session.get(LoanPlace, custody.service_point_id) if custody.service_point_id else None
        last = max(filter(None, (row.reminded_at, row.lead_told_at)), default=None)
        step = next_step(LadderStep(row.step), last, row.due_at, _rungs(place), call.now)
        if step is not None:
            _take(call, row, place, step)
    return custodies[-1].id if len(custodies) == AT_ONCE else None


def _rungs(place: LoanPlace | None) -> Rungs:
    if place is None:
        return USUAL
    return Rungs(timedelta(hours=place.remind_hours), timedelta(days=place.lead_days), timedelta(days=place.lock_days))


def _late(call: Call, after: int) -> Sequence[Custody]:
    """The next loans past their date that are not at the top of the ladder yet."""
    at_the_top = exists().where(
        OverdueLoan.custody_id == Custody.id,
        OverdueLoan.due_at == Custody.due_at,
        OverdueLoan.step == LadderStep.LOCK.value,
    )
    query = select(Custody).where(
        Custody.loan.is_(True), Custody.to_at.is_(None), Custody.due_at < call.now, ~at_the_top
    )
    return call.session.scalars(query.where(Custody.id > after).order_by(Custody.id).limit(AT_ONCE)).all()


def _row(call: Call, custody: Custody) -> OverdueLoan:
    assert custody.due_at is not None
    found = call.session.scalar(
        select(OverdueLoan).where(OverdueLoan.custody_id == custody.id, OverdueLoan.due_at == custody.due_at)
    )
    if found is None:
        found = OverdueLoan(
            custody_id=custody.id,
            device_id=custody.device_id,
            person_id=custody.person_id,
            service_point_id=custody.service_point_id,
            due_at=custody.due_at,
            step=LadderStep.NONE.value,
            decision=LockDecision.OPEN.value,
        )
        call.session.add(found)
        call.session.flush()
    return found


def _close(call: Call) -> None:
    """Closes rows whose device came back, changed hands, or may stay longer."""
    query = (
        select(OverdueLoan)
        .outerjoin(Custody, Custody.id == OverdueLoan.custody_id)
        .where(
            OverdueLoan.closed_at.is_(None),
            or_(Custody.id.is_(None), Custody.to_at.is_not(None), Custody.due_at > OverdueLoan.due_at),
        )
    )
    for row in call.session.scalars(query):
        row.closed_at = call.now


def _take(call: Call, row: OverdueLoan, place: LoanPlace | None, step: LadderStep) -> None:
    """One step: its letter, its line in the diary."""
    device = call.session.get_one(Device, row.device_id)
    person = call.session.get_one(Person, row.person_id)
    about, zone = _about(call, row, device, person), place.zone if place else NO_ZONE
    if step is LadderStep.REMINDED:
        row.reminded_at = call.now
        if person.email:
            mail(call, person.email, *letter("reminded", person.language, zone, about))
    elif step is LadderStep.LEAD:
        row.lead_told_at, row.lead_email = call.now, lead_of(call, person, call.now.date())
        to = row.lead_email or _keeper(call, row, place)
        subject, text = letter("lead", KEEPERS_LANGUAGE, zone, about)
        if to:
            mail(call, to, subject, text if row.lead_email else f"{text}\n{NO_LEAD[KEEPERS_LANGUAGE]}\n")
    else:
        row.proposed_at = call.now
        to = _keeper(call, row, place)
        if to:
            subject, text = letter("lock", KEEPERS_LANGUAGE, zone, about)
            mail(call, to, subject, f"{text}\n{ADDRESS}\n")
    row.step = step.value
    _record(call, f"loan.{_ACTIONS[step]}", row, device, {"due": row.due_at.isoformat()})


_ACTIONS = {LadderStep.REMINDED: "reminded", LadderStep.LEAD: "lead_told", LadderStep.LOCK: "lock_proposed"}


def _about(call: Call, row: OverdueLoan, device: Device, person: Person) -> dict[str, str | datetime]:
    point = call.session.get(ServicePoint, row.service_point_id) if row.service_point_id else None
    name = " ".join(filter(None, (device.label, device.tag if device.tag != device.label else "")))
    return {"device": name, "person": person.name, "place": point.name if point else "—", "ends": row.due_at}


def _keeper(call: Call, row: OverdueLoan, place: LoanPlace | None) -> str:
    if place is not None and place.keeper_email:
        return place.keeper_email
    point = call.session.get(ServicePoint, row.service_point_id) if row.service_point_id else None
    return point.email if point else ""


def lead_of(call: Call, person: Person, on: date) -> str:
    """The address of the lead of the person's unit, or of the nearest unit above that has one; empty where none has.

    Nobody is told of themselves: where the person is that lead, the next one above is taken.
    """
    if person.unit_id is None:
        return ""
    path = unit_paths(call.session, on).get(person.unit_id, ())
    leads: dict[int, str] = dict(
        call.session.execute(select(Unit.id, Unit.lead_email).where(Unit.id.in_(path), Unit.lead_email != "")).all()
    )
    return next((leads[unit] for unit in path if unit in leads and leads[unit] != person.email), "")


def lock(call: Call, number: int, reason: str = "") -> OverdueLoan:
    """Confirms the proposal: the device is locked, by the same verb and limits as every lock. Twice is like once.

    Raises ConflictError where no lock is proposed or it was decided otherwise, and as ``commands.send``: a device that is not
    enrolled cannot be locked, and many within an hour need somebody else.
    """
    row, device = _decidable(call, number, LockDecision.LOCKED)
    if row.decision == LockDecision.LOCKED:
        return row
    said = clean(reason, 500) or "overdue loan"
    commands.send(call, [device.uid], Verb.LOCK, {}, reason=said)
    _decide(call, row, device, LockDecision.LOCKED, said)
    return row


def spare(call: Call, number: int, reason: str) -> OverdueLoan:
    """Turns the proposal down, with a reason. Twice is like once; raises as ``lock``, and InvalidError without a reason."""
    row, device = _decidable(call, number, LockDecision.SPARED)
    if row.decision == LockDecision.SPARED:
        return row
    said = clean(reason, 500)
    if not said:
        sentence = N_("Say why it is not locked.")
        raise InvalidError(sentence, fields={"reason": sentence}, code="reason_needed")
    _decide(call, row, device, LockDecision.SPARED, said)
    return row


def _decidable(call: Call, number: int, wanted: LockDecision) -> tuple[OverdueLoan, Device]:
    row = queries.overdue_loan(call, number)
    require(call.actor, Permission.DESK_WORK, row.where)
    call.session.refresh(row, with_for_update=True)
    if row.step != LadderStep.LOCK or row.decision not in (LockDecision.OPEN, wanted):
        raise ConflictError(
            N_("No lock is proposed for this loan, or somebody has decided already. Nothing was changed."),
            code="loan_decided",
        )
    return row, call.session.get_one(Device, row.device_id)


def _decide(call: Call, row: OverdueLoan, device: Device, decision: LockDecision, why: str) -> None:
    row.decision, row.decided_at, row.decided_by, row.why = decision.value, call.now, clean(call.actor.name), why
    _record(
        call, f"loan.lock_{'confirmed' if decision is LockDecision.LOCKED else 'declined'}", row, device, {"why": why}
    )


def _record(call: Call, action: str, row: OverdueLoan, device: Device, details: dict[str, Any]) -> None:
    audit.record(call, action, ("device", device.uid), name=device.label, where=row.where, details=details)
