"""A push service that is not Apple's: HTTP/2 with client certificates, and the answers that a test wants."""

import json
import socket
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions


@dataclass
class Pushed:
    """One push as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class PushService:
    """Listens on loopback; ``answers`` maps a token to status and body, everything else is 200."""

    certificate: Path
    key: Path
    authority: Path
    answers: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    pushed: list[Pushed] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        context.load_verify_locations(self.authority)
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_alpn_protocols(["h2"])
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"https://localhost:{self.port}"

    def stop(self) -> None:
        """Listens no longer."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        try:
            with self._context.wrap_socket(raw, server_side=True) as line:
                self.connections += 1
                self._talk(line)
        except (OSError, h2.exceptions.ProtocolError):
            raw.close()

    def _talk(self, line: ssl.SSLSocket) -> None:
        talk = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        talk.initiate_connection()
        line.sendall(talk.data_to_send())
        heads: dict[int, dict[str, str]] = {}
        bodies: dict[int, bytes] = {}
        while data := line.recv(65536):
            for event in talk.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    heads[event.stream_id] = dict(event.headers)  # type: ignore[arg-type]
                    bodies[event.stream_id] = b""
                elif isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] += event.data
                    talk.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    self._answer(talk, event.stream_id, heads.pop(event.stream_id), bodies.pop(event.stream_id))
            line.sendall(talk.data_to_send())

    def _answer(self, talk: Any, stream: int, head: dict[str, str], body: bytes) -> None:
        self.pushed.append(Pushed(head[":path"], head, body))
        status, content = self.answers.get(head[":path"].rpartition("/")[2], (200, {}))
        talk.send_headers(stream, [(":status", str(status)), ("apns-id", "1")], end_stream=not content)
        if content:
            talk.send_data(stream, json.dumps(content).encode(), end_stream=True)
