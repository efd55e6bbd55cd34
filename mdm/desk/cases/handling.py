"""What is done in a case while it is open: noting, ticking steps, locking, and how it ends."""

from dataclasses import asdict
from datetime import date

from sqlalchemy import select

from mdm.commands import service as commands
from mdm.commands.model import Command, Verb
from mdm.commands.states import CANCELLABLE
from mdm.commands.verbs import RULES
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.text import clean
from mdm.desk.cases import keeping, letters, steps
from mdm.desk.cases.model import GONE, Case, CaseItem, CaseKind, CaseState, Outcome, StepState
from mdm.desk.cases.opening import Told, become_stolen, checked, open_in, secure
from mdm.desk.cases.owing import follow_items, items_of
from mdm.inventory import service as inventory
from mdm.inventory.lifecycle import WITH_HOLDER
from mdm.inventory.model import Device, LifeCycle, Platform
from mdm.orders.model import Order, OrderState
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

ENDED = frozenset({Outcome.FOUND, Outcome.MISTAKE})
"""Outcomes after which the device is somebody's again: lock and lost mode are lifted."""


def note(call: Call, uid: str, text: str) -> Case:
    """Notes something in a case, open or closed. Raises InvalidError for an empty note."""
    case = keeping.locked(call, uid)
    said = clean(text, keeping.MAX_TEXT, lines=True)
    if not said:
        raise InvalidError(N_("The note is empty. Nothing was saved."), fields={"text": N_("Write something.")})
    keeping.line(call, case, "note", text=said)
    return case


def tell(call: Call, uid: str, told: Told) -> Case:
    """Writes down what somebody told: when and where it was seen, what happened, the police report."""
    case = keeping.still_open(keeping.locked(call, uid))
    changed = {key: value for key, value in checked(call, told).items() if getattr(case, key) != value}
    for key, value in changed.items():
        setattr(case, key, value)
    if changed:
        keeping.line(call, case, "told", about=",".join(sorted(changed))[:64])
        keeping.record(call, case, "case.told", {"changed": sorted(changed)})
        keeping.refresh(call, case)
    return case


def told_of(case: Case) -> Told:
    """What was told about it until now."""
    return Told(**{key: getattr(case, key) for key in asdict(Told())})


def stolen(call: Call, uid: str, police_report: str) -> Case:
    """The lost device turned out to be stolen: the case goes on as that of a stolen one."""
    case = keeping.still_open(keeping.locked(call, uid))
    if case.kind not in GONE:
        raise _not_gone(case)
    become_stolen(call, case)
    if clean(police_report, 64):
        case.police_report = clean(police_report, 64)
        keeping.refresh(call, case)
    return case


def step(call: Call, uid: str, key: str, state: StepState) -> Case:
    """Ticks a step by hand, skips it, or opens it again. What is so already stays as it is.

    Raises InvalidError for a step that this case does not have.
    """
    case = keeping.still_open(keeping.locked(call, uid))
    row = next((one for one in keeping.rows(call, case) if one.key == key), None)
    if row is None:
        raise InvalidError(N_("This case has no such step. Nothing was changed."), fields={"step": N_("Choose one.")})
    if row.state == state:
        return case
    row.state = state.value
    row.done_at = None if state is StepState.OPEN else call.now
    row.done_by = "" if state is StepState.OPEN else clean(call.actor.name)
    keeping.line(call, case, f"step_{state.value}", about=key)
    keeping.record(call, case, "case.step", {"step": key, "state": state.value})
    keeping.refresh(call, case)
    return case


def lock(call: Call, uid: str) -> Case:
    """Locks the device of a case, or all that somebody who left still has. One person decides; nothing locks by itself.

    Raises ConflictError (``nothing_to_lock``) where nothing can be reached, ApprovalNeededError for too many within an hour.
    """
    case = keeping.still_open(keeping.locked(call, uid))
    ids = [case.device_id] if case.device_id is not None else _still_out(call, case)
    found = call.session.scalars(select(Device).where(Device.id.in_(ids), Device.enrolled_at.is_not(None))).all()
    if case.kind == CaseKind.BROKEN or not found:
        raise ConflictError(
            N_("Nothing here can be locked: it is not enrolled, or it is back. Nothing was sent."),
            code="nothing_to_lock",
        )
    commands.send(call, [device.uid for device in found], Verb.LOCK, reason=case.number)
    keeping.line(call, case, "asked", about=Verb.LOCK.value)
    keeping.refresh(call, case)
    return case


