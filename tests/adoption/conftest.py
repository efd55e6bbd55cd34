"""A city with a lead, people with and without addresses, a mail server and an SMS gateway."""

import email
import email.policy
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from mdm.org.model import ServicePoint, Unit, UnitParent
from mdm.people import fields
from mdm.people.model import Person
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.worker import inviting
from mdm.worker.office import Office
from mdm.worker.post import deliver
from mdm.worker.topics import TOPICS
from tests.conftest import NOW
from tests.sim.sms import TOKEN, SmsGateway, sms_gateway
from tests.worker.conftest import HandClock, clock, office

__all__ = ["clock", "office"]


@dataclass
class MailServer:
    """What arrived, in order."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)

    def to(self, address: str) -> list[EmailMessage]:
        """The letters of one mailbox; one that came twice under one Message-ID is one, as its reader sees it."""
        found = {str(one["Message-ID"]): one for one in self.letters if one["To"] == address}
        return list(found.values())


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is about letters needs one kind of database; ``test_rates`` uses both."""
    return sqlite_url


@pytest.fixture
def mailbox() -> Iterator[MailServer]:
    there = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 ready\r\n")
            lines: list[bytes] | None = None
            for raw in self.rfile:
                line = raw.rstrip(b"\r\n")
                if lines is not None and line != b".":
                    lines.append(line)
                elif lines is not None:
                    told = email.message_from_bytes(b"\n".join(lines), policy=email.policy.default)
                    assert isinstance(told, EmailMessage)
                    there.letters.append(told)
                    lines = None
                    self.wfile.write(b"250 taken\r\n")
                elif line.upper() == b"DATA":
                    lines = []
                    self.wfile.write(b"354 go on\r\n")
                elif line.upper() == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                else:
                    self.wfile.write(b"250 ok\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        there.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield there
        server.shutdown()
        thread.join(60)


@pytest.fixture
def gateway() -> Iterator[SmsGateway]:
    with sms_gateway() as there:
        yield there


@pytest.fixture
def settings(database_url: str, tmp_path: Path, mailbox: MailServer, gateway: SmsGateway) -> Settings:
    return Settings(
        home=tmp_path,
        database_url=database_url,
        smtp_url=f"smtp://127.0.0.1:{mailbox.port}",
        sms_url=gateway.url,
        sms_token=TOKEN,
        portal_url="https://mijn.example.org",
    )


def unit(call: Call, code: str, parent: Unit | None = None, lead: str = "") -> Unit:
    made = Unit(code=code, name=f"Unit {code}", lead_email=lead, created_at=NOW)
    call.session.add(made)
    call.session.flush()
    call.session.add(UnitParent(unit_id=made.id, parent_id=parent.id if parent else None, from_date=NOW.date()))
    call.session.flush()
    return made


def point(call: Call, code: str) -> ServicePoint:
    made = ServicePoint(code=code, name=f"Desk {code}", phone="03 000 00 00", created_at=NOW)
    call.session.add(made)
    call.session.flush()
    return made


def person(call: Call, name: str, **given: object) -> Person:
    values = {"email": f"{name.lower()}@example.org", "phone": "", "language": "nl", "created_at": NOW, **given}
    made = Person(name=name, **values)
    made.search = fields.search_text(made)
    call.session.add(made)
    call.session.flush()
    return made


class Worker:
    """The worker's rounds, as fast as a test wants them."""

    def __init__(self, office: Office, clock: HandClock) -> None:
        self.office, self.clock = office, clock

    def round(self, times: int = 3) -> None:
        """Writes, delivers and follows, as often as it takes for a handful of people."""
        for _ in range(times):
            inviting.follow(self.office)
            inviting.write_letters(self.office)
            deliver(self.office, TOPICS)

    def until(self, moment: datetime) -> None:
        """Works at that moment."""
        self.clock.now = moment
        self.round()


@pytest.fixture
def worker(office: Office, clock: Callable[[], datetime]) -> Worker:
    assert isinstance(clock, HandClock)
    return Worker(office, clock)
