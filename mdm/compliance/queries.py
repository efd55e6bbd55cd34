"""Reads of compliance. Each gives only what lies in the actor's scope of ``compliance:view``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, select

from mdm.compliance import rules
from mdm.compliance.evaluate import BEYOND
from mdm.compliance.model import Exemption, Finding, RuleInForce, VerdictChange
from mdm.core.actor import require
from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.inventory.model import Device, Verdict
from mdm.storage.call import Call
from mdm.storage.scoping import within


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One finding of one device. ``label`` and ``mend`` are sentences for the catalogues; ``mend`` is filled by
    ``params``. ``standing``: ``overdue``, ``in_grace``, ``unknown`` or ``exempt`` (then ``exempt_until`` says how long)."""

    rule_number: int
    rule: str
    label: str
    mend: str
    params: Mapping[str, Any]
    standing: str
    since: datetime
    grace_until: datetime
    exempt_until: datetime | None
    details: Mapping[str, Any]

    @property
    def mend_text(self) -> str:
        """How to mend it, in English."""
        return self.mend % self.params


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule in force, and how many of the actor's devices stand how with it."""

    row: RuleInForce
    rule: rules.Rule
    overdue: int
    in_grace: int
    unknown: int
    exempt: int
    met: int
    """Devices that the rule was judged for and that are in none of the others; 0 for a rule that is switched off."""


@dataclass(frozen=True, slots=True)
class ExemptionLine:
    """One exemption with its device and its rule."""

    row: Exemption
    device: Device
    rule: str
    label: str
    active: bool


def findings(call: Call, uid: str) -> list[FindingLine]:
    """What is wrong or unknown with a device, the worst first; NotFoundError when it is not the actor's."""
    device = _device(call, uid)
    query = (
        select(Finding, RuleInForce, _exempt_until(call.now))
        .join(RuleInForce, RuleInForce.id == Finding.rule_id)
        .where(Finding.device_id == device.id)
    )
    lines = [
        _line(call, finding, row, until)
        for finding, row, until in call.session.execute(query)
        if row.rule in rules.RULES
    ]
    order = ("overdue", "in_grace", "unknown", "exempt")
    return sorted(lines, key=lambda line: (order.index(line.standing), line.since, line.rule))


def rule_lines(call: Call) -> list[RuleLine]:
    """Every rule in force, also those switched off, with counts of the actor's devices."""
    require_somewhere(call)
    counts = {row[0]: row[1:] for row in call.session.execute(_counted(call).group_by(Finding.rule_id))}
    judged = _judged(call)
    lines = []
    for row in call.session.scalars(select(RuleInForce).order_by(RuleInForce.id)):
        if row.rule in rules.RULES:
            rule = rules.RULES[row.rule]
            standing = [int(number or 0) for number in counts.get(row.id, (0, 0, 0, 0))]
            total = _judged_by(row, rule, judged) if row.enabled else 0
            overdue, in_grace, unknown, exempt = standing
            met = max(0, total - sum(standing))
            lines.append(RuleLine(row, rule, overdue, in_grace, unknown, exempt, met))
    return lines


def _judged(call: Call) -> dict[tuple[str, str], int]:
    """How many of the actor's devices are judged at all, by platform and kind."""
    query = (
        select(Device.platform, Device.kind, func.count())
        .where(_seen(call), Device.enrolled_at.is_not(None), Device.state.not_in(BEYOND))
        .group_by(Device.platform, Device.kind)
    )
    return {(row[0], row[1]): row[2] for row in call.session.execute(query)}


def _judged_by(row: RuleInForce, rule: rules.Rule, judged: Mapping[tuple[str, str], int]) -> int:
    """For how many of them this rule is."""
    kinds = (rules.defaults(rule) | row.params).get("kinds")
    return sum(
        number
        for (platform, kind), number in judged.items()
        if platform in rule.platforms and row.platform in ("", platform) and (not kinds or kind in kinds)
    )


def has_finding(rule_number: int) -> ColumnElement[bool]:
    """A condition on devices for lists: has a finding (not an unknown) of this rule in force."""
    return exists().where(Finding.device_id == Device.id, Finding.rule_id == rule_number, Finding.unknown.is_(False))


def verdicts(call: Call) -> dict[str, int]:
    """How many of the actor's enrolled devices have each verdict; every verdict is there."""
    query = (
        select(Device.verdict, func.count())
        .where(_seen(call), Device.enrolled_at.is_not(None))
        .group_by(Device.verdict)
    )
    return {verdict.value: 0 for verdict in Verdict} | {row[0]: row[1] for row in call.session.execute(query)}


