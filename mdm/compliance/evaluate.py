"""The judgement, pure: what is known of a device, the rules in force and the hour give one outcome per rule.

What is not known is unknown and never taken for good: a missing section, a null, a device that has never reported.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from mdm.compliance import rules
from mdm.core.clock import iso
from mdm.inventory.facts import done
from mdm.inventory.model import LifeCycle, Platform, Verdict

SHOWN = 20
"""Names that a finding keeps; beyond it only their number."""
IN_HANDS = frozenset({LifeCycle.HANDED_OUT.value, LifeCycle.ON_LOAN.value})
BEYOND = frozenset({LifeCycle.RETIRED.value, LifeCycle.WIPED.value})
"""Devices that nobody judges any more."""


class State(StrEnum):
    """What one rule says of one device."""

    FINDING = "finding"
    NOT_FOR_IT = "not_for_it"
    OK = "ok"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One rule's word. ``again`` is the moment at which time alone may change it, None for never."""

    state: State
    details: dict[str, Any] = field(default_factory=dict)
    again: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of a device. ``settings`` is its cohort's desired state by catalogue key."""

    platform: str
    kind: str
    state: str
    enrolled: bool
    last_seen_at: datetime | None = None
    os_name: str = ""
    os_version: str = ""
    applied_digest: str = "-"
    desired_digest: str = "-"
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    installed: frozenset[str] | None = None
    """Identifiers of its applications; None while they are not known."""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InForce:
    """One rule in force."""

    id: int
    rule: str
    platform: str
    params: Mapping[str, Any]
    grace_hours: int


OK = Outcome(State.OK)
UNKNOWN = Outcome(State.UNKNOWN)
NOT_FOR_IT = Outcome(State.NOT_FOR_IT)
Check = Callable[[Subject, Mapping[str, Any], datetime], Outcome]


def evaluate(subject: Subject, in_force: Iterable[InForce], now: datetime) -> dict[int, Outcome]:
    """The outcome of every rule in force, by its number. A device that is not enrolled or gone: no rule is for it."""
    return {rule.id: _one(subject, rule, now) for rule in in_force}


def _one(subject: Subject, in_force: InForce, now: datetime) -> Outcome:
    rule = rules.RULES.get(in_force.rule)
    if rule is None or not subject.enrolled or subject.state in BEYOND:
        return NOT_FOR_IT
    if subject.platform not in rule.platforms or in_force.platform not in ("", subject.platform):
        return NOT_FOR_IT
    params = rules.defaults(rule) | dict(in_force.params)
    if params.get("kinds") and subject.kind not in params["kinds"]:
        return NOT_FOR_IT
    return CHECKS[in_force.rule](subject, params, now)


def verdict(findings: Iterable[tuple[bool, datetime]], now: datetime, *, judged: bool) -> Verdict:
    """The device as a whole, from its findings that no exemption covers as (unknown, grace until).

    Without grace left: not compliant; else in grace; else unknown; else compliant. ``judged`` False (nothing could be
    said at all, such as before the first report): unknown.
    """
    counted = list(findings)
    known = [grace for unknown, grace in counted if not unknown]
    if any(grace <= now for grace in known):
        return Verdict.NONCOMPLIANT
    if known:
        return Verdict.IN_GRACE
    if not judged or any(unknown for unknown, _grace in counted):
        return Verdict.UNKNOWN
    return Verdict.COMPLIANT


def _yes(value: object, details: dict[str, Any] | None = None) -> Outcome:
    if value is True:
        return OK
    return Outcome(State.FINDING, details or {}) if value is False else UNKNOWN


def _fact(subject: Subject, section: str, name: str) -> Any:
    return subject.facts.get(section, {}).get(name)


def _names(found: Iterable[object]) -> dict[str, Any]:
    names = sorted({str(name) for name in found})
    return {"names": names[:SHOWN], "count": len(names)}


def _os_minimum(subject: Subject, params: Mapping[str, Any], _now: datetime) -> Outcome:
    name, has = (subject.os_name or subject.platform).casefold(), rules.version(subject.os_version)
    if not subject.os_version or has is None:
        return UNKNOWN
    for system, least in rules.versions(params["minimum"]).items():
        if name.startswith(system):
            if has >= least:
                return OK
            minimum = ".".join(str(number) for number in least)
            return Outcome(
                State.FINDING,
                {"os": subject.os_name or subject.platform, "version": subject.os_version, "minimum": minimum},
            )
    return Outcome(State.FINDING, {"os": subject.os_name, "version": subject.os_version, "minimum": params["minimum"]})


