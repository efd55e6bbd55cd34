"""What a line of the diary costs, and proving it: durable transactions of one line each, and many lines in one."""

import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from mdm.audit import service as audit
from mdm.core.actor import command_line
from mdm.core.permissions import Where
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.storage.metadata import all_tables

SECONDS = 5.0
MANY = 2000


def _bare(engine: Engine) -> float:
    """Durable transactions per second that insert one row and do nothing else: what the disk allows at this moment."""
    connection = engine.raw_connection()
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE bare (n INTEGER)")
    connection.commit()
    begun, done = time.perf_counter(), 0
    while time.perf_counter() - begun < SECONDS / 2:
        if engine.dialect.name == "sqlite":
            cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("INSERT INTO bare VALUES (1)")
        connection.commit()
        done += 1
    cursor.close()
    connection.close()
    return done / (time.perf_counter() - begun)


def measure(folder: Path, url: str | None) -> dict[str, float]:
    """Lines per second one by one and many at once, and lines proved per second."""
    folder.mkdir(parents=True, exist_ok=True)
    engine = make_engine(url or f"sqlite:///{folder / 'diary.db'}")
    all_tables().create_all(engine)
    actor, written = command_line("bench"), 0

    def write(count: int) -> None:
        nonlocal written
        with transaction(engine) as session:
            call = Call(actor, session, datetime.now(UTC))
            for _ in range(count):
                written += 1
                audit.record(
                    call,
                    "device.moved",
                    ("device", written),
                    name=f"Kiosk {written}",
                    where=Where(3),
                    details={"to": "B", "n": 1},
                )

    try:
        write(50)
        bare = _bare(engine)
        begun, busy, before = time.perf_counter(), time.process_time(), written
        while time.perf_counter() - begun < SECONDS:
            write(1)
        alone = (written - before) / (time.perf_counter() - begun)
        cpu_ms = (time.process_time() - busy) / (written - before) * 1000
        begun = time.perf_counter()
        write(MANY)
        together = MANY / (time.perf_counter() - begun)
        begun = time.perf_counter()
        with transaction(engine, write=False) as session:
            outcome = audit.chain_end(session)
        proved = written / (time.perf_counter() - begun)
        assert isinstance(outcome, tuple)
        assert outcome[0] == written
    finally:
        engine.dispose()
    return {"alone": alone, "together": together, "proved": proved, "cpu_ms": cpu_ms, "bare": bare}
