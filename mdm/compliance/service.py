"""The verbs of compliance: judging devices, and the sweep that notices what time alone has changed."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, bindparam, delete, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from mdm.compliance import evaluate, facts
from mdm.compliance.evaluate import InForce, Outcome, State
from mdm.compliance.model import Exemption, Finding, JudgeAgain, RuleInForce, VerdictChange
from mdm.core.actor import require
from mdm.core.permissions import Permission
from mdm.inventory.model import Device, Verdict
from mdm.storage.call import Call

CHUNK = 200
"""Devices that are judged together."""


def judge(call: Call, device_id: int) -> None:
    """Compares what is known of one device with the rules in force; judging twice is like once.

    Writes findings (``since`` and grace are kept while a finding lasts), the verdict, and a verdict change where it is
    another one. A device that is gone is no error.
    """
    judge_many(call, [device_id])


def judge_many(call: Call, device_ids: Collection[int]) -> int:
    """Judges many devices with a fixed number of statements per two hundred: how many there were. Asks for
    ``compliance:manage`` for the city, which the clock holds."""
    require(call.actor, Permission.COMPLIANCE_MANAGE)
    in_force = rules_in_force(call)
    wanted = sorted(set(device_ids))
    judged = 0
    for start in range(0, len(wanted), CHUNK):
        judged += _judge_chunk(call, wanted[start : start + CHUNK], in_force)
    return judged


def look_again(call: Call, cohort_id: int | None = None) -> None:
    """Has the sweep judge every device of a cohort, or every device that has or had a verdict, as soon as it can.

    One statement however many devices there are; they are judged by the worker in short transactions.
    """
    judged = or_(Device.enrolled_at.is_not(None), Device.verdict != Verdict.UNKNOWN.value, Device.findings > 0)
    wanted = select(Device.id).where(judged if cohort_id is None else Device.cohort_id == cohort_id)
    call.session.flush()
    call.session.execute(delete(JudgeAgain).where(JudgeAgain.device_id.in_(wanted)))
    moment = literal(call.now, JudgeAgain.at.type)
    call.session.execute(insert(JudgeAgain).from_select(["device_id", "at"], wanted.add_columns(moment)))


def sweep(call: Call, limit: int = 1000) -> int:
    """Judges the devices whose verdict time alone may have changed, and those that were silent and have come back.

    At most ``limit`` in one call: how many were judged; less than ``limit`` says that nothing is left.
    """
    due = select(JudgeAgain.device_id).where(JudgeAgain.at <= call.now).order_by(JudgeAgain.at).limit(limit)
    ids = set(call.session.scalars(due))
    ids |= _back_again(call, limit)
    judge_many(call, ids)
    # A device that is gone, or that no rule is for any more, is judged to nothing; it must not come up for ever.
    call.session.execute(delete(JudgeAgain).where(JudgeAgain.device_id.in_(ids), JudgeAgain.at <= call.now))
    return len(ids)


def rules_in_force(call: Call) -> list[InForce]:
    """Every rule that is switched on, as the judgement needs it."""
    rows = call.session.scalars(select(RuleInForce).where(RuleInForce.enabled).order_by(RuleInForce.id))
    return [InForce(row.id, row.rule, row.platform, row.params, row.grace_hours) for row in rows]


def _back_again(call: Call, limit: int) -> set[int]:
    """Devices with a finding of silence that have been seen since the finding was made or kept."""
    found: set[int] = set()
    for rule in rules_in_force(call):
        if rule.rule != "last_seen":
            continue
        seen_after = call.now - timedelta(days=int(rule.params.get("days", 14)))
        query = (
            select(Finding.device_id)
            .join(Device, Device.id == Finding.device_id)
            .where(Finding.rule_id == rule.id, Device.last_seen_at > seen_after)
            .limit(limit)
        )
        found |= set(call.session.scalars(query))
    return found


def _judge_chunk(call: Call, ids: list[int], in_force: list[InForce]) -> int:
    # In a fixed order and locked, so that two who judge the same devices wait for each other instead of colliding.
    devices = call.session.scalars(
        select(Device)
        .where(Device.id.in_(ids))
        .order_by(Device.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    subjects = facts.subjects(call.session, devices)
    before: dict[int, dict[int, Finding]] = {device.id: {} for device in devices}
    for finding in call.session.scalars(select(Finding).where(Finding.device_id.in_(ids))):
        before[finding.device_id][finding.rule_id] = finding
    exempted = _exempted(call, ids)
    moments: dict[int, datetime] = {}
    changed: list[dict[str, Any]] = []
    added: list[Finding] = []
    by_number = {rule.id: rule for rule in in_force}
    for device in devices:
        outcomes = evaluate.evaluate(subjects[device.id], in_force, call.now)
        kept, fresh = _keep_findings(call, device.id, outcomes, before[device.id], by_number)
        added += fresh
        values, again = _conclude(call, outcomes, kept, exempted.get(device.id, {}))
        if any(getattr(device, name) != value for name, value in values.items()):
            changed.append({"of": device.id, "other": values["verdict"] != device.verdict} | values)
        if again is not None:
            moments[device.id] = again
    _insert_findings(call, added)
    _write_verdicts(call, changed)
    _remember(call, ids, moments)
    call.session.flush()
    return len(devices)


def _exempted(call: Call, ids: list[int]) -> dict[int, dict[int, datetime]]:
    """Device to rule to the end of its exemption, for exemptions that cover now."""
    found: dict[int, dict[int, datetime]] = {}
    query = select(Exemption.device_id, Exemption.rule_id, Exemption.until).where(
        Exemption.device_id.in_(ids), Exemption.ended_at.is_(None), Exemption.until > call.now
    )
    for device_id, rule_id, until in call.session.execute(query):
        rules = found.setdefault(device_id, {})
        rules[rule_id] = max(until, rules.get(rule_id, until))
    return found


def _keep_findings(
    call: Call,
    device_id: int,
    outcomes: Mapping[int, Outcome],
    before: Mapping[int, Finding],
    in_force: Mapping[int, InForce],
) -> tuple[list[Finding], list[Finding]]:
    """The findings that hold now, and those among them that are new; what does not hold any more is deleted."""
    kept, fresh = [], []
    for rule_id, outcome in outcomes.items():
        if outcome.state not in (State.FINDING, State.UNKNOWN):
            continue
        unknown = outcome.state is State.UNKNOWN
        finding = before.get(rule_id)
        if finding is None:
            finding = Finding(device_id=device_id, rule_id=rule_id, since=call.now, unknown=unknown)
            fresh.append(finding)
        elif finding.unknown != unknown:
            # What was unknown and is bad now begins its grace now, and the other way round.
            finding.unknown, finding.since = unknown, call.now
        grace = finding.since + timedelta(hours=in_force[rule_id].grace_hours)
        if finding.grace_until != grace:
            finding.grace_until = grace
        if finding.details != outcome.details:
            finding.details = outcome.details
        kept.append(finding)
    for gone in before.values():
        if gone not in kept:
            call.session.delete(gone)
    return kept, fresh


def _insert_findings(call: Call, fresh: list[Finding]) -> None:
    """All new findings in one statement; the ORM would ask for the number of each."""
    columns = ("device_id", "rule_id", "unknown", "since", "grace_until", "details")
    if fresh:
        call.session.flush()
        call.session.execute(insert(Finding), [{name: getattr(finding, name) for name in columns} for finding in fresh])


def _conclude(
    call: Call,
    outcomes: Mapping[int, Outcome],
    kept: list[Finding],
    exempted: Mapping[int, datetime],
) -> tuple[dict[str, Any], datetime | None]:
    """What the device's row shall say, and when time alone may change it; None for never."""
    counted = [finding for finding in kept if finding.rule_id not in exempted]
    real = [finding for finding in counted if not finding.unknown]
    judged = any(outcome.state in (State.OK, State.FINDING) for outcome in outcomes.values())
    verdict = evaluate.verdict(((f.unknown, f.grace_until) for f in counted), call.now, judged=judged)
    waiting = [finding.grace_until for finding in real if finding.grace_until > call.now]
    values: dict[str, Any] = {
        "verdict": verdict.value,
        "findings": len(real),
        "grace_until": min(waiting, default=None) if verdict is Verdict.IN_GRACE else None,
    }
    moments = waiting + [outcome.again for outcome in outcomes.values() if outcome.again is not None]
    moments += [exempted[finding.rule_id] for finding in kept if finding.rule_id in exempted]
    return values, min(moments, default=None)


