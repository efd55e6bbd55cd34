"""What people decide about compliance: which rules are in force, and which device need not meet one until a date."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from mdm.audit import queries as diary
from mdm.audit import service as audit
from mdm.compliance import rules, service
from mdm.compliance.model import Exemption, Finding, RuleInForce
from mdm.core.actor import require
from mdm.core.clock import iso
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.risk import Risk, gate
from mdm.core.text import clean
from mdm.inventory import queries as inventory
from mdm.inventory.model import Device
from mdm.outbox import service as outbox
from mdm.storage.call import Call

MAX_RULES = 100
LONGEST = timedelta(days=366)
REMIND = timedelta(days=7)
HOUR = timedelta(hours=1)
ADDED = "compliance_rule.added"


def add_rule(
    call: Call,
    rule_id: str,
    *,
    platform: str = "",
    params: Mapping[str, object] | None = None,
    grace_hours: int | None = None,
) -> RuleInForce:
    """Puts a rule in force, for one platform or (``""``) for all; devices are judged anew by the worker.

    Raises NotFoundError for an unknown rule, InvalidError for wrong parameters.
    """
    require(call.actor, Permission.COMPLIANCE_MANAGE)
    found = rules.rule(rule_id)
    if (call.session.scalar(select(func.count()).select_from(RuleInForce)) or 0) >= MAX_RULES:
        raise ConflictError(N_("There are a hundred rules in force. Nothing was added; remove one first."))
    row = RuleInForce(
        rule=found.id,
        platform=_platform(found, platform),
        params=rules.checked(found, params or {}),
        grace_hours=_grace(found.grace_hours if grace_hours is None else grace_hours),
        created_at=call.now,
    )
    call.session.add(row)
    call.session.flush()
    _record(call, ADDED, row, _plain(row))
    service.look_again(call)
    return row


def edit_rule(
    call: Call,
    number: int,
    *,
    params: Mapping[str, object] | None = None,
    grace_hours: int | None = None,
    enabled: bool | None = None,
) -> RuleInForce:
    """Changes a rule in force; what is None stays. Saving what is there already changes nothing.

    Raises as ``add_rule``, ApprovalNeededError for what weakens a rule for many devices.
    """
    require(call.actor, Permission.COMPLIANCE_MANAGE)
    row = _rule(call, number)
    before = _plain(row)
    after = dict(before)
    if params is not None:
        after["params"] = rules.checked(rules.rule(row.rule), params)
    if grace_hours is not None:
        after["grace_hours"] = _grace(grace_hours)
    if enabled is not None:
        after["enabled"] = enabled
    if after != before:
        if _weaker(before, after):
            _gate(call, row, {"change": "edit", "before": before, "after": after})
        row.params, row.grace_hours, row.enabled = after["params"], after["grace_hours"], after["enabled"]
        _record(call, "compliance_rule.edited", row, {"before": before, "after": after})
        service.look_again(call)
    return row


def remove_rule(call: Call, number: int) -> None:
    """Takes a rule out of force, with its findings and exemptions. Raises ApprovalNeededError where it is for many."""
    require(call.actor, Permission.COMPLIANCE_MANAGE)
    row = _rule(call, number)
    if row.enabled:
        _gate(call, row, {"change": "remove", "before": _plain(row)})
    _record(call, "compliance_rule.removed", row, _plain(row))
    call.session.delete(row)
    service.look_again(call)


def install_defaults(call: Call) -> int:
    """Puts every rule in force with its defaults where none has ever been: how many were added."""
    require(call.actor, Permission.COMPLIANCE_MANAGE)
    if call.session.scalar(select(RuleInForce.id).limit(1)) is not None:
        return 0
    for rule in rules.RULES.values():
        add_rule(call, rule.id)
    return len(rules.RULES)


def new_rules(call: Call) -> list[rules.Rule]:
    """Rules that came with a later version and were never in force here; one that was taken out is none of them."""
    require(call.actor, Permission.COMPLIANCE_MANAGE)
    known = set(call.session.scalars(select(RuleInForce.rule))) | diary.names_ever(call.session, ADDED)
    return [rule for rule in rules.RULES.values() if rule.id not in known]


def add_new_rules(call: Call) -> list[rules.Rule]:
    """Puts every new rule in force with its defaults: those that were added. Twice is like once. Raises as ``add_rule``."""
    found = new_rules(call)
    for rule in found:
        add_rule(call, rule.id)
    return found


def exempt(call: Call, uid: str, rule_number: int, *, owner: str, reason: str, until: datetime) -> Exemption:
    """Excuses a device from one rule until a moment, at most a year away; ``owner`` answers for it.

    Raises InvalidError where owner, reason or end is missing, ConflictError when it is excused already,
    ApprovalNeededError above twenty by one person within an hour.
    """
    device = inventory.device_by_uid(call, uid)
    require(call.actor, Permission.COMPLIANCE_EXEMPT, device.where)
    rule = _rule(call, rule_number)
    wrong = {}
    owner, reason = clean(owner, 255), clean(reason, 2000, lines=True)
    if not owner:
        wrong["owner"] = N_("Say who answers for it.")
    if not reason:
        wrong["reason"] = N_("Say why.")
    if not call.now < until <= call.now + LONGEST:
        wrong["until"] = N_("Choose a date from tomorrow on, at most a year away.")
    if wrong:
        raise InvalidError(N_("The exemption was not saved: correct the fields that are marked."), fields=wrong)
    if _running(call, device.id, rule.id) is not None:
        raise ConflictError(
            N_("This device is excused from this rule already. Nothing was changed; end that one first.")
        )
    _gate_exemption(call, device, {"rule": rule.id, "owner": owner, "reason": reason, "until": iso(until)})
    row = Exemption(
        device_id=device.id,
        rule_id=rule.id,
        owner=owner,
        reason=reason,
        until=until,
        granted_by=call.actor.name,
        granted_at=call.now,
    )
    call.session.add(row)
    call.session.flush()
    details = {"exemption": row.id, "rule": rule.rule, "owner": owner, "reason": reason, "until": iso(until)}
    _record_device(call, "exemption.granted", device, details)
    outbox.post(call, "device.judge", {"device": device.id})
    return row


def end_exemption(call: Call, number: int) -> None:
    """Ends an exemption now. One that has ended stays as it is."""
    row = call.session.get(Exemption, number)
    if row is None:
        raise NotFoundError(N_("There is no such exemption, or it is not one of yours."))
    device = inventory.device_by_uid(call, call.session.get_one(Device, row.device_id).uid)
    require(call.actor, Permission.COMPLIANCE_EXEMPT, device.where)
    if row.ended_at is None and row.until > call.now:
        row.ended_at = call.now
        _record_device(call, "exemption.ended", device, {"exemption": row.id})
        outbox.post(call, "device.judge", {"device": device.id})


def remind(call: Call) -> int:
    """Writes to the owners (where they are an e-mail address) whose exemptions end within a week: how many, once each."""
    require(call.actor, Permission.COMPLIANCE_MANAGE)
    query = (
        select(Exemption, Device, RuleInForce.rule)
        .join(Device, Device.id == Exemption.device_id)
        .join(RuleInForce, RuleInForce.id == Exemption.rule_id)
        .where(
            Exemption.ended_at.is_(None),
            Exemption.reminded_at.is_(None),
            Exemption.until > call.now,
            Exemption.until <= call.now + REMIND,
        )
    )
    reminded = 0
    for row, device, rule_id in call.session.execute(query):
        row.reminded_at = call.now
        if "@" in row.owner and rule_id in rules.RULES:
            outbox.post(call, "mail", _reminder(row, device, rules.RULES[rule_id].label))
            reminded += 1
    return reminded


def _reminder(row: Exemption, device: Device, label: str) -> dict[str, Any]:
    return {
        "to": row.owner,
        "subject": f"An exemption of {device.label} ends on {row.until:%Y-%m-%d}",
        "text": (
            f"{device.label} ({device.serial or device.uid}) is excused from \u201c{label}\u201d until "
            f"{row.until:%Y-%m-%d %H:%M} UTC, because: {row.reason}\n\n"
            "From then on the device must meet the rule. Mend it before, or ask for a new exemption.\n"
        ),
    }


def _weaker(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a change may hide findings: switched off, more grace, or other parameters, whose sense each rule has its own."""
    if not before["enabled"]:
        return False
    return not after["enabled"] or after["grace_hours"] > before["grace_hours"] or (after["params"] != before["params"])


