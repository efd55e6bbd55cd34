"""Ties with Apple's list of devices, as people look after them: what stands on a list, and what is to be done about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import false, func, select, update

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.inventory.model import Device
from mdm.outbox import service as outbox
from mdm.platforms.apple.automated.model import AppleAssigned, AppleTie
from mdm.platforms.apple.schema.table import version
from mdm.storage.call import Call

TOPIC: Final = "apple.list"


@dataclass(frozen=True, slots=True)
class Line:
    """A tie with the numbers of its list."""

    tie: AppleTie
    listed: int
    given: int
    """Listed devices that Apple gives our present profile."""
    refused: int
    """Listed devices that Apple does not give it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A device on Apple's list. ``device`` is its public id here, None while it has not enrolled."""

    serial: str
    model: str
    description: str
    given: bool
    problem: str
    device: str | None


def lines(call: Call) -> list[Line]:
    """Every tie, by age."""
    require(call.actor, Permission.SETTINGS_VIEW)
    found = call.session.scalars(select(AppleTie).order_by(AppleTie.id)).all()
    return [_line(call, tie) for tie in found]


def line(call: Call, uid: str) -> Line:
    """One tie. Raises NotFoundError."""
    require(call.actor, Permission.SETTINGS_VIEW)
    return _line(call, _tie(call, uid))


def _line(call: Call, tie: AppleTie) -> Line:
    given = AppleAssigned.profile == tie.profile if tie.profile else false()
    listed, ready, refused = call.session.execute(
        select(func.count(), func.count().filter(given), func.count().filter(AppleAssigned.problem != "")).where(
            AppleAssigned.tie_id == tie.id, AppleAssigned.listed
        )
    ).one()
    return Line(tie, listed, ready, refused)


def entries(call: Call, uid: str, *, after: str = "", limit: int = 200) -> list[Entry]:
    """Devices on the list of a tie, by serial number.

    ``after`` is the serial number that the last page ended with. Raises NotFoundError.
    """
    tie = line(call, uid).tie
    rows: Sequence[tuple[AppleAssigned, str | None]] = [
        (row[0], row[1])
        for row in call.session.execute(
            select(AppleAssigned, Device.uid)
            .outerjoin(Device, Device.serial == AppleAssigned.serial)
            .where(AppleAssigned.tie_id == tie.id, AppleAssigned.listed, AppleAssigned.serial > after)
            .order_by(AppleAssigned.serial)
            .limit(limit)
        )
    ]
    return [
        Entry(
            one.serial,
            one.model,
            one.description,
            bool(tie.profile) and one.profile == tie.profile,
            one.problem,
            device,
        )
        for one, device in rows
    ]


def read_now(call: Call, uid: str) -> None:
    """Has the list read at once. Raises NotFoundError, ConflictError (``no_token``) before there is a token."""
    require(call.actor, Permission.PHONES_MANAGE)
    tie = _tie(call, uid)
    if tie.token is None:
        raise ConflictError(N_("There is no token yet, so the list cannot be read. Bring one in."), code="no_token")
    outbox.post(call, TOPIC, {"tie": tie.uid})


def assign_anew(call: Call, uid: str) -> None:
    """Has the enrollment profile made anew, as the configuration is now, and given to every device on the list."""
    read_now(call, uid)
    tie = _tie(call, uid)
    tie.profile = ""
    call.session.execute(update(AppleAssigned).where(AppleAssigned.tie_id == tie.id).values(problem="", profile=""))
    audit.record(call, "apple_tie.assigned", ("apple_tie", tie.uid), details={})


def demand(call: Call, uid: str, least: str) -> None:
    """Which system a phone must have before it is enrolled; empty: any. Raises InvalidError for what is no version."""
    require(call.actor, Permission.PHONES_MANAGE)
    wanted = clean(least, 32)
    if wanted and (version(wanted) is None or len(wanted.split(".")) > 3):
        raise InvalidError(
            N_("Write the version as numbers with dots, for example 18.1. Nothing was changed."),
            code="version_wrong",
            fields={"least_version": N_("Write the version as numbers with dots, for example 18.1.")},
        )
    tie = _tie(call, uid)
    if tie.least_version == wanted:
        return
    before, tie.least_version = tie.least_version, wanted
    audit.record(call, "apple_tie.least_version", ("apple_tie", tie.uid), details={"before": before, "after": wanted})


def remove(call: Call, uid: str) -> None:
    """Ends a tie: its token is forgotten, and no phone on its list enrols by itself any more.

    Phones that are enrolled stay. Raises NotFoundError.
    """
    require(call.actor, Permission.PHONES_MANAGE)
    tie = _tie(call, uid)
    call.session.delete(tie)
    audit.record(call, "apple_tie.removed", ("apple_tie", uid), details={})


def _tie(call: Call, uid: str) -> AppleTie:
    found = call.session.scalar(select(AppleTie).where(AppleTie.uid == uid))
    if found is None:
        raise NotFoundError(N_("There is no such tie with Apple's device list."))
    return found
