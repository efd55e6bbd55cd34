"""The one table of risk: every verb that destroys, disables, hides or widens power, who must agree, and from when on.

A service of such a verb calls ``gate`` before it changes anything. Without a permit for exactly this act the gate raises
ApprovalNeededError, whichever door the call came through: a door cannot forget what it does not decide. ``orders.acts``
turns the error into a request, collects the approvals and lets the worker carry it out with the permit.

A row says *when* it applies as a pure predicate over a few numbers (``facts``) that the service knows; the sentence
``when`` says the same to people, and a test holds the two together.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

from mdm.core.errors import N_, ApprovalNeededError, ConflictError
from mdm.core.permissions import EVERYWHERE, Where


class Risk(StrEnum):
    """Every risky verb. The value is the ``verb`` of the statement that people sign."""

    BUDGETS = "budgets"
    COMPLIANCE_WEAKEN = "compliance_weaken"
    DEVICE_DELETE = "device_delete"
    DEVICE_RETIRE = "device_retire"
    ENROLLMENT_END = "enrollment_end"
    ENROLLMENT_END_MANY = "enrollment_end_many"
    EXEMPT_MANY = "exempt_many"
    GROUP_MANY = "group_many"
    LOCATE = "locate"
    LOCK_MANY = "lock_many"
    OPERATOR_ADD = "operator_add"
    OPERATOR_DISABLE = "operator_disable"
    OPERATOR_ENABLE = "operator_enable"
    PERSON_ERASE = "person_erase"
    POLICY_HARD = "policy_hard"
    REVOKE_MANY = "revoke_many"
    ROLE_GIVE = "role_give"
    ROLE_TAKE = "role_take"
    ROSTER = "roster"
    SIGN_IN_LINK = "sign_in_link"
    THAW = "thaw"
    TOKEN_MAKE = "token_make"  # noqa: S105 -- a verb, no secret
    WEBHOOK = "webhook"
    WIPE = "wipe"


class Way(StrEnum):
    """How a risky verb comes to be done."""

    ACT = "act"
    """As a request in ``orders.acts``: approved, then performed by the worker."""
    STATEMENT = "statement"
    """By a statement of its own kind, which the signer checks as well: an order, a roster, budgets, a thaw."""
    RESERVED = "reserved"
    """There is no such verb in the product yet; whoever adds it finds its row here and calls the gate."""


Facts = Mapping[str, int]
Subject = tuple[str, str]
"""Kind and id of what the act is about, as the diary names it."""

MANY_DEVICES = 20
"""Above so many devices a change counts as one for many."""
MANY_IN_GROUP = 100
LOCKS_PER_HOUR = 20
"""Locks per service point and hour that one person may ask for alone."""


def _always(_facts: Facts) -> bool:
    return True


def _more_than(name: str, limit: int) -> Callable[[Facts], bool]:
    return lambda facts: facts.get(name, 0) > limit


def _has(name: str) -> Callable[[Facts], bool]:
    return lambda facts: facts.get(name, 0) > 0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``approvers`` are people of the roster, the requester never among them."""

    words: str
    """What it does, in plain words."""
    when: str
    """When somebody else must agree, in plain words."""
    applies: Callable[[Facts], bool] = _always
    approvers: int = 1
    cooling: timedelta = timedelta(0)
    """Between the last approval and the act; it can be taken back meanwhile."""
    per_day: int = 20
    """Acts of one requester in 24 hours; what goes over it is held until there is room."""
    way: Way = Way.ACT
    known: tuple[str, ...] = field(default=())
    """Names of the facts that the predicate reads."""


_EACH = N_("every time")
_LATER = timedelta(minutes=15)

