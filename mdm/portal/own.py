"""What is somebody's own: their devices with state and applications, who looked at them, what the city keeps.

Every read begins at the person's number; what is somebody else's is not there. Behind that door the rooms are asked with a
reader's right that the employee does not have elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import or_, select

from mdm.audit.model import AuditEntry
from mdm.compliance import queries as compliance
from mdm.core.actor import ActorKind
from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Role
from mdm.desk.cases import queries as cases
from mdm.desk.cases.model import Case, CaseKind, CaseState
from mdm.desk.custody import queries as custody
from mdm.desk.custody.queries import Held
from mdm.enrollment.queries import unfinished
from mdm.inventory.facts import fields_of
from mdm.inventory.model import Device, FactSection, Verdict
from mdm.overview import device as devices
from mdm.overview.device import AppLine
from mdm.people import employee
from mdm.portal.inviting import IN_HAND
from mdm.privacy import looks
from mdm.storage.call import Call

SILENT: Final = timedelta(days=14)
"""After so long without a word nobody knows how a device is."""
LOOKED: Final = "looked"
"""Begins what a look is called; looks stand beside the diary: ``looked.device``, ``.page``, ``.program``, ``.file``."""
PLAIN: Final = {
    "agent_untouched": N_("Somebody changed settings of the city on it. Ask your service point what to do."),
    "desired_applied": N_(
        "Leave it switched on and connected to the internet. Does this stay? Then ask your service point."
    ),
    "firewall": N_("Its protection against strangers on the network is off. Ask your service point what to do."),
}
"""By rule: what the holder is told where the rule's own sentence names things that only a technician knows."""
SAID: Final = 60
"""Fields of one section that the page names."""
LINES: Final = 30
MACHINES: Final = tuple(kind.value for kind in (ActorKind.DEVICE, ActorKind.SYSTEM, ActorKind.VISITOR))


class Light(StrEnum):
    """The state of a device as a traffic light; grey is for what nobody knows."""

    AMBER = "amber"
    GREEN = "green"
    GREY = "grey"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Mend:
    """One thing to mend: ``text`` is a sentence for the catalogues that ``params`` fill."""

    label: str
    text: str
    params: Mapping[str, Any]
    until: datetime | None
    """Until when there is time; None when it is late or not known."""


@dataclass(frozen=True, slots=True)
class Own:
    """One device of somebody's own."""

    device: Device
    light: Light
    mends: tuple[Mend, ...]
    due_at: datetime | None
    """When a loan goes back."""
    case: Case | None
    """The open case of this device, lost or broken."""
    silent: bool
    """Whether it is set up and has said nothing for so long that nobody knows how it is."""

    set_up: bool
    """Whether it was set up, and to the end."""

    @property
    def here(self) -> bool:
        """Whether it waits to be set up, and its holder can do that on the page."""
        return not self.set_up and self.device.state in IN_HAND and self.case is None


@dataclass(frozen=True, slots=True)
class Said:
    """One section of what a device said of itself: fields with their values, and how many more there are."""

    section: str
    lines: tuple[tuple[str, str], ...]
    more: int


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody did something to one of the person's devices, or looked."""

    at: datetime
    action: str
    who: str
    kind: str
    device: str
    reason: str


def leaving(call: Call) -> Case | None:
    """The open case of one's own leaving; None for somebody who stays, as far as anybody has said."""
    mine = Case.person_id == employee.me(call).id
    return call.session.scalar(select(Case).where(mine, Case.kind == CaseKind.LEAVER, Case.state == CaseState.OPEN))


def devices_of(call: Call) -> list[Own]:
    """The devices that the person has now, what needs care first."""
    order = (Light.RED, Light.AMBER, Light.GREY, Light.GREEN)
    reader = employee.lent(call, Role.DESK_CLERK)
    found = [_own(reader, held) for held in custody.held_by(reader, employee.me(call).id)]
    return sorted(found, key=lambda one: (order.index(one.light), one.device.label.lower()))