def _write_verdicts(call: Call, changed: list[dict[str, Any]]) -> None:
    """Writes what devices' rows shall say and notes each change of verdict.

    Beside the ORM's version counter: a verdict is no edit, and must not make a person's edit stale.
    """
    if not changed:
        return
    table = Device.__table__
    assert isinstance(table, Table)
    statement = update(table).where(table.c.id == bindparam("of"))
    call.session.flush()
    turned = [{"device_id": e["of"], "at": call.now, "verdict": e["verdict"]} for e in changed if e.pop("other")]
    if turned:
        call.session.execute(insert(VerdictChange), turned)
    call.session.connection().execute(
        statement.values({name: bindparam(name) for name in ("verdict", "findings", "grace_until")}), changed
    )
    for entry in changed:
        held = call.session.identity_map.get(call.session.identity_key(Device, entry["of"]))
        if held is not None:
            call.session.expire(held, ["verdict", "findings", "grace_until"])


def _remember(call: Call, ids: list[int], moments: Mapping[int, datetime]) -> None:
    query = select(JudgeAgain.device_id, JudgeAgain.at).where(JudgeAgain.device_id.in_(ids))
    before = {row[0]: row[1] for row in call.session.execute(query)}
    changed = {device for device, at in before.items() if moments.get(device) != at}
    if changed:
        call.session.execute(delete(JudgeAgain).where(JudgeAgain.device_id.in_(changed)))
    fresh = [{"device_id": d, "at": at} for d, at in moments.items() if before.get(d) != at]
    if fresh:
        call.session.execute(insert(JudgeAgain), fresh)


def forget_changes(session: Session, before: datetime, limit: int = 2000) -> int:
    """Forgets up to ``limit`` changes of verdict that are older than ``before``; how many."""
    old = session.scalars(select(VerdictChange.id).where(VerdictChange.at < before).limit(limit)).all()
    session.execute(delete(VerdictChange).where(VerdictChange.id.in_(old)))
    return len(old)
