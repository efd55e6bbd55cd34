"""Packets of a capture file, pcap or pcapng, by scapy's raw readers: nothing is unpacked, nothing is opened by name."""

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from scapy.error import Scapy_Exception
from scapy.utils import RawPcapNgReader, RawPcapReader

from mdm.discovery.reader import variants
from mdm.discovery.reader.frames import LINKS
from mdm.discovery.reader.refusal import NotACaptureError

BLOCK = 1024 * 1024
"""No packet or block is longer than this; scapy would reserve whatever a length claims."""
MOST_INTERFACES = 4096
LATEST = 1e11
"""Seconds since 1970 beyond which a moment is none."""
_NEWER = b"\x0a\x0d\x0d\x0a"
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zX", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")
"""How gzip, bzip2, xz, zip, zstd and lz4 begin."""
_WIRELESS = frozenset({105, 119, 127, 163, 192})
"""Links of Wi-Fi as it is heard on the air: bare 802.11, or behind a header of Prism, radiotap, AVS or PPI."""
_NO_ADDRESSES = frozenset({0, 12, 14, 101, 108, 228, 229})
"""Links without hardware addresses: loopback of BSD, and IP alone."""


class _Bounded:
    """A file of which nobody reads more than ``BLOCK`` at once; ``cut`` once something ended in the middle."""

    name = "capture"

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.cut = False
        self.taken = self.began = 0
        self.ended = False
        self.ahead = b""

    def look_ahead(self, size: int) -> bytes:
        """What comes next, at most so much; it is still there to be read."""
        if len(self.ahead) < size:
            self.ahead += self.file.read(size - len(self.ahead))
        return self.ahead[:size]

    def read(self, size: int = -1) -> bytes:
        wanted = BLOCK if size < 0 else min(size, BLOCK)
        data, self.ahead = self.ahead[:wanted], self.ahead[wanted:]
        if len(data) < wanted:
            data += self.file.read(wanted - len(data))
        self.taken += len(data)
        self.ended = not data and wanted > 0
        if (data and len(data) < wanted) or (size > wanted):
            self.cut = True
        return data

    def begin(self) -> None:
        """From here on a packet or block is read: the end of the file is a whole one's end here, and a cut within."""
        self.began = self.taken

    def stopped(self) -> None:
        """Nothing more can be read: a cut, unless the file ends where something could have begun."""
        self.cut = self.cut or not self.ended or self.taken != self.began

    def close(self) -> None:
        self.file.close()


class _Newer(RawPcapNgReader):
    """scapy's reader of pcapng, with what it leaves out: sections have interfaces and clocks of their own."""

    offset = 0

    def _read_block(self, size: int = BLOCK) -> Any:
        cast(_Bounded, self.f).begin()
        return super()._read_block(size)

    def _read_block_shb(self) -> None:
        # Numbers of interfaces begin anew in each section.
        self.interfaces = []
        super()._read_block_shb()

    def _read_block_idb(self, block: bytes, size: int) -> None:
        if len(self.interfaces) >= MOST_INTERFACES:
            raise EOFError
        super()._read_block_idb(block, size)
        link, snaplen, options = self.interfaces[-1]
        told = self._read_options(block[8:]).get(14)
        if isinstance(told, bytes) and len(told) == 8:
            options["tsoffset"] = struct.unpack(self.endian + "q", told)[0]
        # No limit is written as 0, which scapy takes for "nothing of any packet".
        self.interfaces[-1] = (link, snaplen or BLOCK, options)

    def _check_interface_id(self, intid: int) -> bool:
        known: bool = super()._check_interface_id(intid)
        self.offset = self.interfaces[intid][2].get("tsoffset", 0) if known else 0
        return known


class Capture:
    """Iterate it for ``(bytes, link, moment)``; afterwards ``cut`` says whether it ended in the middle of something."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = _Bounded(file)
        self.other_links = self._first_other = 0
        magic = self._file.read(4)
        if magic.startswith(_COMPRESSED):
            raise NotACaptureError("compressed")
        if magic in variants.MAGICS:
            raise NotACaptureError("old_variant")
        kind = _Newer if magic == _NEWER else RawPcapReader
        # The readers' metaclass would look for itself what the file is, and unpack it.
        self._reader: Any = kind.__new__(kind)
        try:
            cast(Any, kind).__init__(self._reader, "capture", self._file, magic)
        except (Scapy_Exception, EOFError, struct.error, OSError, OverflowError) as error:
            raise NotACaptureError("not_a_capture") from error
        if kind is RawPcapReader:
            # Above the sixteen bits of the link stands how long a checksum is at the end of each packet.
            self._reader.linktype &= 0xFFFF
            if self._reader.linktype not in LINKS:
                raise NotACaptureError(refusal_of(self._reader.linktype))
            ahead = self._file.look_ahead(variants.AHEAD)
            if variants.is_variant(ahead, whole=len(ahead) < variants.AHEAD, order=self._reader.endian):
                raise NotACaptureError("old_variant")

    @property
    def cut(self) -> bool:
        """Whether the file ended in the middle of a packet or block, or claimed one that is too long."""
        return self._file.cut

    def __iter__(self) -> Iterator[tuple[bytes, int, float]]:
        newer = isinstance(self._reader, _Newer)
        last = 0.0
        while True:
            self._file.begin()
            try:
                data, meta = cast("tuple[bytes, Any]", self._reader._read_packet())
                link, at = self._newer(meta) if newer else self._older(meta)
            except EOFError:
                self._file.stopped()
                break
            except Exception:  # noqa: BLE001 -- a broken block: whatever it made scapy stumble over, the rest is unreadable
                self._file.cut = True
                break
            if link not in LINKS:
                self.other_links += 1
                self._first_other = self._first_other or link
            # What has no moment, or an impossible one, was heard when the packet before it was.
            last = at if 0 < at <= LATEST else last
            yield data, link, last

    def only_other(self) -> str:
        """Afterwards, when no packet was of a link that is understood: why, as ``refusal_of``."""
        return refusal_of(self._first_other)

    def _older(self, meta: Any) -> tuple[int, float]:
        return self._reader.linktype, meta.sec + meta.usec / (1e9 if self._reader.nano else 1e6)

    def _newer(self, meta: Any) -> tuple[int, float]:
        """The link, and seconds since 1970; 0 for a simple packet, which has none."""
        high, low = meta.tshigh, meta.tslow
        told = isinstance(high, int) and isinstance(low, int)
        return meta.linktype, ((high << 32) + low) / (meta.tsresol or 1_000_000) + self._reader.offset if told else 0.0


def refusal_of(link: int) -> str:
    """Why packets of this link tell nothing, as a word of ``REFUSALS``."""
    if link in _WIRELESS:
        return "wireless_link"
    return "no_addresses" if link in _NO_ADDRESSES else "other_link"
