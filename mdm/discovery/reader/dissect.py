"""What one payload says of a device: DHCP, DHCPv6 and mDNS by scapy; the rest is a few bytes or lines of text.

Each function gives ``(field, value)`` pairs, already plain text of bounded length. What is malformed raises whatever scapy
raises: the caller counts it and goes on.
"""

import ipaddress
import re
import struct
from collections.abc import Callable, Iterator

from scapy.config import conf
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import DHCP6, DHCP6OptClientFQDN, DHCP6OptVendorClass
from scapy.layers.dns import DNS
from scapy.packet import Packet

from mdm.core.text import clean

conf.logLevel = 40
conf.max_list_count = 128
"""Lists inside one packet end here, also where a packet claims more."""

Said = Iterator[tuple[str, str]]
MOST_RECORDS = 64
NONE = "0.0.0.0"  # noqa: S104 -- no address yet, as DHCP writes it
_TXT_SERIAL = frozenset({"serial", "serialnumber", "serialno", "sn", "usb_sn"})
_TXT_MODEL = frozenset({"model", "md", "ty", "am", "usb_mdl", "product", "rpmd"})
_LLDP_CAPABILITIES = (
    (4, "bridge"),
    (8, "access_point"),
    (16, "router"),
    (32, "telephone"),
    (128, "station"),
)
_MED, _MED_SERIAL, _MED_MAKER, _MED_MODEL = b"\x00\x12\xbb", 8, 9, 10


def text(value: object, limit: int = 128) -> str:
    """Bytes or text of a packet as one harmless line."""
    if isinstance(value, bytes):
        value = value[: limit * 4].decode("utf-8", "replace").replace("\x00", "")
    return clean(value, limit)


_ARP = struct.pack("!HHBB", 1, 0x0800, 6, 4)


def arp(payload: bytes, source: bytes) -> Said:
    """The address that a sender says is its own (RFC 826). By its bytes: half of a quiet network is ARP."""
    if payload[:6] != _ARP or len(payload) < 28:
        raise ValueError("no ARP of IPv4 on Ethernet")
    if payload[8:14] == source:
        yield "address", address(payload[14:18])


def ndp(payload: bytes, _source: bytes) -> Said:
    """A router says that it is one; a neighbour names its address (RFC 4861). ``payload`` begins at the type."""
    kind = payload[0]
    if kind == 134:
        yield "capability", "router"
    elif kind == 136 and len(payload) >= 24:
        yield "address", address(payload[8:24])


def dhcp(payload: bytes, _source: bytes) -> Said:
    """Options of a client, and the address that a server gave it. ``client`` is the MAC address that it is about."""
    packet = BOOTP(payload)
    if packet.htype != 1 or packet.hlen != 6 or DHCP not in packet:
        raise ValueError("no DHCP of an Ethernet device")
    options = _options(packet)
    kind = options.get("message-type")
    if packet.op == 2:
        yield "service", "dhcp-server"
        if kind == 5 and packet.yiaddr != NONE:
            yield "client", bytes(packet.chaddr[:6]).hex()
            yield "address", str(packet.yiaddr)
        return
    yield "client", bytes(packet.chaddr[:6]).hex()
    yield "name", text(options.get("hostname", b""))
    yield "name", _full_name(options.get("client_FQDN"))
    yield "vendor_class", text(options.get("vendor_class_id", b""))
    wanted = options.get("param_req_list")
    if isinstance(wanted, list):
        yield "options", ",".join(str(one) for one in wanted[:64] if isinstance(one, int))
    if kind == 3 and options.get("requested_addr", NONE) != NONE:
        yield "address", text(str(options["requested_addr"]), 45)


def _options(packet: Packet) -> dict[str, object]:
    """The options by name: a long one in its parts as one (RFC 3396), and those that stand where names did (RFC 2132, 9.3)."""
    found: dict[str, object] = {}
    _gather(found, packet[DHCP])
    overload = found.get("dhcp-option-overload")
    where = overload if isinstance(overload, int) else 0
    if where & 1:
        _gather(found, DHCP(bytes(packet.file)))
    if where & 2:
        _gather(found, DHCP(bytes(packet.sname)))
    return found


def _gather(found: dict[str, object], layer: Packet) -> None:
    for option in layer.options:
        if not isinstance(option, tuple) or len(option) < 2:
            continue
        key, before = str(option[0]), found.get(str(option[0]))
        if isinstance(before, bytes) and isinstance(option[1], bytes):
            found[key] = (before + option[1])[:1024]
        else:
            found.setdefault(key, option[1])


_WIRE_FORM = 4


def _full_name(value: object) -> str:
    """The name of option 81: text, or labels as DNS writes them (RFC 4702, 2.1)."""
    if not isinstance(value, bytes) or len(value) < 4:
        return ""
    if not value[0] & _WIRE_FORM:
        return text(value[3:])
    labels, rest = [], value[3:]
    while rest and 0 < rest[0] < 64:
        labels.append(rest[1 : 1 + rest[0]])
        rest = rest[1 + rest[0] :]
    return text(b".".join(labels))