def missing(call: Call, uid: str, item_id: int) -> Case:
    """Somebody says that a thing will not come back; said again, it is awaited again."""
    case = keeping.still_open(keeping.locked(call, uid))
    item = call.session.get(CaseItem, item_id)
    if item is None or item.case_id != case.id or item.returned_at is not None:
        raise InvalidError(N_("This is not owed in this case. Nothing was changed."))
    item.missing = not item.missing
    keeping.line(call, case, "missing" if item.missing else "awaited", text=item.label)
    keeping.refresh(call, case)
    return case


def days(call: Call, uid: str, last_day: date, lock_on: date | None) -> Case:
    """Leaver: another last day, or another day from which it is proposed to lock. Raises InvalidError for a day too early."""
    case = keeping.still_open(keeping.locked(call, uid))
    if case.kind != CaseKind.LEAVER:
        raise InvalidError(N_("Nobody leaves in this case. Nothing was changed."))
    day = lock_on or last_day + steps.LOCK_AFTER
    if day < last_day:
        raise InvalidError(
            N_("Nothing is locked before the last day of work. Nothing was changed."),
            fields={"lock_on": N_("On or after the last day.")},
        )
    if (case.last_day, case.lock_on) == (last_day, day):
        return case
    case.last_day, case.lock_on = last_day, day
    due = steps.due(CaseKind.LEAVER, case.opened_at, last_day)
    for row in keeping.rows(call, case):
        row.due_at = due.get(row.key)
    keeping.line(call, case, "days", text=f"{last_day.isoformat()} / {day.isoformat()}")
    keeping.record(call, case, "case.told", {"changed": ["last_day", "lock_on"]})
    follow_items(call, case)
    return case


def close(call: Call, uid: str, outcome: Outcome, text: str = "") -> Case:
    """Ends a case. Ended so already it stays as it is; a device that was found after all ends its case a second time.

    Found, or reported by mistake: lock and lost mode are lifted and the device goes back to who had it. Raises
    InvalidError for an outcome that this kind cannot have, ConflictError where the facts say otherwise
    (``not_wiped``, ``not_all_back``, ``case_closed``).
    """
    case = keeping.locked(call, uid)
    if outcome not in steps.FLOWS[CaseKind(case.kind)].outcomes:
        raise InvalidError(
            N_("A case of this kind cannot end so. Nothing was closed."), fields={"outcome": N_("Choose one.")}
        )
    if case.state == CaseState.CLOSED:
        if case.outcome == outcome:
            return case
        if outcome is not Outcome.FOUND:
            keeping.still_open(case)
        _open_again(call, case)
    _refuse_untrue(call, case, outcome)
    if case.kind in GONE and outcome in ENDED:
        _release(call, case)
    _end(call, case, outcome, text)
    if outcome is Outcome.FOUND:
        letters.to_holder(call, "found", case.person_id, keeping.device_of(call, case))
    return case


def reopen(call: Call, uid: str, reason: str) -> Case:
    """Opens a closed case again; an open one stays as it is. A lost device is lost again, and locked.

    Raises InvalidError without a reason, ConflictError (``case_open``) when a newer case about the same is open.
    """
    case = keeping.locked(call, uid)
    if case.state == CaseState.OPEN:
        return case
    said = clean(reason, keeping.MAX_TEXT, lines=True)
    if not said:
        raise InvalidError(N_("Say why it is opened again. Nothing was changed."), fields={"text": N_("Say why.")})
    _open_again(call, case, said)
    device = keeping.device_of(call, case)
    if case.kind in GONE and device is not None:
        if device.state != LifeCycle.LOST:
            case.before = device.state
        inventory.move(call, device.uid, LifeCycle.LOST, reason=case.number)
        secure(call, case, device)
    follow_items(call, case)
    keeping.refresh(call, case)
    return case


