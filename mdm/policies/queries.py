"""Reads of policies. They belong to the whole city: whoever holds ``policy:view`` anywhere reads all of them.

Secrets are masked in everything that comes out of here; the content of raw payloads is only for those who may edit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from agent import wire
from mdm.core.errors import N_, DeniedError, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.policies import catalogue, cohorts, targets
from mdm.policies.difference import Change, difference
from mdm.policies.model import Assignment, DesiredChange, Policy, PolicyVersion
from mdm.policies.scope import Target
from mdm.storage.call import Call


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """A policy as a list shows it. ``devices`` are those whose cohort it reaches now."""

    policy: Policy
    author: str
    changed_at: datetime | None
    settings: int
    assignments: int
    devices: int


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version in the history of a policy."""

    number: int
    author: str
    note: str
    created_at: datetime
    settings: int
    payloads: int
    current: bool


@dataclass(frozen=True, slots=True)
class VersionView:
    """What one version says, secrets masked. ``content`` of a payload is None for those who may not edit."""

    number: int
    author: str
    note: str
    created_at: datetime
    settings: dict[str, Any]
    payloads: tuple[dict[str, Any], ...]
    current: bool


@dataclass(frozen=True, slots=True)
class AssignmentLine:
    """Whom a policy is for: targets as people write them (``unit:SB``), and as a page shows them (``Stadsbeheer``)."""

    assignment: Assignment
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    include_names: tuple[str, ...]
    exclude_names: tuple[str, ...]
    devices: int


def policies(call: Call, *, words: str = "", archived: bool = False) -> list[PolicyLine]:
    """Every policy by name; archived ones when asked for. Raises DeniedError without ``policy:view`` anywhere."""
    _may_view(call)
    query = (
        select(Policy, PolicyVersion)
        .outerjoin(PolicyVersion, (PolicyVersion.policy_id == Policy.id) & (PolicyVersion.number == Policy.current))
        .where(Policy.archived_at.is_not(None) if archived else Policy.archived_at.is_(None))
        .order_by(func.lower(Policy.name), Policy.id)
    )
    if words:
        query = query.where(Policy.name.icontains(clean(words), autoescape=True))
    ids: dict[int, list[int]] = {}
    for policy_id, assignment_id in call.session.execute(select(Assignment.policy_id, Assignment.id)):
        ids.setdefault(policy_id, []).append(assignment_id)
    reached = cohorts.Reach.now(call.session)
    return [
        PolicyLine(
            policy,
            version.author if version else "",
            version.created_at if version else None,
            len(version.settings) if version else 0,
            len(ids.get(policy.id, ())),
            reached.devices(ids.get(policy.id, ())),
        )
        for policy, version in call.session.execute(query)
    ]


def policy(call: Call, policy_id: int) -> Policy:
    """One policy; NotFoundError when it is not there."""
    _may_view(call)
    found = call.session.get(Policy, policy_id)
    if found is None:
        raise NotFoundError(N_("There is no such policy."))
    return found


def policy_by_name(call: Call, name: str) -> Policy:
    """One policy by its exact name; NotFoundError when it is not there."""
    _may_view(call)
    found = call.session.scalar(select(Policy).where(Policy.name == clean(name, 128)))
    if found is None:
        raise NotFoundError(N_("There is no policy named %(name)s."), name=clean(name, 128))
    return found


def versions(call: Call, policy_id: int) -> list[VersionLine]:
    """The history of a policy, newest first."""
    found = policy(call, policy_id)
    rows = call.session.scalars(
        select(PolicyVersion).where(PolicyVersion.policy_id == found.id).order_by(PolicyVersion.number.desc())
    )
    return [
        VersionLine(
            row.number,
            row.author,
            row.note,
            row.created_at,
            len(row.settings),
            len(row.payloads),
            row.number == found.current,
        )
        for row in rows
    ]


