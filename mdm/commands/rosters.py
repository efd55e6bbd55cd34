"""Telling every device that the roster of approvers has changed, in three statements however many there are."""

from datetime import timedelta
from typing import Any

from sqlalchemy import String, cast, exists, func, insert, literal, select, update

from mdm.commands.model import Command, State, Verb
from mdm.inventory.model import Device, Platform
from mdm.storage.base import Json
from mdm.storage.call import Call

STANDS = timedelta(days=30)
"""How long a device may take to fetch it. Whoever comes later is told with the next order."""


def queue(call: Call) -> int:
    """Has every enrolled Linux device fetch what it lacks of the rosters; how many. One that waits for it already stays so.

    The command carries nothing: what a device lacks is added when it is given (``mdm/platforms/linux``). For the
    machinery: asks for no right.
    """
    waiting = exists().where(
        Command.device_id == Device.id,
        Command.verb == Verb.ROSTER.value,
        Command.state.in_([State.QUEUED.value, State.SENT.value]),
        Command.expires_at > call.now,
    )
    told = (Device.platform == Platform.LINUX.value, Device.key_digest != "", ~waiting)
    devices = call.session.execute(
        update(Device).where(*told).values(waiting=Device.waiting + 1).execution_options(synchronize_session=False)
    )
    call.session.execute(
        insert(Command).from_select(
            ["id", "device_id", "verb", "args", "state", "asked_by", "reason", "detail", "created_at", "expires_at"],
            select(
                _uid(call),
                Device.id,
                literal(Verb.ROSTER.value),
                literal({}, Json),
                literal(State.QUEUED.value),
                literal("roster"),
                literal(""),
                literal(""),
                literal(call.now, Command.created_at.type),
                literal(call.now + STANDS, Command.expires_at.type),
            ).where(*told),
        )
    )
    return int(getattr(devices, "rowcount", 0))


def _uid(call: Call) -> Any:
    """A random id for each row, made by the database."""
    if call.session.get_bind().dialect.name == "postgresql":
        return func.replace(cast(func.gen_random_uuid(), String), "-", "")
    return func.lower(func.hex(func.randomblob(16)))
