"""Rules, findings, exemptions, verdicts."""

from datetime import datetime
from typing import Any

from pydantic import Field

from mdm.compliance.rules import MAX_GRACE_HOURS
from mdm.inventory.model import Platform, Verdict
from web.api.paging import PageQuery, page_model
from web.api.shapes.fields import Id, Line, Moment, Text, Uid
from web.api.strict import Answer, Body, Edit


class RuleParam(Answer):
    """One parameter of a rule."""

    name: str
    label: str
    type: str = Field(description="`number`, `versions` or `kinds`.")
    default: Any
    low: int
    high: int
    unit: str


class KnownRule(Answer):
    """A rule that can be put in force."""

    id: str
    label: str
    help: str
    params: list[RuleParam]
    grace_hours: int
    platforms: list[Platform]


class KnownRules(Answer):
    """Every rule that can be put in force."""

    items: list[KnownRule]


class Rule(Answer):
    """A rule in force."""

    id: int
    rule: str
    platform: str = Field(description="Empty: for every platform.")
    params: dict[str, Any]
    grace_hours: int
    enabled: bool
    created_at: datetime


class RuleCount(Answer):
    """How many of your devices stand how with a rule."""

    rule: Rule
    label: str
    overdue: int
    in_grace: int
    unknown: int
    exempt: int


class RuleCounts(Answer):
    """Every rule in force, also those switched off."""

    items: list[RuleCount]


class RuleNew(Body):
    """A rule to put in force."""

    rule: Line
    platform: Platform | None = Field(default=None, description="Absent: for every platform.")
    params: dict[str, Any] = {}
    grace_hours: int | None = Field(default=None, ge=0, le=MAX_GRACE_HOURS)


class RuleEdit(Edit):
    """What shall change; what is left out stays."""

    params: dict[str, Any] = {}
    grace_hours: int = Field(default=0, ge=0, le=MAX_GRACE_HOURS)
    enabled: bool = True


class Finding(Answer):
    """A rule that a device does not meet, or about which nothing is known."""

    rule_number: int
    rule: str
    label: str
    mend: str = Field(description="What to do, in plain words.")
    standing: str = Field(description="`overdue`, `in_grace`, `unknown` or `exempt`.")
    since: datetime
    grace_until: datetime
    exempt_until: datetime | None
    details: dict[str, Any]


class Findings(Answer):
    """What is wrong or unknown with a device, the worst first."""

    verdict: Verdict
    items: list[Finding]


class Exemption(Answer):
    """A device need not meet a rule until a moment."""

    id: int
    device: str
    rule_number: int
    rule: str
    owner: str
    reason: str
    until: datetime
    granted_by: str
    granted_at: datetime
    ended_at: datetime | None
    active: bool


class ExemptionQuery(PageQuery):
    """Filters of the list of exemptions."""

    ended: bool = Field(default=False, description="Those of the past as well.")
    device: Uid | None = None


class ExemptionNew(Body):
    """Who answers for it, why, and until when."""

    device: Uid
    rule_number: Id
    owner: Line
    reason: Text
    until: Moment


class PlaceVerdicts(Answer):
    """Verdicts of one service point."""

    service_point_id: int | None
    verdicts: dict[Verdict, int]


class Summary(Answer):
    """How many of your enrolled devices have each verdict."""

    verdicts: dict[Verdict, int]
    service_points: list[PlaceVerdicts]


class VerdictChange(Answer):
    """From this moment on the verdict was this."""

    at: datetime
    verdict: Verdict


class VerdictChanges(Answer):
    """How the verdict of a device changed, newest first."""

    items: list[VerdictChange]


ExemptionPage = page_model(Exemption)
