"""Policies: what they say, version by version."""

from apiflask import APIBlueprint

from mdm.core.permissions import Permission
from mdm.core.risk import Risk
from mdm.policies import catalogue, queries, service
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, PageQuery, cut
from web.api.shapes import policies as shapes
from web.api.shapes.policies import Policy, Version
from web.api.versions import unchanged

api = APIBlueprint(
    "policies", __name__, tag={"name": "Policies", "description": "Intent: settings in versions, for whom, and why."}
)
VIEW, EDIT = Permission.POLICY_VIEW, Permission.POLICY_EDIT
ONE = "/policies/<key:policy_id>"


def _version(call: Call, policy_id: int, number: int | None = None) -> Version:
    return Version.model_validate(queries.version(call, policy_id, number))


def _one(call: Call, policy_id: int) -> Policy:
    found = queries.policy(call, policy_id)
    return Policy(
        id=found.id,
        name=found.name,
        description=found.description,
        archived_at=found.archived_at,
        created_at=found.created_at,
        current=_version(call, policy_id),
    )


def _row(line: queries.PolicyLine) -> shapes.PolicyRow:
    policy = line.policy
    return shapes.PolicyRow(
        id=policy.id,
        name=policy.name,
        description=policy.description,
        current=policy.current,
        author=line.author,
        changed_at=line.changed_at,
        settings=line.settings,
        assignments=line.assignments,
        devices=line.devices,
        archived_at=policy.archived_at,
    )


@operation(api, "GET", "/catalogue", VIEW, answer=shapes.Catalogue)
def get_catalogue(call: Call) -> shapes.Catalogue:
    """Read the catalogue of settings.

    Each with label, help, type, range, merge rule and platforms.
    """
    return shapes.Catalogue(items=[shapes.Category(**one) for one in catalogue.form(call.actor.language)])


@operation(api, "GET", "/policies", VIEW, query=shapes.PolicyQuery, answer=shapes.PolicyPage)
def list_policies(call: Call, query: shapes.PolicyQuery) -> Page[shapes.PolicyRow]:
    """List policies.

    By name. Policies belong to the whole city: whoever may see them anywhere sees all of them.
    """
    lines = queries.policies(call, words=query.search, archived=query.archived)
    rows, following, total = cut(lines, query, lambda line: line.policy.id)
    return shapes.PolicyPage(items=[_row(row) for row in rows], next=following, total=total)


@operation(api, "GET", ONE, VIEW, answer=Policy, tagged=True)
def get_policy(call: Call, policy_id: int) -> Policy:
    """Read one policy.

    With what its version in force says; secrets are masked. The answer carries an ETag for an edit.
    """
    return _one(call, policy_id)


@operation(api, "POST", "/policies", EDIT, body=shapes.PolicyNew, answer=Policy, status=201, tagged=True)
def create_policy(call: Call, body: shapes.PolicyNew) -> Policy:
    """Make a policy.

    With its version 1. It reaches nobody before it is assigned. 409 when the name is taken.
    """
    made = service.create(
        call,
        body.name,
        description=body.description,
        settings=body.settings,
        raw_payloads=[payload.model_dump() for payload in body.payloads],
        note=body.note,
    )
    return _one(call, made.id)


@operation(api, "PATCH", ONE, EDIT, body=shapes.PolicyEdit, answer=Policy, problems=(409,), tagged=True, guarded=True)
def edit_policy(call: Call, policy_id: int, body: shapes.PolicyEdit) -> Policy:
    """Give a policy another name or description.

    No version comes of it; settings are changed by a new version.
    """
    now = _one(call, policy_id)
    unchanged(now)
    wanted = {"name": now.name, "description": now.description, **body.given()}
    service.describe(call, policy_id, name=wanted["name"], description=wanted["description"])
    return _one(call, policy_id)


@operation(api, "POST", f"{ONE}/archive", EDIT, body=shapes.Confirm, answer=Policy, risks=(Risk.POLICY_HARD,))
def archive_policy(call: Call, policy_id: int, body: shapes.Confirm) -> Policy:
    """Take a policy out of force.

    Its versions stay. 409 with the code `confirm` while it reaches devices and you have not confirmed.
    """
    service.archive(call, policy_id, confirmed=body.confirmed)
    return _one(call, policy_id)


@operation(api, "POST", f"{ONE}/restore", EDIT, answer=Policy, risks=(Risk.POLICY_HARD,))
def restore_policy(call: Call, policy_id: int) -> Policy:
    """Put an archived policy back in force.

    With the assignments that it had. Twice is like once.
    """
    service.restore(call, policy_id)
    return _one(call, policy_id)


@operation(api, "GET", f"{ONE}/versions", VIEW, query=PageQuery, answer=shapes.VersionPage)
def list_policy_versions(call: Call, policy_id: int, query: PageQuery) -> Page[shapes.VersionRow]:
    """List the versions of a policy.

    Newest first.
    """
    rows, following, total = cut(queries.versions(call, policy_id), query, lambda row: row.number)
    items = [shapes.VersionRow.model_validate(row) for row in rows]
    return shapes.VersionPage(items=items, next=following, total=total)


@operation(api, "GET", f"{ONE}/versions/<key:number>", VIEW, answer=Version)
def get_policy_version(call: Call, policy_id: int, number: int) -> Version:
    """Read what one version says.

    Secrets are masked.
    """
    return _version(call, policy_id, number)


@operation(api, "GET", f"{ONE}/difference", VIEW, query=shapes.Between, answer=shapes.Difference)
def compare_policy_versions(call: Call, policy_id: int, query: shapes.Between) -> shapes.Difference:
    """Compare two versions.

    Key by key, in words; `before=0` is nothing at all.
    """
    found = queries.changes(call, policy_id, query.before, query.after)
    return shapes.Difference(items=[shapes.Change.model_validate(one) for one in found])


@operation(
    api, "POST", f"{ONE}/versions", EDIT, body=shapes.VersionNew, answer=Version, status=201, risks=(Risk.POLICY_HARD,)
)
def save_policy_version(call: Call, policy_id: int, body: shapes.VersionNew) -> Version:
    """Publish the next version.

    The present one is answered when nothing differs. 409 when another version has come since `expected`.
    """
    payloads = None if body.payloads is None else [payload.model_dump() for payload in body.payloads]
    saved = service.save(
        call, policy_id, expected=body.expected, settings=body.settings, raw_payloads=payloads, note=body.note
    )
    return _version(call, policy_id, saved.number)


@operation(
    api, "POST", f"{ONE}/roll-back", EDIT, body=shapes.RollBack, answer=Version, status=201, risks=(Risk.POLICY_HARD,)
)
def roll_back_policy(call: Call, policy_id: int, body: shapes.RollBack) -> Version:
    """Publish what an earlier version said.

    As a new version. 409 when another version has come since `expected`.
    """
    saved = service.roll_back(call, policy_id, body.number, expected=body.expected, note=body.note)
    return _version(call, policy_id, saved.number)
