"""Policies, their versions and assignments, the catalogue of settings, and why a device has what it has."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from mdm.inventory.model import Platform
from web.api.paging import PageQuery, page_model
from web.api.shapes.fields import MAX_ID, Line, Search, Text
from web.api.strict import Answer, Body, Edit, Query

Settings = Annotated[dict[str, Any], Field(description="Values by key of the catalogue. Secrets are shown as a mask.")]
Number = Annotated[int, Field(ge=1, le=MAX_ID)]
Target = Annotated[str, Field(min_length=1, max_length=200)]
TARGETS = "`all`, `unit:CODE`, `service_point:CODE`, `group:NAME`, `persona:unit`, `kind:kiosk`, `ring:pilot` …"


class Payload(Answer):
    """A raw payload; its content is shown to those who may edit."""

    platform: Platform
    name: str
    digest: str
    content: Any


class PayloadNew(Body):
    """A raw payload: a piece of a platform's own configuration that the catalogue has no setting for."""

    platform: Platform
    name: Line
    content: Any


class PolicyRow(Answer):
    """A policy as a list shows it."""

    id: int
    name: str
    description: str
    current: int = Field(description="Number of the version in force.")
    author: str
    changed_at: datetime | None
    settings: int = Field(description="How many settings it has.")
    assignments: int
    devices: int = Field(description="How many devices it reaches now.")
    archived_at: datetime | None


class Version(Answer):
    """What one version says."""

    number: int
    author: str
    note: str
    created_at: datetime
    settings: Settings
    payloads: list[Payload]
    current: bool


class Policy(Answer):
    """A named set of settings, and what its version in force says."""

    id: int
    name: str
    description: str
    archived_at: datetime | None
    created_at: datetime
    current: Version


class VersionRow(Answer):
    """One version in the history."""

    number: int
    author: str
    note: str
    created_at: datetime
    settings: int
    payloads: int
    current: bool


class PolicyQuery(PageQuery):
    """Filters of the list of policies."""

    search: Search = ""
    archived: bool = Field(default=False, description="Archived ones instead of those in force.")


class PolicyNew(Body):
    """A new policy with its version 1."""

    name: Line
    description: Text = ""
    settings: Settings = {}
    payloads: list[PayloadNew] = Field(default=[], max_length=50)
    note: Text = ""


class PolicyEdit(Edit):
    """What shall change; what is left out stays. Settings are changed by a new version."""

    name: Line = ""
    description: Text = ""


class VersionNew(Body):
    """The next version. A secret that is sent back as its mask stays what it was."""

    expected: int = Field(ge=0, le=MAX_ID, description="Number of the version that you had before you.")
    settings: Settings
    payloads: list[PayloadNew] | None = Field(default=None, max_length=50, description="Absent: as they are.")
    note: Text = ""


class RollBack(Body):
    """Which version shall be said again."""

    number: Number
    expected: int = Field(ge=0, le=MAX_ID, description="Number of the version that you had before you.")
    note: Text = ""


class Between(Query):
    """Which two versions; before 0 is nothing at all."""

    before: int = Field(ge=0, le=MAX_ID)
    after: Number


class Change(Answer):
    """One key that differs, in words."""

    key: str
    label: str
    kind: str = Field(description="`added`, `removed` or `changed`.")
    before: str
    after: str
    more: list[str]
    fewer: list[str]
    other: list[str]


class Difference(Answer):
    """What differs."""

    items: list[Change]


class Confirm(Body):
    """Whether you know what devices lose by it."""

    confirmed: bool = False


class ConfirmQuery(Query):
    """Whether you know what devices lose by it."""

    confirmed: bool = False


class AssignmentNew(Body):
    """Whom a policy is for. Exclude always wins."""

    include: list[Target] = Field(min_length=1, max_length=200, description=TARGETS)
    exclude: list[Target] = Field(default=[], max_length=200)
    priority: int = Field(default=100, ge=1, le=1000, description="The lower one wins.")


class AssignmentEdit(Edit):
    """What shall change; what is left out stays."""

    include: list[Target] = Field(default=[], min_length=1, max_length=200, description=TARGETS)
    exclude: list[Target] = Field(default=[], max_length=200)
    priority: int = Field(default=100, ge=1, le=1000)


class Assignment(Answer):
    """Whom a policy is for."""

    id: int
    policy_id: int
    include: list[str]
    exclude: list[str]
    priority: int
    devices: int
    created_at: datetime


class Assignments(Answer):
    """Whom a policy is for, in the order of rank."""

    items: list[Assignment]


class Proposed(AssignmentNew):
    """An assignment as it would be."""

    id: Number | None = Field(default=None, description="Where it exists already.")


