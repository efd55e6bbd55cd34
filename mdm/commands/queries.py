"""Reads of commands. They give only those of devices in the actor's scope of ``device:view``."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from mdm.commands.model import Command, State, Verb
from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.inventory.model import Device
from mdm.storage.call import Call
from mdm.storage.scoping import within

PAGE = 50
MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of commands may be narrowed by; empty means all."""

    states: Collection[State] = ()
    verbs: Collection[Verb] = ()
    device_uid: str = ""
    batch: str = ""
    service_point_id: int | None = None
    words: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One command with the device that it is for."""

    command: Command
    device: Device


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch, as far as the actor may see its devices."""

    id: str
    verb: str
    reason: str
    asked_by: str
    created_at: datetime
    expires_at: datetime
    total: int
    counts: dict[State, int]
    """How many commands are in each state; states without any are left out."""


def lines_select(call: Call, filters: Filters | None = None) -> Select[Command, Device]:
    """Commands with their devices, as far as the actor may see them, newest first."""
    wanted = filters or Filters()
    query = select(Command, Device).join(Device, Device.id == Command.device_id).where(_seen(call))
    if wanted.states:
        query = query.where(Command.state.in_([state.value for state in wanted.states]))
    if wanted.verbs:
        query = query.where(Command.verb.in_([verb.value for verb in wanted.verbs]))
    if wanted.device_uid:
        query = query.where(Device.uid == wanted.device_uid)
    if wanted.batch:
        query = query.where(Command.batch == wanted.batch)
    if wanted.service_point_id is not None:
        query = query.where(Device.service_point_id == wanted.service_point_id)
    if wanted.since is not None:
        query = query.where(Command.created_at >= wanted.since)
    for word in wanted.words.split()[:8]:
        columns = (Device.name, Device.serial, Device.tag, Command.asked_by, Command.reason)
        query = query.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return query.order_by(Command.created_at.desc(), Command.id.desc())


def commands(
    call: Call, filters: Filters | None = None, *, after: tuple[datetime, str] | None = None, limit: int = PAGE
) -> list[Line]:
    """One page of commands, newest first; ``after`` is (created_at, id) of the last one of the page before."""
    query = lines_select(call, filters)
    if after is not None:
        moment, command_id = after
        query = query.where(
            or_(Command.created_at < moment, and_(Command.created_at == moment, Command.id < command_id))
        )
    rows = call.session.execute(query.limit(max(1, min(limit, MAX_PAGE))))
    return [Line(row[0], row[1]) for row in rows]


def count(call: Call, filters: Filters | None = None) -> int:
    """How many commands the actor may see under ``filters``."""
    query = lines_select(call, filters).with_only_columns(func.count()).order_by(None)
    return call.session.scalar(query) or 0


def command(call: Call, command_id: str) -> Line:
    """One command with its device; NotFoundError when it is not there or not the actor's."""
    row = call.session.execute(lines_select(call).where(Command.id == command_id)).first()
    if row is None:
        raise NotFoundError(N_("There is no such command, or it is not one of yours."))
    return Line(row[0], row[1])


def for_device(call: Call, device_uid: str, *, limit: int = PAGE) -> Sequence[Command]:
    """The last commands of one device, newest first; empty when it is not the actor's."""
    return [line.command for line in commands(call, Filters(device_uid=device_uid), limit=limit)]


def batch(call: Call, batch_id: str) -> Batch:
    """One batch with counts per state; NotFoundError when the actor may see none of its devices."""
    query = (
        select(
            Command.state,
            func.count(),
            func.min(Command.verb),
            func.min(Command.reason),
            func.min(Command.asked_by),
            func.min(Command.created_at),
            func.max(Command.expires_at),
        )
        .join(Device, Device.id == Command.device_id)
        .where(Command.batch == batch_id, _seen(call))
        .group_by(Command.state)
        .order_by(Command.state)
    )
    rows = call.session.execute(query).all()
    if not rows:
        raise NotFoundError(N_("There is no such batch, or it is not one of yours."))
    counts = {State(row[0]): int(row[1]) for row in rows}
    _, _, verb, reason, asked_by, created_at, expires_at = rows[0]
    return Batch(batch_id, verb, reason, asked_by, created_at, expires_at, sum(counts.values()), counts)


def _seen(call: Call) -> ColumnElement[bool]:
    return within(call.actor.scope(Permission.DEVICE_VIEW), Device.service_point_id, Device.unit_id)
