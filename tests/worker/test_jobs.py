"""The clock's jobs: each does its work on both databases, a failing one waits longer, one worker leads."""

import multiprocessing
import os
import signal
import socketserver
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from mdm.alarms.model import Alarm
from mdm.audit import service as audit
from mdm.audit.model import AuditEntry
from mdm.commands.model import Command
from mdm.compliance import management
from mdm.compliance.model import VerdictChange
from mdm.inventory.model import Device, DeviceEvent
from mdm.operation.health import heartbeat_file
from mdm.orders import kernel
from mdm.orders.model import KernelState
from mdm.org.model import Unit, UnitParent
from mdm.outbox import service as outbox
from mdm.outbox.model import OutboxMessage
from mdm.settings import Settings
from mdm.signing.client import SignerClient
from mdm.worker import mail, table
from mdm.worker.jobs import Job, Runs, run
from mdm.worker.lead import DatabaseLead, FileLead, Lead, lead_for
from mdm.worker.main import Worker
from mdm.worker.office import Office
from mdm.worker.post import Outside, deliver
from mdm.worker.topics import TOPICS
from tests.conftest import NOW, free_port
from tests.signer.neighbour import RunningSigner
from tests.worker.conftest import HandClock


def a_device(office: Office, name: str) -> int:
    with office.call("test") as call:
        device = Device(
            uid=name, platform="linux", kind="laptop", state="handed_out", created_at=NOW, enrolled_at=NOW, last_seen_at=NOW
        )  # fmt: skip
        call.session.add(device)
        call.session.flush()
        return device.id


def verdict(office: Office, number: int) -> str:
    with office.call("test", write=False) as call:
        return call.session.get_one(Device, number).verdict


def test_a_posted_judgement_is_made_and_a_removed_device_harms_nobody(office: Office) -> None:
    number = a_device(office, "d1")
    with office.call("test") as call:
        management.add_rule(call, "last_seen", params={"days": 5})
        outbox.post(call, "device.judge", {"device": number})
        outbox.post(call, "device.judge", {"device": 4711})
    assert deliver(office, TOPICS) == 2
    assert verdict(office, number) == "compliant"
    with office.call("test", write=False) as call:
        assert call.session.scalar(select(func.count()).where(OutboxMessage.done_at.is_(None))) == 0


def test_the_sweep_finds_a_silent_device(office: Office, clock: HandClock) -> None:
    number = a_device(office, "d1")
    with office.call("test") as call:
        management.add_rule(call, "last_seen", params={"days": 5})
    table.sweep_compliance(office)
    clock.forward(days=6)
    table.sweep_compliance(office)
    assert verdict(office, number) == "noncompliant"


def posts(office: Office, topic: str) -> int:
    with office.call("test", write=False) as call:
        return call.session.scalar(select(func.count()).where(OutboxMessage.topic == topic)) or 0


def test_a_dated_move_of_a_unit_is_noticed_on_its_day_once(office: Office, clock: HandClock) -> None:
    with office.call("test") as call:
        units = [Unit(code=code, name=code, created_at=NOW) for code in ("A", "B")]
        call.session.add_all(units)
        call.session.flush()
        call.session.add(
            UnitParent(unit_id=units[0].id, parent_id=units[1].id, from_date=NOW.date() + timedelta(days=2))
        )
    moves = table.UnitMoves()
    for _ in range(2):
        moves.look(office)
        clock.forward(days=1)
        assert posts(office, "cohorts.place") == 0
    moves.look(office)
    moves.look(office)
    assert posts(office, "cohorts.place") == 1


def test_a_move_that_came_while_nobody_worked_is_caught_up_after_the_start(office: Office, clock: HandClock) -> None:
    with office.call("test") as call:
        unit = Unit(code="A", name="A", created_at=NOW)
        call.session.add(unit)
        call.session.flush()
        call.session.add(UnitParent(unit_id=unit.id, parent_id=None, from_date=NOW.date()))
    clock.forward(days=3)
    table.UnitMoves().look(office)
    assert posts(office, "cohorts.place") == 1


def test_old_history_is_forgotten_and_new_kept(office: Office, clock: HandClock) -> None:
    number = a_device(office, "d1")
    with office.call("test") as call:
        for days in (0, 300):
            call.session.add(VerdictChange(device_id=number, at=NOW + timedelta(days=days), verdict="unknown"))
    clock.forward(days=401)
    table.forget(office)
    with office.call("test", write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(VerdictChange)) == 1


