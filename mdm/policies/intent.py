"""What people want now: every assignment in force and the current version of its policy, as plain data for the rules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from agent import wire
from mdm.policies.catalogue import known
from mdm.policies.catalogue.keys import Version, version_of
from mdm.policies.model import Assignment, Policy, PolicyVersion
from mdm.policies.resolve import Candidate, Resolved, Source, resolve
from mdm.policies.scope import Placement, Target, fitting

Chosen = tuple[str, int | str | None]
"""Kind and id of a target."""
_NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Scoped:
    """One assignment in force: whom it is for, and what it brings."""

    id: int
    include: tuple[Target, ...]
    exclude: tuple[Target, ...]
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Intent:
    """Every assignment in force, by its id."""

    scoped: Mapping[int, Scoped]
    _including: Mapping[Chosen, frozenset[int]] = field(init=False, repr=False, compare=False)
    _excluding: Mapping[Chosen, frozenset[int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_including", _by_target((one.id, one.include) for one in self.scoped.values()))
        object.__setattr__(self, "_excluding", _by_target((one.id, one.exclude) for one in self.scoped.values()))

    def matching(self, placement: Placement) -> tuple[int, ...]:
        """The ids of the assignments that are for a device that stands here, sorted: those that ``matches`` says yes to.

        Looked up by what fits the placement, so that it costs what a device has, not how many assignments there are.
        """
        fit = tuple(fitting(placement))
        included = _NOBODY.union(*(self._including.get(one, _NOBODY) for one in fit))
        return tuple(sorted(included.difference(*(self._excluding.get(one, _NOBODY) for one in fit))))

    def resolved(self, platform: str, os_version: Version, assignments: Iterable[int]) -> Resolved:
        """The sum of these assignments; those no longer in force add nothing.

        What needs supervision stays in: supervised devices and others share a cohort, and the interpreter keeps it from those
        that are not supervised, each with the reason on its page.
        """
        candidates = [self.scoped[id_].candidate for id_ in assignments if id_ in self.scoped]
        return resolve(candidates, platform=platform, os_version=os_version, supervised=True)

    @property
    def groups(self) -> frozenset[int]:
        """The ids of the groups that some assignment chooses by; no other group matters to anybody's desired state."""
        return frozenset(
            int(target["id"])
            for one in self.scoped.values()
            for target in (*one.include, *one.exclude)
            if target["kind"] == "group" and target["id"] is not None
        )

    def without(self, policy_id: int) -> "Intent":
        """The same without one policy."""
        return Intent({id_: one for id_, one in self.scoped.items() if one.candidate.source.policy_id != policy_id})

    def with_(self, more: Iterable[Scoped]) -> "Intent":
        """The same with these assignments added or replaced."""
        return Intent({**self.scoped, **{one.id: one for one in more}})


def _by_target(assignments: Iterable[tuple[int, Sequence[Target]]]) -> dict[Chosen, frozenset[int]]:
    found: dict[Chosen, set[int]] = {}
    for id_, targets in assignments:
        for target in targets:
            chosen = ("all", None) if target["kind"] == "all" else (target["kind"], target["id"])
            found.setdefault(chosen, set()).add(id_)
    return {chosen: frozenset(ids) for chosen, ids in found.items()}


def load_intent(session: Session) -> Intent:
    """What people want now, in one query. Policies that are archived or have no version yet want nothing."""
    rows = session.execute(_in_force())
    return Intent({row[0].id: _scoped(row[0], row[1], row[2]) for row in rows})


def _in_force() -> Select[Assignment, Policy, PolicyVersion]:
    return (
        select(Assignment, Policy, PolicyVersion)
        .join(Policy, Policy.id == Assignment.policy_id)
        .join(PolicyVersion, (PolicyVersion.policy_id == Policy.id) & (PolicyVersion.number == Policy.current))
        .where(Policy.archived_at.is_(None))
        .order_by(Assignment.id)
    )


def _scoped(assignment: Assignment, policy: Policy, version: PolicyVersion) -> Scoped:
    source = Source(assignment.id, policy.id, policy.name, version.number, assignment.priority)
    return Scoped(
        assignment.id,
        tuple(assignment.include),
        tuple(assignment.exclude),
        Candidate(source, version.settings, tuple(version.payloads)),
    )


def edited(one: Scoped, settings: Mapping[str, Any]) -> Scoped:
    """The assignment as it would be with these settings in its policy's next version."""
    source = replace(one.candidate.source, version=one.candidate.source.version + 1)
    return replace(one, candidate=replace(one.candidate, source=source, settings=settings))


def level_of(platform: str, os_version: str) -> str:
    """The highest version that some setting asks for on the platform and that ``os_version`` reaches; "" for none.

    Devices of one level get the same settings, whatever their exact version: it belongs to the key of a cohort.
    """
    version = version_of(os_version)
    if not version:
        return ""
    asked = {setting.platforms[platform].min for setting in known().values() if platform in setting.platforms}
    reached = [least for least in asked if least and least <= version]
    return ".".join(map(str, max(reached))) if reached else ("0" if any(asked) else "")


def level_version(level: str) -> Version:
    """A level as the version that the rules compare; () where no setting of the platform asks for any."""
    return (0,) if level == "0" else version_of(level)


def cohort_key(platform: str, level: str, assignments: tuple[int, ...]) -> str:
    """What makes two devices get the same desired state, as one digest."""
    return wire.digest({"platform": platform, "os_version": level, "assignments": list(assignments)})
