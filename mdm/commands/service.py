"""What people do with commands: send them to one device or to many, and take them back in time.

What devices do with them is in ``delivery.py``.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby, islice
from typing import Any, Final

from sqlalchemy import func, select

from mdm.audit import service as audit
from mdm.commands import states
from mdm.commands.model import Command, State, Verb
from mdm.commands.verbs import RULES, checked_args, checked_lifetime
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import EVERYWHERE, Permission, Where
from mdm.core.risk import Risk, gate
from mdm.core.text import clean
from mdm.inventory.model import Device, Platform
from mdm.inventory.queries import devices_select
from mdm.inventory.waiting import add_waiting
from mdm.outbox import service as outbox
from mdm.storage.call import Call

MAX_DEVICES: Final = 10_000
"""Devices in one batch."""
MAX_RING: Final = 200
"""Above so many devices only urgent commands wake them; the others are fetched at the next check-in."""
QUEUED_ELSEWHERE: Final = frozenset({Platform.IOS.value})
"""Platforms whose devices do not come for commands in the words of the house."""
HOUR: Final = timedelta(hours=1)
LISTED: Final = 500
"""Devices in one line of the diary; a larger batch has several."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent. ``batch`` is set when there was more than one device."""

    batch: str | None
    commands: tuple[str, ...]
    """Ids of the commands, in the order of the devices."""


def send(
    call: Call,
    devices: Sequence[str],
    verb: Verb,
    args: Mapping[str, object] | None = None,
    *,
    reason: str = "",
    lifetime: timedelta | None = None,
    by_case: bool = False,
    by_kiosks: bool = False,
) -> Sent:
    """Asks something of devices, given by their ids: all of them or, when one is not right, none.

    Raises InvalidError for wrong arguments, NotFoundError when one of the devices is not there or not the actor's,
    DeniedError without the right at the place of each, ConflictError (``device_not_enrolled``) that names the device,
    ApprovalNeededError for more locks within an hour than one person asks for alone. ``by_case``: an open case of a lost
    device asks, which alone may have it go into lost mode, out of it, and say where it is; ``by_kiosks``: the kiosks' room asks.
    """
    kept, stands = checked_args(verb, args, by_case=by_case, by_kiosks=by_kiosks), checked_lifetime(verb, lifetime)
    found = _devices(call, devices, verb)
    if verb is Verb.LOCK:
        _gate_locks(call, found, clean(reason, 500), stands)
    batch = new_uid() if len(found) > 1 else None
    commands = [
        Command(
            id=new_uid(),
            device_id=device.id,
            batch=batch,
            verb=verb.value,
            args=kept,
            state=State.QUEUED.value,
            asked_by=clean(call.actor.name) or call.actor.kind.value,
            reason=clean(reason, 500, lines=True),
            created_at=call.now,
            expires_at=call.now + stands,
        )
        for device in found
    ]
    call.session.add_all(commands)
    call.session.flush()
    add_waiting(call, [device.id for device in found], 1)
    if RULES[verb].urgent or len(found) <= MAX_RING:
        for device in found:
            outbox.ring(call, device_id=device.id)
    _hand_on(call, found)
    _record(call, found, verb, batch, {"reason": clean(reason, 500), "args": kept} if kept or reason else {})
    return Sent(batch, tuple(command.id for command in commands))


def _hand_on(call: Call, devices: Sequence[Device]) -> None:
    """Phones fetch from a queue of their platform's own: an upper room is told, in portions, to put it there."""
    ids = [device.id for device in devices if device.platform in QUEUED_ELSEWHERE]
    for first in range(0, len(ids), LISTED):
        outbox.post(call, "commands.asked", {"devices": ids[first : first + LISTED]})


