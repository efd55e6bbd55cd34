"""What the worker does for cases: they follow devices that came back and people who leave, and letters go out in time."""

from collections.abc import Collection

from sqlalchemy import select

from mdm.desk.cases import handling, keeping, opening, owing
from mdm.desk.cases.model import GONE, Case, CaseItem, CaseKind, CaseState, Outcome
from mdm.inventory.model import Device, LifeCycle
from mdm.people.model import Person
from mdm.storage.call import Call

BACK = frozenset({LifeCycle.RETURNED, LifeCycle.HANDED_OUT, LifeCycle.ON_LOAN, LifeCycle.IN_STOCK, LifeCycle.IN_REPAIR})
"""States in which somebody has a device in hands again. Wiped is none of them: that happens at a distance too."""


def follow_devices(call: Call, device_ids: Collection[int]) -> int:
    """Cases of these devices go on by themselves: a lost one that was taken in is found, an owed one that came back is ticked.

    How many cases were looked at. Twice is like once.
    """
    cases = set(
        call.session.scalars(select(Case.uid).where(Case.state == CaseState.OPEN.value, Case.device_id.in_(device_ids)))
    )
    cases |= set(
        call.session.scalars(
            select(Case.uid)
            .join(CaseItem, CaseItem.case_id == Case.id)
            .where(Case.state == CaseState.OPEN.value, CaseItem.device_id.in_(device_ids))
        )
    )
    for uid in sorted(cases):
        case = keeping.locked(call, uid)
        device = keeping.device_of(call, case)
        if case.kind in GONE and device is not None and LifeCycle(device.state) in BACK:
            handling.close(call, uid, Outcome.FOUND)
        elif case.kind == CaseKind.LEAVER:
            owing.follow_items(call, case)
        else:
            keeping.refresh(call, case)
    return len(cases)


def follow_person(call: Call, person_id: int) -> None:
    """Somebody leaves, and has something: a case opens by itself. Somebody stays after all: it is closed as a mistake."""
    person = call.session.get(Person, person_id)
    if person is None:
        return
    case = opening.open_in(call, f"leaver:{person.id}")
    if case is not None and person.left_on is None:
        handling.close(call, case.uid, Outcome.MISTAKE)
    elif case is not None and person.left_on != case.last_day and person.left_on is not None:
        handling.days(call, case.uid, person.left_on, None)
    elif case is None and person.left_on is not None and person.left_on <= call.now.date() + owing.AHEAD:
        has = select(Device.id).where(Device.person_id == person.id).limit(1)
        if call.session.scalar(has) is not None:
            opening.open_leaver(call, person.id)


def open_leavers(call: Call) -> int:
    """Opens cases for up to 200 people who leave soon and have something; how many."""
    found = owing.leavers_to_open(call.session, call.now.date())
    for person_id in found:
        opening.open_leaver(call, person_id)
    return len(found)


def sweep(call: Call, after: int = 0, limit: int = 200) -> int:
    """Opens cases for those who leave soon, and looks again at the next open cases after number ``after``.

    Letters that are due are written. The number of the last one; 0 when there was none left.
    """
    open_leavers(call)
    cases = call.session.scalars(
        select(Case).where(Case.state == CaseState.OPEN.value, Case.id > after).order_by(Case.id).limit(limit)
    ).all()
    for case in cases:
        if case.kind == CaseKind.LEAVER:
            owing.follow_items(call, case)
        else:
            keeping.refresh(call, case)
    follow_devices(call, {case.device_id for case in cases if case.device_id is not None})
    return cases[-1].id if cases else 0
