"""The queue of one phone: at least once, in order, forward only, and nobody's but its own.

What a phone does at every turn is written by hand in SQL, because this is where a fleet spends its time: no object is made,
and the cost does not grow with what is pending or past. ``turns.py`` says the same for many phones at once, for PostgreSQL.
Everything that is rare is in ``asking.py``.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from mdm.platforms.apple.commands import RULES
from mdm.platforms.apple.message import Message, Status
from mdm.platforms.apple.model import CommandState

_C = CommandState

MOVES: Final[dict[CommandState, frozenset[CommandState]]] = {
    _C.QUEUED: frozenset({_C.SENT, _C.CANCELLED, _C.EXPIRED, _C.WITHHELD}),
    _C.SENT: frozenset({_C.ACKNOWLEDGED, _C.ERROR, _C.FORMAT_ERROR, _C.NOT_NOW, _C.CANCELLED, _C.EXPIRED}),
    _C.NOT_NOW: frozenset({_C.SENT, _C.ACKNOWLEDGED, _C.ERROR, _C.FORMAT_ERROR, _C.CANCELLED, _C.EXPIRED, _C.WITHHELD}),
    _C.ACKNOWLEDGED: frozenset(),
    _C.CANCELLED: frozenset(),
    _C.ERROR: frozenset(),
    _C.EXPIRED: frozenset(),
    _C.FORMAT_ERROR: frozenset(),
    _C.WITHHELD: frozenset(),
}
"""What may follow what. A sent command that is not answered stays sent, and is given again."""

ANSWERS: Final = {
    Status.ACKNOWLEDGED: _C.ACKNOWLEDGED,
    Status.ERROR: _C.ERROR,
    Status.COMMAND_FORMAT_ERROR: _C.FORMAT_ERROR,
    Status.NOT_NOW: _C.NOT_NOW,
}
MAX_ANSWER: Final = 8 * 1024 * 1024
ANSWER_TOPIC: Final = "apple.answer"


class Cursor(Protocol):
    """A cursor of one of the two drivers."""

    def execute(self, statement: Any, values: Sequence[Any], /) -> Any: ...
    def fetchone(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Given:
    """A command on its way to the phone. ``guarded``: it was not marked as sent, because it must be looked at first."""

    id: int
    uuid: str
    request_type: str
    body: bytes
    guarded: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of one answer. ``known`` is false for a command that is not open, not this phone's, or not known at all."""

    known: bool
    command_id: int | None = None
    request_type: str = ""


class Queue:
    """The statements, for one kind of database. Every method works in the transaction of the cursor it is given."""

    def __init__(self, *, sqlite: bool) -> None:
        self._sqlite = sqlite
        self._answer = self._said(_ANSWER.replace("SECRETS", _SECRETS).replace("BLOB_", "BLOB" if sqlite else "BYTEA"))
        self._later = self._said(_LATER)
        self._less = self._said(_LESS_SQLITE if sqlite else _LESS)
        self._post = self._said(_POST)
        # SQLite is told its index, and PostgreSQL cannot use the one of expiries: before its figures are fresh, either would
        # read the past of the phone, or what waits in the whole fleet. SQLite knows a partial index by its very words.
        hint, open_ = ("INDEXED BY ix_apple_command_waiting", "open = 1") if sqlite else ("", "open = true")
        self._next = self._said(_NEXT.replace("HINT", hint).replace("OPEN", open_))
        self._sent = self._said(_SENT)

    def _said(self, statement: str) -> str:
        return statement.replace("?", "%s") if not self._sqlite else statement

    def moment(self, at: datetime) -> Any:
        """A moment as this database's driver takes it."""
        return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") if self._sqlite else at

    def answer(
        self, cursor: Cursor, device_id: int, generation: int, message: Message, now: datetime, raw: bytes | None
    ) -> Turn:
        """Takes one answer. Only an open command of this phone and this enrollment moves, and only forward.

        ``raw`` is kept word for word and handed to whoever reads answers; None keeps nothing.
        """
        if message.status is None or message.command_uuid is None:
            return Turn(known=False)
        state = ANSWERS[message.status]
        at = self.moment(now)
        whose = (message.command_uuid, device_id, generation)
        if state is _C.NOT_NOW:
            cursor.execute(self._later, (at, *whose))
            row = cursor.fetchone()
            return Turn(row is not None, row[0], row[1]) if row else Turn(known=False)
        cursor.execute(self._answer, (state.value, at, raw, *whose))
        row = cursor.fetchone()
        if row is None:
            return Turn(known=False)
        cursor.execute(self._less, (device_id,))
        cursor.execute(self._post, (ANSWER_TOPIC, json.dumps({"command": row[0]}), at, at))
        return Turn(known=True, command_id=row[0], request_type=row[1])

    def next(self, cursor: Cursor, device_id: int, generation: int, now: datetime, *, idle: bool) -> Given | None:
        """The command that is next, marked as sent; None when there is none.

        A phone that asks anew is given also what it put off; within one connection only what it did not.
        """
        at = self.moment(now)
        cursor.execute(self._next, (device_id, generation, at, idle))
        row = cursor.fetchone()
        if row is None:
            return None
        given = Given(row[0], row[1], row[2], bytes(row[3]), bool(row[4]))
        if not given.guarded and row[5] != _C.SENT:
            cursor.execute(self._sent, (at, given.id))
        return given


_SECRETS = ", ".join(f"'{name}'" for name, rule in sorted(RULES.items()) if rule.secret)
_ANSWER = """
UPDATE apple_command SET state = ?, open = false, finished_at = ?,
  answer = CASE WHEN request_type IN (SECRETS) THEN NULL ELSE CAST(? AS BLOB_) END
WHERE uuid = ? AND device_id = ? AND generation = ? AND open = true AND state IN ('sent', 'not_now')
RETURNING id, request_type
"""
_LATER = """
UPDATE apple_command SET state = 'not_now', not_now = not_now + 1, not_now_at = COALESCE(not_now_at, ?)
WHERE uuid = ? AND device_id = ? AND generation = ? AND open = true AND state IN ('sent', 'not_now')
RETURNING id, request_type
"""
_LESS = "UPDATE device SET waiting = GREATEST(waiting - 1, 0) WHERE id = ?"
_LESS_SQLITE = "UPDATE device SET waiting = MAX(waiting - 1, 0) WHERE id = ?"
_POST = "INSERT INTO outbox_message (topic, payload, created_at, due_at, attempts) VALUES (?, ?, ?, ?, 0)"
_NEXT = """
SELECT id, uuid, request_type, body, guarded, state FROM apple_command HINT
WHERE device_id = ? AND OPEN AND generation = ? AND (expires_at > ?) IS TRUE AND (? OR state <> 'not_now')
ORDER BY priority, id LIMIT 1
"""
_SENT = "UPDATE apple_command SET state = 'sent', sent_at = ? WHERE id = ? AND open = true"
