"""Before a unit moves: who and what comes along, and whose policies begin or cease to reach them."""

from dataclasses import dataclass

from sqlalchemy import func, select

from mdm.core.permissions import Permission
from mdm.inventory.model import Device
from mdm.inventory.queries import devices_select
from mdm.org.service import MoveEffect
from mdm.people.model import Person
from mdm.people.queries import people_select
from mdm.policies.model import Assignment, Policy
from mdm.storage.call import Call


@dataclass(frozen=True, slots=True)
class ComingAlong:
    """What a move takes with it, as far as the actor may see it."""

    units: int
    people: int
    devices: int
    policies: tuple[str, ...]
    """Names of policies with an assignment that names a unit which the moved ones come under or leave, by name."""


def coming_along(call: Call, effect: MoveEffect) -> ComingAlong:
    """Counts what ``org.service.preview_move`` found; changes nothing."""
    moved = effect.units
    people = call.session.scalar(
        people_select(call).where(Person.unit_id.in_(moved)).with_only_columns(func.count(), maintain_column_froms=True)
    )
    devices = call.session.scalar(
        devices_select(call)
        .where(Device.unit_id.in_(moved))
        .with_only_columns(func.count(), maintain_column_froms=True)
    )
    crossed = set(effect.before) ^ set(effect.after)
    return ComingAlong(len(moved), people or 0, devices or 0, _reached(call, crossed))


def _reached(call: Call, crossed: set[int]) -> tuple[str, ...]:
    if not crossed or not call.actor.may_somewhere(Permission.POLICY_VIEW):
        return ()
    rows = call.session.execute(
        select(Policy.name, Assignment.include, Assignment.exclude)
        .join(Policy, Policy.id == Assignment.policy_id)
        .where(Policy.archived_at.is_(None))
    )
    return tuple(
        sorted(
            {
                name
                for name, include, exclude in rows
                if any(target["kind"] == "unit" and target["id"] in crossed for target in [*include, *exclude])
            }
        )
    )
