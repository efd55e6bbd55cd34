"""Reads of cases. They give only those at the actor's places of ``case:view``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from mdm.core.actor import require
from mdm.core.permissions import Permission
from mdm.desk.cases import keeping, steps
from mdm.desk.cases.model import Case, CaseFix, CaseItem, CaseKind, CaseLine, CaseLook, CaseState, StepState
from mdm.desk.cases.steps import Flow, Step
from mdm.inventory.model import Device
from mdm.inventory.queries import devices_select
from mdm.storage.call import Call
from mdm.storage.scoping import within

MAX_LINES = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """One step as it is shown: the rule, what became of it, whether it is late."""

    rule: Step
    state: StepState
    due_at: datetime | None
    done_at: datetime | None
    done_by: str
    late: bool


@dataclass(frozen=True, slots=True)
class File:
    """Everything about one case that a page shows. Where the device was is not among it."""

    case: Case
    flow: Flow
    steps: Sequence[Shown]
    lines: Sequence[CaseLine]
    items: Sequence[CaseItem]
    looks: Sequence[CaseLook]
    places_known: int
    device: Device | None
    """None also where the device is not the actor's any more."""


def cases_select(call: Call) -> Select[Any]:
    """Cases that the actor may see."""
    return select(Case).where(within(call.actor.scope(Permission.CASE_VIEW), Case.service_point_id, Case.unit_id))


def case(call: Call, uid: str) -> Case:
    """One case; NotFoundError when it is not there or not the actor's."""
    found: Case | None = call.session.scalar(cases_select(call).where(Case.uid == uid))
    if found is None:
        raise keeping.missing()
    return found


def open_for(call: Call, device: Device) -> list[Case]:
    """Open cases about a device, the newest first; empty when there are none, or none of the actor's."""
    query = cases_select(call).where(Case.device_id == device.id, Case.state == CaseState.OPEN.value)
    return list(call.session.scalars(query.order_by(Case.id.desc())))


def open_count(call: Call) -> int:
    """How many open cases the actor may see."""
    query = cases_select(call).where(Case.state == CaseState.OPEN.value)
    return call.session.scalar(query.with_only_columns(func.count())) or 0


def file(call: Call, uid: str) -> File:
    """Everything about one case; NotFoundError as ``case``."""
    found = case(call, uid)
    session = call.session
    fixes = session.scalar(select(func.count()).where(CaseFix.case_id == found.id)) or 0
    device = session.scalar(devices_select(call).where(Device.id == found.device_id)) if found.device_id else None
    lines = select(CaseLine).where(CaseLine.case_id == found.id).order_by(CaseLine.id.desc()).limit(MAX_LINES)
    looks = select(CaseLook).where(CaseLook.case_id == found.id).order_by(CaseLook.id.desc())
    return File(
        found,
        steps.FLOWS[CaseKind(found.kind)],
        shown(call, found),
        session.scalars(lines).all(),
        items(call, found),
        session.scalars(looks).all(),
        fixes,
        device,
    )


def shown(call: Call, found: Case) -> list[Shown]:
    """The steps of a case with what became of each; what the facts show to be done is done, also before it is written down."""
    flow = steps.FLOWS[CaseKind(found.kind)]
    is_open = found.state == CaseState.OPEN
    done = steps.settled(CaseKind(found.kind), keeping.facts(call, found)) if is_open else frozenset()
    listed = []
    for row in keeping.rows(call, found):
        rule = flow.step(row.key)
        if rule is None:
            continue
        state = StepState.DONE if row.key in done else StepState(row.state)
        late = state is StepState.OPEN and row.due_at is not None and row.due_at < call.now
        listed.append(Shown(rule, state, row.due_at, row.done_at, row.done_by, late))
    return listed


def items(call: Call, found: Case) -> list[CaseItem]:
    """What is or was owed in a case: things that are no device, and devices that are the actor's."""
    listed = call.session.scalars(select(CaseItem).where(CaseItem.case_id == found.id).order_by(CaseItem.id)).all()
    ids = [one.device_id for one in listed if one.device_id is not None]
    mine = set(call.session.scalars(devices_select(call).where(Device.id.in_(ids)).with_only_columns(Device.id)))
    return [one for one in listed if one.device_id is None or one.device_id in mine]


def paper(call: Call, uid: str) -> File:
    """A case for its documents, for whoever may work on it. Raises NotFoundError, DeniedError."""
    require(call.actor, Permission.CASE_MANAGE, case(call, uid).where)
    return file(call, uid)