def device(call: Call, uid: str) -> Device:
    """One of the person's devices; NotFoundError for one that is not theirs, as for one that is not there."""
    found = call.session.scalar(select(Device).where(Device.uid == uid, Device.person_id == employee.me(call).id))
    if found is None:
        raise NotFoundError(N_("This device is not one of yours. Nothing was changed."))
    return found


def said(call: Call, uid: str) -> list[Said]:
    """Everything that one of the person's devices said of itself last, by section, as it stands here now."""
    rows = call.session.scalars(
        select(FactSection).where(FactSection.device_id == device(call, uid).id).order_by(FactSection.section)
    ).all()
    found = []
    for row in rows:
        # What is empty says nothing of anybody.
        lines = [(path, str(value)[:200]) for path, value in fields_of(row.content) if value not in (None, "", [], {})]
        shown = tuple(lines[:SAID])
        found.append(Said(row.section, shown, max(0, len(lines) - SAID)))
    return found


def applications(call: Call, uid: str) -> list[AppLine]:
    """The applications of one of the person's devices, and which are still to come."""
    found = device(call, uid)
    return devices.applications(employee.lent(call, Role.DESK_CLERK), found)


def deeds(call: Call, limit: int = LINES) -> list[Deed]:
    """What people and programs did to the person's devices, or looked at, newest first; never what devices say."""
    person = employee.me(call)
    mine = call.session.execute(select(Device.uid, Device.id).where(Device.person_id == person.id)).all()
    own_cases = call.session.scalars(select(Case.uid).where(Case.person_id == person.id)).all()
    about = or_(
        (AuditEntry.subject_kind == "person") & (AuditEntry.subject_id == str(person.id)),
        (AuditEntry.subject_kind == "device") & AuditEntry.subject_id.in_([row.uid for row in mine]),
        (AuditEntry.subject_kind == "case") & AuditEntry.subject_id.in_(list(own_cases)),
    )
    rows: Sequence[AuditEntry] = call.session.scalars(
        select(AuditEntry)
        .where(about, AuditEntry.actor_kind.not_in(MACHINES), AuditEntry.action != "person.signed_in")
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    ).all()
    found = [
        Deed(row.at, row.action, row.actor_name, row.actor_kind, row.subject_name, str(row.details.get("reason", "")))
        for row in rows
    ]
    found += [
        Deed(
            one.at, LOOKED + (".device" if one.device else f".{one.way}"), one.by, one.actor_kind, one.device_label, ""
        )
        for one in looks.own(call, limit)
    ]
    return sorted(found, key=lambda deed: deed.at, reverse=True)[:limit]


def is_silent(device: Device, now: datetime) -> bool:
    """Whether a device that was set up has said nothing for too long. Pure."""
    return device.enrolled_at is not None and (device.last_seen_at is None or device.last_seen_at < now - SILENT)


def light_of(device: Device, now: datetime) -> Light:
    """The light of a device, by its verdict and by when it last said a word. Pure."""
    if device.enrolled_at is None or is_silent(device, now):
        return Light.GREY
    return {
        Verdict.COMPLIANT.value: Light.GREEN,
        Verdict.IN_GRACE.value: Light.AMBER,
        Verdict.NONCOMPLIANT.value: Light.RED,
    }.get(device.verdict, Light.GREY)


def _own(reader: Call, held: Held) -> Own:
    found = held.device
    open_cases = cases.open_for(reader, found)
    mends = tuple(
        Mend(
            one.label,
            PLAIN.get(one.rule, one.mend),
            one.params,
            one.grace_until if one.standing == "in_grace" else None,
        )
        for one in compliance.findings(reader, found.uid)
        if one.standing in ("overdue", "in_grace")
    )
    due = held.custody.due_at if held.custody is not None else None
    case = open_cases[0] if open_cases else None
    if found.enrolled_at is None or unfinished(reader.session, found.id):
        # Nothing was ever heard of it: what a rule finds missing is what the setting up brings.
        return Own(found, Light.GREY, (), due, case, silent=False, set_up=False)
    return Own(found, light_of(found, reader.now), mends, due, case, is_silent(found, reader.now), set_up=True)
