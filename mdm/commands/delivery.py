"""What devices do with commands: fetch them, and answer, "not now" among the answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import null, or_, select, update
from sqlalchemy.orm import Session

from agent import wire
from mdm.commands import states
from mdm.commands.model import Command, State, Verb
from mdm.core.clock import iso
from mdm.core.text import clean
from mdm.inventory.waiting import add_waiting
from mdm.storage.call import Call

GIVEN: Final = 20
"""Commands in one answer to a device."""
BUSY: Final = timedelta(minutes=5)
"""How long a device that said "not now" is left in peace."""
ANSWER_GRACE: Final = timedelta(hours=24)
"""How long a device that fetched a command in time may take to answer."""
MAX_DETAIL: Final = 2000
MAX_RESULTS: Final = 100
"""Results in one check-in that are looked at; a device never has more to answer than it was given."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a device's results."""

    taken: int
    unknown: tuple[str, ...]
    """Ids that are no commands of this device, or that had their answer already: ignored."""


def next_for(session: Session, device_id: int, now: datetime, limit: int = GIVEN) -> list[wire.Command]:
    """The oldest commands that this device shall carry out, now marked as fetched; empty when there is nothing.

    What was fetched and not answered is given again: the device tells by the id that it has done it. Needs a transaction
    that writes.
    """
    rows = session.scalars(
        select(Command)
        .where(
            Command.device_id == device_id,
            Command.state.in_([state.value for state in states.OPEN]),
            Command.expires_at > now,
            or_(Command.again_at.is_(None), Command.again_at <= now),
        )
        .order_by(Command.created_at, Command.id)
        .limit(limit)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        if row.state != State.FETCHED:
            row.state = State.FETCHED.value
            row.fetched_at = now
    return [wire.Command(id=row.id, verb=row.verb, args=row.args, expires=iso(row.expires_at)) for row in rows]


def take_results(call: Call, device_id: int, results: Sequence[wire.Result]) -> Taken:
    """Takes a device's answers to its own commands, forward only; the same answer twice is like once."""
    unknown, taken = [], 0
    for result in results[:MAX_RESULTS]:
        command_id = clean(result.get("id"), 32)
        command = call.session.scalar(
            select(Command)
            .where(Command.id == command_id, Command.device_id == device_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        to = states.ANSWERS.get(clean(result.get("state"), 16))
        if command is None or to is None or to not in states.MOVES[State(command.state)]:
            unknown.append(command_id)
            continue
        _take(call, command, to, result)
        taken += 1
    return Taken(taken, tuple(unknown))


def _take(call: Call, command: Command, to: State, result: wire.Result) -> None:
    command.state = to.value
    command.detail = clean(result.get("detail"), MAX_DETAIL, lines=True)
    if to is State.QUEUED:
        command.again_at = call.now + BUSY
        return
    command.finished_at = call.now
    command.data = _data(Verb(command.verb), result.get("data"))
    add_waiting(call, (command.device_id,), -1)


def _data(verb: Verb, data: object) -> dict[str, Any] | None:
    """Only diagnostics bring data, and only text: by file or program, cut to ``MAX_DIAGNOSTICS`` characters in all."""
    if verb is not Verb.DIAGNOSTICS or not isinstance(data, dict):
        return None
    left, kept = wire.MAX_DIAGNOSTICS, {}
    for key, value in list(data.items())[:100]:
        text = clean(value if isinstance(value, str) else str(value), left, lines=True)
        kept[clean(key, 128)] = text
        left -= len(text)
        if left <= 0:
            break
    return kept


def expire_due(call: Call, limit: int = 500) -> int:
    """Ends commands whose time has passed; how many. One that was fetched in time has a day longer to be answered."""
    fetched = State.FETCHED.value
    rows = call.session.scalars(
        select(Command)
        .where(
            or_(
                Command.state.in_([State.QUEUED.value, State.SENT.value]) & (Command.expires_at <= call.now),
                (Command.state == fetched) & (Command.expires_at <= call.now - ANSWER_GRACE),
            )
        )
        .order_by(Command.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        row.state = State.EXPIRED.value
        row.finished_at = call.now
        add_waiting(call, (row.device_id,), -1)
    return len(rows)


def forget_answers(session: Session, before: datetime, limit: int = 2000) -> int:
    """Forgets what devices answered, diagnostics too, to up to ``limit`` commands that ended before that; how many.

    The commands stay: who asked what of which device, and how it ended.
    """
    said = or_(Command.data.is_not(None), Command.detail != "")
    old = session.scalars(select(Command.id).where(Command.finished_at < before, said).limit(limit)).all()
    session.execute(update(Command).where(Command.id.in_(old)).values(data=null(), detail=""))
    return len(old)