def verdicts_by_service_point(call: Call) -> dict[int | None, dict[str, int]]:
    """The same for each service point; None is for devices without one."""
    query = (
        select(Device.service_point_id, Device.verdict, func.count())
        .where(_seen(call), Device.enrolled_at.is_not(None))
        .group_by(Device.service_point_id, Device.verdict)
    )
    found: dict[int | None, dict[str, int]] = {}
    for place, verdict, number in call.session.execute(query):
        found.setdefault(place, {one.value: 0 for one in Verdict})[verdict] = number
    return found


def exemptions(call: Call, *, ended: bool = False, uid: str | None = None) -> list[ExemptionLine]:
    """Exemptions of the actor's devices, those that end first at the top; ``ended`` gives the ones of the past too."""
    running = and_(Exemption.ended_at.is_(None), Exemption.until > call.now)
    query = (
        select(Exemption, Device, RuleInForce.rule, running)
        .join(Device, Device.id == Exemption.device_id)
        .join(RuleInForce, RuleInForce.id == Exemption.rule_id)
        .where(_seen(call))
        .order_by(Exemption.until, Exemption.id)
    )
    if not ended:
        query = query.where(running)
    if uid is not None:
        query = query.where(Device.id == _device(call, uid).id)
    return [
        ExemptionLine(row, device, rule, rules.RULES[rule].label if rule in rules.RULES else rule, bool(active))
        for row, device, rule, active in call.session.execute(query)
    ]


def verdict_changes(call: Call, uid: str, limit: int = 50) -> Sequence[VerdictChange]:
    """How the verdict of a device changed, newest first; NotFoundError when it is not the actor's."""
    query = select(VerdictChange).where(VerdictChange.device_id == _device(call, uid).id)
    return call.session.scalars(query.order_by(VerdictChange.at.desc(), VerdictChange.id.desc()).limit(limit)).all()


def rule_in_force(call: Call, number: int) -> RuleInForce:
    """One rule in force; raises NotFoundError."""
    require_somewhere(call)
    row = call.session.get(RuleInForce, number)
    if row is None:
        raise NotFoundError(N_("There is no such rule in force."))
    return row


def require_somewhere(call: Call) -> None:
    """Nothing for whoever may see compliance at any place; DeniedError for the rest."""
    if not call.actor.may_somewhere(Permission.COMPLIANCE_VIEW):
        require(call.actor, Permission.COMPLIANCE_VIEW)


def _seen(call: Call) -> ColumnElement[bool]:
    return within(call.actor.scope(Permission.COMPLIANCE_VIEW), Device.service_point_id, Device.unit_id)


def _device(call: Call, uid: str) -> Device:
    device = call.session.scalar(select(Device).where(Device.uid == uid, _seen(call)))
    if device is None:
        raise NotFoundError(N_("There is no such device, or it is not one of yours."))
    return device


def _exempt_until(now: datetime) -> Any:
    return (
        select(func.max(Exemption.until))
        .where(
            Exemption.device_id == Finding.device_id,
            Exemption.rule_id == Finding.rule_id,
            Exemption.ended_at.is_(None),
            Exemption.until > now,
        )
        .correlate(Finding)
        .scalar_subquery()
    )


def _counted(call: Call) -> Any:
    exempt = _exempt_until(call.now).is_not(None)
    counted = [
        and_(~exempt, Finding.unknown.is_(False), Finding.grace_until <= call.now),
        and_(~exempt, Finding.unknown.is_(False), Finding.grace_until > call.now),
        and_(~exempt, Finding.unknown.is_(True)),
        exempt,
    ]
    return (
        select(Finding.rule_id, *(func.sum(case((condition, 1), else_=0)) for condition in counted))
        .join(Device, Device.id == Finding.device_id)
        .where(_seen(call))
    )


def _line(call: Call, finding: Finding, row: RuleInForce, until: datetime | None) -> FindingLine:
    rule = rules.RULES[row.rule]
    standing = "in_grace" if finding.grace_until > call.now else "overdue"
    if finding.unknown:
        standing = "unknown"
    if until is not None:
        standing = "exempt"
    return FindingLine(
        rule_number=row.id,
        rule=rule.id,
        label=rule.label,
        mend=UNKNOWN_MEND if finding.unknown else rule.mend,
        params=_params(finding.details),
        standing=standing,
        since=finding.since,
        grace_until=finding.grace_until,
        exempt_until=until,
        details=finding.details,
    )


UNKNOWN_MEND = N_("Nothing is known about this: the device has not said it. Ask it for a new report.")


class _Params(dict[str, Any]):
    """What fills a sentence: what a finding does not say is a question mark, so that no sentence ever breaks."""

    def __missing__(self, key: str) -> str:
        return "?"


def _params(details: Mapping[str, Any]) -> Mapping[str, Any]:
    params = _Params(details)
    names = details.get("names")
    if isinstance(names, list):
        more = int(details.get("count", len(names))) - len(names)
        params["names"] = ", ".join(str(name) for name in names) + (f" (+{more})" if more > 0 else "")
    return params
