"""For whom policies are, what a change would do, policies as documents, and why a device has what it has."""

from typing import Any

from apiflask import APIBlueprint
from flask_babel import gettext

from mdm.core.permissions import Permission
from mdm.core.risk import Risk
from mdm.inventory import queries as inventory
from mdm.inventory.model import Platform
from mdm.platforms import before
from mdm.platforms.explain import explain
from mdm.policies import assigning, document, queries
from mdm.policies import effect as effects
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.shapes import policies as shapes
from web.api.shapes.policies import Assignment
from web.api.versions import unchanged

api = APIBlueprint("intent", __name__, tag={"name": "Intent", "description": "For whom, to what effect, and why."})
VIEW, EDIT = Permission.POLICY_VIEW, Permission.POLICY_EDIT
POLICY = "/policies/<key:policy_id>"
ONE = "/assignments/<key:assignment_id>"


def _assignments(call: Call, policy_id: int) -> list[Assignment]:
    return [
        Assignment(
            id=line.assignment.id,
            policy_id=line.assignment.policy_id,
            include=list(line.include),
            exclude=list(line.exclude),
            priority=line.assignment.priority,
            devices=line.devices,
            created_at=line.assignment.created_at,
        )
        for line in queries.assignments(call, policy_id)
    ]


def _one(call: Call, assignment_id: int) -> Assignment:
    found = queries.assignment(call, assignment_id)
    return next(one for one in _assignments(call, found.policy_id) if one.id == assignment_id)


@operation(api, "GET", f"{POLICY}/assignments", VIEW, answer=shapes.Assignments)
def list_assignments(call: Call, policy_id: int) -> shapes.Assignments:
    """List whom a policy is for.

    In the order of rank.
    """
    return shapes.Assignments(items=_assignments(call, policy_id))


@operation(
    api,
    "POST",
    f"{POLICY}/assignments",
    EDIT,
    body=shapes.AssignmentNew,
    answer=Assignment,
    status=201,
    tagged=True,
    risks=(Risk.POLICY_HARD,),
)
def create_assignment(call: Call, policy_id: int, body: shapes.AssignmentNew) -> Assignment:
    """Give a policy to devices.

    By unit, service point, group, persona, kind and so on; exclude always wins.
    """
    made = assigning.assign(call, policy_id, include=body.include, exclude=body.exclude, priority=body.priority)
    return _one(call, made.id)


@operation(api, "GET", ONE, VIEW, answer=Assignment, tagged=True)
def get_assignment(call: Call, assignment_id: int) -> Assignment:
    """Read one assignment.

    The answer carries an ETag for an edit.
    """
    return _one(call, assignment_id)


@operation(
    api,
    "PATCH",
    ONE,
    EDIT,
    body=shapes.AssignmentEdit,
    answer=Assignment,
    tagged=True,
    guarded=True,
    risks=(Risk.POLICY_HARD,),
)
def edit_assignment(call: Call, assignment_id: int, body: shapes.AssignmentEdit) -> Assignment:
    """Change whom an assignment is for, or its rank.

    What is left out stays.
    """
    now = _one(call, assignment_id)
    unchanged(now)
    wanted: dict[str, Any] = {
        "include": now.include,
        "exclude": now.exclude,
        "priority": now.priority,
        **body.given(),
    }
    assigning.edit_assignment(call, assignment_id, **wanted)
    return _one(call, assignment_id)


@operation(
    api,
    "DELETE",
    ONE,
    EDIT,
    query=shapes.ConfirmQuery,
    answer=None,
    status=204,
    problems=(409,),
    risks=(Risk.POLICY_HARD,),
)
def remove_assignment(call: Call, assignment_id: int, query: shapes.ConfirmQuery) -> None:
    """Withdraw an assignment.

    409 with the code `confirm` while devices would lose settings and you have not confirmed.
    """
    assigning.unassign(call, assignment_id, confirmed=query.confirmed)


