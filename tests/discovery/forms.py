"""Capture files by hand, in every form that tools write: no library of ours stands between a test and the bytes."""

import struct
from collections.abc import Iterable, Sequence

ETHERNET, RAW_IP, RADIOTAP, COOKED, COOKED_2, BSD_LOOPBACK = 1, 101, 127, 113, 276, 0
AT = 1_763_800_000


def pcap(
    packets: Iterable[bytes],
    *,
    order: str = "<",
    nano: bool = False,
    link: int = ETHERNET,
    snaplen: int = 262_144,
    at: int = AT,
) -> bytes:
    """A classic capture, a packet a second."""
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    found = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link)]
    for number, one in enumerate(packets):
        kept = one[:snaplen]
        found.append(struct.pack(order + "IIII", at + number, 500, len(kept), len(one)) + kept)
    return b"".join(found)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """One block of pcapng."""
    body += b"\0" * (-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """One option of a block."""
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def section(order: str = "<", options: bytes = b"", length: int = -1) -> bytes:
    """The head of a section, which tells in which order its bytes are."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, length) + options, order)


def interface(link: int = ETHERNET, order: str = "<", snaplen: int = 0, options: bytes = b"") -> bytes:
    """An interface; ``snaplen`` 0: no limit."""
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order)


def packet(
    data: bytes,
    order: str = "<",
    interface: int = 0,
    moment: int = AT * 1_000_000,
    options: bytes = b"",
    claims: int | None = None,
) -> bytes:
    """An enhanced packet; ``moment`` in the units of its interface."""
    head = struct.pack(order + "IIIII", interface, moment >> 32, moment & 0xFFFFFFFF, claims or len(data), len(data))
    return block(6, head + data + b"\0" * (-len(data) % 4) + options, order)


def simple(data: bytes, order: str = "<") -> bytes:
    """A simple packet: of the first interface, without a moment."""
    return block(3, struct.pack(order + "I", len(data)) + data, order)


def cooked(source: str, kind: int, payload: bytes) -> bytes:
    """A packet as Linux cooks it (LINUX_SLL), by MAC address."""
    return struct.pack("!HHH", 0, 1, 6) + _mac(source) + b"\0\0" + struct.pack("!H", kind) + payload


def cooked_2(source: str, kind: int, payload: bytes) -> bytes:
    """The same in the second form (LINUX_SLL2)."""
    return struct.pack("!HHIHBB", kind, 0, 2, 1, 0, 6) + _mac(source) + b"\0\0" + payload


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def tags(frame: bytes, *kinds: int) -> bytes:
    """The frame with VLAN tags of these kinds, the outermost first."""
    return frame[:12] + b"".join(struct.pack("!HH", kind, 7) for kind in kinds) + frame[12:]


def lldp_parts(*parts: tuple[int, bytes]) -> bytes:
    """Parts of LLDP by their kinds."""
    return b"".join(struct.pack("!H", kind << 9 | len(body)) + body for kind, body in parts)


def dhcp_options(*options: tuple[int, bytes]) -> bytes:
    """Options of DHCP with their end; what is longer than 255 bytes in parts (RFC 3396)."""
    found = b""
    for code, value in options:
        for start in range(0, max(1, len(value)), 255):
            part = value[start : start + 255]
            found += bytes([code, len(part)]) + part
    return found + b"\xff"


def datagram(source: str, sport: int, dport: int, payload: bytes, *, address: bytes = b"\0\0\0\0") -> bytes:
    """UDP over IPv4 on Ethernet, to everybody."""
    udp = struct.pack("!HHHH", sport, dport, len(payload) + 8, 0) + payload
    ip = struct.pack("!BBHHHBBH", 0x45, 0, len(udp) + 20, 0, 0, 64, 17, 0) + address + b"\xff" * 4
    return b"\xff" * 6 + _mac(source) + b"\x08\x00" + ip + udp


def datagram_6(source: str, sport: int, dport: int, payload: bytes, address: bytes) -> bytes:
    """UDP over IPv6 on Ethernet."""
    udp = struct.pack("!HHHH", sport, dport, len(payload) + 8, 0) + payload
    return _six(source, 17, udp, address)


def neighbour(source: str, kind: int, rest: bytes, address: bytes, hops: int = 255) -> bytes:
    """A message of neighbours (ICMPv6) on Ethernet."""
    return _six(source, 58, bytes([kind, 0, 0, 0]) + rest, address, hops)


def _six(source: str, following: int, inside: bytes, address: bytes, hops: int = 64) -> bytes:
    head = struct.pack("!IHBB", 6 << 28, len(inside), following, hops) + address + b"\xff\x02" + b"\0" * 13 + b"\x01"
    return b"\x33\x33\0\0\0\x01" + _mac(source) + b"\x86\xdd" + head + inside


def bootp(
    client: str,
    options: bytes,
    *,
    op: int = 1,
    sname: bytes = b"",
    file: bytes = b"",
    relay: bytes = b"\0" * 4,
    given: bytes = b"\0" * 4,
) -> bytes:
    """A message of DHCP; ``given`` is the address that a server gives."""
    fixed = struct.pack("!BBBBIHH", op, 1, 6, 0, 7, 0, 0) + b"\0" * 4 + given + b"\0" * 4 + relay
    return (
        fixed
        + _mac(client).ljust(16, b"\0")
        + sname.ljust(64, b"\0")
        + file.ljust(128, b"\0")
        + b"\x63\x82\x53\x63"
        + options
    )


def asking(client: str, *options: tuple[int, bytes], source: str = "", **more: bytes) -> bytes:
    """A client's request, sent by itself or by ``source``."""
    return datagram(source or client, 68, 67, bootp(client, dhcp_options((53, b"\x03"), *options), **more))  # type: ignore[arg-type]


def name_of(labels: Sequence[str]) -> bytes:
    """A name as DNS writes it."""
    return b"".join(bytes([len(one)]) + one.encode() for one in labels) + b"\0"
