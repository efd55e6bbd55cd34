"""A policy as a file: name, settings, payloads and assignments by codes, in TOML or JSON. Applying it twice is like once.

    name = "Kiosks"
    description = "Public kiosks in city offices"
    note = "New start page"

    [settings]
    "kiosk.url" = "https://zuil.example.be/"
    restrictions = { usb_storage = false }

    [[assignments]]
    include = ["service_point:WERKHAVEN", "group:Kiosks"]
    exclude = ["ring:pilot"]
    priority = 50

What a document does not name stays as it is: no ``assignments`` at all leaves them alone, an empty list withdraws them.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from mdm.core.actor import require
from mdm.core.errors import N_, InvalidError, TooLargeError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.policies import assigning, catalogue, hard, queries, service
from mdm.policies.model import Assignment, Policy, PolicyVersion
from mdm.storage.call import Call

MAX_DOCUMENT = 512 * 1024
"""Bytes of one file."""
MAX_ASSIGNMENTS = 50
FIELDS = frozenset({"name", "description", "note", "settings", "payloads", "assignments"})
ASSIGNMENT_FIELDS = frozenset({"include", "exclude", "priority"})


@dataclass(slots=True)
class Applied:
    """What applying a document came to. ``version`` is the one in force afterwards; nothing changed: nothing is listed."""

    policy_id: int
    name: str
    version: int
    done: list[str] = field(default_factory=list)
    """Of: created, saved, described, assigned, reassigned, unassigned, restored; in the order in which it was done."""

    @property
    def changed(self) -> bool:
        """Whether anything is different from before."""
        return bool(self.done)


def parse_document(content: bytes) -> dict[str, Any]:
    """The file as data. Raises InvalidError that says where it is broken, TooLargeError above the limit."""
    if len(content) > MAX_DOCUMENT:
        raise TooLargeError(N_("The document is larger than 512 KiB. Nothing was changed."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidError(N_("The document is not text in UTF-8. Nothing was changed.")) from error
    try:
        document = (
            json.loads(text, object_pairs_hook=_each_once) if text.lstrip().startswith("{") else tomllib.loads(text)
        )
    except (ValueError, RecursionError) as error:
        raise InvalidError(
            N_("The document is neither TOML nor JSON: %(why)s. Nothing was changed."), why=clean(str(error), 200)
        ) from error
    if not isinstance(document, dict):
        raise InvalidError(N_("The document is not a table. Nothing was changed."))
    return document


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Raises ValueError when it says something twice: one of the two would be lost without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice} stands there twice")
    return found


def apply_document(call: Call, document: Mapping[str, Any]) -> Applied:
    """Makes the policy what the document says. Raises InvalidError with every place that is wrong; then nothing changed.
    ApprovalNeededError for what cuts many devices off or locks many people out.

    Everything is checked before anything is written. Assignments are told apart by whom they include and exclude.
    """
    require(call.actor, Permission.POLICY_EDIT)
    name, settings, wanted = _checked(call, document)
    said = {"change": "apply", "digest": _digest(document)}
    private = {"document": dict(document)}
    with hard.watched(call, ("policy", name), name, said, private=private) as inner:
        return _apply(inner, document, name, settings, wanted)


def _digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()


def _apply(
    call: Call,
    document: Mapping[str, Any],
    name: str,
    settings: Mapping[str, Any] | None,
    wanted: Sequence[Mapping[str, Any]] | None,
) -> Applied:
    policy = call.session.scalar(select(Policy).where(Policy.name == name))
    payloads = document.get("payloads")
    note = clean(document.get("note", ""), 2000, lines=True)
    if policy is None:
        policy = service.create(
            call,
            name,
            description=document.get("description", ""),
            settings=settings or {},
            raw_payloads=payloads or (),
            note=note,
        )
        applied = Applied(policy.id, policy.name, policy.current, ["created"])
    else:
        applied = Applied(policy.id, policy.name, policy.current)
        _update(call, policy, document, settings, note, applied)
    if wanted is not None:
        _assign(call, policy, wanted, applied)
    applied.version = policy.current
    return applied


def _update(
    call: Call,
    policy: Policy,
    document: Mapping[str, Any],
    settings: Mapping[str, Any] | None,
    note: str,
    applied: Applied,
) -> None:
    if policy.archived_at is not None:
        service.restore(call, policy.id)
        applied.done.append("restored")
    description = clean(document.get("description", policy.description), service.MAX_NOTE, lines=True)
    if description != policy.description:
        service.describe(call, policy.id, name=policy.name, description=description)
        applied.done.append("described")
    if settings is None and "payloads" not in document:
        return
    before = policy.current
    current = call.session.scalar(
        select(PolicyVersion).where(PolicyVersion.policy_id == policy.id, PolicyVersion.number == before)
    )
    kept: Mapping[str, Any] = current.settings if current else {}
    version = service.save(
        call,
        policy.id,
        expected=before,
        settings=kept if settings is None else settings,
        raw_payloads=document.get("payloads"),
        note=note,
    )
    if version.number != before:
        applied.done.append("saved")


def _assign(call: Call, policy: Policy, wanted: Sequence[Mapping[str, Any]], applied: Applied) -> None:
    """Adds, re-ranks and withdraws until the policy is assigned as wanted."""
    rows = call.session.scalars(select(Assignment).where(Assignment.policy_id == policy.id).order_by(Assignment.id))
    existing = {_scope(row.include, row.exclude): row for row in rows}
    for one in wanted:
        row = existing.pop(_scope(one["include"], one["exclude"]), None)
        if row is None:
            assigning.assign(call, policy.id, **one)
            applied.done.append("assigned")
        elif row.priority != one["priority"]:
            assigning.edit_assignment(call, row.id, **one)
            applied.done.append("reassigned")
    for row in existing.values():
        assigning.unassign(call, row.id, confirmed=True)
        applied.done.append("unassigned")


def _scope(include: Sequence[Any], exclude: Sequence[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Whom an assignment is for, whatever the order in which it is written."""
    return (
        tuple(sorted(f"{target['kind']}:{target['id']}" for target in include)),
        tuple(sorted(f"{target['kind']}:{target['id']}" for target in exclude)),
    )


