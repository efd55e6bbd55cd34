"""Has the process of its own read a capture, and takes what it writes with limits on everything.

It may die, hang or write anything: this side ends it, starts it again without the packet at which it died, at most
``STARTS`` times, and believes no line that does not have the right form.
"""

import json
import mmap
import os
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mdm.core.errors import N_, HavenmeesterError, InvalidError, UnavailableError
from mdm.core.text import clean

STARTS = 3
LINE = 16 * 1024
LINES = 40_000
TOTAL = 48 * 1024 * 1024
MOST_BYTES = 512 * 1024 * 1024
"""The longest capture that is read."""
MOST_UPLOADED = 128 * 1024 * 1024
"""The longest that is brought over the page."""
_MAC = re.compile(r"^(?!00:00:00:00:00:00)[0-9a-f][02468ace](:[0-9a-f]{2}){5}$")
PER_SECOND = 1024 * 1024
"""Bytes of a capture for which one second more is allowed: eight times slower than what was measured."""
GRACE = 30.0
"""Seconds in which a process that was told to end tells what it heard."""
LOOK = 1.0
"""Seconds between two looks whether listening goes on."""
Started = Callable[[int], None]
"""Told the number of the process each time one is started."""


class Heard(BaseModel):
    """One sender, as the process tells of it: checked, and every text made harmless."""

    model_config = ConfigDict(extra="ignore", strict=True)

    mac: str = Field(pattern=_MAC)
    first: float = Field(ge=0, le=1e11, allow_inf_nan=False)
    last: float = Field(ge=0, le=1e11, allow_inf_nan=False)
    packets: int = Field(ge=0)
    protocols: list[str] = Field(default=[], max_length=16)
    addresses: list[str] = Field(default=[], max_length=16)
    names: list[str] = Field(default=[], max_length=16)
    services: list[str] = Field(default=[], max_length=16)
    capabilities: list[str] = Field(default=[], max_length=16)
    shared: list[str] = Field(default=[], max_length=16)
    """Addresses that another device says are its own as well."""
    vendor_class: str = ""
    options: str = ""
    server: str = ""
    model: str = ""
    serial: str = ""
    maker: str = ""

    def model_post_init(self, _context: object) -> None:
        """Cleans every text: what a device says of itself is a stranger's."""
        for name in ("protocols", "addresses", "names", "services", "capabilities", "shared"):
            setattr(self, name, [one for text in getattr(self, name) if (one := clean(text, 128))])
        for name in ("vendor_class", "options", "server", "model", "serial", "maker"):
            setattr(self, name, clean(getattr(self, name), 128))


class Order(StrEnum):
    """What becomes of listening that is under way."""

    GO_ON = "go on"
    QUIET = "quiet"
    """Nothing more is asked; it is listened on."""
    STOP = "stop"
    """It ends now, and what was heard counts."""


Watch = Callable[[int], Order]
"""Asked about every second, with the number of packets until then, whether to go on."""


def _go_on(_packets: int) -> Order:
    return Order.GO_ON


