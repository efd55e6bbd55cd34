"""Turns of many phones in one statement, for PostgreSQL: what they say is taken, what is next is given, one commit for all.

What a turn costs is the statement and its commit far more than the rows it touches. So those who speak at one moment share
both. The rules are those of ``queue.py``, which says them one by one; tests hold the two against each other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mdm.platforms.apple.commands import RULES
from mdm.platforms.apple.message import Message, Status
from mdm.platforms.apple.queue import ANSWER_TOPIC, ANSWERS, Given, Turn

MOST: Final = 64
"""Turns of one statement at the most."""
LARGE: Final = 1024 * 1024
"""Bytes of answers from which on a statement takes no more of them."""
Taken = tuple[Turn, Given | None]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One turn: who speaks, what they say and its bytes, and when."""

    device_id: int
    generation: int
    message: Message
    raw: bytes
    now: datetime


def together(asked: Sequence[Asked]) -> Iterator[list[Asked]]:
    """The turns in heaps that may share a statement: each phone once, by their numbers, and not more than is bearable.

    In the order of devices, so that two processes never wait for each other in a circle.
    """
    left = sorted(asked, key=lambda one: one.device_id)
    while left:
        heap: dict[int, Asked] = {}
        later, size = [], 0
        for one in left:
            if one.device_id in heap or len(heap) == MOST or size > LARGE:
                later.append(one)
            else:
                heap[one.device_id] = one
                size += len(one.raw)
        yield list(heap.values())
        left = later


def values(heap: Sequence[Asked]) -> Mapping[str, Any]:
    """What ``STATEMENT`` is executed with. An idle phone answers nothing: its command and its words are empty."""
    idle = [one.message.status is Status.IDLE for one in heap]
    return {
        "devices": [one.device_id for one in heap],
        "generations": [one.generation for one in heap],
        "uuids": ["" if quiet else one.message.command_uuid or "" for one, quiet in zip(heap, idle, strict=True)],
        "states": ["" if quiet else _state(one.message) for one, quiet in zip(heap, idle, strict=True)],
        "answers": [b"" if quiet else one.raw for one, quiet in zip(heap, idle, strict=True)],
        "now": max(one.now for one in heap),
        "topic": ANSWER_TOPIC,
    }


def _state(message: Message) -> str:
    return ANSWERS[message.status or Status.ERROR].value


def taken(rows: Sequence[Sequence[Any]], heap: Sequence[Asked]) -> list[Taken]:
    """What came of each, in the order of ``heap``, by the rows of the statement."""
    found = {row[0]: row for row in rows}
    return [_taken(found[one.device_id], one.message) for one in heap]


def _taken(row: Sequence[Any], message: Message) -> Taken:
    _, said, request_type, given, uuid, wanted, body, guarded = row
    took = Turn(message.status is Status.IDLE or said is not None, said, request_type or "")
    return took, None if given is None else Given(given, uuid, wanted, bytes(body), guarded)


# A plan is kept, and made when perhaps nothing waits. So ``open`` is said only where the index of what is open is meant: not
# where a command is found by its identifier, for what was sent or put off is open, nor by its number, where its state says it.
_SECRETS = ", ".join(f"'{name}'" for name, rule in sorted(RULES.items()) if rule.secret)
STATEMENT: Final = f"""
WITH asked AS MATERIALIZED (
  SELECT * FROM unnest(%(devices)b::integer[], %(generations)b::integer[], %(uuids)b::text[], %(states)b::text[],
                       %(answers)b::bytea[]) AS a (device, generation, uuid, state, answer)
), said AS (
  UPDATE apple_command c SET state = a.state,
    open = a.state = 'not_now',
    not_now = c.not_now + CASE WHEN a.state = 'not_now' THEN 1 ELSE 0 END,
    not_now_at = CASE WHEN a.state = 'not_now' THEN COALESCE(c.not_now_at, %(now)s) ELSE c.not_now_at END,
    finished_at = CASE WHEN a.state = 'not_now' THEN c.finished_at ELSE %(now)s END,
    answer = CASE WHEN a.state = 'not_now' THEN c.answer WHEN c.request_type IN ({_SECRETS}) THEN NULL ELSE a.answer END
  FROM asked a
  WHERE c.uuid = a.uuid AND c.device_id = a.device AND c.generation = a.generation AND c.state IN ('sent', 'not_now')
  RETURNING c.id, c.device_id, c.request_type, c.open
), less AS (
  UPDATE device d SET waiting = GREATEST(d.waiting - 1, 0) FROM said WHERE d.id = said.device_id AND NOT said.open
), posted AS (
  INSERT INTO outbox_message (topic, payload, created_at, due_at, attempts)
  SELECT %(topic)s, jsonb_build_object('command', id), %(now)s, %(now)s, 0 FROM said WHERE NOT open
), chosen AS (
  SELECT a.device, n.* FROM asked a CROSS JOIN LATERAL (
    SELECT c.id, c.uuid, c.request_type, c.body, c.guarded, c.state FROM apple_command c
    WHERE c.device_id = a.device AND c.open = true AND c.generation = a.generation AND (c.expires_at > %(now)s) IS TRUE
      AND (a.uuid = '' OR (c.state <> 'not_now' AND c.uuid <> a.uuid))
    ORDER BY c.priority, c.id LIMIT 1
  ) n
), sent AS (
  UPDATE apple_command c SET state = 'sent', sent_at = %(now)s
  FROM chosen WHERE c.id = chosen.id AND c.state = chosen.state AND NOT chosen.guarded AND chosen.state <> 'sent'
)
SELECT a.device, said.id, said.request_type, n.id, n.uuid, n.request_type, n.body, n.guarded
FROM asked a LEFT JOIN said ON said.device_id = a.device LEFT JOIN chosen n ON n.device = a.device
"""  # noqa: S608 -- the names are ours
