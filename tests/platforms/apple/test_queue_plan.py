"""What a phone costs the database does not grow with its past, nor with what waits for others: shown by the plans."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from mdm.platforms.apple.knock import KNOCK
from mdm.platforms.apple.message import Message, Status
from mdm.platforms.apple.queue import Queue
from mdm.platforms.apple.turns import STATEMENT, Asked, values
from tests.bench import phones_seed as seed
from tests.conftest import NOW
from web.gateway.database import ANY, BY_INDEX, ONE

PAST = {1: 0, 2: 1, 3: 500}
"""Phones, and how many commands of each are done."""
OTHERS = range(4, 104)
"""Phones for each of which fifty commands wait."""


@pytest.fixture
def fleet(engine: Engine) -> Engine:
    """Phones whose past is of any length, and one command waits for each of them."""
    seed.fleet(engine, {}, max(OTHERS), NOW)
    seed.commands(engine, [(number, number, past, 1) for number, past in PAST.items()], NOW)
    return engine


def in_plan(plan: Sequence[Sequence[Any]]) -> str:
    """A plan as one text."""
    return "\n".join(str(row) for row in plan)


def asked(number: int, place: int | None = None) -> Asked:
    """One turn of a phone: idle, or that it did the command at ``place``."""
    if place is None:
        return Asked(number, 1, Message("u", False, {}, status=Status.IDLE), b"", NOW)
    uuid = seed.uuid(number, place)
    return Asked(number, 1, Message("u", False, {}, status=Status.ACKNOWLEDGED, command_uuid=uuid), b"<plist/>", NOW)


def blocks(connection: Connection, statement: str, given: Any) -> int:
    """How many blocks a statement reads, which is taken back; the second time, so that the catalogue is known."""
    for _ in range(2):
        with connection.begin_nested() as savepoint:
            explain = "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) "
            plan = in_plan(connection.exec_driver_sql(explain + statement, given).all())
            savepoint.rollback()
    top = plan[: plan.index("Planning:")] if "Planning:" in plan else plan
    found = re.search(r"Buffers: shared((?: \w+=\d+)+)", top)
    assert found is not None
    return sum(int(number) for word, number in re.findall(r"(\w+)=(\d+)", found[1]) if word in ("hit", "read"))


@pytest.mark.parametrize("fresh", [False, True])
def test_an_idle_phone_is_answered_without_a_look_at_its_commands(fleet: Engine, fresh: bool) -> None:
    with fleet.connect() as connection:
        if fresh:
            connection.exec_driver_sql("ANALYZE")
        if fleet.dialect.name == "sqlite":
            given: Any = ("2026", f"{1:064x}", "2026", "2026")
            plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + KNOCK.format(p="?", those=ONE), given).all()
            assert "SCAN" not in in_plan(plan)
            assert "enrollment" in in_plan(plan) or "USING INDEX" in in_plan(plan)
        else:
            statement = KNOCK.format(p="%s", those=ANY)
            cost = {n: blocks(connection, statement, (NOW, [f"{n:064x}"], NOW, NOW)) for n in PAST}
            plan = connection.exec_driver_sql("EXPLAIN " + statement, (NOW, [f"{1:064x}"], NOW, NOW)).all()
            assert len(set(cost.values())) == 1, f"the past is read: {cost}"
    assert "apple_command" not in in_plan(plan)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_plans_made_while_nothing_waits_hold_when_a_fleet_waits(fleet: Engine) -> None:
    with fleet.connect() as connection:
        connection.execute(text("UPDATE apple_command SET open = false, finished_at = now(), state = 'acknowledged'"))
        connection.commit()
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    seed.commands(fleet, [(OTHERS[0], OTHERS[-1], 0, 50)], NOW)
    for number, past in PAST.items():
        seed.queue(fleet, (number, number), (past + 1, past + 3), NOW)
    with fleet.connect() as connection:
        for setting in re.findall(r"(\w+)=off", BY_INDEX):
            connection.exec_driver_sql(f"SET {setting} = off")
        cost = {number: blocks(connection, STATEMENT, dict(values([asked(number)]))) for number in PAST}
        answered = dict(values([asked(one, 0) for one in OTHERS[:9]]))
        plan = in_plan(connection.exec_driver_sql("EXPLAIN " + STATEMENT, answered).all())

    assert max(cost.values()) - min(cost.values()) <= 4, f"the past is read: {cost}"
    assert max(cost.values()) < 80, f"what waits for others is read: {cost}"
    used = set(re.findall(r"Index Scan using (\w+)", plan))
    assert used == {"ix_apple_command_waiting", "uq_apple_command_uuid", "pk_apple_command", "pk_device"}
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_next_command_is_found_by_the_index_of_what_waits(fleet: Engine) -> None:
    statement = Queue(sqlite=True)._next
    with fleet.connect() as connection:
        plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, (3, 1, NOW.isoformat(), True)).all()
    assert "USING INDEX ix_apple_command_waiting (device_id=?)" in in_plan(plan)
    assert "TEMP B-TREE" not in in_plan(plan), "and in its order"
