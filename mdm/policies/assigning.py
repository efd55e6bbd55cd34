"""Giving policies to devices: assign, change, withdraw. Exclude always wins. The worker places the devices."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.inventory import groups
from mdm.outbox import service as outbox
from mdm.policies import cohorts, hard, targets
from mdm.policies.model import Assignment, Policy
from mdm.policies.scope import Target
from mdm.policies.service import missing
from mdm.storage.call import Call

LOWEST, HIGHEST = 1, 1000
"""Ranks that an assignment can have; the lower one wins."""


def assign(
    call: Call, policy_id: int, *, include: Sequence[Any], exclude: Sequence[Any] = (), priority: int = 100
) -> Assignment:
    """Gives a policy to a scope. Targets are ``{"kind", "id"}`` or words such as ``service_point:WERKHAVEN``.

    Raises InvalidError with the places, NotFoundError without the policy, ApprovalNeededError for what cuts many devices
    off or locks many people out.
    """
    require(call.actor, Permission.POLICY_EDIT)
    policy = _policy(call, policy_id)
    included, excluded = checked_scope(call, include, exclude, priority)
    made = Assignment(policy_id=policy.id, priority=priority, include=included, exclude=excluded, created_at=call.now)
    with _watched(call, policy, {"change": "assign", **_said(call, included, excluded, priority)}):
        call.session.add(made)
        call.session.flush()
    _record(call, "policy.assigned", policy, made)
    _placed_anew(call)
    return made


def edit_assignment(
    call: Call, assignment_id: int, *, include: Sequence[Any], exclude: Sequence[Any] = (), priority: int = 100
) -> Assignment:
    """Changes whom an assignment is for, or its rank. Raises as ``assign``. Nothing happens when nothing differs."""
    require(call.actor, Permission.POLICY_EDIT)
    found, policy = _found(call, assignment_id)
    included, excluded = checked_scope(call, include, exclude, priority)
    if (found.include, found.exclude, found.priority) == (included, excluded, priority):
        return found
    before = _shown(call, found)
    said = {"change": "reassign", "assignment": found.id, **_said(call, included, excluded, priority)}
    with _watched(call, policy, said):
        found.include, found.exclude, found.priority = list(included), list(excluded), priority
        call.session.flush()
    _record(call, "policy.assignment_edited", policy, found, before=before)
    cohorts.mark_stale(call.session, [found.id])
    _placed_anew(call)
    return found


def unassign(call: Call, assignment_id: int, *, confirmed: bool = False) -> None:
    """Withdraws an assignment. Raises ConflictError with the code ``confirm`` while devices would lose settings and the
    person has not confirmed, NotFoundError without it."""
    require(call.actor, Permission.POLICY_EDIT)
    found, policy = _found(call, assignment_id)
    devices = cohorts.reach(call.session, [found.id])
    if devices and not confirmed and policy.archived_at is None:
        raise ConflictError(
            N_(
                "%(devices)s devices get the policy %(name)s by this assignment and may lose it. Nothing was changed. "
                "Confirm to go on."
            ),
            code="confirm",
            devices=devices,
            name=policy.name,
        )
    with _watched(call, policy, {"change": "unassign", "assignment": found.id, **_shown(call, found)}):
        _record(call, "policy.unassigned", policy, found)
        call.session.delete(found)
        call.session.flush()
    _placed_anew(call)


def delete_group(call: Call, group_id: int) -> None:
    """Removes a group of devices that no assignment names.

    Raises ConflictError that names the policies while one does, archived or not: without the group an include would
    reach nobody, and an exclude would let devices in that were kept out. NotFoundError without the group.
    """
    require(call.actor, Permission.POLICY_EDIT)
    cohorts.intent_lock(call.session)
    target = {"kind": "group", "id": group_id}
    rows = call.session.execute(select(Assignment, Policy.name).join(Policy, Policy.id == Assignment.policy_id))
    users = sorted({name for one, name in rows if target in one.include or target in one.exclude})
    if users:
        raise ConflictError(
            N_(
                "This group decides who gets these policies: %(policies)s. Nothing was changed. "
                "Take it out of their assignments first."
            ),
            code="in_use",
            policies=", ".join(users[:20]),
        )
    groups.delete(call, group_id)


def checked_scope(
    call: Call, include: Sequence[Any], exclude: Sequence[Any], priority: int, place: str = ""
) -> tuple[list[Target], list[Target]]:
    """Include and exclude as targets. Raises InvalidError with the place of everything that is wrong."""
    errors: dict[str, str] = {}
    included = targets.checked(call.session, include, f"{place}include", errors)
    excluded = targets.checked(call.session, exclude, f"{place}exclude", errors)
    if not included and f"{place}include" not in errors and not any(key.startswith(f"{place}in") for key in errors):
        errors[f"{place}include"] = N_("Say for whom: at least one target.")
    if isinstance(priority, bool) or not isinstance(priority, int) or not LOWEST <= priority <= HIGHEST:
        errors[f"{place}priority"] = N_("A rank is a whole number from 1 to 1000; the lower one wins.")
    if errors:
        raise InvalidError(N_("This assignment is not right. Nothing was changed."), fields=errors)
    return included, excluded


def _policy(call: Call, policy_id: int) -> Policy:
    cohorts.intent_lock(call.session)
    policy = call.session.get(Policy, policy_id)
    if policy is None:
        raise missing()
    return policy


def _found(call: Call, assignment_id: int) -> tuple[Assignment, Policy]:
    cohorts.intent_lock(call.session)
    found = call.session.scalar(select(Assignment).where(Assignment.id == assignment_id))
    if found is None:
        raise NotFoundError(N_("There is no such assignment."))
    return found, _policy(call, found.policy_id)


def _watched(call: Call, policy: Policy, said: dict[str, Any]) -> AbstractContextManager[Call]:
    touches = policy.archived_at is None and hard.version_sensitive(call, policy)
    return hard.watched(call, ("policy", policy.id), policy.name, said, touches=touches)


def _said(call: Call, include: list[Target], exclude: list[Target], priority: int) -> dict[str, Any]:
    """An assignment for those who must agree to it: in words, which are what it is made of again."""
    return {
        "include": targets.written(call.session, include),
        "exclude": targets.written(call.session, exclude),
        "priority": priority,
    }


def _placed_anew(call: Call) -> None:
    outbox.post(call, "cohorts.place", {})
    outbox.post(call, "cohorts.prepare", {})


def _shown(call: Call, one: Assignment) -> dict[str, Any]:
    return {
        "priority": one.priority,
        "include": targets.written(call.session, one.include),
        "exclude": targets.written(call.session, one.exclude),
    }


def _record(call: Call, action: str, policy: Policy, one: Assignment, *, before: dict[str, Any] | None = None) -> None:
    details = {"assignment": one.id, **_shown(call, one)} | ({"before": before} if before else {})
    audit.record(call, action, ("policy", policy.id), name=policy.name, details=details)
