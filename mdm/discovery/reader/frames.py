"""The outside of a packet, by its bytes: who sent it, and what is in it that is worth dissecting. Pure and quick.

Nearly every packet of a capture says nothing but that its sender is there. Those end here, without scapy.
"""

import struct
from typing import NamedTuple

ETHERNET, COOKED, COOKED_2 = 1, 113, 276
LINKS = frozenset({ETHERNET, COOKED, COOKED_2})
"""Kinds of link that are understood (pcap's LINKTYPE_ETHERNET, LINUX_SLL, LINUX_SLL2)."""
_ARP, _IP4, _IP6, _LLDP = 0x0806, 0x0800, 0x86DD, 0x88CC
_TAGS = frozenset({0x8100, 0x88A8, 0x9100})
MOST_TAGS = 3
_UDP, _ICMP6 = 17, 58
_PORTS = {67: "dhcp", 68: "dhcp", 546: "dhcp6", 547: "dhcp6", 5353: "mdns", 1900: "ssdp"}
_NEIGHBOURS = frozenset({134, 135, 136})
"""Router advertisement, neighbour solicitation and neighbour advertisement (RFC 4861)."""


class Frame(NamedTuple):
    """``source`` is a MAC address of six bytes; ``protocol`` is empty where only the presence counts."""

    source: bytes
    protocol: str
    payload: bytes
    address: bytes
    """The sender's IP address where one is in the packet, 4 or 16 bytes."""


def frame(data: bytes, link: int) -> Frame | None:
    """What the packet is; None for one that is too short, or has no sender that could be a device."""
    found = _outside(data, link)
    if found is None:
        return None
    source, kind, at = found
    for _ in range(MOST_TAGS):
        if kind in _TAGS and len(data) >= at + 4:
            kind, at = int.from_bytes(data[at + 2 : at + 4]), at + 4
    if source[0] & 1 or source == b"\0\0\0\0\0\0":
        return None
    if kind == _ARP:
        return Frame(source, "arp", data[at : at + 64], b"")
    if kind == _LLDP:
        return Frame(source, "lldp", data[at:], b"")
    if kind in (_IP4, _IP6):
        return _datagram(source, data, at, kind)
    return Frame(source, "", b"", b"")


def _outside(data: bytes, link: int) -> tuple[bytes, int, int] | None:
    """The sender, the kind of payload (EtherType) and where it begins."""
    if link == ETHERNET and len(data) >= 14:
        return data[6:12], int.from_bytes(data[12:14]), 14
    if link == COOKED and len(data) >= 16 and data[4:6] == b"\0\6":
        return data[6:12], int.from_bytes(data[14:16]), 16
    if link == COOKED_2 and len(data) >= 20 and data[11] == 6:
        return data[12:18], int.from_bytes(data[0:2]), 20
    return None


def _datagram(source: bytes, data: bytes, at: int, kind: int) -> Frame:
    if kind == _IP4:
        length = (data[at] & 15) * 4 if len(data) > at else 0
        if length < 20 or len(data) < at + length + 8 or data[at + 9] != _UDP or data[at + 6] & 0x3F or data[at + 7]:
            return Frame(source, "", b"", b"")
        address, inside = data[at + 12 : at + 16], at + length
    else:
        if len(data) < at + 48 or data[at + 6] != _UDP:
            return _neighbour(source, data, at)
        address, inside = data[at + 8 : at + 24], at + 40
    sport, dport, length = struct.unpack_from("!HHH", data, inside)
    protocol = _PORTS.get(dport) or _PORTS.get(sport, "")
    payload = data[inside + 8 : inside + max(8, length)] if protocol else b""
    return Frame(source, protocol, payload, address if protocol in ("mdns", "ssdp") else b"")


def _neighbour(source: bytes, data: bytes, at: int) -> Frame:
    """What neighbours of IPv6 tell each other. A hop limit below 255 came from elsewhere, and is no neighbour's word."""
    if len(data) < at + 48 or data[at + 6] != _ICMP6 or data[at + 7] != 255 or data[at + 40] not in _NEIGHBOURS:
        return Frame(source, "", b"", b"")
    return Frame(source, "ndp", data[at + 40 : at + 64], data[at + 8 : at + 24])
