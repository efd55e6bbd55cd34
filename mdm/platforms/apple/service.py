"""What people do with phones beyond the words of the house: Apple's own commands, one phone at a time, each with its right."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from mdm.audit import service as audit
from mdm.core.actor import ActorKind, require
from mdm.core.errors import N_, ConflictError, DeniedError, InvalidError, LimitedError, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.risk import LOCKS_PER_HOUR, Risk, gate
from mdm.core.text import clean
from mdm.inventory.model import Device
from mdm.inventory.queries import device_by_uid
from mdm.platforms.apple import asking, offered, plist, secrets
from mdm.platforms.apple.commands import RULES
from mdm.platforms.apple.declarations import PREFIX
from mdm.platforms.apple.enrollment_profile import IDENTIFIER
from mdm.platforms.apple.model import AppleCommand, AppleDevice, CommandState, DeviceState, ScopedSecret
from mdm.platforms.apple.schema.check import Finding, check
from mdm.platforms.apple.schema.profile import check_profile
from mdm.platforms.apple.schema.table import COMMAND
from mdm.platforms.apple.upload import opened
from mdm.storage.call import Call
from mdm.storage.seal import Seal

_FELT = frozenset({"ClearPasscode", "DeviceLock", "EnableLostMode", "ShutDownDevice"})
_LOST = frozenset({"PlayLostModeSound", "DisableLostMode"})


def judge(call: Call, device_uid: str, request_type: str, args: Mapping[str, Any] | None = None) -> list[Finding]:
    """What is to be said about a command before it is asked, warnings too. Asks nothing of the phone."""
    device, apple = _phone(call, device_uid)
    target = asking.target(device, apple)
    found = check(COMMAND, request_type, dict(args or {}), target)
    if request_type == "InstallProfile" and isinstance((args or {}).get("Payload"), bytes):
        found += check_profile(opened((args or {})["Payload"]), target)
    return found


def ask(
    call: Call,
    seal: Seal,
    device_uid: str,
    request_type: str,
    args: Mapping[str, Any] | None = None,
    *,
    reason: str = "",
) -> AppleCommand:
    """Asks one of Apple's commands of one phone, and has it woken.

    Raises InvalidError for an unknown command or what Apple's facts forbid, NotFoundError for a device that is not there or
    not the actor's, DeniedError without the right, ConflictError for a phone that is not enrolled, not lost where it must
    be, or of which nothing is kept that the command needs, LimitedError after too
    many of a kind that holders feel. To erase a phone is an order, and is not asked here.
    """
    rule = RULES.get(request_type)
    if rule is None or not rule.by_people:
        raise InvalidError(
            N_("%(name)s is not a command that can be asked here. Nothing was asked."),
            code="command_unknown",
            name=clean(request_type, 64),
        )
    device, apple = _phone(call, device_uid)
    require(call.actor, rule.permission, device.where)
    if apple.state != DeviceState.ENROLLED:
        raise ConflictError(
            N_("%(device)s is not enrolled, so nothing reaches it. Nothing was asked."),
            code="device_not_enrolled",
            device=device.label,
        )
    _brake(call, device, request_type)
    kept = dict(args or {})
    secret = _completed(seal, apple, request_type, kept)
    _refuse_harm(request_type, kept)
    if request_type == "Settings":
        asking.refuse(offered.impossible(check(COMMAND, request_type, kept, asking.target(device, apple))))
    if request_type == "InstallProfile":
        asking.refuse(judge(call, device_uid, request_type, kept))
    command = asking.queue(
        call, apple, request_type, kept, reason=reason, seal=seal if secret else None, asked_by=call.actor.name
    )
    asking.push(call, apple.device_id)
    audit.record(
        call,
        "device.asked",
        ("device", device.uid),
        name=device.label,
        where=device.where,
        details={"request": request_type, "reason": clean(reason, 500), "command": command.uuid},
    )
    return command


def _brake(call: Call, device: Device, request_type: str) -> None:
    """Nothing while few phones of one place were asked for what their holders feel; raises LimitedError after that.

    One phone at a time this is everyday work; a fleet that is shut out within an hour is an attack, or a mistake.
    """
    if request_type not in _FELT or call.actor.kind not in (ActorKind.OPERATOR, ActorKind.TOKEN):
        return
    lately = call.session.scalar(
        select(func.count())
        .select_from(AppleCommand)
        .join(Device, Device.id == AppleCommand.device_id)
        .where(
            AppleCommand.request_type.in_(_FELT),
            AppleCommand.created_at > call.now - timedelta(hours=1),
            AppleCommand.asked_by == clean(call.actor.name),
            Device.service_point_id == device.service_point_id
            if device.service_point_id is not None
            else Device.service_point_id.is_(None),
        )
    )
    if (lately or 0) >= LOCKS_PER_HOUR:
        raise LimitedError(
            N_(
                "You asked this of %(count)s phones of one place within an hour already. Nothing was asked. Wait, or let"
                " somebody else do the rest."
            ),
            retry_after=3600,
            count=LOCKS_PER_HOUR,
        )


def _completed(seal: Seal, apple: AppleDevice, request_type: str, kept: dict[str, Any]) -> bool:
    """Adds what is kept of the phone and the command needs; whether the command holds a secret by that."""
    if request_type in _LOST and not apple.lost_mode:
        raise ConflictError(N_("The phone is not in lost mode. Nothing was asked."), code="not_lost")
    if request_type != "ClearPasscode":
        return False
    token = secrets.opened(seal, apple, ScopedSecret.UNLOCK_TOKEN)
    if token is None:
        raise ConflictError(
            N_("No unlock token is kept for this phone, so its passcode cannot be taken off. Nothing was asked."),
            code="no_unlock_token",
        )
    kept["UnlockToken"] = token
    return True


def _refuse_harm(request_type: str, kept: Mapping[str, Any]) -> None:
    if request_type == "EnableLostMode" and not (kept.get("Message") or kept.get("PhoneNumber")):
        raise InvalidError(
            N_("A lost phone shows a message or a number to call. Nothing was asked."),
            code="lost_mode_empty",
            fields={"Message": N_("This is needed.")},
        )
    identifier = str(kept.get("Identifier", ""))
    if request_type == "RemoveProfile" and identifier.startswith((IDENTIFIER, PREFIX)):
        raise DeniedError(
            N_("This profile is part of the management. End the enrollment, or change the policy. Nothing was asked."),
            code="own_profile",
        )


def cancel(call: Call, uuid: str) -> AppleCommand:
    """Takes back a command of a phone; what was given already may still be carried out, but is not given again.

    Raises NotFoundError, DeniedError, ConflictError (``command_state``) for one that has ended. Twice is like once.
    """
    row = call.session.execute(
        select(AppleCommand, Device)
        .join(Device, Device.id == AppleCommand.device_id)
        .where(AppleCommand.uuid == uuid)
        .with_for_update(of=AppleCommand)
    ).first()
    if row is None or not call.actor.may(Permission.DEVICE_VIEW, row[1].where):
        raise NotFoundError(N_("There is no such command, or it is not one of yours."))
    command, device = row[0], row[1]
    require(call.actor, RULES[command.request_type].permission, device.where)
    if command.state == CommandState.CANCELLED:
        return command
    if not command.open or command.order_id is not None:
        raise ConflictError(N_("The command has ended. Nothing was changed."), code="command_state")
    asking.close(call, command, CommandState.CANCELLED, "taken back")
    audit.record(
        call,
        "command.cancelled",
        ("device", device.uid),
        name=device.label,
        where=device.where,
        details={"request": command.request_type, "command": command.uuid},
    )
    return command


def turn_away(call: Call, device_uid: str, reason: str) -> None:
    """Has a phone told at its next request to leave the management, which takes everything away that came with it.

    It is woken, so that this is soon. Twice is like once. Raises InvalidError without a reason, ConflictError
    (``phone_gone``) for a phone that has left, ApprovalNeededError: nothing reaches the phone from then on.
    """
    device, apple = _phone(call, device_uid)
    require(call.actor, Permission.ENROLLMENT_REVOKE, device.where)
    why = clean(reason, 500)
    if not why:
        sentence = N_("Say why the phone shall leave. Nothing was changed.")
        raise InvalidError(sentence, code="reason_missing", fields={"reason": N_("This is needed.")})
    if apple.state == DeviceState.GONE:
        raise _gone(device)
    if apple.turn_away:
        return
    said = {"why": why, "turn_away": True}
    gate(call, Risk.ENROLLMENT_END, ("device", device.uid), said, name=device.label, where=device.where)
    apple.turn_away = True
    asking.push(call, device.id)
    _record(call, "device.turning_away", device, {"reason": why})


def let_stay(call: Call, device_uid: str) -> None:
    """Takes back that a phone shall leave, as long as it was not told. Twice is like once.

    Raises ConflictError (``phone_gone``) for one that has left: it comes back by a new invitation.
    """
    device, apple = _phone(call, device_uid)
    require(call.actor, Permission.ENROLLMENT_REVOKE, device.where)
    if apple.state == DeviceState.GONE:
        raise _gone(device)
    if apple.turn_away:
        apple.turn_away = False
        _record(call, "device.may_stay", device, {})


def _gone(device: Device) -> ConflictError:
    return ConflictError(
        N_("%(device)s has left the management already. Nothing was changed. A new invitation brings it back."),
        code="phone_gone",
        device=device.label,
    )


def _record(call: Call, action: str, device: Device, details: dict[str, str]) -> None:
    audit.record(call, action, ("device", device.uid), name=device.label, where=device.where, details=details)


def commands(call: Call, device_uid: str, *, below: int | None = None, limit: int = 50) -> list[AppleCommand]:
    """The last commands of one phone, newest first, those with a row id ``below``; NotFoundError when it is not the actor's."""
    device, _ = _phone(call, device_uid)
    query = select(AppleCommand).where(AppleCommand.device_id == device.id)
    if below is not None:
        query = query.where(AppleCommand.id < below)
    return list(call.session.scalars(query.order_by(AppleCommand.id.desc()).limit(max(1, min(limit, 201)))))


def phone(call: Call, device_uid: str) -> AppleDevice:
    """What is Apple's of a device; NotFoundError when it is not there, not the actor's, or no phone of Apple's."""
    return _phone(call, device_uid)[1]


def _phone(call: Call, device_uid: str) -> tuple[Device, AppleDevice]:
    device = device_by_uid(call, device_uid)
    apple = call.session.get(AppleDevice, device.id)
    if apple is None:
        raise NotFoundError(N_("This device was never enrolled as a phone of Apple's."))
    return device, apple


def asked(command: AppleCommand) -> dict[str, Any]:
    """The arguments of a command as they were asked; empty where they hold a secret."""
    if command.sealed:
        return {}
    content = plist.read(command.body, plist.RESULT)["Command"]
    return {key: value for key, value in content.items() if key != "RequestType"} if isinstance(content, dict) else {}
