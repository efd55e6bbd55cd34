"""What can be done to the organogram: make, rename, move from a date on, close."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import or_, select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.mail import email_address
from mdm.core.permissions import EVERYWHERE, Permission, Where
from mdm.org import fields, queries
from mdm.org.model import Unit, UnitParent
from mdm.org.service_points import (
    close_service_point,
    create_service_point,
    edit_service_point,
    reopen_service_point,
)
from mdm.org.tree import Hanging, first_circle, parents_on, path
from mdm.outbox import service as outbox
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

__all__ = [
    "MoveEffect",
    "cancel_move",
    "close_service_point",
    "close_unit",
    "create_service_point",
    "create_unit",
    "edit_service_point",
    "edit_unit",
    "move_unit",
    "preview_move",
    "reopen_service_point",
    "reopen_unit",
]


@dataclass(frozen=True, slots=True)
class MoveEffect:
    """What a move would do: which units come along, and the path from the root before and after."""

    units: frozenset[int]
    before: tuple[int, ...]
    after: tuple[int, ...]
    from_date: date

    @property
    def changes(self) -> bool:
        """Whether the unit hangs elsewhere afterwards."""
        return self.before != self.after


def create_unit(
    call: Call, *, code: str, name: str, parent_id: int | None = None, from_date: date | None = None
) -> Unit:
    """Makes a unit that hangs below ``parent_id`` (None: a root) from ``from_date`` (today) on.

    Raises InvalidError for a wrong code or name, ConflictError when the code is taken, NotFoundError for the parent.
    """
    _may_hang_below(call, parent_id)
    unit = Unit(code=fields.code(code), name=fields.name(name), created_at=call.now)
    call.session.add(unit)
    flush_unique(call.session, _code_taken(unit.code))
    day = from_date or call.now.date()
    call.session.add(UnitParent(unit_id=unit.id, parent_id=parent_id, from_date=day))
    _record(call, "unit.created", unit, {"code": unit.code, "parent": parent_id, "from": day.isoformat()})
    return unit


def edit_unit(
    call: Call, unit_id: int, *, code: str | None = None, name: str | None = None, lead_email: str | None = None
) -> Unit:
    """Renames a unit, gives it another code or another lead (empty: none); what is None stays. Raises as ``create_unit``."""
    unit = _unit(call, unit_id)
    wanted = {
        "code": unit.code if code is None else fields.code(code),
        "name": unit.name if name is None else fields.name(name),
        "lead_email": unit.lead_email if lead_email is None else _address(lead_email),
    }
    changes = {key: [getattr(unit, key), value] for key, value in wanted.items() if getattr(unit, key) != value}
    if changes:
        for key, (_, value) in changes.items():
            setattr(unit, key, value)
        flush_unique(call.session, _code_taken(unit.code))
        _record(call, "unit.edited", unit, changes)
    return unit


def _address(text: str) -> str:
    return email_address(text, "lead_email") if text.strip() else ""


def preview_move(call: Call, unit_id: int, parent_id: int | None, from_date: date) -> MoveEffect:
    """What ``move_unit`` would do, and nothing is changed. Raises as ``move_unit``."""
    unit = _unit(call, unit_id)
    _may_hang_below(call, parent_id)
    known = queries.hangings(call.session)
    move = Hanging(unit.id, parent_id, from_date)
    circle = first_circle(known, move)
    if circle is not None:
        raise ConflictError(
            N_("On %(date)s the unit would hang below itself. Nothing was moved; choose another parent or date."),
            code="unit_circle",
            date=circle.isoformat(),
        )
    before = path(parents_on(known, from_date), unit.id)
    others = [hanging for hanging in known if hanging[::2] != move[::2]]
    after = path(parents_on([*others, move], from_date), unit.id)
    return MoveEffect(queries.units_below(call.session, unit.id, from_date), before, after, from_date)


def move_unit(call: Call, unit_id: int, parent_id: int | None, from_date: date) -> MoveEffect:
    """Hangs the unit below another parent from a date on, with all that is below it. Twice is like once.

    A date in the past writes history. Raises ConflictError when on any date the unit would hang below itself,
    NotFoundError for units that are not the actor's.
    """
    effect = preview_move(call, unit_id, parent_id, from_date)
    row = call.session.scalar(
        select(UnitParent).where(UnitParent.unit_id == unit_id, UnitParent.from_date == from_date)
    )
    if row is not None and row.parent_id == parent_id:
        return effect
    if row is None:
        call.session.add(UnitParent(unit_id=unit_id, parent_id=parent_id, from_date=from_date))
    else:
        row.parent_id = parent_id
    _record(
        call,
        "unit.moved",
        _unit(call, unit_id),
        {"parent": [effect.before[1] if len(effect.before) > 1 else None, parent_id], "from": from_date.isoformat()},
    )
    _place_when_come(call, from_date)
    return effect


def cancel_move(call: Call, unit_id: int, from_date: date) -> None:
    """Takes back a move that has not come yet. Raises ConflictError when it has come, or when a circle would follow."""
    unit = _unit(call, unit_id)
    if from_date <= call.now.date():
        raise ConflictError(N_("This move has come already. Nothing was changed; move the unit again."))
    row = call.session.scalar(
        select(UnitParent).where(UnitParent.unit_id == unit_id, UnitParent.from_date == from_date)
    )
    if row is None:
        raise ConflictError(N_("No move of this unit is planned for that date. Nothing was changed."))
    rest = [h for h in queries.hangings(call.session) if (h.unit, h.from_date) != (unit_id, from_date)]
    back = Hanging(unit_id, parents_on(rest, from_date).get(unit_id), from_date)
    if first_circle(rest, back) is not None:
        raise ConflictError(N_("Another planned move depends on this one. Nothing was changed; cancel that one first."))
    call.session.delete(row)
    _record(call, "unit.move_cancelled", unit, {"parent": row.parent_id, "from": from_date.isoformat()})


def close_unit(call: Call, unit_id: int, on: date | None = None) -> Unit:
    """Closes a unit from a date on (today). Raises ConflictError while open units hang below it on that date."""
    unit = _unit(call, unit_id)
    day = on or call.now.date()
    lower = queries.units_below(call.session, unit_id, day) - {unit_id}
    still = call.session.scalars(
        select(Unit.name).where(Unit.id.in_(lower), or_(Unit.closed_on.is_(None), Unit.closed_on > day)).limit(1)
    ).first()
    if still is not None:
        raise ConflictError(
            N_("Units still hang below this one, %(name)s for example. Nothing was closed; move or close them first."),
            code="unit_has_children",
            name=still,
        )
    if unit.closed_on != day:
        _record(call, "unit.closed", unit, {"on": day.isoformat()})
        unit.closed_on = day
    return unit


def reopen_unit(call: Call, unit_id: int) -> Unit:
    """Opens a closed unit again; an open one stays as it is."""
    unit = _unit(call, unit_id)
    if unit.closed_on is not None:
        unit.closed_on = None
        _record(call, "unit.reopened", unit, {})
    return unit


def _unit(call: Call, unit_id: int) -> Unit:
    unit = queries.unit(call, unit_id)
    require(call.actor, Permission.ORG_MANAGE, Where(unit_id=unit_id))
    return unit


def _may_hang_below(call: Call, parent_id: int | None) -> None:
    unit = None if parent_id is None else queries.unit(call, parent_id)
    require(call.actor, Permission.ORG_MANAGE, EVERYWHERE if unit is None else Where(unit_id=unit.id))
    if unit is not None and unit.closed_on is not None:
        sentence = N_("This unit is closed; nothing can hang below it.")
        raise InvalidError(sentence, fields={"parent": sentence}, code="unit_closed")


def _code_taken(code: str) -> ConflictError:
    return ConflictError(N_("The code %(value)s is taken. Nothing was changed."), code="code_taken", value=code)


def _place_when_come(call: Call, from_date: date) -> None:
    if from_date <= call.now.date():
        outbox.post(call, "cohorts.place", {})


def _record(call: Call, action: str, unit: Unit, details: dict[str, Any]) -> None:
    audit.record(call, action, ("unit", unit.id), name=unit.name, where=Where(unit_id=unit.id), details=details)