def _checked(call: Call, document: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None, list[dict[str, Any]] | None]:
    """Name, settings and assignments, each None where the document does not name it. Raises InvalidError."""
    errors = {clean(key, 80): N_("A policy document has no such field.") for key in document if key not in FIELDS}
    name = clean(document.get("name"), 128)
    if not name:
        errors["name"] = N_("Give a name.")
    errors |= {key: N_("Give a text.") for key in ("description", "note") if not isinstance(document.get(key, ""), str)}
    settings = None
    if "settings" in document:
        settings = flattened(document["settings"], errors)
    wanted = _assignments(call, document["assignments"], errors) if "assignments" in document else None
    if errors:
        raise InvalidError(
            N_("Places of this document that are not right: %(count)s. Nothing was changed."),
            fields=errors,
            count=len(errors),
        )
    return name, settings, wanted


def flattened(raw: object, errors: dict[str, str]) -> dict[str, Any]:
    """Settings by key: ``passcode.min_length = 8`` without quotes is a table in TOML, and is taken all the same."""
    if not isinstance(raw, Mapping):
        errors["settings"] = N_("Settings are a table of keys and values.")
        return {}
    settings: dict[str, Any] = {}
    for key, value in raw.items():
        if isinstance(value, Mapping) and catalogue.find(key) is None and "." not in key:
            settings.update({f"{key}.{name}": inner for name, inner in value.items()})
        else:
            settings[key] = value
    return settings


def _assignments(call: Call, raw: object, errors: dict[str, str]) -> list[dict[str, Any]]:
    if not isinstance(raw, list) or len(raw) > MAX_ASSIGNMENTS:
        errors["assignments"] = N_("Give a list of at most 50 assignments.")
        return []
    kept: list[dict[str, Any]] = []
    for number, one in enumerate(raw):
        place = f"assignments[{number}]"
        if not isinstance(one, Mapping) or not set(one) <= ASSIGNMENT_FIELDS:
            errors[place] = N_("An assignment has include, exclude and priority.")
            continue
        priority = one.get("priority", 100)
        try:
            included, excluded = assigning.checked_scope(
                call, one.get("include", ()), one.get("exclude", ()), priority, f"{place}."
            )
        except InvalidError as error:
            errors.update(error.fields)
            continue
        if any(_scope(included, excluded) == _scope(other["include"], other["exclude"]) for other in kept):
            errors[place] = N_("The same assignment stands here twice.")
            continue
        kept.append({"include": included, "exclude": excluded, "priority": priority})
    return kept


def as_document(call: Call, policy_id: int) -> dict[str, Any]:
    """A policy as a document that ``apply_document`` takes, secrets masked: what the person may keep beside the city's
    own records. NotFoundError without the policy."""
    policy = queries.policy(call, policy_id)
    view = queries.version(call, policy_id)
    return {
        "name": policy.name,
        "description": policy.description,
        "note": view.note,
        "settings": view.settings,
        "payloads": [
            {"platform": one["platform"], "name": one["name"], "content": one["content"]} for one in view.payloads
        ],
        "assignments": [
            {
                "include": list(line.include),
                "exclude": list(line.exclude),
                "priority": line.assignment.priority,
            }
            for line in queries.assignments(call, policy_id)
        ],
    }
