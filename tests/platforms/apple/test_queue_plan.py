"""What is next in a phone's queue is found by the index of what is open, whatever the database thinks of its own figures."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert

from mdm.inventory.model import Device
from mdm.platforms.apple.message import Message, Status
from mdm.platforms.apple.model import AppleCommand
from mdm.platforms.apple.queue import Queue
from mdm.storage.engine import transaction
from tests.conftest import NOW

IDLE = Message("u", False, {}, status=Status.IDLE)
ANSWERED = Message("u", False, {}, status=Status.ACKNOWLEDGED, command_uuid="0-0")


@pytest.mark.parametrize("fresh", [False, True])
def test_the_next_command_is_found_without_reading_the_past(engine: Engine, fresh: bool) -> None:
    with transaction(engine) as session:
        session.execute(
            insert(Device),
            [{"id": n, "uid": f"{n:032x}", "platform": "ios", "kind": "phone", "created_at": NOW} for n in (1, 2)],
        )
        session.execute(
            insert(AppleCommand),
            [
                {
                    "uuid": f"{n}-{place}", "device_id": n, "generation": 1, "request_type": "ProfileList", "body": b"x",
                    "open": place > 300, "state": "queued", "created_at": NOW, "expires_at": NOW + timedelta(days=1),
                }
                for n in (1, 2) for place in range(303)
            ],
        )  # fmt: skip
    with engine.connect() as connection:
        if fresh:
            connection.exec_driver_sql("ANALYZE")
        sqlite = engine.dialect.name == "sqlite"
        queue = Queue(sqlite=sqlite)
        if sqlite:
            plans = [
                connection.exec_driver_sql("EXPLAIN QUERY PLAN " + queue._next, (1, 1, NOW.isoformat(), True)).all()
            ]
        else:
            given = [queue.at_once(1, 1, message, NOW, b"") for message in (IDLE, ANSWERED)]
            plans = [connection.exec_driver_sql("EXPLAIN " + text, values).all() for text, values in given]
    for plan in plans:
        told = str(plan)
        assert "ix_apple_command_open" in told
        assert "ix_apple_command_expiry" not in told
        assert not fresh or "ix_apple_command_device" not in told
