"""What may be done with policies: make, save, roll back, archive, assign. Every save is a new version.

Policies belong to the whole city: each verb asks ``policy:edit`` there. A save costs the number of cohorts, never the
number of devices; the worker prepares what is stale.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.outbox import service as outbox
from mdm.policies import catalogue, cohorts, hard, payloads
from mdm.policies.difference import difference
from mdm.policies.model import Assignment, Policy, PolicyVersion
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

MAX_NOTE = 2000
MAX_LINES = 40
"""Changes that an approver is shown one by one."""


def create(
    call: Call,
    name: str,
    *,
    description: str = "",
    settings: Mapping[str, Any] | None = None,
    raw_payloads: Sequence[Any] = (),
    note: str = "",
) -> Policy:
    """Makes a policy with its version 1. Raises InvalidError with the places, ConflictError when the name is taken."""
    require(call.actor, Permission.POLICY_EDIT)
    cleaned, kept = _content(call, settings or {}, raw_payloads, {})
    policy = Policy(
        name=_name(name), description=clean(description, MAX_NOTE, lines=True), current=0, created_at=call.now
    )
    call.session.add(policy)
    flush_unique(call.session, _taken(policy.name))
    _record(call, "policy.created", policy, {})
    _version(call, policy, cleaned, kept, note)
    return policy


def save(
    call: Call,
    policy_id: int,
    *,
    expected: int,
    settings: Mapping[str, Any],
    raw_payloads: Sequence[Any] | None = None,
    note: str = "",
) -> PolicyVersion:
    """Writes the next version; the present one is given back when nothing differs. Payloads None: as they are.

    ``expected`` is the number of the version that the person had before them. Raises ConflictError when another one has
    come since, InvalidError with the places of what is wrong, ApprovalNeededError for what cuts many devices off or locks
    many people out. A secret sent back as its mask stays what it was.
    """
    require(call.actor, Permission.POLICY_EDIT)
    policy = _for_change(call, policy_id)
    current = _current(call, policy)
    if policy.current != expected:
        raise ConflictError(
            N_(
                "This policy was saved as version %(current)s by %(author)s meanwhile. Nothing was changed. "
                "Look at the difference and save again."
            ),
            code="version_conflict",
            current=policy.current,
            author=current.author if current else "",
        )
    former = current.settings if current else {}
    kept_as_is = current.payloads if current else []
    cleaned, kept = _content(call, settings, kept_as_is if raw_payloads is None else raw_payloads, former)
    if current is not None and current.settings == cleaned and current.payloads == kept:
        return current
    note = clean(note, MAX_NOTE, lines=True)
    said = {
        "change": "save",
        "expected": expected,
        "note": note[:200],
        "lines": _lines(former, cleaned),
        "digest": hard.content_digest(cleaned, kept),
    }
    private = {"settings": cleaned, "payloads": kept, "note": note}
    touches = hard.sensitive({**former, **cleaned}, [*kept_as_is, *kept])
    with hard.watched(call, ("policy", policy.id), policy.name, said, private=private, touches=touches) as inner:
        return _version(inner, policy, cleaned, kept, note)


def describe(call: Call, policy_id: int, *, name: str, description: str) -> Policy:
    """Gives a policy another name or description. Raises as ``create``. No version comes of it."""
    require(call.actor, Permission.POLICY_EDIT)
    policy = _for_change(call, policy_id)
    before = [policy.name, policy.description]
    policy.name, policy.description = _name(name), clean(description, MAX_NOTE, lines=True)
    flush_unique(call.session, _taken(policy.name))
    if before != [policy.name, policy.description]:
        _record(call, "policy.described", policy, {"before": before, "after": [policy.name, policy.description]})
        _stale(call, policy.id)
    return policy


def roll_back(call: Call, policy_id: int, number: int, *, expected: int, note: str = "") -> PolicyVersion:
    """Writes a new version that says what version ``number`` said. Raises NotFoundError without it, ConflictError as
    ``save``, InvalidError when the catalogue no longer has what it says."""
    require(call.actor, Permission.POLICY_EDIT)
    old = _numbered(call, _for_change(call, policy_id).id, number)
    note = clean(note, MAX_NOTE, lines=True) or f"Version {number} again"
    return save(call, policy_id, expected=expected, settings=old.settings, raw_payloads=old.payloads, note=note)


def archive(call: Call, policy_id: int, *, confirmed: bool = False) -> Policy:
    """Takes a policy out of force; its versions stay. Twice is like once.

    Raises ConflictError with the code ``confirm`` while it reaches devices and the person has not confirmed.
    """
    require(call.actor, Permission.POLICY_EDIT)
    policy = _for_change(call, policy_id, archived=True)
    if policy.archived_at is not None:
        return policy
    _confirm(call, policy, _assignment_ids(call, policy.id), confirmed)
    touches = hard.version_sensitive(call, policy)
    with hard.watched(call, ("policy", policy.id), policy.name, {"change": "archive"}, touches=touches):
        policy.archived_at = call.now
        call.session.flush()
    _record(call, "policy.archived", policy, {})
    _placed_anew(call, policy.id)
    return policy


def restore(call: Call, policy_id: int) -> Policy:
    """Puts an archived policy back in force, with the assignments that it had. Twice is like once."""
    require(call.actor, Permission.POLICY_EDIT)
    policy = _for_change(call, policy_id, archived=True)
    if policy.archived_at is not None:
        touches = hard.version_sensitive(call, policy)
        with hard.watched(call, ("policy", policy.id), policy.name, {"change": "restore"}, touches=touches):
            policy.archived_at = None
            call.session.flush()
        _record(call, "policy.restored", policy, {})
        _placed_anew(call, policy.id)
    return policy


def place_device(call: Call, device_id: int) -> bool:
    """Puts one device into its cohort; whether that changed. For the worker and for enrollment."""
    return cohorts.place(call, [device_id]) > 0


def place_devices(call: Call, device_ids: Collection[int]) -> int:
    """Puts these devices into their cohorts; how many moved. For the worker."""
    return cohorts.place(call, device_ids)


def place_all(call: Call) -> int:
    """Puts every device into its cohort; how many moved. For the worker."""
    return cohorts.place_everybody(call)


def _content(
    call: Call, settings: object, raw_payloads: object, former: Mapping[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    checked = catalogue.check(catalogue.keep_secrets(settings, former), call.actor.language)
    errors = dict(checked.errors)
    kept = payloads.checked(raw_payloads, errors)
    if errors:
        raise InvalidError(
            N_("Values of this policy that are not right: %(count)s. Nothing was saved. Correct this and save again."),
            fields=errors,
            count=len(errors),
        )
    return checked.settings, kept


def _version(
    call: Call, policy: Policy, settings: dict[str, Any], kept: list[dict[str, Any]], note: str
) -> PolicyVersion:
    former = _current(call, policy)
    latest = call.session.scalar(
        select(PolicyVersion.number)
        .where(PolicyVersion.policy_id == policy.id)
        .order_by(PolicyVersion.number.desc())
        .limit(1)
    )
    version = PolicyVersion(
        policy_id=policy.id,
        number=(latest or 0) + 1,
        author=call.actor.name,
        note=clean(note, MAX_NOTE, lines=True),
        settings=settings,
        payloads=kept,
        created_at=call.now,
    )
    call.session.add(version)
    policy.current = version.number
    flush_unique(
        call.session, ConflictError(N_("This policy was saved by somebody else meanwhile. Nothing was changed."))
    )
    changes = difference(former.settings if former else {}, settings)
    _record(
        call,
        "policy.saved",
        policy,
        {
            "version": version.number,
            "note": version.note,
            "changes": [
                {"key": one.key, "kind": one.kind, "before": one.before, "after": one.after} for one in changes
            ],
            "payloads": sorted(f"{one['platform']}: {one['name']}" for one in kept),
        },
    )
    _stale(call, policy.id)
    return version


def _lines(former: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """What a save changes, for those who must agree to it; secrets masked."""
    changes = difference(former, settings)
    shown = [f"{one.label}: {one.before or '-'} → {one.after or '-'}"[:300] for one in changes[:MAX_LINES]]
    return shown + ([f"… and {len(changes) - MAX_LINES} more"] if len(changes) > MAX_LINES else [])


def _stale(call: Call, policy_id: int) -> None:
    """What the policy's cohorts get has changed: they are prepared anew by the worker."""
    if cohorts.mark_stale(call.session, _assignment_ids(call, policy_id)):
        outbox.post(call, "cohorts.prepare", {})


