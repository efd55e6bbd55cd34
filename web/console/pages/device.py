"""One device: its tabs, and everything that can be done to it."""

from typing import Any

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import get_locale, gettext
from sqlalchemy import select

from mdm.audit import service as audit
from mdm.audit.model import AuditEntry
from mdm.commands import queries as commands
from mdm.commands import service as command_service
from mdm.commands.model import Verb
from mdm.compliance import queries as compliance
from mdm.compliance.rules import RULES
from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission
from mdm.desk.cases import queries as cases
from mdm.desk.custody import queries as custody
from mdm.enrollment import queries as enrollments
from mdm.enrollment import service as enrollment
from mdm.inventory import lifecycle, queries
from mdm.inventory import service as inventory
from mdm.inventory.holder import Holder
from mdm.inventory.model import Device, DeviceKind, LifeCycle, Platform
from mdm.orders import queries as orders
from mdm.org.queries import service_point_names, unit_names
from mdm.overview import device as device_page
from mdm.overview import words
from mdm.overview.devices import DEVICES, places
from mdm.people.model import Person
from mdm.people.queries import Filters, people, person
from mdm.storage.call import Call
from web.common.guard import may
from web.console.lists import chosen_ids
from web.console.pages import android, kiosk, phone
from web.console.pages.devices import asset_data, asset_form
from web.console.pages.helpers import BOTH, GET, POST, Route, done, page, refused, text
from web.console.pages.wiping import wipe_chosen

REASON_MOST = 500


def _holder(call: Call, found: Device) -> Person | None:
    return call.session.get(Person, found.person_id) if found.person_id else None


def _shared(call: Call, found: Device) -> dict[str, Any]:
    """What every tab has around it."""
    actor, where = call.actor, found.where
    return {
        "device": found,
        "holder": _holder(call, found),
        "point": service_point_names(call.session, [found.service_point_id]).get(found.service_point_id)
        if found.service_point_id
        else None,
        "unit": unit_names(call.session, [found.unit_id]).get(found.unit_id) if found.unit_id else None,
        "order": orders.open_for(call, found.uid) if actor.may(Permission.ORDER_VIEW, where) else None,
        "can": {
            "send": actor.may(Permission.COMMAND_SEND, where) and found.enrolled_at is not None,
            "lock": actor.may(Permission.COMMAND_LOCK, where) and found.enrolled_at is not None,
            "manage": actor.may(Permission.DEVICE_MANAGE, where),
            "revoke": actor.may(Permission.ENROLLMENT_REVOKE, where) and found.enrolled_at is not None,
            "invite": actor.may(Permission.ENROLLMENT_INVITE, where),
            "wipe": actor.may(Permission.ORDER_REQUEST, where) or actor.may(Permission.ORDER_HAND_IN, where),
            "case": actor.may(Permission.CASE_MANAGE, where),
            "exempt": actor.may(Permission.COMPLIANCE_EXEMPT, where),
        },
        "cases": cases.open_for(call, found) if actor.may(Permission.CASE_VIEW, where) else [],
        "moves": sorted(lifecycle.MOVES[LifeCycle(found.state)]),
        "held": lifecycle.WITH_HOLDER,
        "is_phone": found.platform == Platform.IOS,
        "is_android": found.platform == Platform.ANDROID,
        "is_kiosk": found.kind == DeviceKind.KIOSK and found.platform == Platform.LINUX,
        "offers": phone.offers(call, found) if found.platform == Platform.IOS else [],
    }


@may(Permission.DEVICE_VIEW)
def device(call: Call, uid: str) -> Response:
    """The page, at the tab that the address names."""
    found = queries.device_by_uid(call, uid)
    tab = request.args.get("tab", "overview")
    fill = _TABS.get(tab, _overview)
    tab = tab if tab in _TABS else "overview"
    sheet = "android" if tab == "phone" and found.platform == Platform.ANDROID else tab
    return page(f"devices/tab_{sheet}.html", tab=tab, **_shared(call, found), **fill(call, found))


