"""What the page of one device shows from several rooms at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from mdm.compliance.model import Finding, RuleInForce
from mdm.core.permissions import Permission
from mdm.inventory import queries
from mdm.inventory.model import Device
from mdm.policies import catalogue
from mdm.policies.model import Cohort
from mdm.storage.call import Call

CHOSEN_MOST = 5000


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One setting of a device: what is wanted, which policy won and why, what the device says."""

    key: str
    label: str
    value: str
    winner: dict[str, Any] | None
    also: list[dict[str, Any]]
    losers: list[dict[str, Any]]
    state: str
    """applied, failed, pending, unsupported, staged; empty when the device has not said."""
    detail: str


@dataclass(frozen=True, slots=True)
class AppLine:
    """One application: installed or wanted, and what policies say about it."""

    application_id: int | None
    name: str
    identifier: str
    version: str
    wanted: str
    """required, allowed, blocked, extra (not on the allow-list), missing (required, not there), or empty."""


def settings_and_why(call: Call, device: Device, language: str) -> list[SettingLine]:
    """Every setting that some policy wants on this device, in the catalogue's order, with its reason."""
    cohort = call.session.get(Cohort, device.cohort_id) if device.cohort_id else None
    if cohort is None:
        return []
    facts = queries.facts_of(call.session, device.id)
    desired = facts["desired"].content if "desired" in facts else {}
    told = _told(cohort.desired, desired)
    explained = cohort.explanation.get("keys", {})
    order = {key: place for place, key in enumerate(catalogue.known())}
    lines = []
    for key in sorted(explained, key=lambda key: (order.get(key, len(order)), key)):
        why = explained[key]
        state, detail = told.get(key, ("", ""))
        lines.append(
            SettingLine(
                key,
                catalogue.label(key, language),
                catalogue.show(key, cohort.settings.get(key), language),
                why.get("winner"),
                list(why.get("also", ())),
                list(why.get("losers", ())),
                state,
                detail,
            )
        )
    return lines


def _told(document: dict[str, Any], desired: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """What the device said of the resources that realise each key; nothing of a document that it has not got yet."""
    answers = desired.get("resources", {})
    if not isinstance(answers, dict):
        return {}
    told: dict[str, tuple[str, str]] = {}
    worst = ("failed", "unsupported", "pending", "staged", "applied")
    for resource in document.get("resources", ()):
        answer = answers.get(resource.get("id"))
        if not isinstance(answer, dict):
            continue
        state = str(answer.get("state", ""))
        for key in resource.get("keys", ()):
            known = told.get(key)
            if known is None or (state in worst and worst.index(state) < worst.index(known[0])):
                told[key] = (state if state in worst else "pending", str(answer.get("detail", "")))
    return told


def applications(call: Call, device: Device, words: str = "") -> list[AppLine]:
    """What is installed and what is wanted, what needs attention first."""
    facts = queries.facts_of(call.session, device.id)
    desired = facts["desired"].content if "desired" in facts else {}
    blocked = _names(desired, "packages_blocked")
    extra = _names(desired, "packages_extra")
    missing = _names(desired, "packages_missing")
    lines = [
        AppLine(
            one.application_id,
            one.name or one.identifier,
            one.identifier,
            one.version,
            "blocked" if one.identifier in blocked else "extra" if one.identifier in extra else "",
        )
        for one in queries.applications(call, device.uid, words=words)
    ]
    lines += [AppLine(None, name, name, "", "missing") for name in sorted(missing) if words.lower() in name.lower()]
    order = ("blocked", "missing", "extra", "")
    return sorted(lines, key=lambda line: (order.index(line.wanted), line.name.lower()))


def _names(desired: dict[str, Any], key: str) -> frozenset[str]:
    found = desired.get(key)
    return frozenset(str(name) for name in found) if isinstance(found, list) else frozenset()


def rules_met(call: Call, device: Device) -> Sequence[RuleInForce]:
    """Rules in force for this device's platform about which nothing was found."""
    found = select(Finding.rule_id).where(Finding.device_id == device.id)
    query = select(RuleInForce).where(
        RuleInForce.enabled, RuleInForce.platform.in_(("", device.platform)), RuleInForce.id.not_in(found)
    )
    return call.session.scalars(query.order_by(RuleInForce.id)).all()


def uids(call: Call, ids: Sequence[int]) -> list[str]:
    """The public ids of devices that a list chose, of those that the actor may see."""
    found: list[str] = []
    for first in range(0, len(ids), 500):
        some = ids[first : first + 500]
        query = queries.devices_select(call, Permission.DEVICE_VIEW).where(Device.id.in_(some))
        found += call.session.scalars(query.with_only_columns(Device.uid).order_by(Device.name, Device.id))
    return found


def chosen(call: Call, wanted: Sequence[str]) -> list[Device]:
    """Devices that a person chose, by name, of those that the actor may see."""
    found: list[Device] = []
    unique = list(dict.fromkeys(wanted))[:CHOSEN_MOST]
    for first in range(0, len(unique), 500):
        some = unique[first : first + 500]
        found += call.session.scalars(queries.devices_select(call).where(Device.uid.in_(some)))
    return sorted(found, key=lambda device: (device.label.lower(), device.id))
