"""Packets of a capture file, pcap or pcapng, by scapy's raw readers: nothing is unpacked, nothing is opened by name."""

from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from scapy.utils import RawPcapNgReader, RawPcapReader

from mdm.discovery.reader.frames import LINKS
from mdm.discovery.reader.refusal import NotACaptureError

BLOCK = 1024 * 1024
"""No packet or block is longer than this; scapy would reserve whatever a length claims."""


class _Bounded:
    """A file of which nobody reads more than ``BLOCK`` at once; ``cut`` once something ended in the middle."""

    name = "capture"

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.cut = False

    def read(self, size: int = -1) -> bytes:
        wanted = BLOCK if size < 0 else min(size, BLOCK)
        data = self.file.read(wanted)
        if (data and len(data) < wanted) or (size > wanted):
            self.cut = True
        return data

    def close(self) -> None:
        self.file.close()


class Capture:
    """Iterate it for ``(bytes, link, moment)``; afterwards ``cut`` says whether it ended in the middle of something."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = _Bounded(file)
        self.other_links = 0
        try:
            self._reader = RawPcapReader(cast(str, self._file))
        except Exception as error:
            raise NotACaptureError("not_a_capture") from error
        if not isinstance(self._reader, RawPcapNgReader) and self._reader.linktype not in LINKS:
            raise NotACaptureError("other_link")

    @property
    def cut(self) -> bool:
        """Whether the file ended in the middle of a packet or block, or claimed one that is too long."""
        return self._file.cut

    def __iter__(self) -> Iterator[tuple[bytes, int, float]]:
        newer = isinstance(self._reader, RawPcapNgReader)
        while True:
            try:
                data, meta = cast("tuple[bytes, Any]", self._reader._read_packet())
            except EOFError:
                return
            except Exception:  # noqa: BLE001 -- a broken block: whatever it made scapy stumble over, the rest is unreadable
                self._file.cut = True
                return
            if newer:
                link, at = meta.linktype, _newer_moment(meta)
            else:
                link = self._reader.linktype
                at = meta.sec + meta.usec / (1e9 if self._reader.nano else 1e6)
            if link not in LINKS:
                self.other_links += 1
            yield data, link, at


def _newer_moment(meta: Any) -> float:
    """Seconds since 1970 of a packet of pcapng; 0 for a simple packet, which has none."""
    high, low = getattr(meta, "tshigh", None), getattr(meta, "tslow", None)
    resolution = getattr(meta, "tsresol", None) or 1_000_000
    return ((high << 32) + low) / resolution if isinstance(high, int) and isinstance(low, int) else 0.0
