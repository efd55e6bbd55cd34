"""Handing out on one page: who, what goes along, the terms, the signature; then the receipt and the device going green."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from flask import make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import get_locale, gettext

from mdm.core.clock import utcnow
from mdm.core.errors import HavenmeesterError, UnavailableError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.custody import codes, handing, service, terms
from mdm.desk.custody import kit as kits
from mdm.desk.custody.model import KitKind
from mdm.desk.custody.scan import Card, CardKind
from mdm.enrollment.links import Links
from mdm.inventory import lifecycle
from mdm.inventory.model import Device
from mdm.inventory.queries import devices_select
from mdm.org.queries import unit_names
from mdm.people.model import Person
from mdm.people.queries import people_select
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.desk.draft import LONGEST, Draft
from web.console.desk.frame import desk_page, worked_at
from web.console.desk.keys import Key, pressed
from web.console.desk.papers import paper_page
from web.console.desk.place import desk_place
from web.console.desk.scan import FREE, looked_up
from web.console.desk.signing import OnPhone, asked_by, phone_of, signed_from, signing_keys
from web.console.frame import day, fill
from web.console.identity import settings
from web.console.pages.enrollment import links
from web.console.pages.helpers import BOTH, Route, refused, text

LOAN_DAYS = 14
"""How long a loan is when nobody says otherwise."""
STEPS = {"s": "sign", "n": "unsigned", "b": ""}
"""Where the letters of the signature lead."""


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
    person = call.session.scalar(people_select(call).where(Person.id == (draft.person or 0)))
    return Scene(person, [found[uid] for uid in draft.devices if uid in found])


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
    """One entry in the field: a key of the page, one of several that were offered, or something scanned."""
    scene, among = _scene(call, draft), clean(request.args.get("among", ""), LONGEST)
    if among and len(entry) == 1 and entry.isdigit():
        choices = _look(call, among).choices
        entry = choices[int(entry) - 1].code if 0 < int(entry) <= len(choices) else ""
    else:
        key = pressed([*_keys(draft, scene), *_kinds(call, draft)], entry)
        if key is not None:
            return make_response(redirect(key.url, 303))
    if not entry:
        return _show(call, draft, field_wrong=_missing(scene))
    card = _look(call, entry)
    if card.choices:
        return _show(call, draft, card=card, among=entry)
    wrong = _refusal(call, draft, card, entry)
    if wrong:
        return _show(call, draft, field_wrong=wrong)
    return make_response(redirect(_with(draft, card).url(), 303))


def _look(call: Call, entry: str) -> Card:
    place = desk_place(call)
    return looked_up(call, entry, place.id if place else None)


def _with(draft: Draft, card: Card) -> Draft:
    if card.device is not None:
        return draft.with_device(card.device.uid)
    if card.piece is not None:
        return draft.with_kit(f":{card.piece.code}")
    if card.kind is CardKind.PERSON and card.holder is not None:
        return replace(draft, person=card.holder.id)
    return draft.with_kit(f"sim:{codes.iccid(card.code)}")


def _refusal(call: Call, draft: Draft, card: Card, entry: str) -> str:
    """Why what was scanned cannot go along, told at once; what is not seen here is told when it is signed."""
    if card.kind is CardKind.UNKNOWN and not codes.iccid(card.code):
        return fill(card.next.why.text, card.next.why.params)
    if card.kind is CardKind.PRESENCE:
        return str(gettext("Nothing here has the code %(code)s. Nothing was added.", code=entry))
    person, device = card.holder, card.device
    if card.kind is CardKind.PERSON and person is not None and left(person, call):
        return str(
            gettext(
                "%(name)s left on %(day)s. Nothing can be handed out to this person.",
                name=person.name,
                day=day(person.left_on) if person.left_on else "",
            )
        )
    if card.piece is not None and person is not None and person.id != draft.person:
        return str(gettext("%(thing)s is with %(holder)s. Nothing was added.", thing=card.title, holder=person.name))
    if device is None:
        return ""
    if device.uid in draft.devices:
        return str(gettext("%(device)s is on the list already. Nothing was added.", device=device.label))
    if device.state in lifecycle.WITH_HOLDER and device.person_id != draft.person:
        return str(
            gettext(
                "%(device)s is with %(holder)s. Nothing was added; take it in first.",
                device=device.label,
                holder=person.name if person else "?",
            )
        )
    if device.state not in FREE and device.state not in lifecycle.WITH_HOLDER:
        why = fill(card.next.why.text, card.next.why.params)
        return str(
            gettext("%(device)s cannot be handed out now. Nothing was added. %(why)s", device=device.label, why=why)
        )
    return ""


def left(person: Person, call: Call) -> bool:
    """Whether the person has left."""
    return person.left_on is not None and person.left_on <= call.now.date()


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
        point = worked_at(call)
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
            handing.ask_signature(call, draft.wanted(worked_at(call).id, settings().timezone, note=text("note")))
        )
    except HavenmeesterError as error:
        return _refused(call, replace(draft, step="sign", request=""), error)
    return _show(call, replace(draft, step="phone", request=made.row.uid), phone=made)


def _refused(call: Call, draft: Draft, error: HavenmeesterError) -> Response:
    failure = refused(call, error)
    return failure.stamp(_show(call, draft, failure=failure))


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
    card: Card | None = None,
    among: str = "",
    failure: Failure | None = None,
    phone: OnPhone | None = None,
) -> Response:
    scene = _scene(call, draft)
    person = scene.person
    if not scene.ready:
        draft = replace(draft, step="")
    return desk_page(
        call,
        "desk/hand_out.html",
        camera=not draft.step,
        draft=draft,
        person=person,
        devices=scene.devices,
        kit=_kit(call, draft),
        ready=scene.ready,
        choices=card.choices if card else (),
        among=among,
        units=unit_names(call.session, [person.unit_id]) if person is not None and person.unit_id else {},
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
