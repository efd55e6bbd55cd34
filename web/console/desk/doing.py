"""From what a card says can be done to the pages where it is done, each with its key."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from flask import url_for
from flask_babel import gettext

from mdm.core.errors import N_
from mdm.core.permissions import Permission, Where
from mdm.desk.custody.next_step import Do
from mdm.desk.custody.scan import Card, CardKind
from mdm.storage.call import Call
from web.console.desk.frame import exists
from web.console.desk.keys import Key


@dataclass(frozen=True, slots=True)
class Doing:
    """How one thing is offered. ``page`` is the address of its page; ``{uid}`` stands for the device."""

    letter: str
    label: str
    icon: str
    page: str
    rule: str = ""
    """The rule of that address, where it is not the address itself."""
    otherwise: str = ""
    """The move on the device's own page, where the page is not part of this installation."""
    permission: Permission = Permission.DESK_WORK


DOINGS: dict[Do, Doing] = {
    Do.CASE: Doing(
        "k",
        N_("Lost or stolen"),
        icon="alert-triangle",
        page="/desk/cases/new/lost?device={uid}",
        rule="/desk/cases/new/<kind>",
        otherwise="lost",
    ),
    Do.CLOSE_REPAIR: Doing(
        "r", N_("Close the repair"), icon="tool", page="/desk/repairs?device={uid}", otherwise="in_stock"
    ),
    Do.ERASE: Doing("e", N_("Say that it was erased"), icon="eraser", page="/desk/erase?device={uid}"),
    Do.HAND_OUT: Doing("h", N_("Hand out"), icon="user-check", page="/desk/hand-out"),
    Do.REPAIR: Doing("r", N_("To repair"), icon="tool", page="/desk/repairs/open?device={uid}", otherwise="in_repair"),
    Do.SHELVE: Doing(
        "s", N_("Put on a shelf"), icon="package", page="/desk/stock/shelve?device={uid}", otherwise="in_stock"
    ),
    Do.SWAP: Doing("w", N_("Swap"), icon="repeat", page="/desk/swap?device={uid}"),
    Do.TAKE_IN: Doing("t", N_("Take in"), icon="package-import", page="/desk/take-in?device={uid}"),
    Do.TAKE_PIECE: Doing("t", N_("Take in"), icon="package-import", page="/desk/take-piece"),
    Do.WAIT: Doing("y", N_("Look again"), icon="refresh", page="/desk?code={uid}", permission=Permission.DESK_VIEW),
    Do.WIPE: Doing("i", N_("Wipe it here"), icon="eraser", page="/desk/wipe?device={uid}"),
}


def keys_of(call: Call, card: Card) -> list[Key]:
    """What this clerk can do with what lies there: the right next thing by Enter, the others by their letter."""
    where = card.device.where if card.device else card.piece.where if card.piece else None
    found = [key for key in (_key(call, card, do, where) for do in _does(card)) if key is not None]
    keys = [
        Key("" if place == 0 and one[0] == card.next.do else one[1].letter, *_shown(card, one))
        for place, one in enumerate(found)
    ]
    if card.device is not None:
        keys.append(
            Key(
                "o" if keys else "",
                gettext("Open the device"),
                url_for("device", uid=card.device.uid),
                icon="file-info",
            )
        )
    elif card.kind is CardKind.PERSON and card.holder is not None and call.actor.may_somewhere(Permission.PEOPLE_VIEW):
        keys.append(
            Key("o" if keys else "", gettext("Open the person"), url_for("person", number=card.holder.id), icon="user")
        )
    return keys


def _does(card: Card) -> Iterable[Do]:
    return dict.fromkeys((card.next.do, *(step.do for step in card.others)))


def _key(call: Call, card: Card, do: Do, where: Where | None) -> tuple[Do, Doing, str] | None:
    doing = DOINGS.get(do)
    if doing is None:
        return None
    allowed = call.actor.may(doing.permission, where) if where else call.actor.may_somewhere(doing.permission)
    url = _url(card, do, doing)
    return (do, doing, url) if allowed and url else None


def _shown(card: Card, found: tuple[Do, Doing, str]) -> tuple[str, str, str]:
    do, doing, url = found
    more = do is Do.HAND_OUT and card.device is not None and card.holder is not None
    return str(gettext("Give more along") if more else gettext(doing.label)), url, doing.icon


def _url(card: Card, do: Do, doing: Doing) -> str:
    if do is Do.HAND_OUT:
        return hand_out_url(card)
    if do is Do.TAKE_PIECE and card.piece is not None:
        return f"{doing.page}?{urlencode({'piece': card.piece.code})}"
    if card.device is None:
        return ""
    path = doing.rule or doing.page.partition("?")[0]
    if not exists(path):
        return url_for("device_move", uid=card.device.uid, state=doing.otherwise) if doing.otherwise else ""
    return doing.page.replace("{uid}", quote(card.device.uid))


def hand_out_url(card: Card) -> str:
    """The page of a hand-out that begins with this card: its device, its person, its piece of kit."""
    if card.kind is CardKind.DEVICE and card.device is not None:
        held = {"person": card.holder.id} if card.holder is not None else {}
        return "/desk/hand-out?" + urlencode({**held, "device": card.device.uid})
    if card.kind is CardKind.PERSON and card.holder is not None:
        return "/desk/hand-out?" + urlencode({"person": card.holder.id})
    if card.piece is not None:
        return "/desk/hand-out?" + urlencode({"kit": f":{card.piece.code}"})
    return ""
