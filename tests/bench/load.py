"""A load of kept TLS connections: each sends its request and waits for its answer, all of them in turn."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Client:
    """One device's identity in files."""

    certificate: Path
    key: Path


def connect(port: int, authority: Path, client: Client | None) -> ssl.SSLSocket:
    """A connection to the gateway on loopback with the client's certificate."""
    context = ssl.create_default_context(cafile=str(authority))
    if client is not None:
        context.load_cert_chain(client.certificate, client.key)
    raw = socket.create_connection(("localhost", port))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(raw, server_hostname="localhost")


def read_answer(connection: ssl.SSLSocket) -> tuple[int, bytes]:
    """Status and body of one HTTP answer. Raises ConnectionError when the server hangs up."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionError("the server hung up")
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionError("the server hung up")
        body += chunk
    return int(head.split(b" ", 2)[1]), body


def post(path: str, body: bytes = b"") -> bytes:
    """The bytes of a POST as lean as our agent's."""
    return b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (path.encode(), len(body), body)


@dataclass(frozen=True)
class Outcome:
    """What a load run saw."""

    requests: int
    wall: float
    statuses: dict[int, int]
    latencies: list[float]

    def percentile(self, share: float) -> float:
        """The latency in milliseconds under which ``share`` (0 to 1) of the requests stayed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def run(
    connections: list[ssl.SSLSocket],
    requests: Iterator[bytes],
    seconds: float,
    seen: Callable[[bytes], None] | None = None,
) -> Outcome:
    """Sends for ``seconds``: one request per connection at a time, all connections in flight together."""
    statuses: dict[int, int] = {}
    latencies: list[float] = []
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        sent = []
        for connection in connections:
            connection.sendall(next(requests))
            sent.append(time.perf_counter())
        for connection, at in zip(connections, sent, strict=True):
            status, body = read_answer(connection)
            latencies.append(time.perf_counter() - at)
            statuses[status] = statuses.get(status, 0) + 1
            if seen is not None:
                seen(body)
    return Outcome(len(latencies), time.perf_counter() - start, statuses, latencies)
