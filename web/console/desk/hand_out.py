"""Handing out on one page: who, what goes along, the terms, the signature; then the receipt and the device going green."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from flask import make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import get_locale, gettext

from mdm.core.clock import utcnow
from mdm.core.errors import N_, HavenmeesterError, InvalidError, UnavailableError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.custody import handing, service, terms
from mdm.desk.custody import kit as kits
from mdm.desk.custody.model import KitKind
from mdm.enrollment.links import Links
from mdm.inventory import lifecycle
from mdm.inventory.model import Device, LifeCycle
from mdm.inventory.queries import devices_select
from mdm.org.model import ServicePoint
from mdm.org.queries import unit_names
from mdm.people.model import Person
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.desk.draft import LONGEST, Draft
from web.console.desk.find import Found, find, person_by_id
from web.console.desk.frame import desk_page
from web.console.desk.keys import Key, pressed
from web.console.desk.papers import paper_page
from web.console.desk.place import desk_place
from web.console.desk.signing import OnPhone, asked_by, phone_of, signed_from, signing_keys
from web.console.identity import settings
from web.console.pages.enrollment import links
from web.console.pages.helpers import BOTH, Route, refused, text

LOAN_DAYS = 14
"""How long a loan is when nobody says otherwise."""
STEPS = {"s": "sign", "n": "unsigned", "b": ""}
"""Where the letters of the signature lead."""
NO_PLACE = N_("Choose the service point where you work first. Nothing was handed out.")


@dataclass(frozen=True, slots=True)
class Scene:
    """What the draft names, looked up: only what this clerk may see."""

    person: Person | None
    devices: list[Device]

    @property
    def ready(self) -> bool:
        """Whether it can be signed."""
        return self.person is not None and bool(self.devices)


def _scene(call: Call, draft: Draft) -> Scene:
    found = {one.uid: one for one in call.session.scalars(devices_select(call).where(Device.uid.in_(draft.devices)))}
    return Scene(person_by_id(call, draft.person), [found[uid] for uid in draft.devices if uid in found])


@may(Permission.DESK_WORK)
def hand_out(call: Call) -> Response:
    """The page of a hand-out: what is scanned goes into the draft, what is signed is done."""
    draft = Draft.read(request.form if request.method == "POST" else request.args)
    if request.method == "POST":
        return _finish(call, draft)
    entry = request.args.get("code")
    if entry is None or draft.step:
        return _show(call, draft)
    return _take(call, draft, clean(entry, LONGEST))


def _take(call: Call, draft: Draft, entry: str) -> Response:
    """One entry in the field: a key of the page, or something scanned."""
    scene = _scene(call, draft)
    key = pressed([*_keys(draft, scene), *_kinds(call, draft)], entry)
    if key is not None:
        return make_response(redirect(key.url, 303))
    if not entry:
        return _show(call, draft, field_wrong=_missing(scene))
    found = find(call, entry)
    if found.people:
        return _show(call, draft, candidates=list(found.people))
    wrong = _refusal(call, draft, found, entry)
    if wrong:
        return _show(call, draft, field_wrong=wrong)
    return make_response(redirect(_with(draft, found).url(), 303))


def _with(draft: Draft, found: Found) -> Draft:
    if found.person is not None:
        return replace(draft, person=found.person.id)
    if found.device is not None:
        return draft.with_device(found.device.uid)
    return draft.with_kit(f":{found.piece.code}" if found.piece is not None else f"sim:{found.sim}")


def _refusal(call: Call, draft: Draft, found: Found, entry: str) -> str:
    """Why what was scanned cannot go along, told at once; what is not seen here is told when it is signed."""
    if found.nothing:
        return str(
            gettext("Nothing here has the code %(code)s. Nothing was added; scan it again, or type it.", code=entry)
        )
    person, device = found.person, found.device
    if person is not None and person.left_on is not None and person.left_on <= call.now.date():
        return str(
            gettext(
                "%(name)s left on %(day)s. Nothing can be handed out to this person.",
                name=person.name,
                day=person.left_on,
            )
        )
    if device is None:
        return ""
    if device.uid in draft.devices:
        return str(gettext("%(device)s is on the list already. Nothing was added.", device=device.label))
    if device.state in lifecycle.WITH_HOLDER and device.person_id != draft.person:
        holder = call.session.get(Person, device.person_id) if device.person_id else None
        return str(
            gettext(
                "%(device)s is with %(holder)s. Nothing was added; take it in first.",
                device=device.label,
                holder=holder.name if holder else "?",
            )
        )
    if device.state == LifeCycle.RETURNED:
        return str(
            gettext("%(device)s came back and is not wiped yet. Nothing was added; wipe it first.", device=device.label)
        )
    return ""


def _missing(scene: Scene) -> str:
    if scene.person is None:
        return str(gettext("Who gets it? Scan the badge, or type a name or number."))
    return str(gettext("Scan what %(name)s gets.", name=scene.person.name))


def _keys(draft: Draft, scene: Scene) -> list[Key]:
    """What can be done at this step: Enter goes on."""
    if draft.step:
        return [*signing_keys(draft.step), Key("b", gettext("Back"), draft.url(step="", request=""), icon="arrow-left")]
    keys = []
    if scene.ready:
        keys.append(Key("", gettext("To the signature"), draft.url(step="sign"), icon="signature"))
        due = "" if draft.loan else (utcnow().date() + timedelta(days=LOAN_DAYS)).isoformat()
        label = gettext("For good") if draft.loan else gettext("As a loan")
        keys.append(Key("l", label, draft.url(loan=not draft.loan, due=due), icon="calendar"))
    if draft.person or draft.devices or draft.kit:
        keys.append(Key("x", gettext("Take the last one off"), draft.without_last().url(), icon="backspace"))
    return [*keys, Key("q", gettext("Stop"), "/desk", icon="x")]


def _kinds(call: Call, draft: Draft) -> list[Key]:
    """Kinds of kit without a number of their own, by digits."""
    plain = [(code, name) for code, name, numbered in kits.offered(call, spoken()) if not numbered]
    return [
        Key(str(place), name, draft.with_kit(code).url(), icon="plus")
        for place, (code, name) in enumerate(plain[:9], 1)
    ]


def spoken() -> str:
    """The clerk's language."""
    return str(get_locale() or "en")[:2]


