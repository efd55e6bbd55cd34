"""How long 8,081 invitations take, what they need, and how long an urgent letter waits among them.

The worker's two jobs run by their own clock, one after the other as in one thread: less than the real worker does, which has
three. The mail server and the SMS gateway are real sockets on this machine.
"""

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, insert, select

from mdm.adoption import queries, service
from mdm.outbox import service as outbox
from mdm.outbox.model import OutboxMessage
from mdm.people.model import Person
from mdm.settings import Settings
from mdm.storage.engine import make_engine
from mdm.storage.metadata import all_tables
from mdm.worker import inviting
from mdm.worker.office import Office
from mdm.worker.post import deliver
from mdm.worker.topics import TOPICS
from tests.sim.sms import TOKEN, sms_gateway

PEOPLE = 8_081
EVERY = 2.0
"""Seconds between two batches, as in the table of jobs."""
LANGUAGES = ("nl", "fr", "en", "tr", "ar", "ro")


@dataclass
class Sink:
    """A mail server that counts."""

    port: int = 0
    taken: int = 0
    urgent: float = 0.0


@contextmanager
def sink() -> Iterator[Sink]:
    """A running one."""
    there = Sink()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 ready\r\n")
            inside = False
            for raw in self.rfile:
                word = raw.strip().upper()
                if inside:
                    if raw.startswith(b"Subject: Urgent"):
                        there.urgent = time.monotonic()
                    if word == b".":
                        inside = False
                        there.taken += 1
                        self.wfile.write(b"250 taken\r\n")
                elif word == b"DATA":
                    inside = True
                    self.wfile.write(b"354 go on\r\n")
                else:
                    self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                    if word == b"QUIT":
                        return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        there.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield there
        server.shutdown()


def measure(folder: Path, url: str | None, people: int = PEOPLE) -> dict[str, float]:
    """Seconds of the press and of everything, letters, the longest wait of an urgent letter, peak memory in MB."""
    folder.mkdir(parents=True, exist_ok=True)
    with sink() as mailbox, sms_gateway() as gateway:
        settings = Settings(
            home=folder,
            database_url=url or f"sqlite:///{folder / 'havenmeester.db'}",
            smtp_url=f"smtp://127.0.0.1:{mailbox.port}",
            sms_url=gateway.url,
            sms_token=TOKEN,
            quiet_hours="",
            quiet_days="",
        )
        engine = make_engine(settings.database)
        all_tables().create_all(engine)
        office = Office(engine, settings)
        _people(office, people)
        before = _memory("VmRSS")
        began = time.monotonic()
        with office.call("bench") as call:
            ids = list(call.session.scalars(select(Person.id)))
            uid = service.invite_people(call, ids).uid
        pressed = time.monotonic() - began
        urgent = _work(office, mailbox, uid)
        took = time.monotonic() - began
        with office.call("bench", write=False) as call:
            states = queries.run(call, uid).states
        engine.dispose()
        assert sum(states.values()) == people
        assert mailbox.taken == states["mail"] + 1
        return {
            "pressed": pressed,
            "seconds": took,
            "urgent": urgent,
            "before": before,
            "peak": _memory("VmHWM"),
            **{key: float(value) for key, value in states.items()},
        }


def _work(office: Office, mailbox: Sink, uid: str) -> float:
    """Both jobs until nothing waits; how long an urgent letter waited that was posted in the middle."""
    written = 0.0
    asked = 0.0
    while True:
        if time.monotonic() - written >= EVERY:
            written = time.monotonic()
            inviting.write_letters(office)
        if not asked and mailbox.taken > 1000:
            asked = time.monotonic()
            with office.call("bench") as call:
                outbox.post(call, "mail", {"to": "duty@example.org", "subject": "Urgent", "text": "x"})
        tried = deliver(office, TOPICS)
        with office.call("bench", write=False) as call:
            waits = call.session.scalar(select(func.count()).where(OutboxMessage.done_at.is_(None)))
            done = queries.run(call, uid).run.finished_at is not None
        if done and not waits:
            return mailbox.urgent - asked
        if not tried:
            time.sleep(0.05)


def _people(office: Office, count: int) -> None:
    now = datetime.now(UTC)
    with office.call("bench") as call:
        rows = [
            {
                "name": f"Person {number}",
                "email": f"p{number}@example.org" if number % 10 else None,
                "phone": f"0470{number:06d}" if number % 20 == 0 else "",
                "language": LANGUAGES[number % len(LANGUAGES)],
                "persona": "unit",
                "search": "",
                "created_at": now,
            }
            for number in range(count)
        ]
        call.session.execute(insert(Person), rows)


def _memory(key: str) -> float:
    """Megabytes of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return 0.0
