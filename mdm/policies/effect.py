"""What a change would do, before it is saved: how many devices gain, change and lose what, which ones, and what to mind.

Computed per distinct placement, not per device, and in memory: nothing is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from mdm.core.actor import require
from mdm.core.errors import N_, InvalidError
from mdm.core.permissions import Permission
from mdm.inventory import queries as inventory
from mdm.inventory.model import Device, Ownership
from mdm.policies import assigning, catalogue, payloads
from mdm.policies.conflicts import conflicts
from mdm.policies.intent import Intent, Scoped, level_version, load_intent
from mdm.policies.model import Assignment, Policy, PolicyVersion
from mdm.policies.placing import COLUMNS, Ground, Step, Tally, ground, in_no_group, in_use, tallies
from mdm.policies.resolve import Candidate, Resolved, Source
from mdm.policies.service import missing
from mdm.policies.warnings import Warning_, warnings_of
from mdm.storage.call import Call

MAX_DEVICES = 50
"""Devices that are named; the rest is counted."""


@dataclass(slots=True)
class KeyEffect:
    """What happens to one key: how many devices gain, change and lose it, and the values in words with their counts."""

    key: str
    label: str
    gain: int = 0
    change: int = 0
    lose: int = 0
    values: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AffectedDevice:
    """One device whose settings would change."""

    id: int
    uid: str
    label: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change would do. ``devices`` are all that would differ; ``gain``, ``change`` and ``lose`` count each device
    for which at least one key comes, differs or goes. ``listed`` are the first of those that the actor may see."""

    devices: int
    gain: int
    change: int
    lose: int
    keys: tuple[KeyEffect, ...]
    listed: tuple[AffectedDevice, ...]
    more: int
    reached_before: int
    reached_after: int
    payload_devices: int
    """Devices whose raw payloads would differ; they are among ``devices`` and count as changed."""
    warnings: tuple[Warning_, ...]
    conflicts: tuple[tuple[str, str, int], ...]
    """New contradictions: severity, sentence, number of devices."""


def effect(
    call: Call,
    policy_id: int | None,
    settings: Mapping[str, Any] | None = None,
    assignments: Sequence[Mapping[str, Any]] | None = None,
    *,
    raw_payloads: Sequence[Any] | None = None,
    archived: bool = False,
) -> Effect:
    """What saving these settings, assignments and payloads would do; None for any: as they are. ``policy_id`` None: a new policy.

    An assignment is ``{"include", "exclude", "priority"}``, with ``id`` where it exists. ``archived``: what archiving
    would do. Raises InvalidError with the places of what is wrong, NotFoundError without the policy.
    """
    require(call.actor, Permission.POLICY_EDIT)
    before = load_intent(call.session)
    mine = _proposed(call, policy_id, settings, assignments, raw_payloads)
    rest = before.without(policy_id) if policy_id is not None else before
    after = rest if archived else rest.with_(mine)
    base = ground(call.session, call.now.date(), before.groups | after.groups)
    return _Sum(call, before, after, base, policy_id).told()


def _proposed(
    call: Call,
    policy_id: int | None,
    settings: Mapping[str, Any] | None,
    assignments: Sequence[Mapping[str, Any]] | None,
    raw_payloads: Sequence[Any] | None,
) -> list[Scoped]:
    """The policy's assignments as they would be, with its settings as they would be."""
    policy = call.session.get(Policy, policy_id) if policy_id is not None else None
    if policy_id is not None and policy is None:
        raise missing()
    current = _current(call, policy) if policy else None
    former: Mapping[str, Any] = current.settings if current else {}
    values, kept = _checked(call, settings, former, raw_payloads, current)
    raw = assignments if assignments is not None else _existing(call, policy_id)
    name, number = (policy.name, policy.current) if policy else ("", 0)
    number += values != former or kept != tuple(current.payloads if current else ())
    scoped = []
    for position, one in enumerate(raw):
        priority = one.get("priority", 100)
        included, excluded = assigning.checked_scope(
            call, one.get("include", ()), one.get("exclude", ()), priority, f"assignments[{position}]."
        )
        # An assignment that does not exist yet is the youngest: of policies of one rank it gives way.
        id_ = one.get("id") or 2**31 + position
        source = Source(id_, policy_id or 0, name, number, priority)
        scoped.append(Scoped(id_, tuple(included), tuple(excluded), Candidate(source, values, kept)))
    return scoped


def _checked(
    call: Call,
    settings: Mapping[str, Any] | None,
    former: Mapping[str, Any],
    raw_payloads: Sequence[Any] | None,
    current: PolicyVersion | None,
) -> tuple[Mapping[str, Any], tuple[Mapping[str, Any], ...]]:
    """Settings and payloads as they would be. Raises InvalidError with the places of what is wrong."""
    errors: dict[str, str] = {}
    values = former
    if settings is not None:
        checked = catalogue.check(catalogue.keep_secrets(settings, former), call.actor.language)
        values, errors = checked.settings, dict(checked.errors)
    as_is = current.payloads if current else []
    kept = payloads.checked(raw_payloads, errors) if raw_payloads is not None else as_is
    if errors:
        raise InvalidError(
            N_(
                "Values of this policy that are not right: %(count)s. With the right ones you see what the policy would do."
            ),
            fields=errors,
            count=len(errors),
        )
    return values, tuple(kept)


def _current(call: Call, policy: Policy) -> PolicyVersion | None:
    return call.session.scalar(
        select(PolicyVersion).where(PolicyVersion.policy_id == policy.id, PolicyVersion.number == policy.current)
    )