def _encryption(subject: Subject, _params: Mapping[str, Any], _now: datetime) -> Outcome:
    return _yes(_fact(subject, "encryption", "root_encrypted"))


def _screen_lock(subject: Subject, params: Mapping[str, Any], _now: datetime) -> Outcome:
    enabled, seconds = _fact(subject, "screenlock", "enabled"), _fact(subject, "screenlock", "timeout_seconds")
    if (
        seconds is None
        and subject.platform == Platform.IOS
        and _fact(subject, "screenlock", "compliant_with_profiles") is True
    ):
        # An iPhone never tells the time (AutoLockTime is for shared iPads alone); it does tell that it keeps to what was set.
        seconds = subject.settings.get("screen_lock.timeout")
    details = {"minutes": params["minutes"], "seconds": seconds}
    if enabled is False:
        return Outcome(State.FINDING, details)
    if enabled is not True or isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return UNKNOWN
    return OK if seconds <= params["minutes"] * 60 else Outcome(State.FINDING, details)


def _wanted(subject: Subject, key: str) -> list[str]:
    """The patterns of an application setting that count on this platform, without their platform's prefix."""
    value = subject.settings.get(key)
    kept = []
    for entry in value if isinstance(value, list) else []:
        prefix, colon, name = str(entry).partition(":")
        if not colon:
            kept.append(prefix)
        elif prefix == subject.platform:
            kept.append(name)
    return kept


def _apps_allowed(subject: Subject, _params: Mapping[str, Any], _now: datetime) -> Outcome:
    if subject.settings.get("apps.allow_only") is not True:
        return OK
    extra = _fact(subject, "desired", "packages_extra")
    if not isinstance(extra, list):
        return UNKNOWN
    return Outcome(State.FINDING, _names(extra)) if extra else OK


def _apps_blocked(subject: Subject, _params: Mapping[str, Any], _now: datetime) -> Outcome:
    blocked = _wanted(subject, "apps.blocked")
    if not blocked:
        return OK
    if subject.installed is None:
        return UNKNOWN
    found = {name for name in subject.installed if any(fnmatchcase(name, pattern) for pattern in blocked)}
    return Outcome(State.FINDING, _names(found)) if found else OK


def _apps_required(subject: Subject, _params: Mapping[str, Any], _now: datetime) -> Outcome:
    required = set(_wanted(subject, "apps.required"))
    if not required:
        return OK
    if subject.installed is None:
        return UNKNOWN
    missing = required - subject.installed
    return Outcome(State.FINDING, _names(missing)) if missing else OK


def _last_seen(subject: Subject, params: Mapping[str, Any], now: datetime) -> Outcome:
    if subject.state not in IN_HANDS:
        return NOT_FOR_IT
    if subject.last_seen_at is None:
        return UNKNOWN
    silent_at = subject.last_seen_at + timedelta(days=params["days"])
    if now < silent_at:
        return Outcome(State.OK, again=silent_at)
    # The day is enough to find it again, and more would say when somebody was awake.
    return Outcome(State.FINDING, {"seen": subject.last_seen_at.date().isoformat(), "days": params["days"]})


def _agent_untouched(subject: Subject, _params: Mapping[str, Any], _now: datetime) -> Outcome:
    tampered = _fact(subject, "agent", "tampered")
    if not isinstance(tampered, list):
        return UNKNOWN
    return Outcome(State.FINDING, _names(tampered)) if tampered else OK


def _desired_applied(subject: Subject, _params: Mapping[str, Any], _now: datetime) -> Outcome:
    if subject.desired_digest == "-" or subject.applied_digest == subject.desired_digest:
        return OK
    resources = _fact(subject, "desired", "resources")
    behind: list[str] = []
    if isinstance(resources, Mapping):
        behind = [
            str(name)
            for name, said in resources.items()
            if not isinstance(said, Mapping) or said.get("state") not in done(subject.platform)
        ]
    return Outcome(State.FINDING, _names(behind) | {"wanted": subject.desired_digest, "has": subject.applied_digest})