def dhcp6(payload: bytes, _source: bytes) -> Said:
    """The name and class that a client of DHCPv6 says, and who answers clients (RFC 8415). What a relay sends is not read."""
    if not payload or payload[0] in (12, 13):
        return
    if payload[0] in (2, 7, 10):
        yield "service", "dhcp-server"
        return
    layer: Packet = DHCP6(payload).payload
    for _ in range(MOST_RECORDS):
        if layer.name in ("NoPayload", "Raw", "Padding"):
            return
        if isinstance(layer, DHCP6OptClientFQDN):
            yield "name", text(layer.fqdn).rstrip(".")
        elif isinstance(layer, DHCP6OptVendorClass):
            for one in layer.vcdata[:1]:
                yield "vendor_class", text(one.data)
        layer = layer.payload


def mdns(payload: bytes, _source: bytes) -> Said:
    """Names, services and what their records tell; only of answers, which a device gives about itself."""
    packet = DNS(payload)
    if not packet.qr:
        return
    records = [*list(packet.an or [])[:MOST_RECORDS], *list(packet.ar or [])[:MOST_RECORDS]]
    for record in records:
        name = text(record.rrname, 255).rstrip(".")
        if record.type in (1, 28) and name.endswith(".local"):
            yield "name", name
        elif record.type == 33:
            yield "name", text(record.target, 255).rstrip(".")
        elif record.type == 12 and name.startswith("_") and name != "_services._dns-sd._udp.local":
            yield "service", name.removesuffix(".local")
        elif record.type == 16:
            yield from _told(record.rdata)


def _told(rdata: object) -> Said:
    for part in list(rdata if isinstance(rdata, list) else [rdata])[:MOST_RECORDS]:
        key, _, value = text(part, 255).partition("=")
        if key.lower() in _TXT_SERIAL:
            yield "serial", value.strip()
        elif key.lower() in _TXT_MODEL:
            yield "model", value.strip().strip("()")


def ssdp(payload: bytes, _source: bytes) -> Said:
    """The server line and the types that a device announces (UPnP Device Architecture 2.0, 1.2). Nothing after the head."""
    lines = re.split(r"\r\n|\n|\r", payload[:4096].decode("utf-8", "replace"))
    if not lines[0].startswith(("NOTIFY ", "HTTP/1.1 200", "M-SEARCH ")):
        raise ValueError("no SSDP")
    for line in lines[1:64]:
        if not line:
            return
        key, _, value = line.partition(":")
        kind = key.strip().upper()
        if kind in ("SERVER", "USER-AGENT"):
            yield "server", text(value)
        elif kind in ("NT", "ST") and ":device:" in value and not lines[0].startswith("M-SEARCH"):
            yield "service", text(value)


_LLDP_NAME, _LLDP_DESCRIPTION, _LLDP_CAN, _LLDP_OTHER = 5, 6, 7, 127


def lldp(payload: bytes, _source: bytes) -> Said:
    """The name, description, capabilities and inventory that a neighbour announces (IEEE 802.1AB, ANSI/TIA-1057).

    By its bytes, seven bits of kind and nine of length: what stands before a broken part was said.
    """
    at = 0
    for _ in range(MOST_RECORDS):
        if len(payload) < at + 2:
            return
        head = int.from_bytes(payload[at : at + 2])
        kind, body = head >> 9, payload[at + 2 : at + 2 + (head & 511)]
        at += 2 + (head & 511)
        if kind == 0:
            return
        if at > len(payload):
            raise ValueError("a part of LLDP that does not end")
        if kind == _LLDP_NAME:
            yield "name", text(body)
        elif kind == _LLDP_DESCRIPTION:
            yield "server", text(body)
        elif kind == _LLDP_CAN and len(body) >= 4:
            enabled = int.from_bytes(body[2:4])
            for bit, word in _LLDP_CAPABILITIES:
                if enabled & bit:
                    yield "capability", word
        elif kind == _LLDP_OTHER:
            yield from _inventory(body)


def _inventory(body: bytes) -> Said:
    """A part of LLDP-MED: three bytes of who defines it, one of its kind, then text."""
    if body[:3] != _MED or len(body) < 5:
        return
    words = {_MED_SERIAL: "serial", _MED_MODEL: "model", _MED_MAKER: "maker"}
    if body[3] in words:
        end = body[4:36]
        yield words[body[3]], text(end)


def address(value: bytes) -> str:
    """Four or sixteen bytes as an IP address."""
    return str(ipaddress.ip_address(value))


DISSECTORS: dict[str, Callable[[bytes, bytes], Said]] = {
    "arp": arp,
    "dhcp": dhcp,
    "dhcp6": dhcp6,
    "mdns": mdns,
    "ssdp": ssdp,
    "lldp": lldp,
    "ndp": ndp,
}
