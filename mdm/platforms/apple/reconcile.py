"""Bringing a phone's queue up to what it shall have: declarations and profiles that it lacks, and a new certificate."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import structlog
from sqlalchemy import select

from mdm.core.errors import HavenmeesterError
from mdm.inventory.model import Device
from mdm.platforms.apple import asking, declarations, documents, renewing, status
from mdm.platforms.apple.house import House
from mdm.platforms.apple.knock import NOTHING, Knock
from mdm.platforms.apple.model import AppleCommand, AppleDevice, AppleProfile, AppleSet, CommandState
from mdm.platforms.apple.schema.check import check, errors
from mdm.platforms.apple.schema.table import COMMAND, Target
from mdm.policies.model import Cohort
from mdm.storage.call import Call

log = structlog.get_logger(__name__)
CAPABILITIES: Final = "management.client-capabilities.supported-payloads.status-items"


def catch_up(call: Call, house: House, knock: Knock, apple: AppleDevice) -> None:
    """Queues what the phone lacks; nothing where it has everything."""
    if knock.unreconciled:
        bring(call, apple, house.organisation)
    if knock.renew:
        renewing.set_going(call, apple)


def bring(call: Call, apple: AppleDevice, organisation: str) -> bool:
    """Queues the declarations and profiles that differ from what the phone has; whether anything was queued."""
    device = call.session.get_one(Device, apple.device_id)
    cohort = call.session.get(Cohort, device.cohort_id) if device.cohort_id is not None else None
    if cohort is None or cohort.desired_digest == NOTHING:
        return False
    target = asking.target(device, apple)
    resources: Sequence[dict[str, Any]] = cohort.desired.get("resources", [])
    wanted = documents.chosen(resources, target)
    asked = _declares(target) and _declare(call, apple, documents.declarations(wanted), organisation)
    asked = _install(call, apple, documents.profiles(wanted, organisation)) or asked
    apple.reconciled = cohort.desired_digest
    call.session.flush()
    return asked


def _declares(target: Target) -> bool:
    """Whether the phone knows declarations at all: before iOS 15 none does, and it gets everything else."""
    return not errors(check(COMMAND, "DeclarativeManagement", {}, target))


def _declare(call: Call, apple: AppleDevice, wanted: Sequence[declarations.Declaration], organisation: str) -> bool:
    found = status.item(apple.status, CAPABILITIES)
    capabilities = [one for one in found if isinstance(one, str)] if isinstance(found, list) else None
    content = declarations.compose(wanted, organisation, capabilities, user_enrollment=apple.user_enrollment)
    token = declarations.set_token(content)
    if token == apple.set_token:
        return False
    held = call.session.get(AppleSet, token)
    if held is None:
        held = AppleSet(token=token, content=content, created_at=call.now)
        call.session.add(held)
        call.session.flush()
    apple.set_token = token
    asking.queue(
        call,
        apple,
        "DeclarativeManagement",
        {"Data": declarations.tokens(held)},
        about="declarations",
        asked_by="policy",
    )
    return True


def _install(call: Call, apple: AppleDevice, wanted: Iterable[documents.Profile]) -> bool:
    rows = call.session.scalars(select(AppleProfile).where(AppleProfile.device_id == apple.device_id))
    known = {row.identifier: row for row in rows}
    asked = False
    for profile in wanted:
        row = known.pop(profile.identifier, None)
        if row is None:
            row = AppleProfile(device_id=apple.device_id, identifier=profile.identifier, detail="")
            call.session.add(row)
        row.wanted, row.resource, row.settings = profile.digest, profile.resource, bool(profile.items)
        if profile.digest in (row.installed, row.failed) or _waits(call, apple, profile):
            continue
        row.failed = None
        _send(call, apple, row, profile)
        asked = True
    for row in known.values():
        asked = _remove(call, apple, row) or asked
    return asked


def _waits(call: Call, apple: AppleDevice, profile: documents.Profile) -> bool:
    """Whether exactly this profile is on its way already, or was acknowledged and only not read yet."""
    last = call.session.scalar(
        select(AppleCommand)
        .where(
            AppleCommand.device_id == apple.device_id,
            AppleCommand.generation == apple.generation,
            AppleCommand.target == _about(profile.identifier),
        )
        .order_by(AppleCommand.id.desc())
        .limit(1)
    )
    if last is None or last.details.get("digest") != profile.digest:
        return False
    return last.open or (last.state == CommandState.ACKNOWLEDGED and not last.details.get("read"))


def _send(call: Call, apple: AppleDevice, row: AppleProfile, profile: documents.Profile) -> None:
    details = {"identifier": profile.identifier, "digest": profile.digest}
    request_type, args = profile.command
    try:
        asking.queue(
            call,
            apple,
            request_type,
            args,
            about=_about(profile.identifier),
            asked_by="policy",
            details=details,
        )
    except HavenmeesterError as error:
        row.failed, row.detail = profile.digest, str(error)[:500]


def _remove(call: Call, apple: AppleDevice, row: AppleProfile) -> bool:
    """Takes a profile away that is wanted no longer. One that never came is forgotten."""
    row.wanted = None
    asking.withdraw(call, apple, _about(row.identifier))
    never = row.installed is None and not _sent(call, apple, row)
    if row.settings or never:
        # What was set by a command stays as it is: there is nothing that could be taken away.
        call.session.delete(row)
        return False
    asking.queue(
        call,
        apple,
        "RemoveProfile",
        {"Identifier": row.identifier},
        about=_about(row.identifier),
        asked_by="policy",
        details={"identifier": row.identifier},
    )
    return True


def _sent(call: Call, apple: AppleDevice, row: AppleProfile) -> bool:
    return (
        call.session.scalar(
            select(AppleCommand.id)
            .where(
                AppleCommand.device_id == apple.device_id,
                AppleCommand.open,
                AppleCommand.target == _about(row.identifier),
                AppleCommand.sent_at.is_not(None),
            )
            .limit(1)
        )
        is not None
    )


def _about(identifier: str) -> str:
    return f"profile:{identifier}"
