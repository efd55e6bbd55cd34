"""Carrying the diary's signed heads out of this database: to a file, and to the system's log (RFC 5424)."""

import os
import socket
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mdm.audit.witness import Mark, Witness, head_line, mark_line, read
from mdm.core.clock import iso
from mdm.core.errors import N_, ConfigurationError, UnavailableError
from mdm.settings import Settings
from mdm.signing.client import SignerClient

PRIORITY: Final = 13 * 8 + 5
"""Facility 13 (log audit), severity 5 (notice): RFC 5424, section 6.2.1."""
TIMEOUT: Final = 5.0
TAIL: Final = 64 * 1024
SCHEMES: Final = ("udp", "tcp", "unix")


def witness_file(settings: Settings) -> Path | None:
    """The file that heads are written to; None where there shall be none. A relative one lies in the home folder."""
    return settings.home / settings.witness_file if settings.witness_file else None


def load(path: Path) -> Witness:
    """Everything that a witness file says; raises UnavailableError when it cannot be read."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return read(file)
    except OSError as error:
        raise UnavailableError(
            N_("The witness %(path)s cannot be read: %(why)s."), path=path, why=error.strerror
        ) from error


def tail(path: Path) -> Witness:
    """What the end of a witness file says: enough for its last head. Empty where there is no file yet."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return Witness()
    except OSError as error:
        raise UnavailableError(
            N_("The witness %(path)s cannot be read: %(why)s."), path=path, why=error.strerror
        ) from error
    return read(lines[1:] if size > TAIL else lines)


def append(path: Path, lines: Iterable[str]) -> None:
    """Adds whole lines and returns when the disk has them. A line that a crash cut is ended first, never repaired.

    Raises UnavailableError when it cannot be written: the heads stay with the signer and are carried out the next time.
    """
    text = "".join(lines).encode()
    if not text:
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                text = b"\n" + text
            while text:
                text = text[os.write(handle, text) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            _sync_folder(path.parent)
    except OSError as error:
        raise UnavailableError(
            N_("The witness %(path)s cannot be written: %(why)s. The heads stay with the signer meanwhile."),
            path=path,
            why=error.strerror,
            retry_after=60,
        ) from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def syslog(where: str, lines: Iterable[str], now: datetime) -> None:
    """Sends each line to ``udp://host:port``, ``tcp://host:port`` (octets counted, RFC 6587) or ``unix:///dev/log``.

    Raises ConfigurationError for another address, UnavailableError when nobody takes them.
    """
    parts = urlsplit(where)
    if parts.scheme not in SCHEMES or not (parts.path if parts.scheme == "unix" else parts.hostname):
        raise ConfigurationError(
            N_("The setting witness_syslog is no address of a log: %(where)s."),
            where=where,
            mend="Write udp://HOST:514, tcp://HOST:601 or unix:///dev/log.",
        )
    packets = [_packet(line.strip(), now) for line in lines]
    try:
        if parts.scheme == "unix":
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as local:
                local.settimeout(TIMEOUT)
                local.connect(parts.path)
                for packet in packets:
                    local.send(packet)
        elif parts.scheme == "tcp":
            with socket.create_connection((parts.hostname, parts.port or 601), TIMEOUT) as stream:
                stream.sendall(b"".join(str(len(packet)).encode() + b" " + packet for packet in packets))
        else:
            _datagrams(str(parts.hostname), parts.port or 514, packets)
    except OSError as error:
        raise UnavailableError(
            N_("The log at %(where)s does not take the heads of the diary: %(why)s. It is tried again by itself."),
            where=where,
            why=error.strerror or type(error).__name__,
            retry_after=60,
        ) from error


def _datagrams(host: str, port: int, packets: Iterable[bytes]) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as datagram:
        datagram.settimeout(TIMEOUT)
        for packet in packets:
            datagram.sendto(packet, address)


def _packet(line: str, now: datetime) -> bytes:
    host = "".join(c for c in socket.gethostname() if "!" <= c <= "~")[:255] or "-"
    return f"<{PRIORITY}>1 {iso(now.astimezone(UTC))} {host} havenmeester {os.getpid()} DIARYHEAD - {line}".encode()


def carry_out(settings: Settings, client: SignerClient, now: datetime) -> int:
    """Brings every head that the signer has and a witness lacks to that witness: how many lines were written.

    A witness that cannot be reached now gets them the next time; the others get theirs. Raises the first error then.
    """
    errors: list[UnavailableError] = []
    written = 0
    path = witness_file(settings)
    key = client.ca().head_key
    if path is not None:
        try:
            last = tail(path).last
            lines = [head_line(head, key) for head in client.heads(last.number if last else 0)]
            append(path, lines)
            written += len(lines)
        except UnavailableError as error:
            errors.append(error)
    if settings.witness_syslog:
        try:
            written += _to_syslog(settings, client, key, now)
        except UnavailableError as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return written


def _to_syslog(settings: Settings, client: SignerClient, key: str, now: datetime) -> int:
    # What was sent is remembered in a file of the same kind, so that a restart sends nothing twice.
    sent = settings.home / "run" / "witness-syslog"
    last = tail(sent).last
    lines = [head_line(head, key) for head in client.heads(last.number if last else 0)]
    if lines:
        syslog(settings.witness_syslog, lines, now)
        append(sent, lines[-1:])
    return len(lines)


def mark_restore(settings: Settings, number: int, by: str, now: datetime) -> bool:
    """Tells every witness that a backup was restored and the diary ends at line ``number``: whether there is a witness."""
    mark = Mark(number, int(now.timestamp()), by)
    path = witness_file(settings)
    if path is not None:
        append(path, [mark_line(mark)])
    if settings.witness_syslog:
        syslog(settings.witness_syslog, [mark_line(mark)], now)
        append(settings.home / "run" / "witness-syslog", [mark_line(mark)])
    return path is not None or bool(settings.witness_syslog)
