"""The one right next step for what lies on the counter, and the other ones that are possible. Pure: facts in, steps out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from mdm.core.errors import N_
from mdm.inventory.model import LifeCycle, Ownership, Platform


class Do(StrEnum):
    """What can be done next."""

    CASE = "case"
    """Look at its case, or open one."""
    CLOSE_REPAIR = "close_repair"
    ERASE = "erase"
    """Erase it by hand, and say so."""
    HAND_OUT = "hand_out"
    NONE = "none"
    RECEIVE = "receive"
    """Receive the transfer that it is on."""
    REPAIR = "repair"
    SHELVE = "shelve"
    SWAP = "swap"
    TAKE_IN = "take_in"
    TAKE_PIECE = "take_piece"
    WAIT = "wait"
    """Something runs; look at how far it is."""
    WIPE = "wipe"
    """Wipe it here, with the code that it shows."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """An English sentence for the catalogues, with what fills it."""

    text: str
    params: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The filled English sentence."""
        return self.text % self.params if self.params else self.text


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, and why it is that one."""

    do: Do
    why: Sentence


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rule is given of a device."""

    state: LifeCycle
    platform: str
    ownership: str
    holder: str = ""
    here: bool = True
    wipeable: bool = False
    """Whether an order can reach it."""
    wiping: bool = False
    """Whether an order for it is open."""
    arriving: bool = False
    """Whether it is being enrolled just now."""
    overdue: bool = False
    repair: bool = False
    """Whether a repair of it is open."""
    in_transit: bool = False
    """Whether it was sent to another service point and has not arrived."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The next step, and the others."""

    next: Step
    others: tuple[Step, ...] = ()


ERASE: Final[Mapping[str, str]] = {
    Platform.IOS: N_(
        "It cannot show a code, so it is not wiped from here. Erase it by hand: Settings, General, Transfer or Reset iPhone, "
        "Erase All Content and Settings. When it says Hello, and does not ask for an account, say so here."
    ),
    Platform.ANDROID: N_(
        "It cannot show a code, so it is not wiped from here. Reset it by hand: Settings, System, Reset options, Erase all "
        "data. When it starts anew, and does not ask for an account, say so here."
    ),
    Platform.LINUX: N_(
        "No order can reach it, so it is not wiped from here. Install it anew or wipe its disk, then say so here."
    ),
}
"""What to do with a device that cannot prove that it lies here."""
_OTHERS: Final[Mapping[Do, str]] = {
    Do.CASE: N_("It was lost or stolen."),
    Do.ERASE: N_("It was erased by hand."),
    Do.HAND_OUT: N_("More goes with it."),
    Do.REPAIR: N_("It is broken."),
    Do.SWAP: N_("It is broken, and its holder needs another one."),
    Do.TAKE_IN: N_("It comes back."),
}


def steps(one: Standing) -> Steps:
    """What to do with a device that stands like this."""
    if one.ownership == Ownership.PRIVATE:
        return Steps(
            Step(Do.NONE, Sentence(N_("It is somebody's private device: the desk neither hands it out nor wipes it.")))
        )
    if one.state is LifeCycle.LOST:
        why = N_("It was reported lost. Open its case before anything else.")
        return Steps(Step(Do.CASE, Sentence(why)), _others(Do.TAKE_IN) if one.holder else ())
    if one.state is LifeCycle.RETIRED:
        return Steps(Step(Do.NONE, Sentence(N_("It was retired. Nothing is done with it here."))))
    if one.repair or one.state is LifeCycle.IN_REPAIR:
        return Steps(Step(Do.CLOSE_REPAIR, Sentence(N_("It is in repair. Close the repair when it is back."))))
    if one.holder:
        return _held(one)
    return _ours(one)


def _held(one: Standing) -> Steps:
    named = {"holder": one.holder}
    if one.state is LifeCycle.WIPED:
        return Steps(Step(Do.TAKE_IN, Sentence(N_("It is wiped, and still in the name of %(holder)s."), named)))
    others = _others(Do.SWAP, Do.HAND_OUT, Do.REPAIR, Do.CASE)
    if one.arriving:
        why = Sentence(N_("%(holder)s is enrolling it. Wait until it is green."), named)
        return Steps(Step(Do.WAIT, why), (*_others(Do.TAKE_IN), *others))
    text = N_("%(holder)s should have brought it back already.") if one.overdue else N_("%(holder)s has it.")
    return Steps(Step(Do.TAKE_IN, Sentence(text, named)), others)


def _ours(one: Standing) -> Steps:
    if one.in_transit:
        return Steps(Step(Do.RECEIVE, Sentence(N_("It is on a transfer. Receive it before anything else."))))
    if one.state is LifeCycle.RETURNED:
        if one.wiping:
            return Steps(Step(Do.WAIT, Sentence(N_("It is being wiped. Look again in a minute."))), _others(Do.REPAIR))
        if one.wipeable and one.platform == Platform.LINUX:
            why = N_("It came back and holds somebody's data. Wipe it: type the code that it shows.")
            return Steps(Step(Do.WIPE, Sentence(why)), _others(Do.ERASE, Do.REPAIR))
        return Steps(Step(Do.ERASE, Sentence(ERASE[one.platform])), _others(Do.REPAIR))
    if one.state is LifeCycle.WIPED:
        return Steps(Step(Do.SHELVE, Sentence(N_("It is empty. Put it on a shelf."))), _others(Do.REPAIR))
    text = (
        N_("It is in stock.")
        if one.here
        else N_("It is in stock at another of your places; handing it out moves it here.")
    )
    return Steps(Step(Do.HAND_OUT, Sentence(text)), _others(Do.REPAIR, Do.CASE))


def _others(*does: Do) -> tuple[Step, ...]:
    return tuple(Step(do, Sentence(_OTHERS[do])) for do in does)
