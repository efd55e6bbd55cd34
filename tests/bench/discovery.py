"""How long a capture of 100,000 packets takes, and how much memory: a quiet network, and one where no packet is like another."""

import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from mdm.discovery.reading import read_capture
from tests.discovery.packets import AT, office

PACKETS = 100_000


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds, the most memory that the process held (MiB), and how many devices were found."""

    seconds: float
    memory: float
    devices: int


def write(path: Path, packets: int, *, varied: bool) -> Path:
    """A capture; ``varied``: 9,000 senders, and no two packets with the same bytes."""
    known = [bytes(packet) for packet in office()]
    with path.open("wb") as file:
        file.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number in range(packets):
            raw = bytearray(known[number % len(known)])
            if varied:
                raw[8:12] = (number % 9000).to_bytes(4, "big")
                raw[-3:] = number.to_bytes(3, "big")
            file.write(struct.pack("<IIII", int(AT) + number // 100, 0, len(raw), len(raw)) + bytes(raw))
    return path


def measure(path: Path) -> Figures:
    """Reads the capture once."""
    most = 0

    def watch(number: int) -> None:
        def look() -> None:
            nonlocal most
            try:
                while True:
                    for line in Path(f"/proc/{number}/status").read_text().splitlines():
                        if line.startswith("VmHWM:"):
                            most = max(most, int(line.split()[1]))
                    time.sleep(0.1)
            except (FileNotFoundError, ProcessLookupError):
                return

        threading.Thread(target=look, daemon=True).start()

    begun = time.perf_counter()
    with path.open("rb") as file:
        result = read_capture(file, started=watch)
    return Figures(time.perf_counter() - begun, most / 1024, len(result.heard))
