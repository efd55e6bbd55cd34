"""Structured logs: one JSON object per line on standard error, with the request id, without control characters.

People stand in them by number: who reads a log to mend something needs no name.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from mdm.core.text import clean

LIMIT = 8000
"""Characters of one value in a log line."""
_SECRET = frozenset({"password", "secret", "token", "authorization", "cookie", "csr", "totp"})


_ADDRESS = re.compile(r"[\w.+%-]{1,128}@[\w-]{1,128}(?:\.[\w-]{1,128})+")
"""An e-mail address: neighbours' errors repeat them, and a log needs nobody's."""


_ROW = re.compile(r"((?:DETAIL|CONTEXT|LINE \d+):)[^\n]*")
"""Where PostgreSQL repeats what a statement was to write."""


def harmless(value: object) -> str:
    """The text of an error, or of anything, as it may stand in a log: no control characters, no address, no row."""
    return _ADDRESS.sub("(address)", _ROW.sub(r"\1 (not logged)", clean(str(value), LIMIT, lines=True)))


def _harmless(value: object, depth: int = 0) -> object:
    if isinstance(value, str):
        return harmless(value)
    if depth < 4 and isinstance(value, dict):
        return {harmless(key)[:128]: _harmless(item, depth + 1) for key, item in list(value.items())[:100]}
    if depth < 4 and isinstance(value, list | tuple | set | frozenset):
        return [_harmless(item, depth + 1) for item in list(value)[:100]]
    if value is None or isinstance(value, bool | int | float):
        return value
    return harmless(value)


def _clean_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {
        clean(key, 128): "(not logged)" if key.lower() in _SECRET else _harmless(value) for key, value in event.items()
    }


def configure(process: str, level: str = "info") -> None:
    """Sends what this process logs, also through the standard library, to standard error as JSON lines.

    ``process`` stands in every line. A value under a key that names a secret is never written, nor an e-mail address.
    """
    number = getattr(logging, level.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]

    def named(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        return event

    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            named,
            _clean_event,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    # A round that takes longer than its interval is skipped by design, every second while much is to be delivered.
    logging.getLogger("apscheduler").setLevel(max(number, logging.ERROR))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def about(**known: object) -> None:
    """Puts ``known`` (such as ``request_id``) into every line that this thread logs from now on."""
    structlog.contextvars.bind_contextvars(**known)


def forget() -> None:
    """Takes out what ``about`` put in; a door calls it at the beginning of each request."""
    structlog.contextvars.clear_contextvars()
