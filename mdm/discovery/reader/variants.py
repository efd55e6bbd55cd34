"""Pure: variants of pcap from the nineties, whose records have longer heads than their own beginning says.

Some programs of that time (a patched libpcap of Red Hat 6.1, Nokia's firewalls) wrote more before each packet and kept the
magic number. Read as what they claim to be, such files give packets that nobody sent. They are told apart by where the records
would end. https://wiki.wireshark.org/Development/LibpcapFileFormat
"""

import struct
from typing import Final

AHEAD: Final = 64 * 1024
"""Bytes that are looked at, from the first record on."""
MAGICS: Final = (b"\xa1\xb2\xcd\x34", b"\x34\xcd\xb2\xa1")
"""Of the variants that say by another magic number that they are one."""
_USUAL: Final = 16
_LONGER: Final = (24, 20)
_LONGEST: Final = 256 * 1024
_YEARS: Final = 10 * 366 * 86400


def is_variant(ahead: bytes, *, whole: bool, order: str) -> bool:
    """Whether these records make sense only with longer heads. ``whole``: nothing comes after; ``order``: ``<`` or ``>``."""
    return not _fits(ahead, _USUAL, whole, order) and any(_fits(ahead, head, whole, order) for head in _LONGER)


def _fits(ahead: bytes, head: int, whole: bool, order: str) -> bool:
    """Whether records with heads of that length follow on each other to the end of what is there."""
    place = records = began = 0
    while place + head <= len(ahead):
        seconds, fraction, kept, length = struct.unpack_from(f"{order}IIII", ahead, place)
        began = began or seconds
        likely = kept <= length <= _LONGEST and fraction < 1_000_000_000 and abs(seconds - began) < _YEARS
        if not likely:
            return False
        place += head + kept
        records += 1
    return records > 0 and (place == len(ahead) or not whole)
