"""The counter: one field, one card, the one right next thing."""

from urllib.parse import urlencode

from flask import flash, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.custody.scan import Card, CardKind, look_up
from mdm.enrollment.progress import OF_SOMEBODY, ORDER
from mdm.inventory.model import LifeCycle
from mdm.storage.call import Call
from web.common.guard import may
from web.console.desk.doing import keys_of
from web.console.desk.draft import LONGEST
from web.console.desk.frame import desk_page
from web.console.desk.keys import pressed
from web.console.desk.place import desk_place
from web.console.pages.helpers import GET, Route

FREE = frozenset({LifeCycle.IN_STOCK, LifeCycle.WIPED})
"""States in which a device on the counter goes to whoever's badge is scanned next."""


@may(Permission.DESK_VIEW)
def desk(call: Call) -> Response:
    """The field, and the card of what was scanned. Enter in the empty field, or a letter, does what the card offers.

    ``card`` is what the card on the page was looked up by; a badge that is scanned while a device that is free lies there
    begins its hand-out.
    """
    entry, shown = (clean(request.args.get(name, ""), LONGEST) for name in ("code", "card"))
    place = desk_place(call)
    place_id = place.id if place else None
    card: Card | None
    if shown and "code" in request.args:
        before = look_up(call, shown, place_id)
        if len(entry) <= 1:
            return _press(call, before, shown, entry)
        card = looked_up(call, entry, place_id)
        if _goes_to(before, card) and call.actor.may_somewhere(Permission.DESK_WORK):
            query = urlencode(
                {"person": card.holder.id if card.holder else "", "device": before.device.uid if before.device else ""}
            )
            return make_response(redirect(f"/desk/hand-out?{query}", 303))
    else:
        card = looked_up(call, entry, place_id) if entry else None
    return _show(call, card, entry)


def looked_up(call: Call, entry: str, place_id: int | None) -> Card:
    """The card of an entry. Where the whole means nothing, but its end came from a scanner, the card of that end:
    somebody was typing when it was scanned, and is told what was left out."""
    card, scanned = look_up(call, entry, place_id), clean(request.values.get("scan", ""), LONGEST)
    if card.kind is not CardKind.UNKNOWN or not scanned or not entry.endswith(scanned):
        return card
    alone = look_up(call, scanned, place_id)
    if alone.kind is CardKind.UNKNOWN:
        return card
    typed = entry.removesuffix(scanned)
    flash(gettext("Scanned. What stood in the field before the scan was left out: %(text)s", text=typed), "warning")
    return alone


def _press(call: Call, card: Card, shown: str, entry: str) -> Response:
    """A key of the card; a digit chooses one of several. Any other letter leaves the card as it is."""
    key = pressed(keys_of(call, card), entry)
    if key is not None:
        return make_response(redirect(key.url, 303))
    if entry.isdigit() and 0 < int(entry) <= len(card.choices):
        return make_response(redirect(url_for("desk", code=card.choices[int(entry) - 1].code), 303))
    return _show(call, card, shown)


def _goes_to(before: Card, card: Card) -> bool:
    free = before.device is not None and before.device.state in FREE
    return free and card.kind is CardKind.PERSON and card.holder is not None


def _show(call: Call, card: Card | None, entry: str) -> Response:
    found = card is not None and card.kind not in (CardKind.UNKNOWN, CardKind.SEVERAL, CardKind.PRESENCE)
    return desk_page(
        call,
        "desk/counter.html",
        camera=True,
        card=card,
        found=found,
        entry=entry,
        keys=keys_of(call, card) if card is not None else [],
        order=ORDER,
        sentences=OF_SOMEBODY,
    )


ROUTES: tuple[Route, ...] = (("/desk", "desk", desk, GET),)