@may(Permission.DEVICE_VIEW, write=True)
def device_raw(call: Call, uid: str) -> Response:
    """The last report word for word: a look at sensitive data, so the diary notes it."""
    found = queries.device_by_uid(call, uid)
    facts = queries.facts(call, uid)
    audit.record(call, "device.raw_viewed", ("device", found.uid), name=found.label, where=found.where)
    return page(
        "devices/tab_raw.html",
        tab="raw",
        facts={name: {"since": one.changed_at, "content": one.content} for name, one in facts.items()},
        **_shared(call, found),
    )


def _phone(call: Call, found: Device) -> dict[str, Any]:
    return android.tab(call, found) if found.platform == Platform.ANDROID else phone.tab(call, found)


def _overview(call: Call, found: Device) -> dict[str, Any]:
    return {
        "facts": {name: one.content for name, one in queries.facts(call, found.uid).items()},
        "findings": compliance.findings(call, found.uid)
        if call.actor.may(Permission.COMPLIANCE_VIEW, found.where)
        else [],
        "waiting": [one for one in commands.for_device(call, found.uid, limit=20) if one.finished_at is None],
        "certificates": enrollments.enrollments(call, found.uid)[:3],
    }


def _settings(call: Call, found: Device) -> dict[str, Any]:
    return {"lines": device_page.settings_and_why(call, found, str(get_locale() or "en")[:2])}


def _apps(call: Call, found: Device) -> dict[str, Any]:
    words_wanted = request.args.get("q", "").strip()[:100]
    return {"apps": device_page.applications(call, found, words_wanted), "q": words_wanted}


def _commands(call: Call, found: Device) -> dict[str, Any]:
    return {"commands": commands.for_device(call, found.uid, limit=100)}


def _compliance(call: Call, found: Device) -> dict[str, Any]:
    return {
        "findings": compliance.findings(call, found.uid),
        "exemptions": compliance.exemptions(call, uid=found.uid, ended=True),
        "changes": compliance.verdict_changes(call, found.uid),
        "met": device_page.rules_met(call, found),
        "rules": RULES,
    }


def _history(call: Call, found: Device) -> dict[str, Any]:
    return {"events": queries.events(call, found.uid, limit=200), "hand_overs": custody.hand_overs(call, found.uid)}


def _activity(call: Call, found: Device) -> dict[str, Any]:
    lines = call.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject_kind == "device", AuditEntry.subject_id == found.uid)
        .order_by(AuditEntry.id.desc())
        .limit(100)
    ).all()
    return {"lines": lines, "changes": queries.changes(call, found.uid, limit=100)}


_TABS = {
    "overview": _overview,
    "settings": _settings,
    "apps": _apps,
    "commands": _commands,
    "phone": _phone,
    "kiosk": kiosk.tab,
    "compliance": _compliance,
    "history": _history,
    "activity": _activity,
}


@may(Permission.DEVICE_MANAGE)
def device_edit(call: Call, uid: str) -> Response:
    """Edits the asset record."""
    if request.method == "GET":
        return asset_form(call, uid)
    version = text("version")
    try:
        inventory.edit(call, uid, asset_data(), version=int(version) if version.isdigit() else None)
    except HavenmeesterError as error:
        return asset_form(call, uid, refused(call, error))
    return done(gettext("The device was saved."), url_for("device", uid=uid))


