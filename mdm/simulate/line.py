"""A kept TLS connection of one simulated device, as lean as the agent's own. Waits in gevent's way."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gevent import socket as gevent_socket
from gevent import ssl as gevent_ssl

MAX_ANSWER = 16 * 1024 * 1024
TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the gateway."""

    status: int
    next: int | None
    """Seconds until the device shall come back."""
    retry_after: int | None
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in small letters."""

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The stable key of a refusal; the status where there is none."""
        try:
            return str(self.json["code"])
        except (ValueError, KeyError, TypeError):
            return str(self.status)


class Line:
    """One connection, opened when it is needed and again when it broke."""

    def __init__(self, host: str, port: int, context: Callable[[], gevent_ssl.SSLContext]) -> None:
        self.host = host
        self.port = port
        self._context = context
        self._socket: Any = None
        self._rest = b""
        self.failures = 0
        """Tries in a row that failed."""
        self.sent = 0
        self.received = 0

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        wait: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Sends one request and reads its answer. Raises OSError (also ConnectionError) when that fails."""
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        try:
            if self._socket is None:
                self._open()
            self._socket.settimeout(TIMEOUT + wait)
            message = head.encode() + body
            self._socket.sendall(message)
            self.sent += len(message)
            return self._read()
        except (OSError, ValueError):
            self.close()
            raise

    def _open(self) -> None:
        raw = gevent_socket.create_connection((self.host, self.port), TIMEOUT)
        raw.setsockopt(gevent_socket.IPPROTO_TCP, gevent_socket.TCP_NODELAY, 1)
        try:
            self._socket = self._context().wrap_socket(raw, server_hostname=self.host)
        except BaseException:
            raw.close()
            raise
        self._rest = b""

    def _more(self) -> bytes:
        part: bytes = self._socket.recv(65536)
        if not part:
            raise ConnectionError("the gateway hung up")
        self.received += len(part)
        return part

    def _read(self) -> Reply:
        data = self._rest
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        status = int(lines[0].split(" ", 2)[1])
        length = 0 if status == 204 else int(headers.get("content-length", "0"))
        if length > MAX_ANSWER:
            raise ConnectionError("the answer is too large")
        parts = [rest]
        while (have := sum(map(len, parts))) < length:
            parts.append(self._more())
        whole = b"".join(parts)
        body, self._rest = whole[:length], whole[length:] if have > length else b""
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Reply(status, _number(headers.get("next")), _number(headers.get("retry-after")), body, headers)

    def close(self) -> None:
        """Hangs up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            self._rest = b""


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and value.isdecimal() else None
