"""The flows as one table: what is to be done in each kind of case, until when, and what shows by itself that it is done.

Pure: data in, data out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from mdm.core.errors import N_
from mdm.desk.cases.model import CaseKind, Outcome

LOCK_AFTER: Final = timedelta(days=14)
"""Leaver: so long after the last day it is proposed to lock what is not back."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``within`` counts from the opening, for a leaver from the end of the last day."""

    key: str
    title: str
    help: str
    within: timedelta
    by_fact: bool = False
    """Whether it is done when facts show it (``settled``); others are ticked by hand."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One kind of case: what people call it, what opening it does at once, its steps, and how it can end."""

    title: str
    does: tuple[str, ...]
    """What happens when the button is pressed, one sentence each."""
    steps: tuple[Step, ...]
    outcomes: tuple[Outcome, ...]

    def step(self, key: str) -> Step | None:
        """The step of that name, or None."""
        return next((one for one in self.steps if one.key == key), None)


@dataclass(frozen=True, slots=True)
class Facts:
    """What other rooms know about the device or person of a case."""

    details: bool = False
    """Whether somebody has told when and where it was last seen, or what is wrong with it."""
    police: bool = False
    locked: bool = False
    wipe_asked: bool = False
    letter: bool = False
    other_device: bool = False
    """Whether the holder has another device in hands."""
    repair: bool = False
    repaired: bool = False
    owed: int | None = None
    """Things that are not back; None where nothing is owed in this kind of case."""


_LOCK = Step(
    "lock",
    N_("Lock it"),
    N_("Locked, and an iPhone in lost mode too, as soon as it is reached."),
    timedelta(minutes=15),
    True,
)
_TELL = Step("details", N_("Note when and where it was last seen"), N_("Ask whoever had it."), _DAY, True)
_SIM = Step("sim", N_("Have the SIM card blocked"), N_("Call the operator; a call from a stranger costs money."), _DAY)
_ACCOUNTS = Step(
    "accounts",
    N_("End sign-ins and change passwords"),
    N_("Mail, intranet, payroll: everything that was open on it."),
    _DAY,
)
_PAPER = Step(
    "declaration",
    N_("Make the declaration of loss"),
    N_("A PDF for the insurer and the police; let the holder sign it."),
    2 * _DAY,
)
_OTHER = Step(
    "replacement", N_("Hand out another device"), N_("So that the person can be reached again."), 3 * _DAY, True
)
_DECIDE = Step("decide", N_("Decide how it ends"), N_("Found, wiped, or written off: close the case below."), 30 * _DAY)