def _gate(call: Call, row: RuleInForce, said: dict[str, Any]) -> None:
    managed = select(func.count()).select_from(Device).where(Device.enrolled_at.is_not(None))
    if row.platform:
        managed = managed.where(Device.platform == row.platform)
    facts = {"devices": call.session.scalar(managed) or 0}
    gate(call, Risk.COMPLIANCE_WEAKEN, ("compliance_rule", row.id), said, name=row.rule, facts=facts)


def _gate_exemption(call: Call, device: Device, said: dict[str, Any]) -> None:
    lately = call.session.scalar(
        select(func.count())
        .select_from(Exemption)
        .where(Exemption.granted_by == call.actor.name, Exemption.granted_at > call.now - HOUR)
    )
    facts = {"within_hour": (lately or 0) + 1}
    gate(call, Risk.EXEMPT_MANY, ("device", device.uid), said, name=device.label, where=device.where, facts=facts)


def _running(call: Call, device_id: int, rule_id: int) -> Exemption | None:
    return call.session.scalar(
        select(Exemption).where(
            Exemption.device_id == device_id,
            Exemption.rule_id == rule_id,
            Exemption.ended_at.is_(None),
            Exemption.until > call.now,
        )
    )


def _rule(call: Call, number: int) -> RuleInForce:
    row = call.session.get(RuleInForce, number)
    if row is None:
        raise NotFoundError(N_("There is no such rule in force."))
    return row


def _platform(found: rules.Rule, platform: str) -> str:
    if platform and platform not in found.platforms:
        raise InvalidError(
            N_("The rule was not saved: correct the fields that are marked."),
            fields={"platform": N_("This rule cannot be checked on this platform.")},
        )
    return platform


def _grace(hours: int) -> int:
    if not 0 <= hours <= rules.MAX_GRACE_HOURS:
        raise InvalidError(
            N_("The rule was not saved: correct the fields that are marked."),
            fields={"grace_hours": N_("Grace is from 0 to 2160 hours (90 days).")},
        )
    return hours


def _plain(row: RuleInForce) -> dict[str, Any]:
    return {
        "rule": row.rule,
        "platform": row.platform,
        "params": dict(row.params),
        "grace_hours": row.grace_hours,
        "enabled": row.enabled is not False,
    }


def _record(call: Call, action: str, row: RuleInForce, details: dict[str, Any]) -> None:
    audit.record(call, action, ("compliance_rule", row.id), name=row.rule, details=details)


def _record_device(call: Call, action: str, device: Device, details: dict[str, Any]) -> None:
    audit.record(call, action, ("device", device.uid), name=device.label, where=device.where, details=details)


def findings_left(call: Call, rule_number: int) -> int:
    """How many findings a rule in force has, everywhere: what removing it would forget."""
    require(call.actor, Permission.COMPLIANCE_MANAGE)
    query = select(func.count()).select_from(Finding).where(Finding.rule_id == rule_number)
    return call.session.scalar(query) or 0