def _gate_locks(call: Call, devices: Sequence[Device], reason: str, stands: timedelta) -> None:
    """Counts the locks of the last hour where these devices stand; the service point with the most decides."""
    asked = Counter(device.service_point_id for device in devices)
    lately: dict[int | None, int] = dict(
        call.session.execute(
            select(Device.service_point_id, func.count())
            .select_from(Command)
            .join(Device, Device.id == Command.device_id)
            .where(Command.verb == Verb.LOCK.value, Command.created_at > call.now - HOUR)
            .group_by(Device.service_point_id)
        ).all()
    )
    facts = {"within_hour": max(number + lately.get(point, 0) for point, number in asked.items())}
    points = set(asked)
    where = Where(points.pop()) if len(points) == 1 else EVERYWHERE
    said: dict[str, Any] = {
        "devices": sorted(device.uid for device in devices),
        "reason": reason,
        "minutes": int(stands.total_seconds() // 60),
    }
    name = devices[0].label if len(devices) == 1 else f"{len(devices)} devices"
    subject = ("devices", hashlib.sha256(" ".join(said["devices"]).encode()).hexdigest()[:32])
    gate(call, Risk.LOCK_MANY, subject, said, name=name, where=where, facts=facts)


def cancel(call: Call, command_id: str) -> Command:
    """Takes a command back until the device has fetched it; cancelling what is cancelled changes nothing.

    Raises NotFoundError, DeniedError without the right to send it, ConflictError (``command_state``) when too late.
    """
    row = call.session.execute(
        select(Command, Device)
        .join(Device, Device.id == Command.device_id)
        .where(Command.id == command_id)
        .with_for_update(of=Command)
        .execution_options(populate_existing=True)
    ).first()
    if row is None or not call.actor.may(Permission.DEVICE_VIEW, row[1].where):
        raise NotFoundError(N_("There is no such command, or it is not one of yours."))
    command, device = row[0], row[1]
    require(call.actor, RULES[Verb(command.verb)].permission, device.where)
    if command.state != State.CANCELLED:
        states.check(State(command.state), State.CANCELLED)
        _cancelled(call, [command])
        audit.record(
            call,
            "command.cancelled",
            ("device", device.uid),
            name=device.label,
            where=device.where,
            details={"command": command.id, "verb": command.verb},
        )
    return command


def cancel_batch(call: Call, batch: str) -> int:
    """Takes back what of a batch no device has fetched yet; how many. The right is asked at the place of each."""
    rows = call.session.execute(
        select(Command, Device)
        .join(Device, Device.id == Command.device_id)
        .where(Command.batch == batch, Command.state.in_([state.value for state in states.CANCELLABLE]))
        .order_by(Command.id)
        .with_for_update(of=Command)
        .execution_options(populate_existing=True)
    ).all()
    known = [(row[0], row[1]) for row in rows if call.actor.may(Permission.DEVICE_VIEW, row[1].where)]
    for command, device in known:
        require(call.actor, RULES[Verb(command.verb)].permission, device.where)
    if known:
        _cancelled(call, [command for command, _ in known])
        verb = Verb(known[0][0].verb)
        _record(call, [device for _, device in known], verb, batch, {}, action="command.cancelled")
    return len(known)


def _cancelled(call: Call, commands: Sequence[Command]) -> None:
    for command in commands:
        command.state = State.CANCELLED.value
        command.finished_at = call.now
    add_waiting(call, [command.device_id for command in commands], -1)


def _devices(call: Call, uids: Sequence[str], verb: Verb) -> list[Device]:
    wanted = list(dict.fromkeys(uids))
    if not 1 <= len(wanted) <= MAX_DEVICES:
        raise InvalidError(
            N_("Choose between one and %(limit)s devices. Nothing was sent."),
            fields={"devices": N_("Choose at least one.")},
            limit=MAX_DEVICES,
        )
    rows = call.session.scalars(devices_select(call).where(Device.uid.in_(wanted)))
    found = {device.uid: device for device in rows}
    if len(found) != len(wanted):
        raise NotFoundError(
            N_("One of these devices is not there, or not one of yours. Nothing was sent to any of them.")
        )
    chosen = [found[uid] for uid in wanted]
    for device in chosen:
        require(call.actor, RULES[verb].permission, device.where)
    silent = [device.label for device in chosen if device.enrolled_at is None]
    if silent:
        raise ConflictError(
            N_("%(device)s is not enrolled, so nothing reaches it. Nothing was sent to any device."),
            code="device_not_enrolled",
            device=silent[0],
        )
    deaf = [device.label for device in chosen if Platform(device.platform) not in RULES[verb].platforms]
    if deaf:
        raise ConflictError(
            N_("%(device)s cannot do this: its platform does not know it. Nothing was sent to any device."),
            code="verb_unsupported",
            device=deaf[0],
        )
    return chosen


def _record(
    call: Call,
    devices: Sequence[Device],
    verb: Verb,
    batch: str | None,
    details: Mapping[str, object],
    *,
    action: str = "",
) -> None:
    """One line for one device. A batch gets a line per service point, each with its devices, so that each place sees its own."""
    action = action or f"command.{verb.value}"
    if batch is None:
        (device,) = devices
        audit.record(
            call,
            action,
            ("device", device.uid),
            name=device.label,
            where=device.where,
            details={"verb": verb, **details},
        )
        return
    for where, some in _by_place(devices):
        audit.record(
            call,
            action,
            ("batch", batch),
            name=f"{len(devices)} devices",
            where=where,
            details={"verb": verb, **details, "devices": [[device.uid, device.label] for device in some]},
        )


def _by_place(devices: Sequence[Device]) -> Iterator[tuple[Where, tuple[Device, ...]]]:
    def place(device: Device) -> tuple[int, int]:
        return (device.service_point_id or 0, device.unit_id or 0)

    for (point, unit), group in groupby(sorted(devices, key=place), key=place):
        while some := tuple(islice(group, LISTED)):
            yield Where(point or None, unit or None), some