def _effect(found: effects.Effect, told: before.Told) -> shapes.Effect:
    return shapes.Effect(
        devices=found.devices,
        gain=found.gain,
        change=found.change,
        lose=found.lose,
        keys=[
            shapes.KeyEffect(
                key=one.key,
                label=one.label,
                gain=one.gain,
                change=one.change,
                lose=one.lose,
                values=[
                    shapes.Valued(before=before, after=after, devices=count)
                    for (before, after), count in one.values.items()
                ],
            )
            for one in found.keys
        ],
        listed=[shapes.AffectedDevice(uid=one.uid, label=one.label, keys=list(one.keys)) for one in found.listed],
        more=found.more,
        reached_before=found.reached_before,
        reached_after=found.reached_after,
        warnings=[shapes.Warned(code=one.code, text=one.text, devices=one.devices) for one in found.warnings],
        conflicts=[
            shapes.Clash(severity=severity, text=text, devices=devices) for severity, text, devices in found.conflicts
        ],
        limits=[
            shapes.PlatformLimit(
                platform=Platform(one.platform),
                key=one.key,
                label=one.label,
                code=one.code,
                text=one.text,
                note=one.note,
                devices=one.devices,
            )
            for one in told.limits
        ],
        foreseen=[
            shapes.Foreseen(
                platform=name,
                code=one.code,
                severity="error" if one.grave else "warning",
                text=gettext(one.sentence, **one.params),
                keys=list(one.keys),
            )
            for name, one in told.foreseen
        ],
    )


@operation(api, "POST", "/policies/effect", EDIT, body=shapes.ProposalNew, answer=shapes.Effect, write=False)
def preview_new_policy(call: Call, body: shapes.ProposalNew) -> shapes.Effect:
    """Show what a new policy would do.

    Nothing is changed: how many devices gain, change and lose what, which ones, and what to mind.
    """
    found = effects.effect(call, None, body.settings, [one.model_dump() for one in body.assignments])
    return _effect(found, before.before_saving(call, body.settings))


@operation(api, "POST", f"{POLICY}/effect", EDIT, body=shapes.Proposal, answer=shapes.Effect, write=False)
def preview_policy(call: Call, policy_id: int, body: shapes.Proposal) -> shapes.Effect:
    """Show what a change of a policy would do.

    Nothing is changed. What is absent from the body stays as it is.
    """
    wanted = None if body.assignments is None else [one.model_dump(exclude_none=True) for one in body.assignments]
    found = effects.effect(call, policy_id, body.settings, wanted, archived=body.archived)
    return _effect(found, before.before_saving(call, body.settings or {}))


@operation(api, "POST", "/policies/apply", EDIT, body=shapes.Document, answer=shapes.Applied, risks=(Risk.POLICY_HARD,))
def apply_policy(call: Call, body: shapes.Document) -> shapes.Applied:
    """Make a policy what a document says.

    Found by its name, made where there is none. All of it or, when one place is wrong, nothing. Twice is like once.
    """
    applied = document.apply_document(call, body.model_dump(exclude_unset=True))
    return shapes.Applied(
        policy_id=applied.policy_id, name=applied.name, version=applied.version, done=list(applied.done)
    )


@operation(api, "GET", f"{POLICY}/document", VIEW, answer=shapes.DocumentShown)
def get_policy_document(call: Call, policy_id: int) -> shapes.DocumentShown:
    """Read a policy as a document.

    It can be applied again; secrets are masked and then stay what they were.
    """
    return shapes.DocumentShown.model_validate(document.as_document(call, policy_id))


@operation(api, "GET", "/devices/<uid:device_uid>/settings", Permission.DEVICE_VIEW, answer=shapes.Explained)
def explain_device_settings(call: Call, device_uid: str) -> shapes.Explained:
    """Read the settings of a device, and why.

    Value, state, who wins, who loses and the reason, key by key; contradictions; what the device cannot have.
    """
    return shapes.Explained.model_validate(explain(call, inventory.device_by_uid(call, device_uid)))
