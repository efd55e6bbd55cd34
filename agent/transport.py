"""A kept TLS connection that speaks as little HTTP/1.1 (RFC 9112) as a check-in needs.

Only ``Host`` and ``Content-Length`` are sent, so an idle check-in stays small. A kept connection that the other side has
closed is opened again once: every message of the protocol may be sent twice.
"""

import json
import socket
import ssl
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from agent.errors import AgentError, RefusedError, UnreachableError
from agent.text import printable

MAX_HEAD: Final = 16 * 1024
MAX_ANSWER: Final = 16 * 1024 * 1024
CONNECT_SECONDS: Final = 15
READ_SECONDS: Final = 30


class Reply(NamedTuple):
    """One answer: HTTP status, headers in small letters, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as an object. Raises UnreachableError when it is something else: then it is not our gateway."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise UnreachableError("The gateway answered something that is not of this protocol. Trying again later.")
        return value

    def number(self, name: str) -> int | None:
        """A header that holds whole seconds; None when it does not."""
        value = self.headers.get(name.lower(), "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 9 else None


def trusting(ca_pem: str) -> ssl.SSLContext:
    """A TLS context that trusts this one authority and nothing else, and checks the host name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=ca_pem)
    return context


def trusting_nobody() -> ssl.SSLContext:
    """A TLS context for the one request whose answer is checked by a fingerprint instead."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def with_certificate(ca_pem: str, keys: Path) -> ssl.SSLContext:
    """``trusting`` that shows our certificate. Raises AgentError when key and certificate do not belong together."""
    context = trusting(ca_pem)
    try:
        context.load_cert_chain(keys / "chain.pem", keys / "key.pem")
    except (OSError, ssl.SSLError) as trouble:
        raise AgentError(f"The certificate in {keys} cannot be used with its key: {trouble}.") from trouble
    return context


class Connection:
    """One kept connection to one gateway. Not for several threads."""

    def __init__(self, gateway: str, context: ssl.SSLContext) -> None:
        parts = urlsplit(gateway)
        try:
            port = parts.port or 443
        except ValueError as trouble:
            raise AgentError(f"The gateway's address is wrong: {printable(gateway)}.") from trouble
        if parts.scheme != "https" or not parts.hostname:
            raise AgentError(f"The gateway's address must begin with https://: {printable(gateway)}.")
        self.host, self.port = parts.hostname, port
        self.address = parts.netloc.rpartition("@")[2]
        self.context = context
        self._socket: ssl.SSLSocket | None = None
        self._read = b""

    def close(self) -> None:
        """Hangs up; the next request calls again."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._read = None, b""

    def request(self, method: str, path: str, body: bytes = b"", *, wait: float = 0) -> Reply:
        """Sends one message and returns the answer, whatever its status; ``wait``: seconds that it may take on purpose.

        Raises UnreachableError when nobody answers, when the answer is not HTTP, and when TLS does not trust them.
        """
        kept = self._socket is not None
        try:
            return self._exchange(method, path, body, READ_SECONDS + wait)
        except _HungUpError as trouble:
            self.close()
            if not kept:
                raise self._unreachable(trouble) from trouble
        except OSError as trouble:
            self.close()
            raise self._unreachable(trouble) from trouble
        try:
            return self._exchange(method, path, body, READ_SECONDS + wait)
        except OSError as trouble:
            self.close()
            raise self._unreachable(trouble) from trouble

    def ask(self, method: str, path: str, body: bytes = b"", *, wait: float = 0) -> Reply:
        """``request`` that raises RefusedError for every answer that is not 2xx."""
        reply = self.request(method, path, body, wait=wait)
        if 200 <= reply.status < 300:
            return reply
        raise refusal(reply)

    def _unreachable(self, trouble: Exception) -> UnreachableError:
        where = f"https://{self.address}"
        if isinstance(trouble, ssl.SSLCertVerificationError):
            return UnreachableError(
                f"What answers at {where} does not show a certificate of our authority for that name "
                f"({printable(trouble.verify_message)}). Nothing was sent."
            )
        if isinstance(trouble, ssl.SSLError):
            return UnreachableError(f"No TLS with {where}: {printable(trouble.reason or str(trouble))}.")
        if isinstance(trouble, TimeoutError):
            return UnreachableError(f"{where} does not answer in time. Check the network, then try again.")
        why = printable(getattr(trouble, "strerror", None) or str(trouble))
        return UnreachableError(f"{where} cannot be reached: {why}. Check the network, then try again.")

    def _open(self) -> ssl.SSLSocket:
        if self._socket is None:
            plain = socket.create_connection((self.host, self.port), timeout=CONNECT_SECONDS)
            try:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _keep_alive(plain)
                self._socket = self.context.wrap_socket(plain, server_hostname=self.host)
            except BaseException:
                plain.close()
                raise
            self._read = b""
        return self._socket

    def _exchange(self, method: str, path: str, body: bytes, timeout: float) -> Reply:
        link = self._open()
        link.settimeout(timeout)
        length = f"Content-Length: {len(body)}\r\n" if method == "POST" else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.address}\r\n{length}\r\n".encode("ascii")
        try:
            link.sendall(head + body)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError, ssl.SSLZeroReturnError) as trouble:
            # The gateway may have answered before it had read everything (413), and hung up: its answer is still there.
            self._fill_or_hang_up(link, trouble)
        status, headers = self._head(link)
        while status == 100:
            status, headers = self._head(link)
        answer = b"" if status == 204 else self._body(link, headers)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Reply(status, headers, answer)

    def _fill_or_hang_up(self, link: ssl.SSLSocket, trouble: Exception) -> None:
        try:
            self._read += link.recv(65536)
        except OSError:
            raise _HungUpError(str(trouble)) from trouble
        if not self._read:
            raise _HungUpError(str(trouble)) from trouble

    def _more(self, link: ssl.SSLSocket) -> None:
        try:
            piece = link.recv(65536)
        except (ConnectionResetError, ssl.SSLEOFError) as trouble:
            raise _HungUpError("the connection was closed") from trouble
        if not piece:
            raise _HungUpError("the connection was closed before an answer came")
        self._read += piece

    def _head(self, link: ssl.SSLSocket) -> tuple[int, dict[str, str]]:
        while b"\r\n\r\n" not in self._read:
            if len(self._read) > MAX_HEAD:
                raise OSError("the answer is not HTTP")
            self._more(link)
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ", 2)
        if not words[0].startswith("HTTP/1.") or len(words) < 2 or not words[1].isdigit():
            raise OSError("the answer is not HTTP")
        pairs = (line.partition(":") for line in lines)
        return int(words[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}

    def _body(self, link: ssl.SSLSocket, headers: dict[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self._chunks(link)
        length = headers.get("content-length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 12):
            raise OSError("the answer does not say how long it is")
        return self._take(link, int(length))

    def _take(self, link: ssl.SSLSocket, size: int) -> bytes:
        if size > MAX_ANSWER:
            raise OSError("the answer is too long")
        while len(self._read) < size:
            self._more(link)
        taken, self._read = self._read[:size], self._read[size:]
        return taken

    def _chunks(self, link: ssl.SSLSocket) -> bytes:
        whole = b""
        while True:
            while b"\r\n" not in self._read:
                self._more(link)
            line, _, self._read = self._read.partition(b"\r\n")
            try:
                size = int(line.split(b";")[0], 16)
            except ValueError:
                raise OSError("the answer is not HTTP") from None
            if size < 0 or len(whole) + size > MAX_ANSWER:
                raise OSError("the answer is too long")
            whole += self._take(link, size)
            self._take(link, 2)
            if size == 0:
                return whole


def _keep_alive(link: socket.socket) -> None:
    """Lets TCP itself notice within minutes that the other side is gone, and keeps routers from forgetting us."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 20)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)


class _HungUpError(OSError):
    """The other side closed the connection before it answered."""


def refusal(reply: Reply) -> RefusedError:
    """What a problem document (RFC 9457) says, as an error with a harmless sentence."""
    try:
        problem = json.loads(reply.body)
    except (ValueError, RecursionError):
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    detail = printable(problem.get("detail"), 500) or printable(problem.get("title"), 200)
    sentence = detail or f"The gateway answered {reply.status}."
    return RefusedError(sentence, reply.status, printable(problem.get("code"), 64), reply.number("retry-after"))
