"""What one payload says of a device, by scapy: DHCP, mDNS, LLDP; ARP is 28 bytes and SSDP lines of text.

Each function gives ``(field, value)`` pairs, already plain text of bounded length. What is malformed raises whatever scapy
raises: the caller counts it and goes on.
"""

import ipaddress
import struct
from collections.abc import Callable, Iterator

from scapy.config import conf
from scapy.contrib.lldp import LLDPDU
from scapy.layers.dhcp import BOOTP, DHCP
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
_TXT_MODEL = frozenset({"model", "md", "ty", "am", "usb_mdl", "product"})
_LLDP_CAPABILITIES = (
    ("mac_bridge_enabled", "bridge"),
    ("wlan_access_point_enabled", "access_point"),
    ("router_enabled", "router"),
    ("telephone_enabled", "telephone"),
    ("station_only_enabled", "station"),
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


def dhcp(payload: bytes, _source: bytes) -> Said:
    """Options of a client, and the address that a server gave it. ``client`` is the MAC address that it is about."""
    packet = BOOTP(payload)
    if packet.htype != 1 or packet.hlen != 6 or DHCP not in packet:
        raise ValueError("no DHCP of an Ethernet device")
    options: dict[str, object] = {}
    for option in packet[DHCP].options:
        if isinstance(option, tuple) and len(option) >= 2:
            options.setdefault(str(option[0]), option[1])
    kind = options.get("message-type")
    if packet.op == 2:
        yield "service", "dhcp-server"
        if kind == 5 and packet.yiaddr != NONE:
            yield "client", bytes(packet.chaddr[:6]).hex()
            yield "address", str(packet.yiaddr)
        return
    yield "client", bytes(packet.chaddr[:6]).hex()
    yield "name", text(options.get("hostname", b""))
    fqdn = options.get("client_FQDN")
    if isinstance(fqdn, bytes):
        yield "name", text(fqdn[3:])
    yield "vendor_class", text(options.get("vendor_class_id", b""))
    wanted = options.get("param_req_list")
    if isinstance(wanted, list):
        yield "options", ",".join(str(one) for one in wanted[:64] if isinstance(one, int))
    if kind == 3 and options.get("requested_addr", NONE) != NONE:
        yield "address", text(str(options["requested_addr"]), 45)


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
    """The server line and the types that a device announces (UPnP Device Architecture 2.0, 1.2)."""
    lines = payload[:4096].decode("latin-1").split("\r\n")
    if not lines[0].startswith(("NOTIFY ", "HTTP/1.1 200", "M-SEARCH ")):
        raise ValueError("no SSDP")
    for line in lines[1:64]:
        key, _, value = line.partition(":")
        kind = key.strip().upper()
        if kind in ("SERVER", "USER-AGENT"):
            yield "server", text(value)
        elif kind in ("NT", "ST") and ":device:" in value and not lines[0].startswith("M-SEARCH"):
            yield "service", text(value)


def lldp(payload: bytes, _source: bytes) -> Said:
    """The name, description, capabilities and inventory that a neighbour announces (IEEE 802.1AB, ANSI/TIA-1057)."""
    layer: Packet = LLDPDU(payload)
    for _ in range(MOST_RECORDS):
        if layer.name in ("NoPayload", "Raw", "Padding"):
            return
        kind = getattr(layer, "_type", 0)
        if kind == 5:
            yield "name", text(layer.system_name)
        elif kind == 6:
            yield "server", text(layer.description)
        elif kind == 7:
            for field, word in _LLDP_CAPABILITIES:
                if getattr(layer, field, 0):
                    yield "capability", word
        elif kind == 127:
            yield from _inventory(bytes(layer)[2:])
        layer = layer.payload


def _inventory(body: bytes) -> Said:
    """A TLV of LLDP-MED: three bytes of who defines it, one of its kind, then text."""
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
    "mdns": mdns,
    "ssdp": ssdp,
    "lldp": lldp,
}
