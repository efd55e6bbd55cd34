"""While the diary cannot be written, nobody uses their power; devices check in all the same."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import OperationalError

from agent.wire import report_digest, short_digest
from mdm.audit import service as audit
from mdm.audit.model import AuditEntry
from mdm.core.clock import utcnow
from mdm.core.errors import UnavailableError
from mdm.inventory.model import Device
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.conftest import FLEET_ADMIN
from tests.gateway.conftest import Agent, RunningGateway, running
from tests.signer.neighbour import RunningSigner

SECTIONS = {"system": {"hostname": "zuil"}}
DIGESTS = {"system": short_digest(SECTIONS["system"])}
REPORT = {"report": {"id": "report-1", "at": "2026-11-21T20:00:00Z", "sections": SECTIONS, "digests": DIGESTS}}


def _power(engine: Engine) -> None:
    """Something that needs a line in the diary."""
    with transaction(engine) as session:
        audit.record(Call(FLEET_ADMIN, session, utcnow()), "order.requested", ("order", 1))


def _lines(engine: Engine) -> int:
    with transaction(engine, write=False) as session:
        return session.scalar(select(func.count()).select_from(AuditEntry)) or 0


@contextmanager
def _closed_by_trigger(engine: Engine) -> Iterator[None]:
    """Nobody can add a line, and nothing else is different."""
    if engine.dialect.name == "sqlite":
        make = ["CREATE TRIGGER closed BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'closed'); END"]
        away = ["DROP TRIGGER closed"]
    else:
        make = [
            "CREATE FUNCTION closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'closed'; END $$",
            "CREATE TRIGGER closed BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION closed()",
        ]
        away = ["DROP TRIGGER closed ON audit_entry", "DROP FUNCTION closed"]
    for statements, last in ((make, False), (away, True)):
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
        if not last:
            yield


def _check_in(agent: Agent) -> None:
    """A check-in with something to say, and one without."""
    assert agent.checkin(REPORT).status in (200, 204)
    idle = agent.checkin(r=report_digest(DIGESTS))
    assert (idle.status, idle.body) in ((204, b""), (200, idle.body))
    assert "commands" not in (idle.json if idle.body else {})


def test_a_diary_that_takes_no_line_refuses_power_and_lets_devices_in(own_gateway: RunningGateway) -> None:
    agent = own_gateway.enrolled()
    before = _lines(own_gateway.engine)
    with _closed_by_trigger(own_gateway.engine):
        with pytest.raises(UnavailableError, match="cannot be written, so nothing was done") as refused:
            _power(own_gateway.engine)
        assert refused.value.code == "diary_closed"
        _check_in(agent)

    assert _lines(own_gateway.engine) == before
    _power(own_gateway.engine)
    assert _lines(own_gateway.engine) == before + 1


def test_an_order_waits_while_the_diary_takes_no_line_and_is_given_afterwards(gateway: RunningGateway) -> None:
    from tests.gateway.test_orders import wipe

    agent = gateway.enrolled()
    order = wipe(gateway, agent)
    with _closed_by_trigger(gateway.engine):
        reply = agent.checkin(REPORT)
        assert reply.status in (200, 204)
        assert b"commands" not in reply.body

    assert [one["id"] for one in agent.checkin().json["commands"]] == [order]


def test_a_table_that_somebody_locked_refuses_power_after_a_while_and_lets_devices_in(
    own_gateway: RunningGateway,
) -> None:
    if own_gateway.engine.dialect.name == "sqlite":
        pytest.skip("SQLite locks the whole file, which every write waits for")
    agent = own_gateway.enrolled()
    with own_gateway.engine.begin() as holder:
        holder.execute(text("LOCK TABLE audit_entry IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(UnavailableError) as refused:
            _power(own_gateway.engine)
        assert refused.value.code == "diary_closed"
        _check_in(agent)
    _power(own_gateway.engine)


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """A disk of a few megabytes; skips where nobody may mount one."""
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("a small disk can only be mounted by root")
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def _fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass


def test_on_a_really_full_disk_power_is_refused_and_devices_are_let_in(
    shared_signer: RunningSigner, sqlite_template: Path, tmp_path: Path
) -> None:
    with _small_disk(tmp_path / "disk") as disk:
        shutil.copy(sqlite_template, disk / "havenmeester.db")
        url = f"sqlite:///{disk / 'havenmeester.db'}"
        with running(RunningGateway(shared_signer, tmp_path / "home", url)) as gateway:
            agent = gateway.enrolled()
            agent.checkin(REPORT)
            before = _lines(gateway.engine)
            _fill(disk)

            refused = 0
            for _ in range(50):
                try:
                    _power(gateway.engine)
                except (UnavailableError, OperationalError) as error:
                    assert isinstance(error, UnavailableError) or "full" in str(error)  # noqa: PT017 -- two kinds
                    refused += 1
            # The first lines may still have found room in pages that the file had; then none does.
            assert refused >= 40
            idle = agent.checkin(r=report_digest(DIGESTS))
            assert idle.status in (200, 204)

            (disk / "filler").unlink()
            _power(gateway.engine)
            assert before < _lines(gateway.engine) <= before + 51 - refused
            assert agent.checkin(REPORT).status in (200, 204)
            with transaction(gateway.engine, write=False) as session:
                assert isinstance(audit.chain_end(session), tuple)
                assert session.scalar(select(func.count()).select_from(Device)) == 1
