"""Who made a network card, by the first three bytes of its address (IEEE MA-L), and which addresses are made up.

The table is ``oui.txt.gz`` beside this file: one line per maker, its name, a tab, its prefixes. It comes from Debian's
package ieee-data (IEEE's public listing, no copyright asserted)::

    python -m mdm.discovery.vendors /usr/share/ieee-data/oui.txt
"""

import gzip
import re
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

from mdm.core.text import clean

TABLE = Path(__file__).with_name("oui.txt.gz")
_LINE = re.compile(r"^([0-9A-F]{6})\s+\(base 16\)\s+(.+)$", re.MULTILINE)


def private(mac: str) -> bool:
    """Whether the address was made up by the device (locally administered), as phones do for every network."""
    return bool(int(mac[:2], 16) & 2)


_ROUTERS = (
    ("00:00:5e:00:01:", "VRRP (virtual router)"),
    ("00:00:5e:00:02:", "VRRP (virtual router)"),
    ("00:00:0c:07:ac:", "HSRP (virtual router)"),
    ("00:00:0c:9f:f", "HSRP (virtual router)"),
    ("00:07:b4:00:", "GLBP (virtual router)"),
)
"""Addresses that routers share (RFC 5798, and Cisco's own): no card carries them."""


def vendor(mac: str) -> str:
    """The maker of the card; empty for an address that is made up, or whose maker IEEE does not know."""
    shared = next((name for start, name in _ROUTERS if mac.startswith(start)), "")
    if shared:
        return shared
    return "" if private(mac) else _table().get(mac.replace(":", "")[:6].lower(), "")


@cache
def _table() -> dict[str, str]:
    found: dict[str, str] = {}
    for line in gzip.decompress(TABLE.read_bytes()).decode().splitlines():
        name, _, prefixes = line.partition("\t")
        found.update(dict.fromkeys(prefixes.split(), name))
    return found


def compact(listing: str) -> str:
    """IEEE's text listing as the lines of the table, sorted, so that the same listing gives the same file."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for prefix, name in _LINE.findall(listing):
        by_name[clean(name, 48)].append(prefix.lower())
    return "".join(f"{name}\t{' '.join(sorted(by_name[name]))}\n" for name in sorted(by_name) if name)


if __name__ == "__main__":
    TABLE.write_bytes(gzip.compress(compact(Path(sys.argv[1]).read_text("utf-8")).encode(), 9, mtime=0))