def test_after_ninety_days_events_and_answers_are_forgotten_and_commands_and_the_diary_stay(
    office: Office, clock: HandClock
) -> None:
    number = a_device(office, "d1")
    with office.call("test") as call:
        audit.record(call, "device.locked", ("device", "d1"))
        for days in (0, 80):
            at = NOW + timedelta(days=days)
            call.session.add(DeviceEvent(device_id=number, at=at, kind="enrolled"))
            command = Command(id=f"c{days}", device_id=number, verb="diagnostics", state="done", asked_by="Mo")
            command.created_at = command.expires_at = command.finished_at = at
            command.data, command.detail = {"log": "private"}, "collected"
            call.session.add(command)
        lines = call.session.scalar(select(func.count(AuditEntry.id)))
    clock.forward(days=89)
    table.forget(office)
    with office.call("test", write=False) as call:
        assert call.session.scalar(select(func.count(DeviceEvent.id))) == 2, "nothing is old enough"

    clock.forward(days=2)
    table.forget(office)
    table.forget(office)

    with office.call("test", write=False) as call:
        assert [event.at for event in call.session.scalars(select(DeviceEvent))] == [NOW + timedelta(days=80)]
        answers = {row.id: (row.state, row.data, row.detail) for row in call.session.scalars(select(Command))}
        assert answers == {"c0": ("done", None, ""), "c80": ("done", {"log": "private"}, "collected")}
        assert call.session.scalar(select(func.count(AuditEntry.id))) == lines


def test_tidy_forgets_what_was_delivered_long_ago(office: Office, clock: HandClock) -> None:
    with office.call("test") as call:
        outbox.post(call, "device.judge", {"device": 1})
        outbox.ring(call, device_id=1)
    deliver(office, TOPICS)
    table.tidy(office)
    assert posts(office, "device.judge") == 1
    clock.forward(days=8)
    table.tidy(office)
    assert posts(office, "device.judge") == 0


@pytest.fixture
def signer(settings: Settings) -> Iterator[SignerClient]:
    """A signer process of this home."""
    running = RunningSigner(settings.home)
    running.start()
    yield running.client
    assert running.stop() == 0


def test_the_last_line_of_the_diary_is_sealed_by_the_signer(office: Office, signer: SignerClient) -> None:
    table.seal_diary(office)
    assert list(signer.heads()) == []
    with office.call("test") as call:
        line = audit.record(call, "test.noted", ("test", 1))
        sealed = (line.id, line.hash)
    table.seal_diary(office)
    table.seal_diary(office)
    assert [(head.number, head.hash) for head in signer.heads()] == [sealed]


def test_a_failing_job_waits_longer_each_time_and_recovers(office: Office, clock: HandClock) -> None:
    tries: list[int] = []

    def work(_office: Office) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise RuntimeError("no")

    job, runs = Job("work", timedelta(seconds=10), work), Runs()
    run(job, office, runs)
    assert (runs.failures, runs.error) == (1, "RuntimeError: no")
    run(job, office, runs)
    assert len(tries) == 1
    clock.forward(seconds=20)
    run(job, office, runs)
    clock.forward(seconds=20)
    run(job, office, runs)
    assert len(tries) == 2
    clock.forward(seconds=20)
    run(job, office, runs)
    assert (len(tries), runs.failures, runs.error, runs.good) == (3, 0, "", clock.now)


def leads(engine: Engine, tmp_path: Path) -> tuple[Lead, Lead]:
    return lead_for(engine, tmp_path), lead_for(engine, tmp_path)


def test_one_leads_and_the_other_takes_over_when_it_gives_up(engine: Engine, tmp_path: Path) -> None:
    first, second = leads(engine, tmp_path)
    assert isinstance(first, DatabaseLead if engine.dialect.name == "postgresql" else FileLead)
    assert first.take()
    assert first.take()
    assert not second.take()
    assert not second.held()
    first.give_up()
    assert second.take()
    assert second.held()
    second.give_up()


def _hold(url: str, home: Path, ready: "multiprocessing.synchronize.Event") -> None:
    from mdm.storage.engine import make_engine

    lead = lead_for(make_engine(url), home)
    assert lead.take()
    ready.set()
    time.sleep(60)


