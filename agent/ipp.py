"""Asks a printer how it is: Get-Printer-Attributes of the Internet Printing Protocol (RFC 8010, RFC 8011, PWG 5100.9).

A printer is a stranger on the network. So this file runs as a process of its own, which the agent ends when it takes too
long: ``python -I ipp.py URI``. It writes one line of JSON, a dictionary as ``summary`` gives it. It knows nothing of the
rest of the agent, follows no redirect, and takes at most ``MAX_BODY`` bytes, whatever the other side says.
"""

import http.client
import json
import resource
import ssl
import struct
import sys
from typing import Any, Final
from urllib.parse import urlsplit

MAX_BODY: Final = 64 * 1024
MAX_VALUES: Final = 2000
MAX_NAME: Final = 255
MAX_LISTED: Final = 16
"""Reasons and supplies that are told; a printer with more has other troubles."""
SECONDS: Final = 5
PORT: Final = 631

GET_PRINTER_ATTRIBUTES: Final = 0x000B
CUPS_GET_DEFAULT: Final = 0x4001
LOCAL: Final = "cups:"
"""Stands for the printer that the CUPS of this machine prints to."""

_OPERATION, _END, _PRINTER = 0x01, 0x03, 0x04
_INTEGER, _ENUM, _OCTETS, _BEGIN, _CLOSE = 0x21, 0x23, 0x30, 0x34, 0x37
_KEYWORD, _URI, _CHARSET, _LANGUAGE = 0x44, 0x45, 0x47, 0x48
_WITH_LANGUAGE: Final = (0x35, 0x36)
_TEXTS: Final = range(0x40, 0x60)
_ASKED: Final = (
    "printer-state",
    "printer-state-reasons",
    "marker-names",
    "marker-levels",
    "printer-supply",
    "printer-supply-description",
)
_STATES: Final = {3: "idle", 4: "processing", 5: "stopped"}
_SUFFIXES: Final = ("-error", "-warning", "-report")
_EMPTY: Final = frozenset({"media-empty", "media-needed"})


class WrongAnswerError(Exception):
    """What came is no answer of this protocol, or says that nothing can be told."""


def encode(uri: str, operation: int = GET_PRINTER_ATTRIBUTES, number: int = 1) -> bytes:
    """The request (RFC 8010, 3.1): charset and language first, as RFC 8011, 4.1.4 wants them."""
    parts = [struct.pack(">BBHI", 1, 1, operation, number), bytes([_OPERATION])]
    parts.append(_attribute(_CHARSET, "attributes-charset", "utf-8"))
    parts.append(_attribute(_LANGUAGE, "attributes-natural-language", "en"))
    if operation == GET_PRINTER_ATTRIBUTES:
        parts.append(_attribute(_URI, "printer-uri", uri))
    for place, name in enumerate(_ASKED):
        parts.append(_attribute(_KEYWORD, "" if place else "requested-attributes", name))
    return b"".join([*parts, bytes([_END])])


def _attribute(tag: int, name: str, value: str) -> bytes:
    raw, key = value.encode(), name.encode()
    return struct.pack(">BH", tag, len(key)) + key + struct.pack(">H", len(raw)) + raw


class _Reader:
    """Bytes that are taken from the front; asking for more than there is raises WrongAnswerError."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def take(self, size: int) -> bytes:
        if self._at + size > len(self._content):
            raise WrongAnswerError("The printer's answer was cut short.")
        self._at += size
        return self._content[self._at - size : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")


def decode(content: bytes) -> tuple[int, dict[str, list[int | str]]]:
    """Status code and the attributes of the first printer in an answer; values that are neither text nor number are left out.

    Raises WrongAnswerError for what is not of the protocol, is cut, or has more than ``MAX_VALUES`` values.
    """
    if len(content) > MAX_BODY:
        raise WrongAnswerError("The printer's answer is too long.")
    reader = _Reader(content)
    if reader.number(1) not in (1, 2):
        raise WrongAnswerError("What answers does not speak a version of IPP that is known.")
    reader.take(1)
    status, _number = reader.number(2), reader.number(4)
    return status, _groups(reader)


def _groups(reader: _Reader) -> dict[str, list[int | str]]:
    found: dict[str, list[int | str]] = {}
    group, printers, name, depth = 0, 0, "", 0
    for _ in range(MAX_VALUES):
        tag = reader.number(1)
        if tag == _END:
            return found
        if tag < 0x10:
            group, name, depth = tag, "", 0
            printers += tag == _PRINTER
            continue
        key = reader.take(_length(reader.number(2), MAX_NAME)).decode("utf-8", "replace")
        value = reader.take(_length(reader.number(2), 32767))
        if tag == _BEGIN:
            depth += 1
        elif tag == _CLOSE:
            depth = max(0, depth - 1)
        name = key or name
        # Members of a collection have names of their own inside it; nothing that is asked for lies there.
        if depth == 0 and group == _PRINTER and printers == 1 and name:
            _keep(found, name, tag, value)
    raise WrongAnswerError("The printer's answer has no end.")


def _length(size: int, most: int) -> int:
    """RFC 8010, 3.9: lengths are signed, so what is above the middle is negative, and nobody's length."""
    if size > most:
        raise WrongAnswerError("The printer's answer has a length that cannot be.")
    return size