def _finish(call: Call, draft: Draft) -> Response:
    """The form of the signature: a key of it, or the end of the hand-out."""
    press = (text("press") or text("typed") or text("unsigned")).lower()
    if press == "p":
        return _ask(call, draft)
    key = pressed(_keys(draft, _scene(call, draft)), press) if press else None
    if key is not None:
        return make_response(redirect(draft.url(step=STEPS[key.letter], request=""), 303))
    try:
        point = _place(call)
        done = service.hand_out(
            call,
            draft.wanted(
                point.id,
                settings().timezone,
                key=text("key"),
                note=text("note"),
                signed=None if draft.step == "unsigned" else signed_from(draft.request),
                unsigned=text("unsigned"),
            ),
            links_here(),
        )
    except HavenmeesterError as error:
        return _refused(call, draft, error)
    if done.paper is None:
        # It is in these hands already, and was never handed out over a counter: there is no paper to show.
        return make_response(redirect(url_for("desk", code=draft.devices[0]), 303))
    return paper_page(call, done.paper, invited={one.device: one for one in done.invited}, again=done.again)


def _ask(call: Call, draft: Draft) -> Response:
    """Makes the link for the person's own phone, and shows it this once."""
    try:
        made = asked_by(
            handing.ask_signature(call, draft.wanted(_place(call).id, settings().timezone, note=text("note")))
        )
    except HavenmeesterError as error:
        return _refused(call, replace(draft, step="sign", request=""), error)
    return _show(call, replace(draft, step="phone", request=made.row.uid), phone=made)


def _refused(call: Call, draft: Draft, error: HavenmeesterError) -> Response:
    failure = refused(call, error)
    return failure.stamp(_show(call, draft, failure=failure))


def _place(call: Call) -> ServicePoint:
    point = desk_place(call)
    if point is None:
        raise InvalidError(NO_PLACE)
    return point


def links_here() -> Links | None:
    """What addresses of invitations are made of; None while the signer has never answered here."""
    try:
        return links()
    except UnavailableError:
        return None


def _show(
    call: Call,
    draft: Draft,
    *,
    field_wrong: str = "",
    candidates: Sequence[Person] = (),
    failure: Failure | None = None,
    phone: OnPhone | None = None,
) -> Response:
    scene = _scene(call, draft)
    person = scene.person
    if not scene.ready:
        draft = replace(draft, step="")
    shown = [*([person] if person else []), *candidates]
    return desk_page(
        call,
        "desk/hand_out.html",
        camera=not draft.step,
        draft=draft,
        person=person,
        devices=scene.devices,
        kit=_kit(call, draft),
        ready=scene.ready,
        candidates=candidates,
        units=unit_names(call.session, [one.unit_id for one in shown if one.unit_id]),
        steps=_steps(draft, scene),
        prompt=_missing(scene) if not scene.ready else gettext("Scan what goes along, or press Enter"),
        hint=gettext("Badge, name or number") if person is None else gettext("Phone, SIM, charger …"),
        scanned=bool(draft.pairs),
        field_wrong=field_wrong,
        wrong=failure.sentence if failure else "",
        fields=failure.fields if failure else {},
        values=request.form,
        terms=terms.now(call, person.language) if person is not None and draft.step else None,
        due=date.fromisoformat(draft.due) if _is_day(draft.due) else None,
        phone=phone or (phone_of(call, draft.request) if draft.step == "phone" else None),
        keys=_keys(draft, scene),
        kinds=_kinds(call, draft),
        finish=gettext("Hand out"),
        key=request.form.get("key") or new_uid(),
    )


def _kit(call: Call, draft: Draft) -> list[dict[str, Any]]:
    names = {code: name for code, name, _numbered in kits.offered(call, spoken())}
    lines = []
    for one in draft.given:
        piece = kits.piece(call, one.code) if one.code else None
        kind = call.session.get(KitKind, piece.kind_id) if piece else None
        name = kits.name_of(kind, spoken()) if kind else names.get(one.kind, one.kind)
        lines.append({"name": name, "code": one.code, "quantity": one.quantity})
    return lines


def _steps(draft: Draft, scene: Scene) -> list[tuple[str, str]]:
    def state(done: bool, before: bool) -> str:
        return "done" if done else "now" if before else "next"

    return [
        (gettext("Person"), state(scene.person is not None, True)),
        (gettext("Device and kit"), state(bool(draft.step), scene.person is not None)),
        (gettext("Signature"), "now" if draft.step else "next"),
        (gettext("Receipt"), "next"),
    ]


def _is_day(written: str) -> bool:
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True


ROUTES: tuple[Route, ...] = (("/desk/hand-out", "hand_out", hand_out, BOTH),)
