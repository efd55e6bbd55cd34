"""What every verb of a case shares: finding it, its time line, the diary, and what other rooms show about it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, select

from mdm.audit import service as audit
from mdm.commands.model import Command, State, Verb
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.cases import steps
from mdm.desk.cases.model import Case, CaseItem, CaseKind, CaseLine, CaseState, CaseStep, StepState
from mdm.desk.cases.steps import Facts
from mdm.desk.repairs.model import Repair
from mdm.inventory.lifecycle import WITH_HOLDER
from mdm.inventory.model import Device, LifeCycle
from mdm.orders.model import Order, OrderState
from mdm.storage.call import Call
from mdm.storage.scoping import within

MAX_TEXT = 4000
_IN_VAIN = (State.CANCELLED.value, State.EXPIRED.value, State.FAILED.value, State.REFUSED.value)
_REFUSED = (
    OrderState.REJECTED.value,
    OrderState.CANCELLED.value,
    OrderState.EXPIRED.value,
    OrderState.REFUSED.value,
    OrderState.FAILED.value,
)


def locked(call: Call, uid: str, permission: Permission = Permission.CASE_MANAGE) -> Case:
    """The case, held until the transaction ends, for somebody with ``permission``. Raises NotFoundError, DeniedError."""
    found = call.session.scalar(
        select(Case)
        .where(
            Case.uid == uid,
            within(call.actor.scope(Permission.CASE_VIEW), Case.service_point_id, Case.unit_id),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise missing()
    require(call.actor, permission, found.where)
    return found


def still_open(case: Case) -> Case:
    """The case; raises ConflictError (``case_closed``) for one that has ended."""
    if case.state != CaseState.OPEN:
        raise ConflictError(
            N_("The case %(number)s is closed. Nothing was changed; open it again first."),
            code="case_closed",
            number=case.number,
        )
    return case


def missing() -> NotFoundError:
    """The answer for a case that is not there or not the actor's: both alike."""
    return NotFoundError(N_("There is no such case, or it is not at one of your places."))


def line(call: Call, case: Case, kind: str, *, about: str = "", text: str = "") -> None:
    """Writes one line on the time line of the case."""
    call.session.add(
        CaseLine(
            case_id=case.id,
            at=call.now,
            by=clean(call.actor.name) or call.actor.kind.value,
            kind=kind,
            about=about[:64],
            text=clean(text, MAX_TEXT, lines=True),
        )
    )


def record(call: Call, case: Case, action: str, details: dict[str, Any] | None = None) -> None:
    """Writes one line in the diary."""
    name = " ".join(part for part in (case.number, case.device_label or case.person_name) if part)
    audit.record(call, action, ("case", case.uid), name=name, where=case.where, details=details)


def device_of(call: Call, case: Case) -> Device | None:
    """The device of a case; None for one about a person."""
    return call.session.get(Device, case.device_id) if case.device_id is not None else None


def rows(call: Call, case: Case) -> list[CaseStep]:
    """The steps of a case as they are kept, in the order of the table."""
    order = {step.key: place for place, step in enumerate(steps.FLOWS[CaseKind(case.kind)].steps)}
    found = call.session.scalars(select(CaseStep).where(CaseStep.case_id == case.id)).all()
    return sorted(found, key=lambda row: order.get(row.key, len(order)))


def facts(call: Call, case: Case) -> Facts:
    """What other rooms know about the device or person of a case, now."""
    device = device_of(call, case)
    owed = None
    if case.kind == CaseKind.LEAVER:
        owed = call.session.scalar(
            select(func.count()).where(
                CaseItem.case_id == case.id, CaseItem.returned_at.is_(None), CaseItem.missing.is_(False)
            )
        )
    return Facts(
        details=bool(case.account or case.seen_on),
        police=bool(case.police_report),
        letter=case.letters > 0,
        locked=_locked(call, case),
        wipe_asked=_wipe_asked(call, case),
        other_device=_other_device(call, case),
        repair=device is not None and (device.state == LifeCycle.IN_REPAIR or _repair(call, case) is not None),
        repaired=device is not None and device.state != LifeCycle.IN_REPAIR and _repaired(call, case),
        owed=owed,
    )


def refresh(call: Call, case: Case) -> None:
    """Writes down which steps are done by now, and when the next one is due."""
    call.session.flush()
    done = steps.settled(CaseKind(case.kind), facts(call, case)) if case.state == CaseState.OPEN else frozenset()
    left: list[datetime] = []
    for row in rows(call, case):
        if row.state == StepState.OPEN and row.key in done:
            row.state, row.done_at = StepState.DONE.value, call.now
        if row.state == StepState.OPEN and row.due_at is not None:
            left.append(row.due_at)
    case.due_at = min(left, default=None) if case.state == CaseState.OPEN else None


def _devices(call: Call, case: Case) -> list[int]:
    if case.device_id is not None:
        return [case.device_id]
    return list(
        call.session.scalars(
            select(CaseItem.device_id).where(
                CaseItem.case_id == case.id, CaseItem.device_id.is_not(None), CaseItem.returned_at.is_(None)
            )
        )
    )


def _locked(call: Call, case: Case) -> bool:
    """Whether every device of the case that can be reached was asked to lock since the case was opened."""
    ids = _devices(call, case)
    wanted = call.session.scalars(select(Device.id).where(Device.id.in_(ids), Device.enrolled_at.is_not(None))).all()
    asked = call.session.scalars(
        select(Command.device_id).where(
            Command.device_id.in_(wanted),
            Command.verb == Verb.LOCK.value,
            Command.created_at >= case.opened_at,
            Command.state.not_in(_IN_VAIN),
        )
    ).all()
    return bool(wanted) and set(wanted) <= set(asked)


def _wipe_asked(call: Call, case: Case) -> bool:
    if case.device_id is None:
        return False
    asked = exists().where(
        Order.device_id == case.device_id, Order.requested_at >= case.opened_at, Order.state.not_in(_REFUSED)
    )
    return bool(call.session.scalar(select(asked)))


def _other_device(call: Call, case: Case) -> bool:
    if case.person_id is None or case.device_id is None:
        return False
    other = exists().where(
        Device.person_id == case.person_id,
        Device.id != case.device_id,
        Device.state.in_([state.value for state in WITH_HOLDER]),
    )
    return bool(call.session.scalar(select(other)))


def _repair(call: Call, case: Case) -> Repair | None:
    """The last repair of the device that was opened since the case was, or just before it."""
    return call.session.scalar(
        select(Repair)
        .where(Repair.device_id == case.device_id, Repair.opened_at >= case.opened_at - timedelta(days=1))
        .order_by(Repair.id.desc())
        .limit(1)
    )


def _repaired(call: Call, case: Case) -> bool:
    repair = _repair(call, case)
    return _was_done(call, case, "repair") if repair is None else repair.closed_at is not None


def _was_done(call: Call, case: Case, key: str) -> bool:
    kept = select(CaseStep.id).where(
        CaseStep.case_id == case.id, CaseStep.key == key, CaseStep.state == StepState.DONE.value
    )
    return call.session.scalar(kept) is not None
