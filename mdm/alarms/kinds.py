"""The kinds of alarms, and which lines of the diary are alarms. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mdm.core.errors import N_
from mdm.core.permissions import Role
from mdm.core.risk import RISKS, Risk, Why

Details = Mapping[str, Any]


class Kind(StrEnum):
    """Every kind of alarm; the value is what a program filters by."""

    ACT_HELD = "act_held"
    ACT_PERFORMED = "act_performed"
    ADMIN_NEW = "admin_new"
    APPLE_ENDING = "apple_ending"
    APPLE_REFUSED = "apple_refused"
    APPROVAL_FAILED = "approval_failed"
    APPROVER_NEW = "approver_new"
    COOLING_SHORT = "cooling_short"
    DIARY_BACK = "diary_back"
    FREEZE = "freeze"
    KIOSK = "kiosk"
    KIOSK_HOST_KEY = "kiosk_host_key"
    ORDER_HELD = "order_held"
    ORDER_PAUSED = "order_paused"
    ORDER_SPIKE = "order_spike"
    PANIC = "panic"
    PASSKEY_STOPPED = "passkey_stopped"
    PHONE_CONTESTED = "phone_contested"
    RESTORED = "restored"
    ROSTER_CHANGED = "roster_changed"
    SECRET_REVEALED = "secret_revealed"  # noqa: S105 -- a kind of alarm, no secret
    THAW = "thaw"
    WIPE_FAILED = "wipe_failed"
    WEBHOOK_CHANGED = "webhook_changed"


@dataclass(frozen=True, slots=True)
class Line:
    """What of a line of the diary an alarm is made of."""

    action: str
    actor: str
    subject: str
    details: Details


@dataclass(frozen=True, slots=True)
class Sentence:
    """An alarm's kind, its English sentence for the catalogues, and what fills it."""

    kind: Kind
    text: str
    params: dict[str, str]


WORDS: Mapping[Kind, str] = {
    Kind.ACT_HELD: N_("A risky act waits or was refused"),
    Kind.ACT_PERFORMED: N_("A risky act was done without a second person"),
    Kind.ADMIN_NEW: N_("A new fleet admin"),
    Kind.APPLE_ENDING: N_("A push certificate or a token of Apple's ends"),
    Kind.APPLE_REFUSED: N_("Apple refuses the push certificate"),
    Kind.APPROVAL_FAILED: N_("An approval failed"),
    Kind.APPROVER_NEW: N_("A new approver"),
    Kind.COOLING_SHORT: N_("The cooling time is shorter than it should be"),
    Kind.DIARY_BACK: N_("The diary is not the one that was witnessed"),
    Kind.FREEZE: N_("The red button was pressed"),
    Kind.KIOSK: N_("A kiosk needs somebody"),
    Kind.KIOSK_HOST_KEY: N_("A kiosk showed another host key"),
    Kind.ORDER_HELD: N_("An order is held"),
    Kind.ORDER_PAUSED: N_("The holder of a device paused an order"),
    Kind.ORDER_SPIKE: N_("Many orders at once"),
    Kind.PANIC: N_("Somebody called for help"),
    Kind.PASSKEY_STOPPED: N_("A passkey was copied"),
    Kind.PHONE_CONTESTED: N_("Two phones come as one"),
    Kind.RESTORED: N_("A backup was restored"),
    Kind.ROSTER_CHANGED: N_("The roster of approvers changed"),
    Kind.SECRET_REVEALED: N_("Somebody looked at a secret that is kept of a phone"),
    Kind.THAW: N_("The red button was lifted"),
    Kind.WEBHOOK_CHANGED: N_("A target of webhooks changed"),
    Kind.WIPE_FAILED: N_("A phone that was wiped came back as it was"),
}

_ALONE: Mapping[str, str] = {
    Why.NO_ROSTER.value: N_(
        "%(actor)s did this alone, because nobody has founded the roster of approvers yet: %(verb)s (%(subject)s)."
    ),
    Why.HOST.value: N_("%(actor)s did this alone, at the command line of the server: %(verb)s (%(subject)s)."),
}
"""What is said of an act that nobody else agreed to, by why it could be done."""
_APPROVER = N_(
    "%(actor)s made %(subject)s an approver. If nobody planned that, press the red button and ask who did it."
)
_ADMIN = N_(
    "%(actor)s made %(subject)s a fleet admin. If nobody planned that, press the red button and ask who did it."
)
_RAISED: Mapping[str, tuple[Kind, str]] = {
    Role.APPROVER.value: (Kind.APPROVER_NEW, _APPROVER),
    Role.FLEET_ADMIN.value: (Kind.ADMIN_NEW, _ADMIN),
}
"""Roles that give power over the fleet, and what is said of them."""
_RESTORED = N_(
    "%(actor)s restored a backup of this installation. Sessions, links, tokens and orders that no device had fetched have ended."
)

