"""An SMS gateway that is not there: real HTTP on loopback, and the misbehaviour that a test wants."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "secret-of-the-gateway"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in."""

    key: str
    token: str
    body: dict[str, str]


@dataclass
class SmsGateway:
    """Takes messages at ``url``. One that was asked twice under one key is delivered once.

    ``answers`` are given first, one to each request: a status, also with a Retry-After (``(503, 7)``), or 0 for a line that
    is cut after the message was taken. ``pause`` are seconds before each answer.
    """

    port: int = 0
    answers: list[int | tuple[int, int]] = field(default_factory=list)
    pause: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    delivered: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address for the setting ``sms_url``."""
        return f"http://127.0.0.1:{self.port}/messages"

    def to(self, number: str) -> list[str]:
        """The texts that reached a telephone."""
        return [body["text"] for body in self.delivered.values() if body["to"] == number]

    def take(self, asked: Asked) -> tuple[int, int | None]:
        """What is answered, with the seconds of a Retry-After."""
        self.asked.append(asked)
        time.sleep(self.pause)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, tuple):
            return answer
        if answer not in (None, 0):
            return answer, None
        if asked.token != f"Bearer {TOKEN}":
            return 401, None
        if asked.key in self.delivered:
            return 409, None
        self.delivered[asked.key] = asked.body
        return (0 if answer == 0 else 202), None


@contextmanager
def sms_gateway() -> Iterator[SmsGateway]:
    """A running gateway."""
    there = SmsGateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            key, token = self.headers.get("Idempotency-Key", ""), self.headers.get("Authorization", "")
            status, wait = there.take(Asked(key, token, body))
            if status == 0:
                return
            self.send_response(status)
            if wait is not None:
                self.send_header("Retry-After", str(wait))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_args: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        there.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield there
        server.shutdown()
        thread.join(60)
