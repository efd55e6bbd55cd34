"""Settings & why: for one device, every setting with its value, its state on the device, its winner and its losers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from mdm.core.actor import require
from mdm.core.permissions import Permission
from mdm.inventory.model import Device, FactSection
from mdm.platforms.service import INTERPRETERS
from mdm.policies import catalogue, explanation, targets
from mdm.policies.model import Assignment, Cohort, PolicyVersion
from mdm.policies.wording import say
from mdm.storage.call import Call

WORST = ("failed", "unsupported", "pending", "staged", "applied")
"""States of resources, the worst first: a setting is only as good as its worst resource."""


@dataclass(frozen=True, slots=True)
class PolicyRef:
    """A policy that says something for a key: which version, since when, and by which assignment it is for the device."""

    policy_id: int
    name: str
    version: int
    since: datetime | None
    assigned_by: tuple[str, ...]
    assigned_since: datetime | None
    priority: int
    value: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SettingWhy:
    """One setting of one device. ``state`` is applied, failed, pending, unsupported, staged, checked or unknown."""

    key: str
    label: str
    value: str
    raw: Any
    state: str
    state_text: str
    detail: str
    winner: PolicyRef
    also: tuple[PolicyRef, ...]
    losers: tuple[PolicyRef, ...]


@dataclass(frozen=True, slots=True)
class NotHere:
    """A setting that a policy gives and this device cannot have, with the reason in words."""

    key: str
    label: str
    reason: str
    policy_id: int
    policy: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Settings of this device that contradict each other, in words."""

    code: str
    severity: str
    text: str
    keys: tuple[str, ...]
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """Everything that a device page shows under "Settings & why". ``prepared_at`` None: not computed yet."""

    settings: tuple[SettingWhy, ...] = ()
    not_here: tuple[NotHere, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    prepared_at: datetime | None = None
    desired_digest: str = "-"
    applied: bool = False


@dataclass(frozen=True, slots=True)
class _Known:
    """What the page needs besides the cohort, read at once."""

    versions: Mapping[tuple[int, int], datetime]
    assignments: Mapping[int, Assignment]
    words: Mapping[int, tuple[str, ...]]
    language: str


def explain(call: Call, device: Device) -> Explained:
    """The settings of a device with value, state, winner, losers and reasons; empty while it is in no cohort.

    Raises DeniedError where the actor may not see the device.
    """
    require(call.actor, Permission.DEVICE_VIEW, device.where)
    cohort = call.session.get(Cohort, device.cohort_id) if device.cohort_id is not None else None
    if cohort is None:
        return Explained()
    language = call.actor.language
    why: Mapping[str, Any] = cohort.explanation
    known = _known(call, why)
    states = _states(call, device, cohort)
    return Explained(
        settings=tuple(
            _setting(key, cohort, why, known, states) for key in catalogue.known() if key in cohort.settings
        ),
        not_here=tuple(
            NotHere(
                one["key"],
                catalogue.label(one["key"], language),
                explanation.reason(one, language),
                one["policy"],
                one["name"],
            )
            for one in why.get("unsupported", [])
        ),
        contradictions=tuple(_contradiction(one, language) for one in why.get("conflicts", [])),
        prepared_at=cohort.computed_at,
        desired_digest=cohort.desired_digest,
        applied=cohort.desired_digest != "-" and device.applied_digest == cohort.desired_digest,
    )


def _contradiction(one: Mapping[str, Any], language: str) -> Contradiction:
    policies = dict.fromkeys(source["name"] for source in one["sources"])
    text = explanation.conflict(one, language)
    return Contradiction(one["code"], one["severity"], text, tuple(one["keys"]), tuple(policies))


def _setting(
    key: str, cohort: Cohort, why: Mapping[str, Any], known: _Known, states: Mapping[str, tuple[str, str]]
) -> SettingWhy:
    entry = why["keys"][key]
    value = cohort.settings[key]
    state, detail = states.get(key, ("unknown", ""))
    return SettingWhy(
        key=key,
        label=catalogue.label(key, known.language),
        value=catalogue.show(key, value, known.language),
        raw=value,
        state=state,
        state_text=say("state", state, known.language),
        detail=detail,
        winner=_ref(key, {**entry["winner"], "value": value}, known),
        also=tuple(_ref(key, other, known) for other in entry["also"]),
        losers=tuple(_ref(key, other, known) for other in entry["losers"]),
    )


def _ref(key: str, source: Mapping[str, Any], known: _Known) -> PolicyRef:
    assignment = known.assignments.get(source["assignment"])
    return PolicyRef(
        policy_id=source["policy"],
        name=source["name"],
        version=source["version"],
        since=known.versions.get((source["policy"], source["version"])),
        assigned_by=known.words.get(source["assignment"], ()),
        assigned_since=assignment.created_at if assignment else None,
        priority=source["priority"],
        value=catalogue.show(key, source["value"], known.language),
        reason=explanation.reason(source, known.language) if "reason" in source else "",
    )


def _known(call: Call, why: Mapping[str, Any]) -> _Known:
    sources = [
        source
        for entry in why.get("keys", {}).values()
        for source in (entry["winner"], *entry["also"], *entry["losers"])
    ]
    policies = {source["policy"] for source in sources}
    rows = call.session.execute(
        select(PolicyVersion.policy_id, PolicyVersion.number, PolicyVersion.created_at).where(
            PolicyVersion.policy_id.in_(policies)
        )
    )
    versions = {(row.policy_id, row.number): row.created_at for row in rows}
    ids = {source["assignment"] for source in sources}
    assignments = {one.id: one for one in call.session.scalars(select(Assignment).where(Assignment.id.in_(ids)))}
    words = {id_: tuple(targets.written(call.session, one.include)) for id_, one in assignments.items()}
    return _Known(versions, assignments, words, call.actor.language)


def _states(call: Call, device: Device, cohort: Cohort) -> dict[str, tuple[str, str]]:
    """State and detail of every key, from what the device last said of the resources that realise it.

    What it said of another desired state counts as on its way. A key without a resource of its own (something that is
    allowed anyway) is applied when everything is.
    """
    section = call.session.get(FactSection, (device.id, "desired"))
    said: Mapping[str, Any] = section.content if section else {}
    current = said.get("digest") == cohort.desired_digest
    resources: Sequence[Mapping[str, Any]] = cohort.desired.get("resources", [])
    reported = said.get("resources")
    by_id: Mapping[str, Any] = reported if isinstance(reported, dict) and current else {}
    silent = "pending" if device.enrolled_at is not None else "unknown"
    rest = "applied" if device.applied_digest == cohort.desired_digest != "-" else silent
    found: dict[str, tuple[str, str]] = {}
    for key in cohort.settings:
        mine = [_said(by_id.get(resource["id"]), silent) for resource in resources if key in resource["keys"]]
        if _only_checked(key, cohort.platform):
            found[key] = ("checked", "")
        else:
            found[key] = min(mine, key=lambda one: WORST.index(one[0]), default=(rest, ""))
    return found if silent == "pending" else dict.fromkeys(found, ("unknown", ""))


def _said(entry: Any, silent: str) -> tuple[str, str]:
    state = entry.get("state") if isinstance(entry, dict) else None
    if state not in WORST:
        return (silent if silent in WORST else "pending"), ""
    detail = entry.get("detail")
    return state, detail if isinstance(detail, str) else ""


def _only_checked(key: str, platform: str) -> bool:
    setting = catalogue.find(key)
    support = setting.platforms.get(platform) if setting else None
    interpreter = INTERPRETERS.get(platform)
    return bool(support and support.checked and not (interpreter and interpreter.supports(key)))
