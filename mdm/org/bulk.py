"""Many units and service points at once, for imports: the same rules, one line in the diary."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.org import queries
from mdm.org.model import ServicePoint, Unit, UnitParent
from mdm.org.tree import Hanging, circles
from mdm.outbox import service as outbox
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique


@dataclass(slots=True)
class UnitDraft:
    """What one unit shall be. ``parent`` is a code, or None for a root; it counts only where ``hangs``, from its date on."""

    code: str
    values: dict[str, Any]
    unit: Unit | None = None
    hangs: bool = False
    parent: str | None = None
    from_date: date | None = None


@dataclass(slots=True)
class PointDraft:
    """What one service point shall be; ``values`` from ``service_points.checked_fields``."""

    values: dict[str, Any]
    point: ServicePoint | None = None


def circles_after(call: Call, drafts: Sequence[UnitDraft], today: date) -> dict[str, date]:
    """Codes of units that would hang below themselves once these drafts are written, each with the first such date."""
    number = {code: unit_id for unit_id, code in call.session.execute(select(Unit.id, Unit.code))}
    for draft in drafts:
        number.setdefault(draft.code, -len(number) - 1)
    moves = {
        (number[draft.code], draft.from_date or today): None if draft.parent is None else number[draft.parent]
        for draft in drafts
        if draft.hangs
    }
    kept = [h for h in queries.hangings(call.session) if (h.unit, h.from_date) not in moves]
    after = [*kept, *(Hanging(unit, parent, day) for (unit, day), parent in moves.items())]
    code_of = {unit_id: code for code, unit_id in number.items()}
    return {
        code_of[unit]: day for unit, day in circles(after, from_date=min((d for _, d in moves), default=today)).items()
    }


def write_units(call: Call, drafts: Sequence[UnitDraft], about: dict[str, Any]) -> None:
    """Makes, changes and hangs units; for those who manage the whole organogram.

    Raises ConflictError, and nothing may be committed, when a unit would hang below itself or a code is taken meanwhile.
    """
    require(call.actor, Permission.ORG_MANAGE)
    today = call.now.date()
    if circles_after(call, drafts, today):
        raise ConflictError(N_("A unit would hang below itself. Nothing was changed."), code="unit_circle")
    created, updated = [], []
    made: dict[str, Unit] = {}
    for draft in drafts:
        if draft.unit is None and draft.code in made:
            draft.unit = made[draft.code]
        elif draft.unit is None:
            draft.unit = made[draft.code] = Unit(code=draft.code, created_at=call.now, **draft.values)
            call.session.add(draft.unit)
            created.append(draft.unit)
        else:
            updated.append(draft.unit)
            for key, value in draft.values.items():
                setattr(draft.unit, key, value)
    flush_unique(call.session, _taken())
    _hang(call, drafts, created, today)
    _record(call, "units.imported", about, created, updated)


def _hang(call: Call, drafts: Sequence[UnitDraft], created: list[Unit], today: date) -> None:
    number = {code: unit_id for unit_id, code in call.session.execute(select(Unit.id, Unit.code))}
    rows = {(row.unit_id, row.from_date): row for row in call.session.scalars(select(UnitParent))}
    new = {unit.id for unit in created}
    come = False
    for draft in drafts:
        unit_id = number[draft.code]
        if not draft.hangs and unit_id not in new:
            continue
        day = draft.from_date or today
        parent = None if draft.parent is None else number[draft.parent]
        row = rows.get((unit_id, day))
        if row is None:
            call.session.add(UnitParent(unit_id=unit_id, parent_id=parent, from_date=day))
        else:
            row.parent_id = parent
        come = come or day <= today
    call.session.flush()
    if come:
        outbox.post(call, "cohorts.place", {})


def write_service_points(call: Call, drafts: Sequence[PointDraft], about: dict[str, Any]) -> None:
    """Makes and changes service points; for those who manage all of them. Raises ConflictError for a taken code."""
    require(call.actor, Permission.ORG_MANAGE)
    created, updated = [], []
    for draft in drafts:
        if draft.point is None:
            draft.point = ServicePoint(**draft.values, created_at=call.now)
            call.session.add(draft.point)
            created.append(draft.point)
        else:
            updated.append(draft.point)
            for key, value in draft.values.items():
                setattr(draft.point, key, value)
    flush_unique(call.session, _taken())
    _record(call, "service_points.imported", about, created, updated)


def _record(
    call: Call,
    action: str,
    about: dict[str, Any],
    created: Iterable[Unit | ServicePoint],
    updated: Iterable[Unit | ServicePoint],
) -> None:
    details = {**about, "created": [row.code for row in created], "updated": [row.code for row in updated]}
    if details["created"] or details["updated"]:
        audit.record(call, action, ("import", new_uid()), name=str(about.get("file", "")), details=details)


def _taken() -> ConflictError:
    return ConflictError(N_("Somebody else took one of these codes meanwhile. Nothing was changed."), code="code_taken")