RISKS: Mapping[Risk, Row] = {
    Risk.WIPE: Row(N_("Wipe a device"), _EACH, approvers=2, way=Way.STATEMENT),
    Risk.DEVICE_RETIRE: Row(N_("Retire a device: it is no longer managed"), _EACH),
    Risk.DEVICE_DELETE: Row(N_("Delete the record of a device"), _EACH, way=Way.RESERVED),
    Risk.ENROLLMENT_END: Row(N_("Remove management: refuse a device's certificates"), _EACH),
    Risk.ENROLLMENT_END_MANY: Row(
        N_("Remove management from several devices"), _EACH, cooling=_LATER, way=Way.RESERVED
    ),
    Risk.REVOKE_MANY: Row(N_("Revoke several certificates"), _EACH, cooling=_LATER, way=Way.RESERVED),
    Risk.POLICY_HARD: Row(
        N_("Change what policies do to network, passcode or raw payloads"),
        N_(
            "when more than 20 devices lose or change a network setting, must choose a longer passcode, or get other raw payloads"
        ),
        _more_than("devices", MANY_DEVICES),
        cooling=_LATER,
        per_day=10,
        known=("devices",),
    ),
    Risk.GROUP_MANY: Row(
        N_("Put devices into a group, or take them out"),
        N_("when more than 100 devices join or leave at once"),
        _more_than("devices", MANY_IN_GROUP),
        known=("devices",),
    ),
    Risk.COMPLIANCE_WEAKEN: Row(
        N_("Switch off, remove or weaken a rule of compliance"),
        N_("when the rule is for more than 20 devices"),
        _more_than("devices", MANY_DEVICES),
        known=("devices",),
    ),
    Risk.EXEMPT_MANY: Row(
        N_("Excuse devices from a rule of compliance"),
        N_("when it is more than the 20th that one person excuses within an hour"),
        _more_than("within_hour", MANY_DEVICES),
        known=("within_hour",),
    ),
    Risk.LOCK_MANY: Row(
        N_("Lock devices"),
        N_("when it would be more than 20 locks within an hour at one service point"),
        _more_than("within_hour", LOCKS_PER_HOUR),
        known=("within_hour",),
    ),
    Risk.LOCATE: Row(N_("Show where a lost device is"), _EACH, per_day=5),
    Risk.PERSON_ERASE: Row(
        N_("Erase the record of a person who has left, also from the diary"), _EACH, cooling=_LATER, per_day=50
    ),
    Risk.OPERATOR_ADD: Row(
        N_("Add an operator with a role"), N_("when the role may do anything at all"), _has("powers"), known=("powers",)
    ),
    Risk.ROLE_GIVE: Row(
        N_("Give an operator a role"), N_("when the role may do anything at all"), _has("powers"), known=("powers",)
    ),
    Risk.ROLE_TAKE: Row(
        N_("Take a role away"), N_("when it is the role of an approver"), _has("approver"), known=("approver",)
    ),
    Risk.OPERATOR_DISABLE: Row(
        N_("Shut an operator out"), N_("when they are an approver"), _has("approver"), known=("approver",)
    ),
    Risk.OPERATOR_ENABLE: Row(
        N_("Let a disabled operator in again"), N_("when they hold a role"), _has("powers"), known=("powers",)
    ),
    Risk.SIGN_IN_LINK: Row(
        N_("Make a link that signs somebody else in, or reset their second factor"),
        N_("when they hold a role"),
        _has("powers"),
        known=("powers",),
    ),
    Risk.TOKEN_MAKE: Row(
        N_("Make an API token"), N_("when its role may change anything"), _has("changes"), known=("changes",)
    ),
    Risk.WEBHOOK: Row(N_("Set or change where webhooks are sent"), _EACH, per_day=10),
    Risk.ROSTER: Row(N_("Change the roster of approvers"), _EACH, approvers=2, way=Way.STATEMENT),
    Risk.BUDGETS: Row(N_("Change the budgets of orders"), _EACH, approvers=2, way=Way.STATEMENT),
    Risk.THAW: Row(N_("Lift the red button"), _EACH, approvers=2, way=Way.STATEMENT),
}


class Why(StrEnum):
    """Why a permit was given."""

    APPROVED = "approved"
    HOST = "host"
    """The command line of the server itself, for an operator that it has just added, or a token."""
    NO_ROSTER = "no_roster"
    """There is no roster of approvers yet, so nobody could approve."""
    PART = "part"
    """A step of a change that asks the gate as a whole."""


@dataclass(frozen=True, slots=True)
class Use:
    """One time that a permit opened the gate."""

    risk: Risk
    subject: Subject
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Permit:
    """What opens the gate. An approved act opens it once, for exactly what was approved.

    ``risk`` None is any verb: only where there is no roster. ``uses`` tells what it was used for; whoever made the permit
    writes that into the diary.
    """

    why: Why
    risk: Risk | None = None
    subject: Subject | None = None
    args: str | None = None
    facts: Facts = field(default_factory=dict)
    act: str = ""
    uses: list[Use] = field(default_factory=list)

    def opens(self, risk: Risk, subject: Subject, args: Mapping[str, Any]) -> bool:
        """Whether this permit is for that act and, when it is one person's approved act, was not used yet."""
        if self.risk is not None and self.risk is not risk:
            return False
        if self.subject is not None and self.subject != subject:
            return False
        if self.why is Why.APPROVED and (self.uses or self.args is None):
            return False
        return self.args is None or self.args == spelled(args)


class Permitted(Protocol):
    """What the gate needs of a call."""

    @property
    def permit(self) -> Permit | None:
        """The permit that the call carries, None for everyday work."""


def gate(
    call: Permitted,
    risk: Risk,
    subject: tuple[str, object],
    args: Mapping[str, Any],
    *,
    name: str = "",
    where: Where = EVERYWHERE,
    facts: Facts | None = None,
    private: Mapping[str, Any] | None = None,
    once: Mapping[str, str] | None = None,
) -> None:
    """Nothing when the act needs nobody else, or when the call carries a permit for it; ApprovalNeededError otherwise.

    ``args`` say everything that the act needs to be done later, as plain JSON that an approver may read; what they may
    not read (a Wi-Fi password) goes into ``private``, with its digest among ``args``. ``name`` is what people know the
    subject by, ``where`` its place: approvers of that place may agree. ``once`` is shown to the requester this one time
    and kept nowhere. Raises ConflictError (``act_outgrown``) when an approved act has come to be for
    clearly more than was approved.
    """
    known = dict(facts or {})
    if not RISKS[risk].applies(known):
        return
    what = (subject[0], str(subject[1]))
    permit = call.permit
    if permit is not None and permit.opens(risk, what, args):
        if permit.why is Why.APPROVED and outgrown(permit.facts, known):
            raise ConflictError(
                N_("This is for clearly more now than was approved. Nothing was changed; ask for it again."),
                code="act_outgrown",
            )
        permit.uses.append(Use(risk, what, dict(args)))
        return
    raise ApprovalNeededError(
        N_("Somebody else must agree to this first: %(words)s. Nothing was changed."),
        words=RISKS[risk].words,
        risk=risk.value,
        subject=what,
        arguments=dict(args),
        name=name,
        where=where,
        facts=known,
        private=dict(private or {}),
        once=dict(once or {}),
    )


def outgrown(before: Facts, now: Facts) -> bool:
    """Whether a number is larger by more than a tenth and five than it was when it was approved."""
    return any(number > before.get(name, 0) * 1.1 + 5 for name, number in now.items())


def spelled(args: Mapping[str, Any]) -> str:
    """Arguments in one spelling, so that two can be compared. Raises TypeError for what is no plain JSON."""
    return json.dumps(args, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