class Proposal(Body):
    """What would be saved; what is absent stays as it is."""

    settings: Settings | None = None
    assignments: list[Proposed] | None = Field(default=None, max_length=50)
    archived: bool = Field(default=False, description="What archiving would do.")


class ProposalNew(Body):
    """A policy that does not exist yet."""

    settings: Settings
    assignments: list[AssignmentNew] = Field(max_length=50)


class Valued(Answer):
    """One value that comes and goes, in words, and on how many devices."""

    before: str
    after: str
    devices: int


class KeyEffect(Answer):
    """What happens to one key."""

    key: str
    label: str
    gain: int
    change: int
    lose: int
    values: list[Valued]


class AffectedDevice(Answer):
    """One device whose settings would change."""

    uid: str
    label: str
    keys: list[str]


class Warned(Answer):
    """One thing to mind."""

    code: str
    text: str
    devices: int


class Clash(Answer):
    """A contradiction that would be new."""

    severity: str
    text: str
    devices: int


class PlatformLimit(Answer):
    """A setting that a platform of the fleet cannot do, or does otherwise."""

    platform: Platform
    key: str
    label: str
    code: str = Field(description="platform, version, supervised, city, checked, silent or none.")
    text: str
    note: str = Field(description="What to use in its place, where there is something.")
    devices: int = Field(description="Devices of the fleet that it is about.")


class Foreseen(Answer):
    """What settings would do to devices of a platform and the people who hold them."""

    platform: str
    code: str
    severity: str
    text: str
    keys: list[str]


class Effect(Answer):
    """What a change would do, before it is saved."""

    devices: int = Field(description="All that would differ.")
    gain: int
    change: int
    lose: int
    keys: list[KeyEffect]
    listed: list[AffectedDevice] = Field(description="The first of those that you may see.")
    more: int
    reached_before: int
    reached_after: int
    warnings: list[Warned]
    conflicts: list[Clash]
    limits: list[PlatformLimit] = Field(
        description="What platforms of the fleet cannot do; empty where nothing is set."
    )
    foreseen: list[Foreseen] = Field(description="What devices would refuse, and what would lock people out.")


class Document(Body):
    """A policy as a document; what is absent stays as it is."""

    name: Line
    description: Text = ""
    note: Text = ""
    settings: Settings = {}
    payloads: list[PayloadNew] = Field(default=[], max_length=50)
    assignments: list[AssignmentNew] = Field(default=[], max_length=50)


class DocumentAssignment(Answer):
    """Whom the policy is for."""

    include: list[str]
    exclude: list[str]
    priority: int


class DocumentPayload(Answer):
    """A raw payload; its content is shown to those who may edit."""

    platform: Platform
    name: str
    content: Any


class DocumentShown(Answer):
    """A policy as a document that can be applied again, secrets masked."""

    name: str
    description: str
    note: str
    settings: Settings
    payloads: list[DocumentPayload]
    assignments: list[DocumentAssignment]


class Applied(Answer):
    """What applying a document came to."""

    policy_id: int
    name: str
    version: int
    done: list[str] = Field(description="created, saved, described, assigned, reassigned, unassigned, restored.")


class Category(Answer):
    """Settings that belong together."""

    key: str
    label: str
    help: str
    settings: list[dict[str, Any]] = Field(
        description="key, label, help, type, range, choices, fields, merge rule, risk and platforms of each setting."
    )


class Catalogue(Answer):
    """The typed catalogue of settings, in your language."""

    items: list[Category]


class PolicyRef(Answer):
    """A policy that says something for a key, and by which assignment it is for the device."""

    policy_id: int
    name: str
    version: int
    since: datetime | None
    assigned_by: list[str]
    assigned_since: datetime | None
    priority: int
    value: str
    reason: str


class SettingWhy(Answer):
    """One setting of one device: its value, who wins and who loses."""

    key: str
    label: str
    value: str
    raw: Any
    state: str = Field(description="applied, failed, pending, unsupported, staged, checked or unknown.")
    state_text: str
    detail: str
    winner: PolicyRef
    also: list[PolicyRef]
    losers: list[PolicyRef]


class NotHere(Answer):
    """A setting that a policy gives and this device cannot have."""

    key: str
    label: str
    reason: str
    policy_id: int
    policy: str


class Contradiction(Answer):
    """Settings of this device that contradict each other."""

    code: str
    severity: str
    text: str
    keys: list[str]
    policies: list[str]


class Explained(Answer):
    """Settings and why."""

    settings: list[SettingWhy]
    not_here: list[NotHere]
    contradictions: list[Contradiction]
    prepared_at: datetime | None = Field(description="Null: not computed yet.")
    desired_digest: str
    applied: bool = Field(description="Whether the device has applied all of it.")


PolicyPage = page_model(PolicyRow, "PolicyPage")
VersionPage = page_model(VersionRow, "VersionPage")
