"""Compliance: rules in force, what devices do not meet, who is excused until when."""

from apiflask import APIBlueprint
from flask_babel import gettext

from mdm.compliance import management, model, queries, rules
from mdm.core.permissions import Permission
from mdm.core.risk import Risk
from mdm.inventory import queries as inventory
from mdm.inventory.model import Platform, Verdict
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, cut
from web.api.shapes import compliance as shapes
from web.api.shapes.compliance import Rule
from web.api.told import told
from web.api.versions import unchanged

api = APIBlueprint(
    "compliance", __name__, tag={"name": "Compliance", "description": "Rules, findings, exemptions, verdicts."}
)
VIEW, MANAGE, EXEMPT = Permission.COMPLIANCE_VIEW, Permission.COMPLIANCE_MANAGE, Permission.COMPLIANCE_EXEMPT
ONE = "/compliance/rules/<key:rule_number>"


def _rule(row: model.RuleInForce) -> Rule:
    return Rule.model_validate(row)


def _one(call: Call, number: int) -> Rule:
    return _rule(queries.rule_in_force(call, number))


def _known(rule: rules.Rule) -> shapes.KnownRule:
    return shapes.KnownRule(
        id=rule.id,
        label=gettext(rule.label),
        help=gettext(rule.help),
        params=[shapes.RuleParam.model_validate(param) for param in rule.params],
        grace_hours=rule.grace_hours,
        platforms=[Platform(name) for name in rule.platforms],
    )


@operation(api, "GET", "/compliance/known-rules", VIEW, answer=shapes.KnownRules)
def list_known_rules(_call: Call) -> shapes.KnownRules:
    """List the rules that can be put in force.

    With their parameters and their grace.
    """
    return shapes.KnownRules(items=[_known(rule) for rule in rules.RULES.values()])


@operation(api, "GET", "/compliance/rules", VIEW, answer=shapes.RuleCounts)
def list_rules(call: Call) -> shapes.RuleCounts:
    """List the rules in force.

    Also those switched off, each with how many of your devices stand how with it.
    """
    return shapes.RuleCounts(
        items=[
            shapes.RuleCount(
                rule=_rule(line.row),
                label=gettext(line.rule.label),
                overdue=line.overdue,
                in_grace=line.in_grace,
                unknown=line.unknown,
                exempt=line.exempt,
            )
            for line in queries.rule_lines(call)
        ]
    )


@operation(api, "GET", ONE, VIEW, answer=Rule, tagged=True)
def get_rule(call: Call, rule_number: int) -> Rule:
    """Read one rule in force.

    The answer carries an ETag for an edit.
    """
    return _one(call, rule_number)


@operation(
    api, "POST", "/compliance/rules", MANAGE, body=shapes.RuleNew, answer=Rule, status=201, problems=(404,), tagged=True
)
def add_rule(call: Call, body: shapes.RuleNew) -> Rule:
    """Put a rule in force.

    For one platform or for all; devices are judged anew. 404 for a rule that is not known.
    """
    row = management.add_rule(
        call,
        body.rule,
        platform=body.platform.value if body.platform else "",
        params=body.params,
        grace_hours=body.grace_hours,
    )
    return _rule(row)


@operation(
    api,
    "PATCH",
    ONE,
    MANAGE,
    body=shapes.RuleEdit,
    answer=Rule,
    problems=(409,),
    tagged=True,
    guarded=True,
    risks=(Risk.COMPLIANCE_WEAKEN,),
)
def edit_rule(call: Call, rule_number: int, body: shapes.RuleEdit) -> Rule:
    """Change a rule in force.

    What is left out stays; devices are judged anew.
    """
    unchanged(_one(call, rule_number))
    return _rule(management.edit_rule(call, rule_number, **body.given()))


@operation(api, "DELETE", ONE, MANAGE, answer=None, status=204, risks=(Risk.COMPLIANCE_WEAKEN,))
def remove_rule(call: Call, rule_number: int) -> None:
    """Take a rule out of force.

    Its findings and exemptions go with it.
    """
    management.remove_rule(call, rule_number)