# How often a roster was signed, and that its proposal ended, is left out: what was proposed and what came of it is enough.
_SAID: Mapping[str, str] = {
    "act.held": N_("The request about %(subject)s waits: %(why)s"),
    "act.failed": N_("The request about %(subject)s was approved, and could not be done: %(why)s"),
    "approval.failed": N_("A signature about %(subject)s was refused: %(why)s"),
    "order.approval_failed": N_("A signature over the order to wipe %(subject)s was refused: %(why)s"),
    "act.approval_failed": N_("A signature over the request about %(subject)s was refused: %(why)s"),
    "roster.approval_failed": N_(
        "A signature over version %(subject)s of the roster of approvers was refused: %(why)s"
    ),
    "order.held": N_("The order to wipe %(subject)s waits: %(why)s"),
    "order.paused": N_(
        "The holder paused the order to wipe %(subject)s. An approver of the place decides whether it goes on."
    ),
    "roster.proposed": N_("%(actor)s proposed version %(subject)s of the roster of approvers. %(why)s"),
    "roster.refused": N_("The signer refused version %(subject)s of the roster of approvers: %(why)s"),
    "roster.sealed": N_("Version %(subject)s of the roster of approvers is in force. In it: %(people)s."),
    "orders.frozen": N_("%(actor)s stopped every order that no device had fetched. %(why)s"),
    "passkey.stopped": N_(
        "A passkey of %(subject)s was used by two devices, so it was copied. It does not count any more; ask its owner."
    ),
    "phone.contested": N_(
        "Another phone came with the number of %(subject)s, or its serial number or IMEI has changed. It was refused. "
        "If nobody can say why, end the enrollment of %(subject)s and set it up anew."
    ),
    "phone.wipe_failed": N_("%(subject)s said that it wipes itself, and came back as it was. Treat it as not wiped."),
    "push_certificate.refused": N_("Apple refuses the push certificate, so no phone is woken. %(why)s"),
    "secret.revealed": N_("%(actor)s looked at a secret that is kept of %(subject)s. %(why)s"),
    "orders.thawed": N_("Enough approvers have signed: orders go on."),
    "webhook.removed": N_("%(actor)s removed the target of webhooks %(subject)s."),
    "webhook.secret_shown": N_("%(actor)s looked at the secret of the target of webhooks %(subject)s."),
    "webhook.set": N_("%(actor)s set the target of webhooks %(subject)s."),
}
"""What is said of each of them, for the catalogues."""
_KINDS: Mapping[str, Kind] = {
    "act.performed_alone": Kind.ACT_PERFORMED,
    "act.held": Kind.ACT_HELD,
    "act.failed": Kind.ACT_HELD,
    "approval.failed": Kind.APPROVAL_FAILED,
    "order.approval_failed": Kind.APPROVAL_FAILED,
    "act.approval_failed": Kind.APPROVAL_FAILED,
    "roster.approval_failed": Kind.APPROVAL_FAILED,
    "order.held": Kind.ORDER_HELD,
    "order.paused": Kind.ORDER_PAUSED,
    "roster.proposed": Kind.ROSTER_CHANGED,
    "roster.refused": Kind.ROSTER_CHANGED,
    "roster.sealed": Kind.ROSTER_CHANGED,
    "orders.frozen": Kind.FREEZE,
    "passkey.stopped": Kind.PASSKEY_STOPPED,
    "phone.contested": Kind.PHONE_CONTESTED,
    "phone.wipe_failed": Kind.WIPE_FAILED,
    "push_certificate.refused": Kind.APPLE_REFUSED,
    "secret.revealed": Kind.SECRET_REVEALED,
    "orders.thawed": Kind.THAW,
    "webhook.removed": Kind.WEBHOOK_CHANGED,
    "webhook.secret_shown": Kind.WEBHOOK_CHANGED,
    "webhook.set": Kind.WEBHOOK_CHANGED,
}
ALARMING: tuple[str, ...] = (*_KINDS, "operator.role_given", "installation.restored")
"""Actions of the diary that may be alarms."""


def alarm_of(line: Line) -> Sentence | None:
    """The alarm that a line of the diary is, None for an everyday line."""
    said = {"actor": line.actor, "subject": line.subject}
    if line.action == "operator.role_given":
        raised = _RAISED.get(str(line.details.get("role")))
        return Sentence(*raised, said) if raised is not None else None
    if line.action == "installation.restored":
        return Sentence(Kind.RESTORED, _RESTORED, said)
    # Waiting out the cooling time is how it shall be; only what is held beyond that concerns anybody.
    if line.action == "order.held" and line.details.get("code") == "cooling":
        return None

    kind = _KINDS.get(line.action)
    if kind is None:
        return None
    why = str(line.details.get("why") or line.details.get("reason") or "")[:500]
    if line.action == "act.performed_alone":
        verb = str(line.details.get("verb"))
        words = RISKS[Risk(verb)].words if verb in set(Risk) else verb
        return Sentence(kind, _ALONE.get(why, _ALONE[Why.HOST.value]), said | {"verb": words})
    people = ", ".join(str(one.get("name")) for one in line.details.get("people") or [])[:500]
    return Sentence(kind, _SAID[line.action], said | {"why": why, "people": people})
