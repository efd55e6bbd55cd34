"""Policies: the list, the guided editor, the effect before saving, who gets it, raw payloads, history."""

import json
from typing import Any

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import get_locale, gettext
from sqlalchemy import select

from mdm.core.errors import N_, ConflictError, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission
from mdm.inventory.model import Device, DeviceGroup, Platform
from mdm.org.queries import service_points, units
from mdm.overview import words
from mdm.platforms.before import before_saving
from mdm.policies import assigning, catalogue, queries, service, templates
from mdm.policies.effect import effect
from mdm.policies.model import Assignment
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console import policy_form
from web.console.pages.helpers import BOTH, GET, POST, Route, done, page, refused, text

PAYLOAD_MOST = 256 * 1024


def _language() -> str:
    return str(get_locale() or "en")[:2]


@may(Permission.POLICY_VIEW)
def policies(call: Call) -> Response:
    """The list."""
    archived = request.args.get("archived") == "yes"
    lines = queries.policies(call, words=request.args.get("q", "").strip()[:100], archived=archived)
    return page("policies/list.html", lines=lines, archived=archived)


@may(Permission.POLICY_EDIT)
def policy_new(call: Call) -> Response:
    """Makes a policy with nothing in it yet, or what a template has. A template that is not there is as none."""
    failure = None
    if request.method == "POST":
        template = templates.known().get(text("template"))
        settings = template.settings if template else {}
        try:
            made = service.create(call, text("name"), description=text("description"), settings=settings)
        except HavenmeesterError as error:
            failure = refused(call, error)
        else:
            said = template.next.to(_language()) if template else gettext("The policy was made. Now say what it sets.")
            return done(said, url_for("policy", number=made.id, _anchor=template.chapter if template else None))
    offered = [(one.key, one.label.to(_language()), one.help.to(_language())) for one in templates.known().values()]
    response = page("policies/new.html", failure=failure, values=request.form, templates=offered)
    return failure.stamp(response) if failure else response


@may(Permission.POLICY_VIEW)
def policy(call: Call, number: int) -> Response:
    """The guided editor; for those who may not edit, what the policy says."""
    return _editor(call, number)


def _editor(
    call: Call, number: int, settings: dict[str, Any] | None = None, failure: Failure | None = None, note: str = ""
) -> Response:
    found = queries.policy(call, number)
    view = queries.version(call, number) if found.current else None
    in_force = view.settings if view else {}
    response = page(
        "policies/editor.html",
        tab="settings",
        policy=found,
        view=view,
        values=in_force if settings is None else settings,
        categories=catalogue.form(_language()),
        known=catalogue.known(),
        assignments=_assignments(call, number),
        failure=failure,
        errors=failure.fields if failure else {},
        note=note,
        days=_days(),
        edits=call.actor.may(Permission.POLICY_EDIT) and found.archived_at is None,
    )
    return failure.stamp(response) if failure else response


def _days() -> list[tuple[str, str]]:
    names = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
    return [(key, gettext(name)) for key, name in zip(policy_form.DAYS, names, strict=True)]


def _sent_settings() -> dict[str, Any]:
    """Settings from the form, or as the page of the effect carries them along."""
    carried = request.form.get("settings")
    if carried is None:
        return policy_form.read(request.form)
    try:
        found = json.loads(carried)
    except (ValueError, RecursionError) as error:
        raise InvalidError(N_("The form could not be read. Nothing was saved.")) from error
    if not isinstance(found, dict):
        raise InvalidError(N_("The form could not be read. Nothing was saved."))
    return found


def _expected() -> int:
    written = text("expected")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else -1


@may(Permission.POLICY_EDIT)
def policy_preview(call: Call, number: int) -> Response:
    """What saving would do, before it is saved."""
    settings = _sent_settings()
    if text("step") == "edit":
        return _editor(call, number, settings, note=text("note"))
    try:
        told = effect(call, number, settings)
        changes = queries.unsaved_changes(call, number, settings)
    except HavenmeesterError as error:
        return _editor(call, number, settings, refused(call, error), text("note"))
    return page(
        "policies/effect.html",
        policy=queries.policy(call, number),
        effect=told,
        before=before_saving(call, settings),
        changes=changes,
        settings=json.dumps(settings, ensure_ascii=False),
        note=text("note"),
        expected=_expected(),
        what="settings",
    )


@may(Permission.POLICY_EDIT)
def policy_publish(call: Call, number: int) -> Response:
    """Writes the next version."""
    settings = _sent_settings()
    try:
        made = service.save(call, number, expected=_expected(), settings=settings, note=text("note"))
    except HavenmeesterError as error:
        return _editor(call, number, settings, refused(call, error), text("note"))
    return done(
        gettext("Version %(number)s is in force. Devices get it with their next contact.", number=made.number),
        url_for("policy", number=number),
    )


