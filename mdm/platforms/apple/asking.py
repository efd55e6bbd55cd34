"""Putting commands into a phone's queue, and taking them out: for use cases that have asked for their own right."""

import uuid as uuids
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update

from mdm.core.errors import N_, InvalidError
from mdm.core.text import clean
from mdm.inventory.model import Device
from mdm.inventory.waiting import add_waiting
from mdm.outbox import service as outbox
from mdm.platforms.apple import commands, plist, secrets
from mdm.platforms.apple.model import AppleCommand, AppleDevice, AppleProfile, CommandState
from mdm.platforms.apple.schema.check import Finding, check, errors
from mdm.platforms.apple.schema.table import COMMAND, Target, version
from mdm.storage.call import Call
from mdm.storage.seal import Seal

MAX_BODY = 4 * 1024 * 1024


def target(device: Device, apple: AppleDevice) -> Target:
    """The device as the table of facts judges it."""
    return Target(version(device.os_version), apple.supervised, apple.user_enrollment)


def queue(
    call: Call,
    apple: AppleDevice,
    request_type: str,
    args: Mapping[str, Any] | None = None,
    *,
    about: str = "",
    asked_by: str = "",
    reason: str = "",
    lifetime: timedelta | None = None,
    command_id: str | None = None,
    order_id: str | None = None,
    seal: Seal | None = None,
    details: Mapping[str, Any] | None = None,
) -> AppleCommand:
    """One command in the queue of this phone; the one that waits already where the same is asked again.

    ``about`` names what it is about: a newer command about the same takes the place of one that was not given yet.
    ``seal``: the arguments hold a secret. Raises InvalidError for what Apple's own facts forbid; nothing is asked then.
    """
    rule = commands.RULES[request_type]
    device = call.session.get_one(Device, apple.device_id)
    kept = dict(args or {})
    refuse(check(COMMAND, request_type, kept, target(device, apple)))
    if rule.one and (waiting := _same(call, apple, request_type)) is not None and command_id is None:
        return waiting
    if about:
        _supersede(call, apple, request_type, about)
    uuid = str(uuids.uuid4()).upper()
    body = plist.write({"CommandUUID": uuid, "Command": {"RequestType": request_type, **kept}})
    if len(body) > MAX_BODY:
        raise InvalidError(N_("This is too large to be sent. Nothing was asked of the device."), code="too_large")
    command = AppleCommand(
        uuid=uuid,
        device_id=apple.device_id,
        generation=apple.generation,
        request_type=request_type,
        body=secrets.seal_command(seal, uuid, body) if seal is not None else body,
        sealed=seal is not None,
        guarded=rule.guarded or seal is not None,
        priority=rule.priority,
        target=clean(about, 255),
        command_id=command_id,
        order_id=order_id,
        asked_by=clean(asked_by or call.actor.name),
        reason=clean(reason, 500, lines=True),
        created_at=call.now,
        expires_at=call.now + (lifetime or rule.lifetime),
        details=dict(details or {}),
    )
    call.session.add(command)
    call.session.flush()
    add_waiting(call, (apple.device_id,), 1)
    return command


def refuse(findings: list[Finding]) -> None:
    """Nothing where no finding is an error; raises InvalidError with a sentence for each that is."""
    wrong = errors(findings)
    if wrong:
        raise InvalidError(
            N_("The device would refuse this: %(why)s Nothing was asked of it."),
            code="apple_refused",
            fields={finding.path or "-": finding.text for finding in wrong},
            why=wrong[0].text,
        )


def carries_out(call: Call, command_id: str) -> bool:
    """Whether a command of the house was put into a queue already."""
    return (
        call.session.scalar(select(AppleCommand.id).where(AppleCommand.command_id == command_id).limit(1)) is not None
    )


def push(call: Call, device_id: int) -> None:
    """Has the phone woken once the transaction is through."""
    outbox.post(call, "apple.push", {"device": device_id})