@may(Permission.DEVICE_MANAGE)
def device_move(call: Call, uid: str) -> Response:
    """The next step in the device's life: hand out, take back, repair, lost, retire."""
    found = queries.device_by_uid(call, uid)
    state = text("state") or request.args.get("state", "")
    if state not in {one.value for one in LifeCycle}:
        raise InvalidError(N_("This is not a state of a device. Nothing was changed."))
    goal = LifeCycle(state)
    needs_person = goal in lifecycle.WITH_HOLDER
    if request.method == "GET" or (needs_person and not text("person")):
        search = text("q") or request.args.get("q", "").strip()
        return page(
            "devices/move.html",
            goal=state,
            needs_person=needs_person,
            people=people(call, Filters(search=search[:100]), limit=20) if search else [],
            q=search,
            places=places(call),
            **_shared(call, found),
        )
    reason = text("reason")[:REASON_MOST]
    if needs_person:
        who = person(call, int(text("person")) if text("person").isdigit() else 0)
        holder = Holder(who.id, who.name, who.number, who.email, who.unit_id, who.persona)
        inventory.move(call, uid, goal, reason=reason, holder=holder)
    elif goal is LifeCycle.RETURNED:
        chosen = text("service_point_id")
        inventory.take_back(call, uid, int(chosen) if chosen.isdigit() else None, reason=reason)
    else:
        inventory.move(call, uid, goal, reason=reason)
    return done(
        gettext("Done. The device is now: %(state)s.", state=gettext(words.STATES[state])), url_for("device", uid=uid)
    )


@may(Permission.ENROLLMENT_REVOKE)
def device_revoke(call: Call, uid: str) -> Response:
    """Refuses the device's certificate from its next request on."""
    ended = enrollment.revoke(call, uid, text("reason") or "revoked")
    return done(
        gettext("Certificates that are refused from now on: %(count)s.", count=ended), url_for("device", uid=uid)
    )


@may(Permission.DEVICE_VIEW)
def devices_act(call: Call) -> Response:
    """Asks for a command on chosen devices: first shows what and on which, then sends. One device or many."""
    verb = Verb(text("verb")) if text("verb") in {one.value for one in Verb} else None
    uids = request.form.getlist("uid") or device_page.uids(call, chosen_ids(call, DEVICES))
    if text("verb") == "wipe":
        # No command: it goes its own way, by other people's signatures.
        return wipe_chosen(call, uids)
    if verb is None:
        raise InvalidError(N_("Choose what to do. Nothing was sent."))
    needs_form = verb in (Verb.LOCK, Verb.MESSAGE, Verb.RESTART)
    chosen = device_page.chosen(call, uids)
    if needs_form and not text("sure"):
        return page(
            "devices/act.html", verb=verb.value, chosen=chosen, failure=None, values=request.form, next=text("next")
        )
    ready = [one.uid for one in chosen if one.enrolled_at is not None]
    try:
        sent = command_service.send(call, ready, verb, _args(verb), reason=text("reason")[:REASON_MOST])
    except HavenmeesterError as error:
        failure = refused(call, error)
        chosen = device_page.chosen(call, uids)
        return failure.stamp(
            page(
                "devices/act.html",
                verb=verb.value,
                chosen=chosen,
                failure=failure,
                values=request.form,
                next=text("next"),
            )
        )
    left_out = len(chosen) - len(ready)
    sentence = gettext(
        "%(verb)s was asked. Devices: %(count)s.", verb=gettext(words.VERBS[verb.value]), count=len(ready)
    )
    if left_out:
        sentence += " " + gettext("Not enrolled and left out: %(count)s.", count=left_out)
    if sent.batch:
        return done(sentence, url_for("commands", batch=sent.batch))
    return done(sentence, url_for("device", uid=ready[0], tab="commands"))


def _args(verb: Verb) -> dict[str, object] | None:
    return {"text": text("text")} if verb is Verb.MESSAGE else None


@may(Permission.DEVICE_VIEW)
def command_cancel(call: Call, number: str) -> Response:
    """Takes a command back until the device has fetched it."""
    found = command_service.cancel(call, number)
    uid = call.session.get_one(Device, found.device_id).uid
    return done(gettext("The command was taken back."), url_for("device", uid=uid, tab="commands"))


ROUTES: tuple[Route, ...] = (
    ("/devices/act", "devices_act", devices_act, POST),
    ("/devices/<uid>", "device", device, GET),
    ("/devices/<uid>/raw", "device_raw", device_raw, GET),
    ("/devices/<uid>/edit", "device_edit", device_edit, BOTH),
    ("/devices/<uid>/move", "device_move", device_move, BOTH),
    ("/devices/<uid>/revoke", "device_revoke", device_revoke, POST),
    ("/commands/<number>/cancel", "command_cancel", command_cancel, POST),
)
