"""Section ``network``: interfaces and their lasting addresses. No name of a wireless network is read."""

import socket
import sys
from typing import Any

from agent.roots import Root
from agent.text import printable

MAX_INTERFACES = 64
_LINK_SCOPE, _HOST_SCOPE = 0x20, 0x10
_TEMPORARY, _TENTATIVE, _DEPRECATED = 0x01, 0x40, 0x20


def kind(root: Root, name: str) -> str:
    """wifi, ethernet, bridge, mobile, virtual or other, from what the kernel shows of an interface."""
    base = f"/sys/class/net/{name}"
    uevent = root.read(f"{base}/uevent", 4096) or ""
    if "DEVTYPE=wlan" in uevent or root.exists(f"{base}/wireless") or root.exists(f"{base}/phy80211"):
        return "wifi"
    if "DEVTYPE=wwan" in uevent:
        return "mobile"
    if root.exists(f"{base}/bridge"):
        return "bridge"
    if not root.exists(f"{base}/device"):
        return "virtual"
    return "ethernet" if root.line(f"{base}/type") == "1" else "other"


def _six(root: Root) -> dict[str, set[str]]:
    """Lasting IPv6 addresses by interface. Temporary ones (RFC 8981) change daily and say nothing, so they stay out."""
    found: dict[str, set[str]] = {}
    for line in (root.read("/proc/net/if_inet6", 65536) or "").splitlines():
        words = line.split()
        if len(words) != 6:
            continue
        try:
            address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(words[0]))
            scope, flags = int(words[3], 16), int(words[4], 16)
        except ValueError:
            continue
        if scope not in (_LINK_SCOPE, _HOST_SCOPE) and not flags & (_TEMPORARY | _TENTATIVE | _DEPRECATED):
            found.setdefault(words[5], set()).add(address)
    return found


def _networks(root: Root) -> list[tuple[int, int, str]]:
    """Directly connected IPv4 networks as (network, mask, interface), the narrowest first."""
    found = []
    for line in (root.read("/proc/net/route", 256 * 1024) or "").splitlines()[1:]:
        words = line.split()
        if len(words) < 8 or words[2] != "00000000" or words[7] == "00000000":
            continue
        try:
            # The kernel writes the number as it lies in memory.
            network, mask = (int.from_bytes(bytes.fromhex(words[at]), sys.byteorder) for at in (1, 7))
        except ValueError:
            continue
        found.append((network, mask, words[0]))
    return sorted(found, key=lambda row: -row[1])


def _four(root: Root) -> dict[str, set[str]]:
    """IPv4 addresses by interface: the machine's own (``fib_trie``), each in the network that it is connected to."""
    own, last = set(), ""
    for line in (root.read("/proc/net/fib_trie", 1024 * 1024) or "").splitlines():
        words = line.split()
        if words[:1] == ["|--"] and len(words) == 2:
            last = words[1]
        elif words[:3] == ["/32", "host", "LOCAL"] and not last.startswith("127."):
            own.add(last)
    found: dict[str, set[str]] = {}
    for address in own:
        try:
            number = int.from_bytes(socket.inet_aton(address), "big")
        except OSError:
            continue
        name = next((name for network, mask, name in _networks(root) if number & mask == network), None)
        if name:
            found.setdefault(name, set()).add(address)
    return found


def collect(root: Root) -> dict[str, Any]:
    """The section; ``interfaces`` is None when the kernel's list cannot be read."""
    names = root.names("/sys/class/net")
    if names is None:
        return {"interfaces": None}
    four, six = _four(root), _six(root)
    return {
        "interfaces": [
            {
                "name": printable(name, 32),
                "kind": kind(root, name),
                "mac": printable(root.line(f"/sys/class/net/{name}/address"), 32) or None,
                "addresses": sorted(four.get(name, set())) + sorted(six.get(name, set())),
            }
            for name in names[:MAX_INTERFACES]
            if name != "lo"
        ]
    }
