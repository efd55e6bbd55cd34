"""A PNG from a stranger, made harmless without decoding it: https://www.w3.org/TR/png-3/.

Only what draws the picture is kept (``IHDR``, ``PLTE``, ``tRNS``, ``IDAT``, ``IEND``); text, profiles and whatever hides behind
the end go. The packed pixels are unpacked once, in pieces that are thrown away, to know that they are as many as the head
says: a small file that unfolds to a huge picture is refused.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Final

from mdm.core.errors import N_, InvalidError

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
MAX_EDGE: Final = 8192
MAX_PIXELS: Final = 2 * 3840 * 2160
MAX_CHUNKS: Final = 20_000
_KEPT: Final = (b"PLTE", b"tRNS", b"IDAT")
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PIECE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with nothing beside it."""

    content: bytes
    width: int
    height: int


def bare(raw: bytes) -> Picture:
    """The picture alone. Raises InvalidError (``picture_wrong``) for anything that is not one whole PNG of a sane size."""
    try:
        return _bare(raw)
    except (ValueError, struct.error, zlib.error) as error:
        raise InvalidError(
            N_("This is no picture that can be kept: %(why)s. Nothing was stored."),
            code="picture_wrong",
            why=str(error)[:200],
        ) from error


def _bare(raw: bytes) -> Picture:
    if not raw.startswith(SIGNATURE):
        raise ValueError("it is no PNG")
    chunks = _chunks(raw)
    if chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13 or chunks[-1] != (b"IEND", b""):
        raise ValueError("it has no head or no end")
    names = [name for name, _content in chunks[1:-1]]
    if b"IHDR" in names or b"IEND" in names or any(name[0] < 0x60 and name not in _KEPT for name in names):
        raise ValueError("it has parts that are not known")
    width, height, row = _measured(chunks[0][1])
    _unfolds_to([content for name, content in chunks if name == b"IDAT"], (row + 1) * height)
    kept = [chunks[0], *(one for one in chunks if one[0] in _KEPT), chunks[-1]]
    return Picture(SIGNATURE + b"".join(_written(name, content) for name, content in kept), width, height)


def _chunks(raw: bytes) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    at = len(SIGNATURE)
    while at < len(raw):
        length, name = struct.unpack_from(">I4s", raw, at)
        end = at + 12 + length
        if end > len(raw) or not name.isalpha() or len(found) >= MAX_CHUNKS:
            raise ValueError("it is cut or broken")
        content = raw[at + 8 : end - 4]
        if zlib.crc32(name + content) != struct.unpack_from(">I", raw, end - 4)[0]:
            raise ValueError("a checksum is wrong")
        found.append((name, content))
        at = end
        if name == b"IEND":
            break
    if len(found) < 2 or at != len(raw):
        raise ValueError("something lies behind its end, or it has none")
    return found


def _measured(head: bytes) -> tuple[int, int, int]:
    """Width, height, and the bytes of one row of pixels."""
    width, height, depth, kind, packing, filtering, interlaced = struct.unpack(">IIBBBBB", head)
    if not (0 < width <= MAX_EDGE and 0 < height <= MAX_EDGE and width * height <= MAX_PIXELS):
        raise ValueError("it has too many pixels, or none")
    if depth not in _DEPTHS.get(kind, ()) or packing or filtering or interlaced:
        raise ValueError("its pixels are stored in a way that is not taken")
    return width, height, (width * depth * _CHANNELS[kind] + 7) // 8


def _unfolds_to(parts: list[bytes], size: int) -> None:
    unpacking, found = zlib.decompressobj(), 0
    for part in parts:
        left = part
        while left or unpacking.unconsumed_tail:
            found += len(unpacking.decompress(left, _PIECE))
            if found > size:
                raise ValueError("it has more pixels than it says")
            left = unpacking.unconsumed_tail
            if unpacking.eof:
                break
    if found != size or not unpacking.eof or unpacking.unused_data:
        raise ValueError("it has fewer pixels than it says")


def _written(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), name) + content + struct.pack(">I", zlib.crc32(name + content))