def version(call: Call, policy_id: int, number: int | None = None) -> VersionView:
    """What one version says, the one in force when no number is given; NotFoundError without it."""
    found = policy(call, policy_id)
    row = _version(call, found, number)
    edits = call.actor.may(Permission.POLICY_EDIT)
    return VersionView(
        row.number,
        row.author,
        row.note,
        row.created_at,
        catalogue.mask(row.settings),
        tuple(_payload(payload, shown=edits) for payload in row.payloads),
        row.number == found.current,
    )


def _payload(payload: Mapping[str, Any], *, shown: bool) -> dict[str, Any]:
    content = payload["content"]
    return {
        "platform": payload["platform"],
        "name": payload["name"],
        "digest": wire.short_digest(content),
        "content": content if shown else None,
    }


def changes(call: Call, policy_id: int, before: int, after: int) -> list[Change]:
    """The readable difference between two versions; before 0 is nothing at all. NotFoundError without one of them."""
    found = policy(call, policy_id)
    old: Mapping[str, Any] = _version(call, found, before).settings if before else {}
    return difference(old, _version(call, found, after).settings, call.actor.language)


def unsaved_changes(call: Call, policy_id: int, settings: Mapping[str, Any]) -> list[Change]:
    """The readable difference between the version in force and settings that are being edited, masks kept as secrets."""
    found = policy(call, policy_id)
    old: Mapping[str, Any] = _version(call, found, None).settings if found.current else {}
    new = catalogue.check(catalogue.keep_secrets(settings, old), call.actor.language).settings
    return difference(old, new, call.actor.language)


def _version(call: Call, found: Policy, number: int | None) -> PolicyVersion:
    wanted = found.current if number is None else number
    row = call.session.scalar(
        select(PolicyVersion).where(PolicyVersion.policy_id == found.id, PolicyVersion.number == wanted)
    )
    if row is None:
        raise NotFoundError(N_("This policy has no version %(number)s."), number=wanted)
    return row


def assignments(call: Call, policy_id: int) -> list[AssignmentLine]:
    """Whom a policy is for, in the order of rank."""
    found = policy(call, policy_id)
    rows = call.session.scalars(
        select(Assignment).where(Assignment.policy_id == found.id).order_by(Assignment.priority, Assignment.id)
    ).all()
    names = targets.names(call.session, [target for row in rows for target in (*row.include, *row.exclude)])
    reached = cohorts.Reach.now(call.session)
    return [
        AssignmentLine(
            row,
            tuple(targets.written(call.session, row.include)),
            tuple(targets.written(call.session, row.exclude)),
            tuple(_named(target, names) for target in row.include),
            tuple(_named(target, names) for target in row.exclude),
            reached.devices([row.id]),
        )
        for row in rows
    ]


def assignment(call: Call, assignment_id: int) -> Assignment:
    """One assignment; NotFoundError when it is not there."""
    _may_view(call)
    found = call.session.get(Assignment, assignment_id)
    if found is None:
        raise NotFoundError(N_("There is no such assignment."))
    return found


def _named(target: Target, names: Mapping[tuple[str, int | str | None], str]) -> str:
    return names.get((target["kind"], target["id"]), str(target["id"] or ""))


def cohorts_of(call: Call, policy_id: int) -> list[int]:
    """The ids of the cohorts that a policy reaches: a list of devices can be filtered by them."""
    found = policy(call, policy_id)
    ids = call.session.scalars(select(Assignment.id).where(Assignment.policy_id == found.id)).all()
    return sorted(cohorts.reach_of_each(call.session, ids))


def desired_changes(call: Call, cohort_id: int, limit: int = 50) -> Sequence[DesiredChange]:
    """When the desired state of a cohort changed, and because of which policies; newest first."""
    _may_view(call)
    return call.session.scalars(
        select(DesiredChange).where(DesiredChange.cohort_id == cohort_id).order_by(DesiredChange.id.desc()).limit(limit)
    ).all()


def _may_view(call: Call) -> None:
    if not call.actor.may_somewhere(Permission.POLICY_VIEW):
        raise DeniedError(
            N_("You are not allowed to see policies (%(permission)s)."), permission=Permission.POLICY_VIEW.value
        )