def _security_updates(subject: Subject, params: Mapping[str, Any], now: datetime) -> Outcome:
    pending = _fact(subject, "patch", "pending_security")
    if isinstance(pending, bool) or not isinstance(pending, int):
        return UNKNOWN
    if pending <= 0:
        return OK
    said = _fact(subject, "patch", "last_update")
    try:
        last = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        last = None
    if last is None or last.tzinfo is None:
        return UNKNOWN
    late_at = min(last, now) + timedelta(days=params["days"])
    if now < late_at:
        return Outcome(State.OK, again=late_at)
    return Outcome(State.FINDING, {"pending": pending, "last_update": iso(last), "days": params["days"]})


def _firewall(subject: Subject, _params: Mapping[str, Any], _now: datetime) -> Outcome:
    return _yes(_fact(subject, "firewall", "active"))


def _printer(subject: Subject) -> Mapping[str, Any] | None:
    """What a kiosk says of its printer; None for a device that has none."""
    said = _fact(subject, "kiosk", "printer")
    return said if isinstance(said, Mapping) else None


def _kiosk_browser(subject: Subject, _params: Mapping[str, Any], _now: datetime) -> Outcome:
    # An agent that works on a folder has no session that it could ask for.
    if "kiosk" not in subject.facts or _fact(subject, "agent", "root") not in (None, "/"):
        return NOT_FOR_IT
    state = _fact(subject, "kiosk", "browser")
    if not isinstance(state, str):
        return UNKNOWN
    given_up = _fact(subject, "kiosk", "gave_up_at")
    if state in ("silent", "stopped") and isinstance(given_up, str):
        return Outcome(State.FINDING, {"state": state, "gave_up_at": given_up})
    return OK


def _kiosk_paper(subject: Subject, _params: Mapping[str, Any], _now: datetime) -> Outcome:
    printer = _printer(subject)
    if printer is None:
        return NOT_FOR_IT
    paper = printer.get("paper")
    return Outcome(State.FINDING) if paper == "empty" else OK if paper in ("ok", "low") else UNKNOWN


def _kiosk_printer(subject: Subject, _params: Mapping[str, Any], _now: datetime) -> Outcome:
    printer = _printer(subject)
    if printer is None:
        return NOT_FOR_IT
    state, reasons = printer.get("state"), printer.get("reasons")
    if state in ("idle", "processing"):
        return OK
    if state not in ("stopped", "unreachable"):
        return UNKNOWN
    named = ", ".join(str(one) for one in reasons[:3]) if isinstance(reasons, list) else ""
    return Outcome(State.FINDING, {"state": state, "problem": named or str(state)})


def _kiosk_warmth(subject: Subject, params: Mapping[str, Any], _now: datetime) -> Outcome:
    if "kiosk" not in subject.facts:
        return NOT_FOR_IT
    degrees = _fact(subject, "kiosk", "temperature_c")
    if isinstance(degrees, bool) or not isinstance(degrees, int | float):
        # Many small machines measure nothing: that is no fault of theirs.
        return NOT_FOR_IT
    limit = params["degrees"]
    return OK if degrees < limit else Outcome(State.FINDING, {"degrees": degrees, "limit": limit})


def _disk_room(subject: Subject, params: Mapping[str, Any], _now: datetime) -> Outcome:
    filesystems = _fact(subject, "disks", "filesystems")
    if not isinstance(filesystems, list):
        return UNKNOWN
    full, known = [], False
    for one in filesystems:
        size, free = (one.get("size_mb"), one.get("free_mb")) if isinstance(one, Mapping) else (None, None)
        if isinstance(size, int) and isinstance(free, int) and size > 0:
            known = True
            if free * 100 < size * params["percent"]:
                full.append(one.get("mount"))
    if full:
        return Outcome(State.FINDING, _names(full) | {"percent": params["percent"]})
    return OK if known else UNKNOWN


CHECKS: dict[str, Check] = {
    "agent_untouched": _agent_untouched,
    "apps_allowed": _apps_allowed,
    "apps_blocked": _apps_blocked,
    "apps_required": _apps_required,
    "desired_applied": _desired_applied,
    "disk_room": _disk_room,
    "encryption": _encryption,
    "firewall": _firewall,
    "kiosk_browser": _kiosk_browser,
    "kiosk_paper": _kiosk_paper,
    "kiosk_printer": _kiosk_printer,
    "kiosk_warmth": _kiosk_warmth,
    "last_seen": _last_seen,
    "os_minimum": _os_minimum,
    "screen_lock": _screen_lock,
    "security_updates": _security_updates,
}
"""What each rule of ``rules.RULES`` checks; every rule is here and nothing else."""
