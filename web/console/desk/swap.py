"""A swap on one page: the broken one comes in, another goes out, the same person, one signature."""

from dataclasses import replace
from typing import Any

from flask import flash, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import HavenmeesterError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.custody import papers, queries, service, swapping, terms
from mdm.desk.custody.agreement import not_out
from mdm.desk.custody.model import Condition, PaperKind
from mdm.desk.custody.scan import Card
from mdm.inventory.model import Device
from mdm.inventory.queries import device_by_uid, devices_select
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.desk.coming import Back, digits
from web.console.desk.draft import LONGEST
from web.console.desk.frame import desk_page, worked_at
from web.console.desk.hand_out import links_here
from web.console.desk.keys import Key, pressed
from web.console.desk.papers import paper_page
from web.console.desk.place import desk_place
from web.console.desk.scan import FREE, looked_up
from web.console.desk.signing import OnPhone, asked_by, phone_of, signed_from, signing_keys
from web.console.desk.take_in import back_keys, back_values, lines_of, missing_keys, pictures
from web.console.frame import fill
from web.console.pages.helpers import BOTH, Route, refused, text

PATH = "/desk/swap"
STEPS = {"s": "sign", "n": "unsigned", "b": ""}


@may(Permission.DESK_WORK)
def swap(call: Call) -> Response:
    """The page of a swap."""
    posted = request.method == "POST"
    back = Back.read(request.form if posted else request.args, condition=Condition.BROKEN)
    device = device_by_uid(call, back.device)
    if device.person_id is None:
        return _nobody(call, device)
    if not posted:
        return _show(call, back, device)
    return _finish(call, back, device) if back.step else _entry(call, back, device)


def _nobody(call: Call, device: Device) -> Response:
    key = text("key")
    done = papers.by_key(call, key, PaperKind.SWAP, device.uid) if key and request.method == "POST" else None
    if done is not None:
        return paper_page(call, done, again=True)
    flash(str(not_out(call, device)), "error")
    return make_response(redirect(url_for("desk", code=device.uid), 303))


def _entry(call: Call, back: Back, device: Device) -> Response:
    """One entry in the field: a key, the code that the broken one shows, or what goes out instead."""
    entry = clean(request.form.get("code", ""), LONGEST)
    lines = lines_of(call, queries.open_for(call, device))
    key = pressed([*_keys(call, back, device), *missing_keys(back, lines, PATH)], entry)
    if key is not None:
        return make_response(redirect(key.url, 303))
    if not entry:
        return _show(call, back, device, field_wrong=gettext("Scan what goes out instead."))
    if digits(entry):
        return make_response(redirect(back.url(PATH, presence=digits(entry)), 303))
    place = desk_place(call)
    card = looked_up(call, entry, place.id if place else None)
    wrong = _refusal(back, card)
    if wrong or card.device is None:
        return _show(call, back, device, field_wrong=wrong)
    return make_response(redirect(back.url(PATH, loaner=card.device.uid), 303))


def _refusal(back: Back, card: Card) -> str:
    """Why this cannot go out instead; empty when it can."""
    why = fill(card.next.why.text, card.next.why.params)
    if card.device is None:
        return str(gettext("This is no device that could go out instead. Nothing was changed. %(why)s", why=why))
    if card.device.uid == back.device:
        return str(gettext("This is the one that comes back. Scan the other one."))
    if card.device.state not in FREE:
        return str(
            gettext("%(device)s cannot go out now. Nothing was changed. %(why)s", device=card.device.label, why=why)
        )
    return ""


def _keys(call: Call, back: Back, device: Device) -> list[Key]:
    if back.step:
        keys = signing_keys(back.step)
        return [*keys, Key("b", gettext("Back"), back.url(PATH, step="", request=""), icon="arrow-left")]
    return [key for key in back_keys(call, back, device, PATH) if key.letter or back.loaner]


def _finish(call: Call, back: Back, device: Device) -> Response:
    press = (text("press") or text("typed") or text("unsigned")).lower()
    if press == "p":
        return _ask(call, back, device)
    if press in STEPS:
        return make_response(redirect(back.url(PATH, step=STEPS[press], request=""), 303))
    try:
        point = worked_at(call)
        wanted = back.swap(
            point.id,
            lines_of(call, queries.open_for(call, device)),
            key=text("key"),
            fault=text("fault"),
            signed=None if back.step == "unsigned" else signed_from(back.request),
            unsigned=text("unsigned"),
        )
        if papers.by_key(call, wanted.key, PaperKind.SWAP, device.uid) is None:
            wanted = replace(wanted, seen=replace(wanted.seen, photos=pictures(call, device, point)))
        done = service.swap(call, wanted, links_here())
    except HavenmeesterError as error:
        return _refused(call, back, error)
    return paper_page(call, done.paper, invited={one.device: one for one in done.invited}, again=done.again)


def _ask(call: Call, back: Back, device: Device) -> Response:
    try:
        lines = lines_of(call, queries.open_for(call, device))
        wanted = back.swap(worked_at(call).id, lines, fault=text("fault"))
        made = asked_by(swapping.ask_signature(call, wanted))
    except HavenmeesterError as error:
        return _refused(call, replace(back, step="sign", request=""), error)
    return _show(call, replace(back, step="phone", request=made.row.uid), device, phone=made)


def _refused(call: Call, back: Back, error: HavenmeesterError) -> Response:
    failure = refused(call, error)
    return failure.stamp(_show(call, back, device_by_uid(call, back.device), failure=failure))


def _show(
    call: Call,
    back: Back,
    device: Device,
    *,
    field_wrong: str = "",
    failure: Failure | None = None,
    phone: OnPhone | None = None,
) -> Response:
    loaner = call.session.scalar(devices_select(call).where(Device.uid == back.loaner)) if back.loaner else None
    if loaner is None:
        back = replace(back, step="", loaner="")
    shown: dict[str, Any] = back_values(call, back, device, lines_of(call, queries.open_for(call, device)), PATH)
    person = shown["person"]
    return desk_page(
        call,
        "desk/swap.html",
        camera=not back.step,
        **shown,
        loaner=loaner,
        keys=_keys(call, back, device),
        terms=terms.now(call, person.language) if person is not None and back.step else None,
        field_wrong=field_wrong,
        wrong=failure.sentence if failure else "",
        fields=failure.fields if failure else {},
        phone=phone or (phone_of(call, back.request) if back.step == "phone" else None),
        steps=_steps(back),
        finish=gettext("Swap"),
        key=request.form.get("key") or new_uid(),
    )


def _steps(back: Back) -> list[tuple[str, str]]:
    return [
        (gettext("What goes out"), "done" if back.loaner else "now"),
        (gettext("Signature"), "now" if back.step else "next"),
        (gettext("Receipt"), "next"),
    ]


ROUTES: tuple[Route, ...] = ((PATH, "swap", swap, BOTH),)