@may(Permission.POLICY_EDIT)
def policy_describe(call: Call, number: int) -> Response:
    """Renames a policy, archives it or brings it back."""
    step = text("step")
    try:
        if step == "archive":
            service.archive(call, number, confirmed=text("sure") == "yes")
            return done(gettext("The policy is archived. Devices lose its settings."), url_for("policies"))
        if step == "restore":
            service.restore(call, number)
        else:
            service.describe(call, number, name=text("name"), description=text("description"))
    except ConflictError as error:
        if error.code != "confirm":
            return _editor(call, number, failure=refused(call, error))
        call.session.rollback()
        return page(
            "policies/effect.html",
            policy=queries.policy(call, number),
            effect=effect(call, number, archived=True),
            changes=[],
            what="archive",
        )
    except HavenmeesterError as error:
        return _editor(call, number, failure=refused(call, error))
    return done(gettext("The policy was saved."), url_for("policy", number=number))


def _assignments(call: Call, number: int) -> list[queries.AssignmentLine]:
    return queries.assignments(call, number)


def _targets(call: Call) -> list[tuple[str, list[tuple[str, str]]]]:
    """Everything that a policy can be for, by kind, as people write it and as they read it."""
    rings = call.session.scalars(select(Device.ring).where(Device.ring != "").distinct().order_by(Device.ring)).all()
    groups = call.session.scalars(select(DeviceGroup.name).order_by(DeviceGroup.name)).all()
    return [
        (gettext("Everything"), [("all", gettext("all devices"))]),
        (gettext("Kind"), [(f"kind:{key}", gettext(name)) for key, name in words.KINDS.items()]),
        (gettext("Ownership"), [(f"ownership:{key}", gettext(name)) for key, name in words.OWNERSHIPS.items()]),
        (gettext("Persona"), [(f"persona:{key}", gettext(name)) for key, name in words.PERSONAS.items()]),
        (gettext("Ring"), [(f"ring:{name}", name) for name in rings]),
        (gettext("Group"), [(f"group:{name}", name) for name in groups]),
        (gettext("Unit"), [(f"unit:{one.unit.code}", "\u2003" * one.depth + one.unit.name) for one in units(call)]),
        (gettext("Service point"), [(f"service_point:{one.code}", one.name) for one in service_points(call)]),
    ]


def _who(call: Call, number: int, failure: Failure | None = None, told: Any = None) -> Response:
    found = queries.policy(call, number)
    response = page(
        "policies/who.html",
        tab="who",
        policy=found,
        assignments=_assignments(call, number),
        targets=_targets(call),
        include=request.form.getlist("include"),
        exclude=request.form.getlist("exclude"),
        priority=text("priority") or "100",
        effect=told,
        failure=failure,
        edits=call.actor.may(Permission.POLICY_EDIT) and found.archived_at is None,
    )
    return failure.stamp(response) if failure else response


@may(Permission.POLICY_VIEW)
def policy_who(call: Call, number: int) -> Response:
    """Who gets this."""
    return _who(call, number)


def _present(call: Call, number: int, *, but: int | None = None) -> list[dict[str, Any]]:
    rows = call.session.scalars(select(Assignment).where(Assignment.policy_id == number).order_by(Assignment.id))
    return [
        {"id": row.id, "include": row.include, "exclude": row.exclude, "priority": row.priority}
        for row in rows
        if row.id != but
    ]


@may(Permission.POLICY_EDIT)
def policy_assign(call: Call, number: int) -> Response:
    """Shows what an assignment would do, then makes it; withdraws one."""
    queries.policy(call, number)
    written = text("priority") or "100"
    rank = int(written) if written.isascii() and written.isdigit() and len(written) < 6 else -1
    include, exclude = request.form.getlist("include"), request.form.getlist("exclude")
    key = text("assignment")
    withdraw = int(key) if key.isascii() and key.isdigit() else None
    try:
        if withdraw is not None:
            if text("sure") != "yes":
                told = effect(call, number, None, _present(call, number, but=withdraw))
                return page(
                    "policies/effect.html",
                    policy=queries.policy(call, number),
                    effect=told,
                    changes=[],
                    what="withdraw",
                    assignment=withdraw,
                )
            assigning.unassign(call, withdraw, confirmed=True)
            return done(gettext("The assignment was withdrawn."), url_for("policy_who", number=number))
        if text("sure") != "yes":
            new = {"include": include, "exclude": exclude, "priority": rank}
            return _who(call, number, told=effect(call, number, None, [*_present(call, number), new]))
        assigning.assign(call, number, include=include, exclude=exclude, priority=rank)
    except HavenmeesterError as error:
        return _who(call, number, refused(call, error))
    return done(
        gettext("The policy was assigned. Devices get it with their next contact."),
        url_for("policy_who", number=number),
    )