FLOWS: Final[Mapping[CaseKind, Flow]] = {
    CaseKind.LOST: Flow(
        N_("Lost"),
        (
            N_("The device is locked at once, an iPhone goes into lost mode; nobody else has to agree."),
            N_("Its state becomes lost, and the holder gets a letter."),
            N_(
                "Where it is stays sealed. Looking needs a reason and somebody who agrees; each look is told to the holder."
            ),
        ),
        (_LOCK, _TELL, _SIM, _ACCOUNTS, _PAPER, _OTHER, _DECIDE),
        (Outcome.FOUND, Outcome.NOT_FOUND, Outcome.WIPED, Outcome.MISTAKE),
    ),
    CaseKind.STOLEN: Flow(
        N_("Stolen"),
        (
            N_("The device is locked at once, an iPhone goes into lost mode; nobody else has to agree."),
            N_(
                "With the number of the police report, a wipe can be asked for that does not wait; two approvers sign it."
            ),
            N_(
                "Where it is stays sealed. Looking needs a reason and somebody who agrees; each look is told to the holder."
            ),
        ),
        (
            _LOCK,
            _TELL,
            Step("police", N_("Report it to the police"), N_("Write the number of the report here."), _DAY, True),
            _SIM,
            _ACCOUNTS,
            Step(
                "wipe",
                N_("Ask for the wipe"),
                N_("Two approvers sign; it goes out at once, as there is a report."),
                2 * _DAY,
                True,
            ),
            _PAPER,
            _OTHER,
            _DECIDE,
        ),
        (Outcome.FOUND, Outcome.NOT_FOUND, Outcome.WIPED, Outcome.MISTAKE),
    ),
    CaseKind.BROKEN: Flow(
        N_("Broken"),
        (
            N_("The device stays in the holder's name until it is taken in."),
            N_("You are led through fault, loaner and repair; the loaner stays linked to the repair."),
            N_("Nothing is locked and nothing is wiped."),
        ),
        (
            Step("details", N_("Note what is wrong"), N_("In the words of whoever had it."), timedelta(hours=1), True),
            Step(
                "loaner",
                N_("Give a loaner in exchange"),
                N_("Broken one in, loaner out, one signature."),
                _DAY,
                True,
            ),
            Step("repair", N_("Send it to repair"), N_("With supplier and warranty."), 2 * _DAY, True),
            Step(
                "repaired", N_("Get it back from repair"), N_("The repair is closed with its outcome."), 30 * _DAY, True
            ),
            Step(
                "return",
                N_("Give it back, take the loaner in"),
                N_("Or leave the loaner, and close as replaced."),
                35 * _DAY,
            ),
        ),
        (Outcome.REPAIRED, Outcome.REPLACED, Outcome.MISTAKE),
    ),
    CaseKind.LEAVER: Flow(
        N_("Leaver"),
        (
            N_("You see everything that this person still has: devices, loans, kit."),
            N_("The person gets a letter now, and again when things are not back in time."),
            N_("After a stated day it is proposed to lock what is missing; a person decides."),
        ),
        (
            Step("letter", N_("Write to the person"), N_("What to bring back, where, until when."), timedelta(0), True),
            Step(
                "private",
                N_("Have private accounts signed out"),
                N_("Before the phone leaves the person's hands: Apple ID, Google account, eSIM."),
                _DAY,
            ),
            Step("owed", N_("Get everything back"), N_("Each thing is ticked when the desk takes it in."), _DAY, True),
            Step(
                "lock",
                N_("Lock what is not back"),
                N_("Proposed from the stated day on; somebody presses the button."),
                LOCK_AFTER,
                True,
            ),
            Step("receipt", N_("Give the receipt"), N_("A PDF that says what came back and when."), LOCK_AFTER + _DAY),
        ),
        (Outcome.ALL_RETURNED, Outcome.NOT_FOUND, Outcome.MISTAKE),
    ),
}


def settled(kind: CaseKind, facts: Facts) -> frozenset[str]:
    """Keys of the steps that the facts show to be done."""
    told = {
        "details": facts.details,
        "police": facts.police,
        "lock": facts.locked or (kind is CaseKind.LEAVER and facts.owed == 0),
        "letter": facts.letter,
        "wipe": facts.wipe_asked,
        "replacement": facts.other_device,
        "loaner": facts.other_device,
        "repair": facts.repair or facts.repaired,
        "repaired": facts.repaired,
        "owed": facts.owed == 0,
    }
    return frozenset(step.key for step in FLOWS[kind].steps if step.by_fact and told.get(step.key, False))


def begins(opened_at: datetime, last_day: date | None) -> datetime:
    """The moment from which steps count: the opening, for a leaver the end of the last day where that is later."""
    if last_day is None:
        return opened_at
    return max(opened_at, datetime.combine(last_day + _DAY, time(), UTC))


def due(kind: CaseKind, opened_at: datetime, last_day: date | None = None) -> dict[str, datetime]:
    """When each step of a case is due."""
    start = begins(opened_at, last_day)
    return {step.key: start + step.within for step in FLOWS[kind].steps}


@dataclass(frozen=True, slots=True)
class Rung:
    """One letter to somebody who leaves: so many days after the last day (before: negative)."""

    days: int
    desk_too: bool = False
    """Whether the service point hears of it as well."""


LADDER: Final = (Rung(-14), Rung(1), Rung(7, desk_too=True), Rung(14, desk_too=True))


def letters_due(last_day: date, today: date) -> int:
    """How many letters should have been written by today: the first as soon as the case is open."""
    return max(1, sum(1 for rung in LADDER if last_day + timedelta(days=rung.days) <= today))