def _existing(call: Call, policy_id: int | None) -> list[dict[str, Any]]:
    rows = call.session.scalars(select(Assignment).where(Assignment.policy_id == policy_id).order_by(Assignment.id))
    return [{"id": row.id, "include": row.include, "exclude": row.exclude, "priority": row.priority} for row in rows]


@dataclass(frozen=True, slots=True)
class _Change:
    """What happens to every device of one platform and level that goes from one set of assignments to another."""

    was: Mapping[str, Any]
    now: Mapping[str, Any]
    keys: tuple[str, ...]
    payloads_differ: bool
    clashes: tuple[tuple[str, str], ...]
    """New contradictions: severity and sentence."""


class _Sum:
    """Adds placements up. Every pair of assignment sets is resolved once, however many placements have it."""

    def __init__(self, call: Call, before: Intent, after: Intent, base: Ground, policy_id: int | None) -> None:
        self.call, self.before, self.after, self.base = call, before, after, base
        self.mine = {
            id_
            for intent in (before, after)
            for id_, one in intent.scoped.items()
            if one.candidate.source.policy_id == (policy_id or 0)
        }
        self.changes: dict[tuple[str, str, tuple[int, ...], tuple[int, ...]], _Change] = {}
        self.new: dict[tuple[str, str], int] = {}
        self.reached = [0, 0]
        self.payload_devices = 0
        self.steps: list[Step] = []

    def told(self) -> Effect:
        """The effect in words."""
        for tally in tallies(self.call.session, self.base):
            self._add(tally)
        language = self.call.actor.language
        keys: dict[str, KeyEffect] = {}
        totals = {"gain": 0, "change": 0, "lose": 0}
        for step in self.steps:
            happened = set() if step.keys else {"change"}
            for key in step.keys:
                one = keys.setdefault(key, KeyEffect(key, catalogue.label(key, language)))
                what = "gain" if key not in step.before else "lose" if key not in step.after else "change"
                happened.add(what)
                setattr(one, what, getattr(one, what) + step.tally.count)
                pair = tuple(catalogue.show(key, side.get(key), language) for side in (step.before, step.after))
                one.values[pair[0], pair[1]] = one.values.get((pair[0], pair[1]), 0) + step.tally.count
            for what in happened:
                totals[what] += step.tally.count
        devices = sum(step.tally.count for step in self.steps)
        listed = self._listed()
        return Effect(
            devices=devices,
            **totals,
            keys=tuple(keys[key] for key in catalogue.known() if key in keys),
            listed=tuple(listed),
            more=devices - len(listed),
            reached_before=self.reached[0],
            reached_after=self.reached[1],
            payload_devices=self.payload_devices,
            warnings=tuple(warnings_of(self.call, self.steps, self.base, private=self._private())),
            conflicts=tuple((severity, text, count) for (severity, text), count in self.new.items()),
        )

    def _add(self, tally: Tally) -> None:
        sets = [intent.matching(tally.placement) for intent in (self.before, self.after)]
        touched = [bool(self.mine.intersection(one)) for one in sets]
        for side in (0, 1):
            self.reached[side] += tally.count * touched[side]
        if not any(touched):
            return
        change = self._change(tally, sets[0], sets[1])
        self.payload_devices += tally.count * change.payloads_differ
        if change.keys or change.payloads_differ:
            self.steps.append(Step(tally, change.was, change.now, change.keys))
        for told in change.clashes:
            self.new[told] = self.new.get(told, 0) + tally.count

    def _change(self, tally: Tally, before: tuple[int, ...], after: tuple[int, ...]) -> _Change:
        key = tally.placement.platform, tally.level, before, after
        if key not in self.changes:
            old, new = self._resolved(0, tally, before), self._resolved(1, tally, after)
            was, now = old.settings, new.settings
            known = {(one.code, one.keys, one.items) for one in conflicts(old)}
            self.changes[key] = _Change(
                was,
                now,
                tuple(key for key in catalogue.known() if was.get(key) != now.get(key)),
                old.payloads != new.payloads,
                tuple(
                    (one.severity, one.say(self.call.actor.language))
                    for one in conflicts(new)
                    if (one.code, one.keys, one.items) not in known
                ),
            )
        return self.changes[key]

    def _resolved(self, side: int, tally: Tally, assignments: tuple[int, ...]) -> Resolved:
        intent = self.after if side else self.before
        return intent.resolved(tally.placement.platform, level_version(tally.level), assignments)

    def _private(self) -> int:
        private = Ownership.PRIVATE.value
        return sum(step.tally.count for step in self.steps if step.tally.placement.ownership == private)

    def _listed(self) -> list[AffectedDevice]:
        """The first devices that the actor may see, one placement after the other, the largest first."""
        found: list[AffectedDevice] = []
        for step in sorted(
            self.steps, key=lambda one: (-one.tally.count, repr(one.tally.row), one.tally.device_id or 0)
        ):
            if len(found) >= MAX_DEVICES:
                break
            query = inventory.devices_select(self.call).where(in_use())
            if step.tally.device_id is not None:
                query = query.where(Device.id == step.tally.device_id)
            else:
                for column, value in zip(COLUMNS, step.tally.row, strict=True):
                    query = query.where(column.is_(None) if value is None else column == value)
                if self.base.groups:
                    query = query.where(in_no_group(self.base.groups))
            query = query.order_by(Device.name, Device.id).limit(MAX_DEVICES - len(found))
            found += [AffectedDevice(one.id, one.uid, one.label, step.keys) for one in self.call.session.scalars(query)]
        return found