@may(Permission.POLICY_VIEW)
def policy_history(call: Call, number: int) -> Response:
    """Versions, and the readable difference between two."""
    found = queries.policy(call, number)
    versions = queries.versions(call, number)
    numbers = {line.number for line in versions}

    def chosen(name: str, fallback: int) -> int:
        written = request.args.get(name, "")
        return int(written) if written.isascii() and written.isdigit() and int(written) in numbers | {0} else fallback

    after = chosen("after", found.current)
    before = chosen("before", max(0, after - 1))
    changes = queries.changes(call, number, before, after) if after else []
    return page(
        "policies/history.html",
        tab="history",
        policy=found,
        versions=versions,
        before=before,
        after=after,
        changes=changes,
        edits=call.actor.may(Permission.POLICY_EDIT) and found.archived_at is None,
    )


@may(Permission.POLICY_EDIT)
def policy_roll_back(call: Call, number: int) -> Response:
    """Writes a new version that says what an old one said."""
    old = text("version")
    made = service.roll_back(call, number, int(old) if old.isdigit() and len(old) < 10 else 0, expected=_expected())
    return done(
        gettext("Version %(number)s says what version %(old)s said.", number=made.number, old=old),
        url_for("policy_history", number=number),
    )


def _raw(call: Call, number: int, failure: Failure | None = None) -> Response:
    found = queries.policy(call, number)
    view = queries.version(call, number) if found.current else None
    response = page(
        "policies/raw.html",
        tab="raw",
        policy=found,
        view=view,
        failure=failure,
        values=request.form,
        # A profile for phones is looked at on a page of its own before it is saved.
        platforms=[(key, name) for key, name in words.PLATFORMS.items() if key != Platform.IOS],
        edits=call.actor.may(Permission.POLICY_EDIT) and found.archived_at is None,
    )
    return failure.stamp(response) if failure else response


@may(Permission.POLICY_VIEW)
def policy_raw(call: Call, number: int) -> Response:
    """Raw payloads, passed on to the device as they are."""
    return _raw(call, number)


@may(Permission.POLICY_EDIT)
def policy_raw_change(call: Call, number: int) -> Response:
    """Adds a raw payload from a file or from text, or takes one out; either is a new version."""
    view = queries.version(call, number)
    payloads = [{key: one[key] for key in ("platform", "name", "content")} for one in view.payloads]
    try:
        if text("step") == "remove":
            kept = [one for one in payloads if one["name"] != text("name")]
            note = gettext("Without the raw payload %(name)s", name=text("name"))
        else:
            new = {"platform": text("platform"), "name": text("name"), "content": _uploaded()}
            kept = [one for one in payloads if one["name"] != new["name"]] + [new]
            note = gettext("With the raw payload %(name)s", name=text("name"))
        service.save(call, number, expected=_expected(), settings=view.settings, raw_payloads=kept, note=note)
    except HavenmeesterError as error:
        return _raw(call, number, refused(call, error))
    return done(gettext("A new version is in force."), url_for("policy_raw", number=number))


def _uploaded() -> str:
    file = request.files.get("file")
    raw = file.read(PAYLOAD_MOST + 1) if file and file.filename else request.form.get("content", "").encode()
    if len(raw) > PAYLOAD_MOST:
        sentence = N_("A payload has at most 256 KB. Nothing was saved.")
        raise InvalidError(sentence, fields={"content": sentence})
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        sentence = N_("The file is not text in UTF-8. Nothing was saved.")
        raise InvalidError(sentence, fields={"content": sentence}) from error


ROUTES: tuple[Route, ...] = (
    ("/policies", "policies", policies, GET),
    ("/policies/new", "policy_new", policy_new, BOTH),
    ("/policies/<int:number>", "policy", policy, GET),
    ("/policies/<int:number>/preview", "policy_preview", policy_preview, POST),
    ("/policies/<int:number>/publish", "policy_publish", policy_publish, POST),
    ("/policies/<int:number>/describe", "policy_describe", policy_describe, POST),
    ("/policies/<int:number>/who", "policy_who", policy_who, GET),
    ("/policies/<int:number>/assign", "policy_assign", policy_assign, POST),
    ("/policies/<int:number>/history", "policy_history", policy_history, GET),
    ("/policies/<int:number>/roll-back", "policy_roll_back", policy_roll_back, POST),
    ("/policies/<int:number>/raw", "policy_raw", policy_raw, GET),
    ("/policies/<int:number>/raw/change", "policy_raw_change", policy_raw_change, POST),
)