def test_the_lead_of_a_killed_worker_is_free(engine: Engine, database_url: str, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_hold, args=(database_url, tmp_path, ready))
    process.start()
    assert ready.wait(30)
    lead = lead_for(engine, tmp_path)
    assert not lead.take()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)
    end = time.monotonic() + 10
    while not lead.take():
        assert time.monotonic() < end, "the lead was never free"
        time.sleep(0.05)
    lead.give_up()


def test_a_worker_works_tells_that_it_lives_and_stops(engine: Engine, settings: Settings) -> None:
    office = Office(engine, settings)
    with office.call("test") as call:
        outbox.post(call, "seen", {})
    seen = threading.Event()
    handlers = {"seen": Outside(lambda _office, _payload: seen.set())}
    job = Job("post", timedelta(seconds=1), lambda office: deliver(office, handlers), at_start=True)
    worker = Worker(office, [job], lead_for(engine, settings.home))
    kept: list[bool] = []
    thread = threading.Thread(target=lambda: kept.append(worker.serve()))
    thread.start()
    assert seen.wait(15)
    beat = heartbeat_file(settings.home)
    end = time.monotonic() + 10
    while not beat.exists():
        assert time.monotonic() < end, "no sign of life"
        time.sleep(0.05)
    worker.stop()
    thread.join(15)
    assert kept == [True]
    assert not beat.exists()
    with office.call("test", write=False) as call:
        assert call.session.get(KernelState, 1) is not None, "console and gateway only read it"


class Mailbox(socketserver.StreamRequestHandler):
    """A mail server that takes every letter, spoken to over a real socket."""

    letters: list[str] = []

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        inside = False
        lines: list[str] = []
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            if inside:
                if line == ".":
                    inside = False
                    self.letters.append("\n".join(lines))
                    self.wfile.write(b"250 taken\r\n")
                else:
                    lines.append(line)
            elif line.upper() == "DATA":
                inside = True
                self.wfile.write(b"354 go on\r\n")
            elif line.upper() == "QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def mail_server() -> Iterator[int]:
    Mailbox.letters = []
    with socketserver.ThreadingTCPServer(("127.0.0.1", free_port()), Mailbox) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


LETTER = {"to": "an@antwerpen.be", "subject": "Hello\r\nBcc: everybody@example.org", "text": "A line.\nAnother."}


def test_mail_is_sent_and_a_subject_cannot_add_a_header(office: Office, settings: Settings, mail_server: int) -> None:
    with_server = Office(
        office.engine, settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{mail_server}"}), office.clock
    )
    mail.send(with_server, LETTER)
    letter = Mailbox.letters[0]
    assert "\nBcc:" not in letter
    assert "To: an@antwerpen.be" in letter
    assert "A line.\nAnother." in letter


def test_mail_waits_in_the_outbox_while_no_server_is_configured(office: Office) -> None:
    with office.call("test") as call:
        outbox.post(call, "mail", LETTER)
    deliver(office, TOPICS)
    with office.call("test", write=False) as call:
        message = call.session.scalars(select(OutboxMessage)).one()
        assert (message.done_at, message.dead_at, message.attempts) == (None, None, 0)
        assert "smtp_url" in (message.last_error or "")


def test_mail_to_a_server_that_is_down_is_tried_again(office: Office, settings: Settings) -> None:
    down = Office(
        office.engine, settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{free_port()}"}), office.clock
    )
    with down.call("test") as call:
        outbox.post(call, "mail", LETTER)
    deliver(down, TOPICS)
    with down.call("test", write=False) as call:
        message = call.session.scalars(select(OutboxMessage)).one()
        assert message.attempts == 1
        assert (message.last_error or "").startswith("ConnectionRefusedError")


def test_the_figures_are_counted(office: Office) -> None:
    a_device(office, "d1")
    table.count(office)


def test_orders_that_rest_too_briefly_are_an_alarm_by_what_the_signer_says(office: Office) -> None:
    def kinds() -> list[str]:
        with office.call("test", write=False) as call:
            return list(call.session.scalars(select(Alarm.kind)))

    table.watch_cooling(office)
    assert kinds() == []
    with office.call("test") as call:
        kernel.locked(call).cooling_minutes = 1
    table.watch_cooling(office)
    table.watch_cooling(office)
    assert kinds() == ["cooling_short"]