def _same(call: Call, apple: AppleDevice, request_type: str) -> AppleCommand | None:
    return call.session.scalar(
        select(AppleCommand)
        .where(
            AppleCommand.device_id == apple.device_id,
            AppleCommand.open,
            AppleCommand.request_type == request_type,
            AppleCommand.generation == apple.generation,
            AppleCommand.expires_at > call.now,
        )
        .limit(1)
    )


def withdraw(call: Call, apple: AppleDevice, about: str) -> None:
    """Takes back what was asked about something and was not given yet."""
    _supersede(call, apple, "state of things", about)


def _supersede(call: Call, apple: AppleDevice, request_type: str, about: str) -> None:
    rows = call.session.scalars(
        select(AppleCommand).where(
            AppleCommand.device_id == apple.device_id,
            AppleCommand.open,
            AppleCommand.target == clean(about, 255),
            AppleCommand.state.in_([CommandState.QUEUED.value, CommandState.NOT_NOW.value]),
        )
    ).all()
    for row in rows:
        close(call, row, CommandState.CANCELLED, f"superseded by a newer {request_type}")


def close(call: Call, command: AppleCommand, state: CommandState, why: str) -> None:
    """Ends an open command without an answer."""
    command.state = state.value
    command.open = False
    command.finished_at = call.now
    command.detail = why
    call.session.flush()
    add_waiting(call, (command.device_id,), -1)
    if command.command_id is not None:
        outbox.post(call, "apple.answer", {"command": command.id})


def cancel_all(call: Call, apple: AppleDevice, why: str) -> int:
    """Ends everything that still waits for this phone; how many."""
    rows = call.session.scalars(
        select(AppleCommand).where(AppleCommand.device_id == apple.device_id, AppleCommand.open)
    ).all()
    for row in rows:
        row.state, row.open, row.finished_at, row.detail = CommandState.CANCELLED.value, False, call.now, why
        if row.command_id is not None:
            outbox.post(call, "apple.answer", {"command": row.id})
    call.session.flush()
    if rows:
        add_waiting(call, (apple.device_id,), -len(rows))
    return len(rows)


def forget_profiles(call: Call, device_id: int) -> None:
    """A phone that begins anew has none of the profiles it had."""
    call.session.execute(delete(AppleProfile).where(AppleProfile.device_id == device_id))


def first_questions(call: Call, apple: AppleDevice) -> None:
    """What a phone is asked right after it enrolled."""
    ask_inventory(call, apple)
    if apple.awaiting:
        queue(call, apple, "DeviceConfigured", asked_by="enrollment")


def ask_inventory(call: Call, apple: AppleDevice) -> None:
    """Asks for everything that is known of a phone. What still waits is not asked twice."""
    for request_type, args in commands.inventory(user_enrollment=apple.user_enrollment):
        queue(call, apple, request_type, args, asked_by="inventory")
    if apple.supervised and not apple.user_enrollment and apple.bypass_code is None:
        queue(call, apple, "ActivationLockBypassCode", asked_by="inventory")
    apple.inventory_at = call.now


def expire_due(call: Call, limit: int = 500) -> int:
    """Ends commands whose time has passed; how many."""
    rows = call.session.scalars(
        select(AppleCommand)
        .where(AppleCommand.finished_at.is_(None), AppleCommand.expires_at <= call.now)
        .order_by(AppleCommand.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        close(call, row, CommandState.EXPIRED, "its time passed")
    return len(rows)


def forget_answers(call: Call, limit: int = 500) -> int:
    """Forgets the words of answers that were read more than 30 days ago; how many."""
    old = call.session.scalars(
        select(AppleCommand.id)
        .where(AppleCommand.finished_at < call.now - timedelta(days=30), AppleCommand.answer.is_not(None))
        .limit(limit)
    ).all()
    call.session.execute(update(AppleCommand).where(AppleCommand.id.in_(old)).values(answer=None))
    return len(old)
