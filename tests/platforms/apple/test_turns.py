"""Turns that share a statement end as they would have ended one by one, and one that fails costs the others nothing."""

from datetime import timedelta
from typing import Any

import gevent
import psycopg
import pytest
from sqlalchemy import Engine, select

from mdm.inventory.model import Device
from mdm.outbox.model import OutboxMessage
from mdm.platforms.apple.knock import Knock
from mdm.platforms.apple.message import Message, Status
from mdm.platforms.apple.model import AppleCommand
from mdm.platforms.apple.queue import Queue, Turn
from mdm.platforms.apple.turns import LARGE, MOST, STATEMENT, Asked, Taken, taken, together, values
from mdm.storage.engine import transaction
from tests.bench import phones_seed as seed
from tests.conftest import NOW
from tests.sim.measure import Relay
from web.gateway.apple_database import AppleDatabase
from web.gateway.database import AwayError, Database

SOME = 6
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def turn(number: int, status: Status, place: int = 0, *, of: int | None = None, generation: int = 1) -> Asked:
    """What phone ``number`` says of the command at ``place`` of the queue of ``of`` (its own)."""
    uuid = None if status is Status.IDLE else seed.uuid(of or number, place)
    message = Message("u", False, {}, status=status, command_uuid=uuid)
    return Asked(number, generation, message, f"{status} {place}".encode(), NOW)


def said(first: int) -> list[list[Asked]]:
    """What six phones from ``first`` on say in four moments: in order, put off, wrong, of others, anew, of the past."""
    a, b, c, d, e, f = range(first, first + SOME)
    idle, done, later, broken = Status.IDLE, Status.ACKNOWLEDGED, Status.NOT_NOW, Status.ERROR
    return [
        [turn(one, idle) for one in (a, b, c, d, e, f)],
        [turn(a, done), turn(b, later), turn(c, broken), turn(d, done, of=a), turn(e, done, generation=2)],
        [turn(a, done), turn(b, done, 1), turn(c, done, 1), turn(d, done, 2), turn(f, Status.COMMAND_FORMAT_ERROR)],
        [turn(a, later, 1), turn(b, idle), turn(c, idle), turn(d, idle), turn(f, idle)],
    ]


def one_by_one(engine: Engine, moment: list[Asked]) -> list[Taken]:
    """The turns as ``queue.py`` takes them."""
    queue = Queue(sqlite=False)
    found: list[Taken] = []
    with transaction(engine) as session:
        cursor: Any = session.connection().connection.cursor()
        for one in moment:
            whose, idle = (one.device_id, one.generation), one.message.status is Status.IDLE
            took = Turn(known=True) if idle else queue.answer(cursor, *whose, one.message, one.now, one.raw)
            found.append((took, queue.next(cursor, *whose, one.now, idle=idle)))
    return found


def all_at_once(engine: Engine, moment: list[Asked]) -> list[Taken]:
    """The turns as ``turns.py`` takes them."""
    found: dict[Asked, Taken] = {}
    with transaction(engine) as session:
        for heap in together(moment):
            cursor: Any = session.connection().connection.cursor(binary=True)  # type: ignore[call-arg]
            found |= zip(heap, taken(cursor.execute(STATEMENT, values(heap)).fetchall(), heap), strict=True)
    return [found[one] for one in moment]


@on_postgresql
def test_turns_together_end_as_they_would_one_by_one(engine: Engine) -> None:
    seed.fleet(engine, {}, 2 * SOME, NOW)
    seed.commands(engine, [(1, 2 * SOME, 0, 3)], NOW - timedelta(minutes=1))
    with transaction(engine) as session:
        # Of each six the fifth has one that is looked at first, and the sixth one whose answer is not kept.
        for number in (5, 5 + SOME):
            session.scalars(select(AppleCommand).where(AppleCommand.uuid == seed.uuid(number, 0))).one().guarded = True
        for number in (6, 6 + SOME):
            kept = session.scalars(select(AppleCommand).where(AppleCommand.uuid == seed.uuid(number, 0))).one()
            kept.request_type = "DeviceLocation"

    def shown(result: Taken) -> tuple[Any, ...]:
        took, given = result
        return took.known, took.request_type, given and (given.uuid[8:], given.guarded, given.request_type)

    for singly, shared in zip(said(1), said(1 + SOME), strict=True):
        expected = [shown(one) for one in one_by_one(engine, singly)]
        assert [shown(one) for one in all_at_once(engine, shared)] == expected

    with transaction(engine, write=False) as session:
        columns = ("state", "open", "not_now", "not_now_at", "finished_at", "sent_at", "answer", "request_type")
        rows = session.execute(
            select(AppleCommand.device_id, *(getattr(AppleCommand, name) for name in columns)).order_by(
                AppleCommand.device_id, AppleCommand.uuid
            )
        ).all()
        half = len(rows) // 2
        assert [row[1:] for row in rows[:half]] == [row[1:] for row in rows[half:]]
        assert {row.state for row in rows} >= {"acknowledged", "error", "format_error", "not_now", "sent", "queued"}
        waiting = session.scalars(select(Device.waiting).order_by(Device.id)).all()
        assert waiting[:SOME] == waiting[SOME:]
        letters = session.scalars(select(OutboxMessage.payload)).all()
        ended = session.scalars(select(AppleCommand.id).where(AppleCommand.finished_at.is_not(None))).all()
        assert sorted(letter["command"] for letter in letters) == sorted(ended)


