"""What to mind before a change is saved: applications that go, networks that are lost, codes that must be chosen anew."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from mdm.inventory.model import Application, AppSetItem, Device
from mdm.policies import catalogue
from mdm.policies.placing import COLUMNS, Ground, Step, in_use
from mdm.policies.wording import say
from mdm.storage.call import Call

TIGHTER = ("passcode.min_length", "passcode.complexity", "passcode.required")
MAX_APPS = 20


@dataclass(frozen=True, slots=True)
class Warning_:  # noqa: N801 -- "Warning" is Python's own
    """One thing to mind: a stable code, the sentence, and how many devices it is about."""

    code: str
    text: str
    devices: int


def warnings_of(call: Call, steps: Sequence[Step], base: Ground, *, private: int) -> list[Warning_]:
    """Everything to mind about these changes, the gravest first."""
    language = call.actor.language
    found = [*_removed_apps(call, steps, base), *_allow_lists(steps, language), *_networks(steps, language)]
    harder = sum(step.tally.count for step in steps if tightened(step.before, step.after))
    if harder:
        found.append(_warning("passcode", language, harder))
    if private:
        found.append(_warning("private", language, private))
    return found


def _warning(code: str, language: str, devices: int, **params: object) -> Warning_:
    return Warning_(code, say("warning", code, language, devices=devices, **params), devices)


def _removed_apps(call: Call, steps: Sequence[Step], base: Ground) -> list[Warning_]:
    """For each newly blocked application: on how many of the affected devices it is installed and will be removed."""
    gone: dict[tuple[Any, ...], frozenset[str]] = {}
    for step in steps:
        names = frozenset(step.after.get("apps.blocked", ())) - frozenset(step.before.get("apps.blocked", ()))
        if names:
            gone[(step.tally.row, step.tally.device_id)] = names
    if not gone:
        return []
    counts: dict[str, int] = {}
    for identifier, device_id, row in _installed(call, frozenset().union(*gone.values())):
        alone = device_id if device_id in base.members else None
        if identifier in gone.get((row, alone), ()):
            counts[identifier] = counts.get(identifier, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_APPS]
    return [_warning("uninstall", call.actor.language, count, app=name) for name, count in ordered]


def _installed(call: Call, names: Iterable[str]) -> Iterable[tuple[str, int, tuple[Any, ...]]]:
    """(application, device, values of ``COLUMNS``) of every device in use that has one of these applications."""
    query = (
        select(Application.identifier, Device.id, *COLUMNS)
        .join(AppSetItem, AppSetItem.application_id == Application.id)
        .join(Device, Device.app_set_id == AppSetItem.app_set_id)
        .where(Application.identifier.in_(sorted(names)), Application.platform == Device.platform, in_use())
    )
    for identifier, device_id, *row in call.session.execute(query):
        yield identifier, device_id, tuple(row)


def _allow_lists(steps: Sequence[Step], language: str) -> list[Warning_]:
    on = sum(
        step.tally.count
        for step in steps
        if step.after.get("apps.allow_only") is True and step.before.get("apps.allow_only") is not True
    )
    return [_warning("allow_only", language, on)] if on else []


def _networks(steps: Sequence[Step], language: str) -> list[Warning_]:
    """Wireless networks and tunnels that go, and other settings whose mistakes cut devices off."""
    lost: dict[tuple[str, str], int] = {}
    other: dict[str, int] = {}
    for step in steps:
        for key in step.keys:
            setting = catalogue.find(key)
            if setting is None or setting.risk != "network":
                continue
            gone = _names(setting.spec.identity, step.before.get(key)) - _names(
                setting.spec.identity, step.after.get(key)
            )
            for name in sorted(gone):
                lost[key, name] = lost.get((key, name), 0) + step.tally.count
            if not setting.spec.identity:
                other[key] = other.get(key, 0) + step.tally.count
    found = [_warning("network_lost", language, count, name=name) for (_key, name), count in lost.items()]
    found += [
        _warning("network_changed", language, count, label=catalogue.label(key, language))
        for key, count in other.items()
    ]
    return found


def _names(identity: str, records: Any) -> frozenset[str]:
    return frozenset(str(record[identity]) for record in records or ()) if identity else frozenset()


def tightened(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether somebody must choose a harder passcode after this change of settings."""
    for key in TIGHTER:
        setting = catalogue.find(key)
        if setting is None or key not in after or after[key] == before.get(key):
            continue
        if setting.spec.choices:
            if setting.spec.choice_order(after[key]) > setting.spec.choice_order(before.get(key)):
                return True
        elif after[key] > (before.get(key) or 0):
            return True
    return False