def _placed_anew(call: Call, policy_id: int) -> None:
    """Whom the policy reaches has changed: the worker places every device anew."""
    cohorts.mark_stale(call.session, _assignment_ids(call, policy_id))
    outbox.post(call, "cohorts.place", {})
    outbox.post(call, "cohorts.prepare", {})


def _confirm(call: Call, policy: Policy, assignments: Sequence[int], confirmed: bool) -> None:
    devices = cohorts.reach(call.session, assignments)
    if devices and not confirmed:
        raise ConflictError(
            N_(
                "%(devices)s devices get settings from the policy %(name)s and would lose them. Nothing was changed. "
                "Confirm to go on."
            ),
            code="confirm",
            devices=devices,
            name=policy.name,
        )


def _for_change(call: Call, policy_id: int, *, archived: bool = False) -> Policy:
    """The policy, locked against others who change intent."""
    cohorts.intent_lock(call.session)
    policy = call.session.scalar(select(Policy).where(Policy.id == policy_id).execution_options(populate_existing=True))
    if policy is None:
        raise missing()
    if policy.archived_at is not None and not archived:
        raise ConflictError(
            N_("The policy %(name)s is archived. Nothing was changed. Put it back in force first."), name=policy.name
        )
    return policy


def _current(call: Call, policy: Policy) -> PolicyVersion | None:
    return call.session.scalar(
        select(PolicyVersion).where(PolicyVersion.policy_id == policy.id, PolicyVersion.number == policy.current)
    )


def _numbered(call: Call, policy_id: int, number: int) -> PolicyVersion:
    found = call.session.scalar(
        select(PolicyVersion).where(PolicyVersion.policy_id == policy_id, PolicyVersion.number == number)
    )
    if found is None:
        raise NotFoundError(N_("This policy has no version %(number)s."), number=number)
    return found


def _assignment_ids(call: Call, policy_id: int) -> list[int]:
    return list(call.session.scalars(select(Assignment.id).where(Assignment.policy_id == policy_id)))


def _name(name: str) -> str:
    text = clean(name, 128)
    if not text:
        raise InvalidError(N_("A policy needs a name. Nothing was saved."), fields={"name": N_("Give a name.")})
    return text


def _taken(name: str) -> ConflictError:
    return ConflictError(
        N_("There is a policy named %(name)s already. Nothing was changed. Choose another name."), name=name
    )


def missing() -> NotFoundError:
    """What is said of a policy that is not there."""
    return NotFoundError(N_("There is no such policy."))


def _record(call: Call, action: str, policy: Policy, details: dict[str, Any]) -> None:
    audit.record(call, action, ("policy", policy.id), name=policy.name, details=details)
