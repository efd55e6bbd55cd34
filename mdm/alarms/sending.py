"""Sending one webhook: one connection to one address, HTTPS, signed, everything about it limited.

``httpcore2``, the engine below ``httpx2``, is used itself: it knows neither redirects nor proxies nor the environment, and
lets the connection go to an address that was judged before, while certificate and Host header stay those of the name.
"""

import base64
import hashlib
import hmac
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import httpcore2

from mdm.alarms.address import Address
from mdm.core.errors import N_, UnavailableError

SECONDS: Final = 5.0
"""For all of it: connecting, sending, and the whole answer."""
MAX_ANSWER: Final = 64 * 1024
USER_AGENT: Final = "Havenmeester-Webhook/1"


def signature(secret: bytes, message_id: str, at: int, body: bytes) -> str:
    """``v1,`` and Base64 of HMAC-SHA-256 over ``id.timestamp.body``: standardwebhooks.com, so any library can check it."""
    signed = f"{message_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def headers(secret: bytes, message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of one delivery. The id stays the same when it is tried again, so that twice is like once there."""
    at = int(now.timestamp())
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Webhook-Id": message_id,
        "Webhook-Timestamp": str(at),
        "Webhook-Signature": signature(secret, message_id, at, body),
    }


def send(
    address: Address,
    ip: str,
    said: dict[str, str],
    body: bytes,
    tls: ssl.SSLContext | None = None,
    seconds: float = SECONDS,
) -> int:
    """The status of the answer, which is read up to 64 KiB and thrown away.

    Raises UnavailableError when nobody answers in time, not by HTTP, without a certificate for the name, or with more.
    """
    way = _Way(ip, time.monotonic() + seconds)
    host = f"[{address.host}]" if ":" in address.host else address.host
    url = httpcore2.URL(scheme=b"https", host=address.host.encode(), port=address.port, target=address.target.encode())
    sent = {"Host": host if address.port == 443 else f"{host}:{address.port}", **said, "Content-Length": str(len(body))}
    limits = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    try:
        with (
            httpcore2.ConnectionPool(
                ssl_context=tls or ssl.create_default_context(), network_backend=way, http2=False, retries=0
            ) as pool,
            pool.stream(
                "POST", url, headers=list(sent.items()), content=body, extensions={"timeout": limits}
            ) as answer,
        ):
            size = 0
            for part in answer.iter_stream():
                size += len(part)
                if size > MAX_ANSWER:
                    raise _failed(address, f"the answer is larger than {MAX_ANSWER} bytes")
            return int(answer.status)
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
        raise _failed(address, str(error) or type(error).__name__) from error


def _failed(address: Address, why: str) -> UnavailableError:
    return UnavailableError(
        N_("%(host)s did not take the webhook: %(why)s."), host=address.host, why=why[:300], code="webhook_failed"
    )


@dataclass(slots=True)
class _Way(httpcore2.NetworkBackend):
    """Connects to one IP address whatever the name, and lets nothing take longer than until ``end``."""

    ip: str
    end: float

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 -- the name was resolved and judged before
        port: int,
        timeout: float | None = None,  # noqa: ARG002 -- one end for everything
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection to the address that was judged."""
        backend = httpcore2.SyncBackend()
        stream = backend.connect_tcp(self.ip, port, _left(self.end), local_address, socket_options)
        return _Limited(stream, self.end)


class _Limited(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream, end: float) -> None:
        self._inner, self._end = inner, end

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 -- one end for everything
        return self._inner.read(max_bytes, _left(self._end))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 -- one end for everything
        self._inner.write(buffer, _left(self._end))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 -- one end for everything
    ) -> httpcore2.NetworkStream:
        return _Limited(self._inner.start_tls(ssl_context, server_hostname, _left(self._end)), self._end)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("it took too long")
    return left