@dataclass(slots=True)
class Result:
    """What a run gave."""

    heard: list[Heard] = field(default_factory=list)
    packets: int = 0
    malformed: int = 0
    unread: int = 0
    beyond: int = 0
    cut: bool = False
    restarts: int = 0
    ended: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the process may take, in seconds (more by ``PER_SECOND`` for a long file), and how much memory, in bytes."""

    seconds: int = 60
    memory: int = 512 * 1024 * 1024


def read_capture(file: BinaryIO, limits: Limits = Limits(), started: Started | None = None) -> Result:
    """Everything that a capture tells. ``file`` is open and has a descriptor; it is read from its beginning.

    Raises InvalidError for what is no capture, UnavailableError when the process died ``STARTS`` times: nothing is kept then.
    """
    size = os.fstat(file.fileno()).st_size
    if size > MOST_BYTES:
        raise InvalidError(
            N_("The capture is longer than %(most)s MiB. Cut it into parts; nothing was taken."),
            code="too_large",
            most=MOST_BYTES // 1024 // 1024,
        )
    seconds = limits.seconds + size // PER_SECOND
    marker = os.memfd_create("discovery")
    try:
        os.truncate(marker, 8)
        skip: list[int] = []
        for attempt in range(STARTS):
            os.lseek(file.fileno(), 0, os.SEEK_SET)
            wish = {
                "do": "capture", "file": file.fileno(), "marker": marker, "skip": skip,
                "seconds": seconds, "memory": limits.memory,
            }  # fmt: skip
            result = _once(wish, (file.fileno(), marker), seconds + 30, started)
            result.restarts = attempt
            if result.refused:
                raise refusal(result.refused)
            if result.ended:
                return result
            with mmap.mmap(marker, 8) as shared:
                skip.append(int.from_bytes(shared[:8], "little"))
    finally:
        os.close(marker)
    raise _died()


def read_live(
    interface: str,
    seconds: int,
    ask: Sequence[str] = (),
    service: Path | None = None,
    started: Started | None = None,
    watch: Watch = _go_on,
) -> Result:
    """What is heard on an interface in so many seconds. ``ask``: networks whose addresses may be asked; none: only listening.

    ``watch`` may end the asking or the listening before its time. ``service`` is the socket of a process that systemd starts
    with the right to raw sockets; without one the process is started from here and inherits what this one may. It listens for
    what is left of the time when it had to be started again. Raises InvalidError for an interface or network that does not
    serve, UnavailableError as ``read_capture``.
    """
    end = time.monotonic() + seconds
    for attempt in range(STARTS):
        left = max(1, round(end - time.monotonic()))
        wish = {"do": "live", "interface": interface, "ask": list(ask), "seconds": left, "memory": Limits().memory}
        order = watch(0)
        if order is not Order.GO_ON:
            wish["ask"] = []
        if order is Order.STOP:
            return Result(ended=True)
        result = _asked(wish, service, left + 30.0, watch) if service else _once(wish, (), left + 30.0, started, watch)
        result.restarts = attempt
        if result.refused:
            raise refusal(result.refused)
        if result.ended:
            return result
    raise _died()


def _died() -> UnavailableError:
    return UnavailableError(
        N_(
            "The process that reads packets died %(times)s times. Nothing was taken; the packets may be made to do that."
        ),
        code="reader_died",
        retry_after=60,
        times=STARTS,
    )


REFUSALS: Final = {
    "not_a_capture": N_("The file is no capture (pcap or pcapng). Nothing was taken."),
    "compressed": N_("The file is compressed. Unpack it first; nothing was taken."),
    "old_variant": N_(
        "The file is of an old variant of pcap that is not read. Open it in Wireshark and save it as pcapng. Nothing was taken."
    ),
    "other_link": N_("This is no Ethernet network (or Linux cooked capture). Nothing was taken."),
    "wireless_link": N_(
        "This is Wi-Fi as it is heard on the air (802.11), which is not read. Capture on the wired side of the access "
        "point, or on a device that is joined to the network. Nothing was taken."
    ),
    "no_addresses": N_(
        "The packets have no hardware addresses (a tunnel, the loopback, or IP alone). Capture on the network's own "
        "interface. Nothing was taken."
    ),
    "no_right": N_("Listening needs the right to raw sockets (CAP_NET_RAW), which this process does not have."),
    "no_interface": N_("There is no such network interface."),
    "no_address": N_("The interface has no IPv4 address, so nobody can be asked. Nothing was sent."),
    "not_allowed": N_(
        "The interface's network is not in discovery_networks, so nobody may be asked. Nothing was sent."
    ),
    "too_wide": N_(
        "More than 4096 addresses would be asked. Name a smaller network in discovery_networks. Nothing was sent."
    ),
}


def refusal(code: str) -> HavenmeesterError:
    """Why nothing was read, as a sentence."""
    known = code if code in REFUSALS else "not_a_capture"
    return InvalidError(REFUSALS[known], code=known)


def _asked(wish: dict[str, Any], service: Path, seconds: float, watch: Watch) -> Result:
    """One life of a process that systemd starts for each connection."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(service))
            line.sendall(json.dumps(wish).encode() + b"\n")
        except OSError as error:
            raise UnavailableError(
                N_("Nobody listens at %(path)s: is the socket unit of discovery running?"), path=service
            ) from error
        orders = _Orders(watch, lambda: line.sendall(b"\n"), lambda: line.shutdown(socket.SHUT_WR))
        return take(_lines(line.fileno(), time.monotonic() + seconds, orders.look))