@operation(api, "GET", "/compliance/summary", VIEW, answer=shapes.Summary)
def get_compliance_summary(call: Call) -> shapes.Summary:
    """Count your enrolled devices by verdict.

    In all, and by service point. Unknown is not compliant.
    """
    places = queries.verdicts_by_service_point(call)
    return shapes.Summary(
        verdicts=_counts(queries.verdicts(call)),
        service_points=[
            shapes.PlaceVerdicts(service_point_id=place, verdicts=_counts(numbers))
            for place, numbers in sorted(places.items(), key=lambda pair: pair[0] or 0)
        ],
    )


def _counts(numbers: dict[str, int]) -> dict[Verdict, int]:
    return {Verdict(name): number for name, number in numbers.items()}


@operation(api, "GET", "/devices/<uid:device_uid>/findings", VIEW, answer=shapes.Findings)
def list_device_findings(call: Call, device_uid: str) -> shapes.Findings:
    """List what is wrong or unknown with a device.

    The worst first, with since, until and how to mend it.
    """
    lines = queries.findings(call, device_uid)
    return shapes.Findings(
        verdict=Verdict(inventory.device_by_uid(call, device_uid).verdict),
        items=[
            shapes.Finding(
                rule_number=line.rule_number,
                rule=line.rule,
                label=gettext(line.label),
                mend=gettext(line.mend) % line.params,
                standing=line.standing,
                since=line.since,
                grace_until=line.grace_until,
                exempt_until=line.exempt_until,
                details=dict(line.details),
            )
            for line in lines
        ],
    )


@operation(api, "GET", "/devices/<uid:device_uid>/verdicts", VIEW, answer=shapes.VerdictChanges)
def list_device_verdicts(call: Call, device_uid: str) -> shapes.VerdictChanges:
    """List how the verdict of a device changed.

    Newest first, at most 200. `at` is the day while somebody holds the device.
    """
    exact = inventory.device_by_uid(call, device_uid).contact_exact
    rows = queries.verdict_changes(call, device_uid, limit=200)
    items = [told(shapes.VerdictChange.model_validate(row), "at", exact=exact) for row in rows]
    return shapes.VerdictChanges(items=items)


def _exemption(row: model.Exemption, device: str, rule: str, *, active: bool) -> shapes.Exemption:
    return shapes.Exemption(
        id=row.id,
        device=device,
        rule_number=row.rule_id,
        rule=rule,
        owner=row.owner,
        reason=row.reason,
        until=row.until,
        granted_by=row.granted_by,
        granted_at=row.granted_at,
        ended_at=row.ended_at,
        active=active,
    )


@operation(api, "GET", "/exemptions", VIEW, query=shapes.ExemptionQuery, answer=shapes.ExemptionPage, problems=(404,))
def list_exemptions(call: Call, query: shapes.ExemptionQuery) -> Page[shapes.Exemption]:
    """List exemptions.

    Those that end first at the top; only for your devices.
    """
    found = queries.exemptions(call, ended=query.ended, uid=query.device)
    rows, following, total = cut(found, query, lambda line: line.row.id)
    items = [_exemption(line.row, line.device.uid, line.rule, active=line.active) for line in rows]
    return shapes.ExemptionPage(items=items, next=following, total=total)


@operation(
    api,
    "POST",
    "/exemptions",
    EXEMPT,
    body=shapes.ExemptionNew,
    answer=shapes.Exemption,
    status=201,
    problems=(404,),
    risks=(Risk.EXEMPT_MANY,),
)
def create_exemption(call: Call, body: shapes.ExemptionNew) -> shapes.Exemption:
    """Excuse a device from a rule until a moment.

    At most a year away; `owner` answers for it. 409 when it is excused already.
    """
    row = management.exempt(call, body.device, body.rule_number, owner=body.owner, reason=body.reason, until=body.until)
    return _exemption(row, body.device, queries.rule_in_force(call, body.rule_number).rule, active=True)


@operation(api, "POST", "/exemptions/<key:exemption_id>/end", EXEMPT, answer=None, status=204)
def end_exemption(call: Call, exemption_id: int) -> None:
    """End an exemption now.

    One that has ended stays as it is.
    """
    management.end_exemption(call, exemption_id)
