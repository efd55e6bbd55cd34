"""Compliance: rules in force with their counts, exemptions, what the rules may be."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext, ngettext

from mdm.compliance import management, queries, rules
from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.inventory.queries import device_by_uid
from mdm.overview import words
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.charts import address, as_file, by_rule, drawn, named
from web.console.identity import settings
from web.console.pages.helpers import BOTH, GET, POST, Route, day_field, done, page, refused, text


@may(Permission.COMPLIANCE_VIEW)
def compliance(call: Call) -> Response:
    """Verdicts, rules and exemptions."""
    lines = queries.rule_lines(call)
    return page(
        "compliance/overview.html",
        verdicts=queries.verdicts(call),
        lines=lines,
        standing=by_rule(lines),
        drawn=drawn,
        named=named,
        address=address,
        exemptions=queries.exemptions(call),
        rules=rules.RULES,
        offered=management.new_rules(call) if call.actor.may(Permission.COMPLIANCE_MANAGE) else [],
    )


@may(Permission.COMPLIANCE_VIEW)
def compliance_chart(call: Call) -> Response:
    """The figures of the chart as CSV."""
    return as_file(by_rule(queries.rule_lines(call)), "rules")


def _number(name: str) -> int | None:
    written = text(name)
    return int(written) if written.isascii() and written.isdigit() and len(written) < 7 else None


def _params(rule: rules.Rule) -> dict[str, object]:
    given: dict[str, object] = {}
    for param in rule.params:
        if param.type == "kinds":
            given[param.name] = request.form.getlist(param.name)
        elif param.type == "number":
            number = _number(param.name)
            given[param.name] = text(param.name) if number is None else number
        else:
            given[param.name] = text(param.name)
    return given


def _rule_form(call: Call, rule: rules.Rule, number: int | None, failure: Failure | None = None) -> Response:
    row = queries.rule_in_force(call, number) if number else None
    response = page(
        "compliance/rule.html",
        rule=rule,
        row=row,
        failure=failure,
        form=request.form if failure else None,
        words=words,
        defaults=rules.defaults(rule),
    )
    return failure.stamp(response) if failure else response


@may(Permission.COMPLIANCE_MANAGE)
def rule_new(call: Call, rule: str) -> Response:
    """Puts a rule in force."""
    found = rules.rule(rule)
    if request.method == "GET":
        return _rule_form(call, found, None)
    try:
        management.add_rule(
            call, found.id, platform=text("platform"), params=_params(found), grace_hours=_number("grace_hours")
        )
    except HavenmeesterError as error:
        return _rule_form(call, found, None, refused(call, error))
    return done(gettext("The rule is in force. Devices are judged anew now."), url_for("compliance"))


@may(Permission.COMPLIANCE_MANAGE)
def rules_offered(call: Call) -> Response:
    """Puts every rule in force that came with a later version and was never in force here."""
    added = len(management.add_new_rules(call))
    if not added:
        return done(gettext("There was no new rule. Nothing was changed."), url_for("compliance"))
    said = ngettext(
        "One new rule is in force. Devices are judged anew now.",
        "%(num)d new rules are in force. Devices are judged anew now.",
        added,
    )
    return done(said, url_for("compliance"))


@may(Permission.COMPLIANCE_MANAGE)
def rule_edit(call: Call, number: int) -> Response:
    """Changes a rule, switches it off or on, or takes it out."""
    found = rules.rule(queries.rule_in_force(call, number).rule)
    if request.method == "GET":
        return _rule_form(call, found, number)
    try:
        if text("step") == "remove":
            management.remove_rule(call, number)
        else:
            management.edit_rule(
                call,
                number,
                params=_params(found),
                grace_hours=_number("grace_hours"),
                enabled=text("enabled") == "yes",
            )
    except HavenmeesterError as error:
        return _rule_form(call, found, number, refused(call, error))
    return done(gettext("The rule was saved. Devices are judged anew now."), url_for("compliance"))


@may(Permission.COMPLIANCE_EXEMPT)
def exempt(call: Call, uid: str, rule: int) -> Response:
    """Excuses a device from one rule until a date."""
    device = device_by_uid(call, uid)
    row = queries.rule_in_force(call, rule)
    failure = None
    if request.method == "POST":
        try:
            day = day_field("until")
            zone = ZoneInfo(settings().timezone)
            until = datetime.combine(day + timedelta(days=1), time(), zone) if day else call.now
            management.exempt(call, uid, rule, owner=text("owner"), reason=text("reason"), until=until)
        except HavenmeesterError as error:
            failure = refused(call, error)
        else:
            return done(gettext("The device is excused until that day."), url_for("device", uid=uid, tab="compliance"))
    response = page(
        "compliance/exempt.html",
        device=device,
        row=row,
        rule=rules.RULES[row.rule],
        failure=failure,
        values=request.form,
    )
    return failure.stamp(response) if failure else response


@may(Permission.COMPLIANCE_EXEMPT)
def exemption_end(call: Call, number: int) -> Response:
    """Ends an exemption now."""
    management.end_exemption(call, number)
    return done(gettext("The exemption has ended. The device is judged anew now."), url_for("compliance"))


ROUTES: tuple[Route, ...] = (
    ("/compliance", "compliance", compliance, GET),
    ("/compliance/rules.csv", "compliance_chart", compliance_chart, GET),
    ("/compliance/rules/new/<rule>", "rule_new", rule_new, BOTH),
    ("/compliance/rules/offered", "rules_offered", rules_offered, POST),
    ("/compliance/rules/<int:number>", "rule_edit", rule_edit, BOTH),
    ("/compliance/exempt/<uid>/<int:rule>", "exempt", exempt, BOTH),
    ("/compliance/exemptions/<int:number>/end", "exemption_end", exemption_end, POST),
)