def _keep(found: dict[str, list[int | str]], name: str, tag: int, value: bytes) -> None:
    if tag in (_INTEGER, _ENUM):
        if len(value) != 4:
            raise WrongAnswerError("The printer's answer has a number of the wrong length.")
        found.setdefault(name, []).append(int.from_bytes(value, "big", signed=True))
    elif tag in _TEXTS or tag == _OCTETS:
        found.setdefault(name, []).append(value[:MAX_NAME].decode("utf-8", "replace"))
    elif tag in _WITH_LANGUAGE and len(value) >= 4:
        # RFC 8010, 3.9: the length and the text of the language, then the length and the text.
        start = 2 + int.from_bytes(value[:2], "big")
        found.setdefault(name, []).append(value[start + 2 :][:MAX_NAME].decode("utf-8", "replace"))


def summary(attributes: dict[str, list[int | str]]) -> dict[str, Any]:
    """What people want to know: ``state``, ``reasons``, ``paper`` (ok, low, empty, unknown) and ``supplies``.

    A level is in percent, rounded down to ten so that it stays still; None where the printer does not know it.
    """
    state = attributes.get("printer-state", [0])[0]
    reasons = sorted({_reason(text) for text in attributes.get("printer-state-reasons", []) if isinstance(text, str)})
    known = bool(reasons)
    reasons = [reason for reason in reasons if reason and reason != "none"]
    paper = "empty" if _EMPTY & set(reasons) else "low" if "media-low" in reasons else "ok" if known else "unknown"
    return {
        "state": _STATES.get(state, "unknown") if isinstance(state, int) else "unknown",
        "reasons": reasons[:MAX_LISTED],
        "paper": paper,
        "supplies": _supplies(attributes)[:MAX_LISTED],
        "problem": "",
    }


def _supplies(attributes: dict[str, list[int | str]]) -> list[dict[str, Any]]:
    """By the markers that CUPS tells, else by the supplies of PWG 5100.13 that are used up; what fills up is none."""
    names, levels = attributes.get("marker-names", []), attributes.get("marker-levels", [])
    if names and levels:
        return [
            {"name": _plain(str(name), 64), "level": _tens(level)} for name, level in zip(names, levels, strict=False)
        ]
    found = []
    described = attributes.get("printer-supply-description", [])
    for name, text in zip(described, attributes.get("printer-supply", []), strict=False):
        said = dict(part.partition("=")[::2] for part in str(text).split(";"))
        if said.get("class", "supplyThatIsConsumed") == "supplyThatIsConsumed":
            level, most = _whole(said.get("level")), _whole(said.get("maxcapacity"))
            percent = (
                level * 100 // most if level is not None and level >= 0 and most is not None and most > 0 else None
            )
            found.append({"name": _plain(str(name), 64), "level": _tens(percent)})
    return found


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _tens(level: object) -> int | None:
    return level // 10 * 10 if isinstance(level, int) and 0 <= level <= 100 else None


def _reason(text: str) -> str:
    word = text.strip().casefold()
    return (
        next((word.removesuffix(end) for end in _SUFFIXES if word.endswith(end)), word)[:64] if word.isascii() else ""
    )


def _plain(text: str, limit: int) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:limit].strip()


def unreachable(problem: str) -> dict[str, Any]:
    """The same where nothing could be learned, with the reason as a sentence."""
    return {"state": "unreachable", "reasons": [], "paper": "unknown", "supplies": [], "problem": _plain(problem, 200)}


def ask(uri: str) -> dict[str, Any]:
    """Asks the printer at an ``ipp``, ``ipps`` or ``cups:`` address. Never raises for what the other side does."""
    operation = GET_PRINTER_ATTRIBUTES
    if uri == LOCAL:
        uri, operation = f"ipp://localhost:{PORT}/", CUPS_GET_DEFAULT
    try:
        status, attributes = decode(_post(uri, encode(uri, operation)))
    except WrongAnswerError as wrong:
        return unreachable(str(wrong))
    except (http.client.HTTPException, ValueError):
        return unreachable("What answers at the printer's address does not speak HTTP.")
    except OSError as trouble:
        return unreachable(f"The printer does not answer: {trouble.strerror or 'no connection'}.")
    if status >= 0x0100:
        return unreachable(f"The printer answered that it cannot say (IPP status {status:#06x}).")
    return summary(attributes)


def _post(uri: str, body: bytes) -> bytes:
    parts = urlsplit(uri)
    host, port = parts.hostname, parts.port or PORT
    if parts.scheme not in ("ipp", "ipps") or not host:
        raise WrongAnswerError("The printer's address must begin with ipp:// or ipps://.")
    connection: http.client.HTTPConnection
    if parts.scheme == "ipps":
        # Printers sign their own certificates. Nothing secret is sent, and nothing that is told is believed for a rule of
        # safety, so that an unknown certificate is better than none.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.request("POST", parts.path or "/", body, {"Content-Type": "application/ipp"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise WrongAnswerError(f"What answers at the printer's address is no printer (HTTP {answer.status}).")
        if (answer.getheader("Content-Type") or "").split(";")[0].strip().lower() != "application/ipp":
            raise WrongAnswerError("What answers at the printer's address is no printer: its answer is not IPP.")
        content = answer.read(MAX_BODY + 1)
    finally:
        connection.close()
    if len(content) > MAX_BODY:
        raise WrongAnswerError("The printer's answer is too long.")
    return content


def main() -> None:
    """One line of JSON for the address in the first argument, with little memory and little time of the processor."""
    resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
    resource.setrlimit(resource.RLIMIT_AS, (512 * 2**20, 512 * 2**20))
    sys.stdout.write(json.dumps(ask(sys.argv[1])) + "\n")


if __name__ == "__main__":
    main()
