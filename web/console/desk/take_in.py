"""Taking in on one page: how it looks, is it locked, what came along, the code that it shows, the signature."""

from dataclasses import replace
from typing import Any

from flask import current_app, flash, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.commands import service as commands
from mdm.commands.model import Verb
from mdm.core.errors import ConflictError, HavenmeesterError, InvalidError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.custody import locks, papers, photos, queries, returning, service
from mdm.desk.custody.agreement import Line, not_out
from mdm.desk.custody.model import Condition, Custody, PaperKind
from mdm.inventory.model import Device
from mdm.inventory.queries import device_by_uid
from mdm.org.model import ServicePoint
from mdm.overview import words
from mdm.people.model import Person
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.common.sealed import SEAL
from web.console.desk.coming import Back, digits
from web.console.desk.draft import LONGEST
from web.console.desk.frame import desk_page, worked_at
from web.console.desk.keys import Key, pressed
from web.console.desk.papers import paper_page
from web.console.desk.signing import OnPhone, asked_by, phone_of, signed_from, signing_keys
from web.console.identity import settings
from web.console.pages.helpers import BOTH, Route, refused, text

PATH = "/desk/take-in"
CONDITIONS = {"g": Condition.GOOD, "w": Condition.WORN, "d": Condition.DAMAGED, "b": Condition.BROKEN}
STEPS = {"s": "sign", "b": ""}


@may(Permission.DESK_WORK)
def take_in(call: Call) -> Response:
    """The page of a take-in: keys and the code go into the address, the signature ends it."""
    back = Back.read(request.form if request.method == "POST" else request.args, condition=Condition.GOOD)
    device = device_by_uid(call, back.device)
    if device.person_id is None:
        return _nobody(call, device)
    if request.method == "GET":
        return _show(call, back, device)
    return _finish(call, back, device) if back.step else _entry(call, back, device)


def _nobody(call: Call, device: Device) -> Response:
    """Nobody has it: the same form that took it in just now gives its paper again; everything else is told why."""
    key = text("key")
    done = papers.by_key(call, key, PaperKind.TAKE_IN, device.uid) if key and request.method == "POST" else None
    if done is not None:
        return paper_page(call, done, again=True)
    flash(str(not_out(call, device)), "error")
    return make_response(redirect(url_for("desk", code=device.uid), 303))


def lines_of(call: Call, custody: Custody | None) -> tuple[Line, ...]:
    """The kit that went along and is still out."""
    return queries.kit_of(call, [custody.id]).get(custody.id, ()) if custody is not None else ()


def _entry(call: Call, back: Back, device: Device) -> Response:
    """One entry in the field: a key, or the eight digits that the device shows."""
    entry = clean(request.form.get("code", ""), LONGEST)
    if entry.lower() == "r" and device.enrolled_at is not None:
        commands.send(call, [device.uid], Verb.REFRESH)
        flash(gettext("The device was asked. Look again in a moment: Y and Enter."), "done")
        return make_response(redirect(back.url(PATH), 303))
    lines = lines_of(call, queries.open_for(call, device))
    key = pressed([*back_keys(call, back, device, PATH), *missing_keys(back, lines, PATH)], entry)
    if key is not None:
        return make_response(redirect(key.url, 303))
    shown = digits(entry)
    if shown:
        return make_response(redirect(back.url(PATH, presence=shown), 303))
    wrong = gettext("This is neither a key nor the eight digits that the device shows. Nothing was changed.")
    return _show(call, back, device, field_wrong=wrong)


def back_keys(call: Call, back: Back, device: Device, path: str) -> list[Key]:
    """What can be said of a device that comes back: Enter goes on, letters say how it looks."""
    custody = queries.open_for(call, device)
    seen = replace(back, custody=back.custody or (custody.uid if custody else ""))
    keys = [Key("", gettext("To the signature"), seen.url(path, step="sign"), icon="signature")]
    for letter, condition in CONDITIONS.items():
        if condition.value != back.condition:
            keys.append(
                Key(
                    letter,
                    gettext(words.CONDITIONS[condition]),
                    back.url(path, condition=condition.value),
                    icon="eye-check",
                )
            )
    if back.presence:
        keys.append(Key("x", gettext("Without the wipe"), back.url(path, presence=""), icon="eraser"))
    keys.append(Key("y", gettext("Look again"), back.url(path), icon="refresh"))
    keys.append(Key("q", gettext("Stop"), url_for("desk", code=device.uid), icon="x"))
    return keys


