"""Overwrites the part of a LUKS volume that holds its keys, where ``cryptsetup`` cannot do it or is not there.

Without that part the volume cannot be opened, with no passphrase and no backup of a key: only a copy of the header would
help. LUKS1: up to the payload offset. LUKS2: up to the first data segment (on-disk format specification, 2.1 and 3.1).
"""

import json
import os
from pathlib import Path
from typing import Final

LEAST: Final = 1024 * 1024
MOST: Final = 512 * 1024 * 1024
_PIECE: Final = 1024 * 1024
_BINARY: Final = 4096


def key_area(head: bytes) -> int:
    """Bytes from the beginning that hold header and key slots, by what the header says; never less than ``LEAST``."""
    if head[6:8] == b"\x00\x01":
        return min(max(int.from_bytes(head[104:108], "big") * 512, LEAST), MOST)
    size = int.from_bytes(head[8:16], "big")
    try:
        described = json.loads(head[_BINARY : min(size, len(head))].rstrip(b"\0"))
        offsets = [int(segment["offset"]) for segment in described["segments"].values()]
    except (ValueError, KeyError, TypeError, AttributeError):
        return 16 * LEAST  # The default of cryptsetup, when the description cannot be read.
    return min(max([*offsets, LEAST]), MOST)


def overwrite(path: Path) -> str:
    """Overwrites the key area with random bytes and forces that to disk. Returns what went wrong; empty when nothing."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as trouble:
        return trouble.strerror or str(trouble)
    try:
        length = os.lseek(descriptor, 0, os.SEEK_END)
        left = min(key_area(os.pread(descriptor, 4 * _PIECE, 0)), length)
        place = 0
        while place < left:
            place += os.pwrite(descriptor, os.urandom(min(_PIECE, left - place)), place)
        os.fsync(descriptor)
    except OSError as trouble:
        return trouble.strerror or str(trouble)
    finally:
        os.close(descriptor)
    return ""