def _once(
    wish: dict[str, Any],
    files: tuple[int, ...],
    seconds: float,
    started: Started | None,
    watch: Watch | None = None,
) -> Result:
    """One life of the process. What it wrote until it died is thrown away, unless it came to its end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mdm.discovery.reader"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=files,
        # Nothing of our environment: no database's address, no key, no home folder whose settings scapy would read.
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        if started:
            started(process.pid)
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(wish).encode() + b"\n")
            process.stdin.flush()
            if watch is None:
                process.stdin.close()
        except BrokenPipeError:
            return Result()
        assert process.stdout is not None
        orders = None
        if watch is not None:
            number = process.stdin.fileno()
            orders = _Orders(watch, lambda: os.write(number, b"\n"), process.stdin.close)
        return take(_lines(process.stdout.fileno(), time.monotonic() + seconds, orders.look if orders else None))
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                _closed(stream)


class _Orders:
    """Passes what ``watch`` says on to the process, each once."""

    def __init__(self, watch: Watch, quiet: Callable[[], object], stop: Callable[[], object]) -> None:
        self.watch, self.quiet, self.stop = watch, quiet, stop
        self.given = Order.GO_ON

    def look(self, packets: int) -> bool:
        """Asks; whether the process was told to end."""
        if self.given is Order.STOP:
            return True
        order = self.watch(packets)
        if order is not self.given and order is not Order.GO_ON:
            self.given = order
            # Where it has ended by itself meanwhile, what it wrote says how.
            with suppress(OSError):
                (self.stop if order is Order.STOP else self.quiet)()
        return self.given is Order.STOP


def _closed(stream: Any) -> None:
    try:
        stream.close()
    except BrokenPipeError:
        return


def _lines(number: int, end: float, look: Callable[[int], bool] | None = None) -> Iterator[bytes]:
    """The lines that the process writes; ends when it ends, when time is up, or when it writes too much.

    ``look`` is called about every second; once it says that the process was told to end, that may take ``GRACE`` seconds.
    """
    rest, total, packets, told, looked = b"", 0, 0, False, 0.0
    while (left := end - time.monotonic()) > 0:
        if look is not None and time.monotonic() - looked >= LOOK:
            looked = time.monotonic()
            if look(packets) and not told:
                told, end = True, min(end, looked + GRACE)
        if not select.select([number], [], [], min(left, LOOK) if look else left)[0]:
            if look is None:
                return
            continue
        piece = os.read(number, 65536)
        total += len(piece)
        if not piece or total > TOTAL:
            return
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if look is not None and line.startswith(b'{"type": "progress"'):
                packets = max(packets, _number(_record(line).get("packets")))
            yield line
        if len(rest) > LINE:
            return


def take(lines: Iterator[bytes]) -> Result:
    """What the lines tell. A line that is too long or wrong is left out; more than ``LINES`` end it."""
    result = Result()
    for number, line in enumerate(lines):
        if number >= LINES:
            return result
        record = _record(line)
        kind = record.get("type")
        if kind == "device":
            try:
                result.heard.append(Heard.model_validate(record))
            except ValidationError:
                result.malformed += 1
        elif kind == "refused":
            result.refused = clean(record.get("code"), 32) or "not_a_capture"
            return result
        elif kind == "end":
            for name in ("packets", "malformed", "unread", "beyond"):
                setattr(result, name, getattr(result, name) + _number(record.get(name)))
            result.cut = bool(record.get("cut")) or bool(record.get("late"))
            result.ended = True
            return result
    return result


def _record(line: bytes) -> dict[str, Any]:
    if len(line) > LINE:
        return {}
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _number(value: object) -> int:
    return min(value, 2**31 - 1) if isinstance(value, int) and value >= 0 else 0