def missing_keys(back: Back, lines: tuple[Line, ...], path: str) -> list[Key]:
    """A digit for each line of the kit, which says that it is missing, or that it is there after all."""
    return [
        Key(str(place), str(line.row.id), back.url(path, missing=back.toggled(line.row.id)), icon="package-off")
        for place, line in enumerate(lines[:9], 1)
    ]


def _finish(call: Call, back: Back, device: Device) -> Response:
    press = (text("press") or text("typed")).lower()
    if press == "p":
        return _ask(call, back, device)
    if press in STEPS:
        return make_response(redirect(back.url(PATH, step=STEPS[press], request=""), 303))
    try:
        signed = None if press == "n" else signed_from(back.request)
        if signed is None and press != "n":
            raise InvalidError(
                gettext("There is no signature yet. Nothing was done; sign, or press N when nobody signs."),
                fields={"signature": gettext("Sign here.")},
            )
        point = worked_at(call)
        lines = lines_of(call, queries.open_for(call, device))
        wanted = back.take_in(point.id, lines, key=text("key"), note=text("note"), signed=signed)
        if papers.by_key(call, wanted.key, PaperKind.TAKE_IN, device.uid) is None:
            wanted = replace(wanted, seen=replace(wanted.seen, photos=pictures(call, device, point)))
        done = service.take_in(call, wanted)
    except HavenmeesterError as error:
        return _refused(call, back, error)
    if done.paper is None:
        raise ConflictError(str(not_out(call, device)))
    return paper_page(call, done.paper, again=done.again)


def pictures(call: Call, device: Device, point: ServicePoint) -> tuple[str, ...]:
    """Keeps the photographs of the form, and says their ids."""
    files = photos.Files(settings().home, current_app.extensions[SEAL])
    sent = [one for one in request.files.getlist("photo")[: photos.MOST] if one.filename]
    return tuple(
        photos.take(call, files, device.uid, point.id, one.stream.read(photos.MAX_BYTES + 1)).uid for one in sent
    )


def _ask(call: Call, back: Back, device: Device) -> Response:
    try:
        lines = lines_of(call, queries.open_for(call, device))
        made = asked_by(returning.ask_signature(call, back.take_in(worked_at(call).id, lines, note=text("note"))))
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
    custody = queries.open_for(call, device)
    lines = lines_of(call, custody)
    return desk_page(
        call,
        "desk/take_in.html",
        camera=not back.step,
        **back_values(call, back, device, lines, PATH),
        keys=_sign_keys(back) if back.step else back_keys(call, back, device, PATH),
        field_wrong=field_wrong,
        wrong=failure.sentence if failure else "",
        fields=failure.fields if failure else {},
        phone=phone or (phone_of(call, back.request) if back.step == "phone" else None),
        steps=[
            (gettext("How it looks"), "done" if back.step else "now"),
            (gettext("Signature"), "now" if back.step else "next"),
            (gettext("Receipt"), "next"),
        ],
        finish=gettext("Take in"),
        key=request.form.get("key") or new_uid(),
    )


def back_values(call: Call, back: Back, device: Device, lines: tuple[Line, ...], path: str) -> dict[str, Any]:
    """What the pages of take-in and swap show of the device that comes back."""
    return {
        "back": back,
        "path": path,
        "device": device,
        "person": call.session.get(Person, device.person_id) if device.person_id is not None else None,
        "lines": lines,
        "missing_keys": missing_keys(back, lines, path),
        "light": locks.light_of(call, device),
        "values": request.form,
        "provable": device.enrolled_at is not None and bool(device.key_digest),
    }


def _sign_keys(back: Back) -> list[Key]:
    keys = signing_keys(back.step)
    return [*keys, Key("b", gettext("Back"), back.url(PATH, step="", request=""), icon="arrow-left")]


ROUTES: tuple[Route, ...] = ((PATH, "take_in", take_in, BOTH),)