def test_a_heap_has_each_phone_once_and_is_not_too_large() -> None:
    twice = [turn(3, Status.IDLE), turn(1, Status.IDLE), turn(3, Status.ACKNOWLEDGED)]
    assert [[one.device_id for one in heap] for heap in together(twice)] == [[1, 3], [3]]
    assert [len(heap) for heap in together([turn(n, Status.IDLE) for n in range(MOST + 2)])] == [MOST, 2]
    large = [Asked(n, 1, Message("u", False, {}, status=Status.ERROR), b"x" * LARGE, NOW) for n in range(5)]
    assert [len(heap) for heap in together(large)] == [2, 2, 1]


@on_postgresql
def test_a_turn_that_cannot_be_taken_costs_the_others_nothing(engine: Engine, database_url: str) -> None:
    seed.fleet(engine, {}, 3, NOW)
    seed.commands(engine, [(1, 3, 0, 2)], NOW)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE apple_command SET state = 'sent'")
        connection.exec_driver_sql("ALTER TABLE apple_command ADD CHECK (device_id <> 2 OR open)")
    database = Database(database_url)
    try:
        phones = AppleDatabase(database)
        turns = [turn(number, Status.ACKNOWLEDGED) for number in (1, 2, 3)]
        greenlets = [gevent.spawn(phones.turn, knocked(one.device_id), one.message, one.raw, NOW) for one in turns]
        gevent.joinall(greenlets, timeout=60)
        found = [one.value or type(one.exception) for one in greenlets]
    finally:
        database.dispose()

    assert found[1] is psycopg.errors.CheckViolation
    assert [found[place][1].uuid for place in (0, 2)] == [seed.uuid(1, 1), seed.uuid(3, 1)]
    with transaction(engine, write=False) as session:
        ended = select(AppleCommand.device_id).where(AppleCommand.finished_at.is_not(None))
        assert sorted(session.scalars(ended)) == [1, 3]


@on_postgresql
def test_phones_whose_database_is_away_wait_for_it_once_and_not_one_after_the_other(engine: Engine) -> None:
    seed.fleet(engine, {}, SOME, NOW)
    assert engine.url.port
    relay = Relay(engine.url.port)
    database = Database(engine.url.set(port=relay.port).render_as_string(hide_password=False))
    try:
        phones = AppleDatabase(database)

        def all_at_once() -> set[type]:
            turns = [turn(number, Status.IDLE) for number in range(1, SOME + 1)]
            greenlets = [gevent.spawn(phones.turn, knocked(one.device_id), one.message, b"", NOW) for one in turns]
            gevent.joinall(greenlets, timeout=120)
            return {type(one.exception) for one in greenlets}

        assert all_at_once() == {type(None)}
        relay.fall_silent()
        assert all_at_once() == {AwayError}, "the connection that they had is gone"
        assert all_at_once() == {AwayError}, "and a new one is not answered"
        assert relay.unheard == 1
    finally:
        database.dispose()
        relay.stop()


@on_postgresql
def test_turns_taken_one_by_one_stop_when_the_database_goes_away_meanwhile(engine: Engine, database_url: str) -> None:
    seed.fleet(engine, {}, 4, NOW)
    seed.commands(engine, [(1, 4, 0, 1)], NOW)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE apple_command SET state = 'sent'")
        connection.exec_driver_sql("ALTER TABLE apple_command ADD CHECK (device_id <> 2 OR open)")
        connection.exec_driver_sql(
            "CREATE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'"
        )
        connection.exec_driver_sql(
            "CREATE CONSTRAINT TRIGGER cut_off AFTER UPDATE ON apple_command DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW WHEN (NEW.device_id = 3) EXECUTE FUNCTION cut_off()"
        )
    database = Database(database_url)
    try:
        found = AppleDatabase(database)._taken([turn(number, Status.ACKNOWLEDGED) for number in (1, 2, 3, 4)])
    finally:
        database.dispose()

    assert [type(one) for one in found] == [tuple, psycopg.errors.CheckViolation, AwayError, AwayError]
    with transaction(engine, write=False) as session:
        ended = select(AppleCommand.device_id).where(AppleCommand.finished_at.is_not(None))
        assert list(session.scalars(ended)) == [1], "nobody asked for the fourth any more, who comes back"


def knocked(number: int) -> Knock:
    """The row of a phone at the door."""
    uid = f"{number:032x}"
    fingerprint = f"{number:064x}"
    return Knock(
        fingerprint, number, number, uid, "", "", True, "u", "enrolled", False, 1, 2, "-", None, False, False, False
    )


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """gevent prints the errors of greenlets; here they are looked at instead."""
    monkeypatch.setattr(gevent.get_hub(), "exception_stream", None)