def _open_again(call: Call, case: Case, why: str = "") -> None:
    slot = f"leaver:{case.person_id}" if case.kind == CaseKind.LEAVER else ""
    slot = slot or f"{'gone' if case.kind in GONE else 'broken'}:{case.device_id}"
    other = open_in(call, slot)
    taken = ConflictError(
        N_("A newer case about the same is open. Nothing was changed; go on in that one."), code="case_open"
    )
    if other is not None:
        raise taken
    case.state, case.slot, case.outcome = CaseState.OPEN.value, slot, ""
    case.closed_at, case.closed_by = None, ""
    case.reopened += 1
    flush_unique(call.session, taken)
    for row in keeping.rows(call, case):
        if row.state == StepState.SKIPPED:
            row.state, row.done_at, row.done_by = StepState.OPEN.value, None, ""
    keeping.line(call, case, "reopened", text=why)
    keeping.record(call, case, "case.reopened", {"reason": why[:500]} if why else None)


def _end(call: Call, case: Case, outcome: Outcome, text: str) -> None:
    keeping.refresh(call, case)
    for row in keeping.rows(call, case):
        if row.state == StepState.OPEN:
            row.state, row.done_at = StepState.SKIPPED.value, call.now
    case.state, case.slot, case.outcome, case.due_at = CaseState.CLOSED.value, None, outcome.value, None
    case.closed_at, case.closed_by = call.now, clean(call.actor.name) or call.actor.kind.value
    keeping.line(call, case, "closed", about=outcome.value, text=text)
    keeping.record(call, case, "case.closed", {"outcome": outcome.value})


def _release(call: Call, case: Case) -> None:
    """The device is somebody's again: what still waits to lock it is taken back, and lock and lost mode are lifted."""
    device = keeping.device_of(call, case)
    if device is None:
        return
    if device.state == LifeCycle.LOST:
        back = (
            LifeCycle(case.before)
            if case.before in WITH_HOLDER and device.person_id is not None
            else LifeCycle.RETURNED
        )
        inventory.move(call, device.uid, back, reason=case.number)
    waiting = call.session.scalars(
        select(Command.id).where(
            Command.device_id == device.id,
            Command.created_at >= case.opened_at,
            Command.verb.in_([Verb.LOCK.value, Verb.LOST.value, Verb.LOCATE.value]),
            Command.state.in_([state.value for state in CANCELLABLE]),
        )
    ).all()
    for command_id in waiting:
        commands.cancel(call, command_id)
    if device.enrolled_at is None:
        return
    # A phone of Apple's is opened with its own passcode: there it is the lost mode that must end.
    verb = Verb.FOUND if Platform(device.platform) in RULES[Verb.FOUND].platforms else Verb.UNLOCK
    commands.send(call, [device.uid], verb, reason=case.number, by_case=True)
    keeping.line(call, case, "asked", about=verb.value)


def _refuse_untrue(call: Call, case: Case, outcome: Outcome) -> None:
    if outcome is Outcome.WIPED and not _was_wiped(call, case):
        raise ConflictError(
            N_(
                "The device has not said that it wiped itself. Nothing was closed; ask for the wipe, or close otherwise."
            ),
            code="not_wiped",
        )
    if case.kind == CaseKind.LEAVER:
        follow_items(call, case)
        if outcome is Outcome.ALL_RETURNED and any(one.returned_at is None for one in items_of(call.session, case)):
            raise ConflictError(
                N_("Not everything is back. Nothing was closed; take it in, or close as not found."),
                code="not_all_back",
            )


def _was_wiped(call: Call, case: Case) -> bool:
    device = keeping.device_of(call, case)
    if device is None:
        return False
    done = select(Order.id).where(
        Order.device_id == device.id, Order.state == OrderState.DONE.value, Order.requested_at >= case.opened_at
    )
    return device.state == LifeCycle.WIPED or call.session.scalar(done.limit(1)) is not None


def _still_out(call: Call, case: Case) -> list[int]:
    follow_items(call, case)
    return [
        one.device_id for one in items_of(call.session, case) if one.returned_at is None and one.device_id is not None
    ]


def _not_gone(case: Case) -> ConflictError:
    return ConflictError(
        N_("The case %(number)s is not about a lost device. Nothing was changed."), code="case_kind", number=case.number
    )
