"""Reading a body without trusting it: too large is refused before it is parsed, slow is given up, packed is not opened."""

from typing import Any

from gevent import Timeout

from mdm.core.errors import N_, InvalidError, TooLargeError

SECONDS = 30
"""How long a body may take to arrive."""
READ = "havenmeester.read"
"""Key of the environ that is set when the whole body was read: otherwise the connection cannot be kept."""
CHUNK = 64 * 1024


def empty(environ: dict[str, Any]) -> bool:
    """Whether the request has no body at all."""
    return environ.get("CONTENT_LENGTH", "0") in ("", "0") and "HTTP_TRANSFER_ENCODING" not in environ


def left_unread(environ: dict[str, Any]) -> bool:
    """Whether there is a body of which not everything was read."""
    return not empty(environ) and READ not in environ


def read(environ: dict[str, Any], limit: int) -> bytes:
    """The body. Raises TooLargeError above ``limit`` bytes, told beforehand or not, and InvalidError for a packed one."""
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() not in ("", "identity"):
        raise InvalidError(
            N_("A packed message is not opened here. Nothing was stored; send it as it is."), code="content_encoding"
        )
    told = environ.get("CONTENT_LENGTH") or "0"
    if not told.isdecimal() or int(told) > limit:
        raise _too_large(limit)
    try:
        with Timeout(SECONDS):
            return _read(environ, limit)
    except Timeout as error:
        raise InvalidError(
            N_("The message took too long to arrive. Nothing was stored; send it again."), code="too_slow"
        ) from error


def _read(environ: dict[str, Any], limit: int) -> bytes:
    stream = environ["wsgi.input"]
    parts: list[bytes] = []
    size = 0
    while part := stream.read(min(CHUNK, limit + 1 - size)):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise _too_large(limit)
    environ[READ] = True
    return b"".join(parts)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(
        N_("The message is larger than %(limit)s bytes. Nothing of it was read; send less at once."), limit=limit
    )
