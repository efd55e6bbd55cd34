"""Adds policies up to one desired state: value, winner, losers and reason for every key. Pure, whatever the order.

The candidates are the policies whose assignments match a device. They are ranked by priority, then by the age of the
assignment; a policy that is assigned twice counts once, at its better rank. What the platform does not know, or not in
this version, or only under supervision, is left out and listed with the reason. Contradictions are listed too: they never
stop a device from getting the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mdm.policies.catalogue import known
from mdm.policies.catalogue.keys import Setting, Support, Version
from mdm.policies.merge import KEPT, Contribution, Merged, Why, for_platform, merge


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: an assignment of a version of a policy."""

    assignment_id: int
    policy_id: int
    policy: str
    version: int
    priority: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy whose assignment matches."""

    source: Source
    settings: Mapping[str, Any]
    payloads: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Other:
    """A policy that also says something for a key: what, and why it is not the winner."""

    source: Source
    value: Any
    why: Why


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes out for one key. ``also`` are those whose word is in the value, ``losers`` those whose word is not."""

    key: str
    value: Any
    winner: Source
    also: tuple[Other, ...] = ()
    losers: tuple[Other, ...] = ()
    clash: str = ""

    @property
    def sources(self) -> tuple[Source, ...]:
        """Everybody who says something for the key, the winner first."""
        return (self.winner, *(other.source for other in (*self.also, *self.losers)))


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A setting that this platform cannot have: ``reason`` is platform, version (from ``min`` on) or supervised."""

    key: str
    source: Source
    reason: str
    min: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The sum. ``outcomes`` is in the order of the catalogue."""

    outcomes: Mapping[str, Outcome]
    unsupported: tuple[Unsupported, ...] = ()
    payloads: tuple[Mapping[str, Any], ...] = ()

    @property
    def settings(self) -> dict[str, Any]:
        """The values alone, secrets included."""
        return {key: outcome.value for key, outcome in self.outcomes.items()}


def resolve(
    candidates: Iterable[Candidate],
    *,
    platform: str,
    os_version: Version = (),
    supervised: bool = False,
    catalogue: Mapping[str, Setting] | None = None,
) -> Resolved:
    """The sum of the candidates for a platform. An ``os_version`` of () is unknown and takes nothing away."""
    settings = known() if catalogue is None else catalogue
    ranked = _ranked(candidates)
    outcomes: dict[str, Outcome] = {}
    unsupported: list[Unsupported] = []
    for key, setting in settings.items():
        given = [candidate for candidate in ranked if key in candidate.settings]
        if not given:
            continue
        refusal = _refusal(setting.platforms.get(platform), os_version, supervised)
        if refusal is not None:
            reason, least = refusal
            unsupported.extend(Unsupported(key, candidate.source, reason, least) for candidate in given)
            continue
        outcome = _outcome(setting, given, platform)
        if outcome is not None:
            outcomes[key] = outcome
    return Resolved(outcomes, tuple(unsupported), _payloads(ranked, platform))


def _ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """In the order of rank, each policy once."""
    ordered = sorted(candidates, key=lambda one: (one.source.priority, one.source.assignment_id))
    once: dict[int, Candidate] = {}
    for candidate in ordered:
        once.setdefault(candidate.source.policy_id, candidate)
    return list(once.values())


def _refusal(support: Support | None, version: Version, supervised: bool) -> tuple[str, str] | None:
    if support is None:
        return "platform", ""
    if version and version < support.min:
        return "version", ".".join(map(str, support.min))
    if support.supervised and not supervised:
        return "supervised", ""
    return None


def _outcome(setting: Setting, given: Sequence[Candidate], platform: str) -> Outcome | None:
    """The outcome of one key; None when nothing of what is said is for this platform."""
    pairs = [(one.source, for_platform(setting, one.settings[setting.key], platform)) for one in given]
    pairs = [(source, value) for source, value in pairs if value != []]
    if not pairs:
        return None
    merged: Merged = merge(setting, [Contribution(source.priority, value) for source, value in pairs])
    others = [Other(source, value, merged.why[n]) for n, (source, value) in enumerate(pairs) if n != merged.winner]
    return Outcome(
        key=setting.key,
        value=merged.value,
        winner=pairs[merged.winner][0],
        also=tuple(other for other in others if other.why.reason in KEPT),
        losers=tuple(other for other in others if other.why.reason not in KEPT),
        clash=merged.clash,
    )


def _payloads(ranked: Iterable[Candidate], platform: str) -> tuple[Mapping[str, Any], ...]:
    """Raw payloads for the platform; of two with the same name the one of the lower rank counts."""
    by_name: dict[str, Mapping[str, Any]] = {}
    for candidate in ranked:
        for payload in candidate.payloads:
            if payload["platform"] == platform:
                by_name.setdefault(payload["name"], payload)
    return tuple(by_name.values())
