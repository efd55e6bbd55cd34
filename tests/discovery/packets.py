"""Packets and capture files made by scapy, as devices of an office would send them."""

from collections.abc import Iterable
from pathlib import Path

from scapy.contrib.lldp import (
    LLDPDUChassisID,
    LLDPDUEndOfLLDPDU,
    LLDPDUPortID,
    LLDPDUSystemCapabilities,
    LLDPDUSystemDescription,
    LLDPDUSystemName,
    LLDPDUTimeToLive,
)
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dns import DNS, DNSRR, DNSRRSRV
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet
from scapy.utils import PcapNgWriter, PcapWriter

AT = 1_763_800_000.0
PRINTER, LAPTOP, SWITCH, CAMERA, PHONE = (
    "00:1b:a9:00:00:01", "00:21:70:00:00:02", "00:0b:86:00:00:03", "00:40:8c:00:00:04", "da:a1:19:00:00:05",
)  # fmt: skip
"""A Brother printer, a Dell laptop, an Aruba switch, an Axis camera, and a phone with an address of its own making."""


def arp(mac: str, address: str) -> Packet:
    return Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=mac, psrc=address, pdst="10.1.0.1")


def dhcp(mac: str, name: str, vendor_class: str = "MSFT 5.0", options: Iterable[int] = (1, 3, 6, 15)) -> Packet:
    chaddr = bytes.fromhex(mac.replace(":", ""))
    told = [("message-type", "request"), ("hostname", name.encode()), ("vendor_class_id", vendor_class.encode())]
    return (
        Ether(src=mac, dst="ff:ff:ff:ff:ff:ff")
        / IP(src="0.0.0.0", dst="255.255.255.255")
        / UDP(sport=68, dport=67)
        / BOOTP(chaddr=chaddr, xid=7)
        / DHCP(options=[*told, ("param_req_list", list(options)), "end"])
    )


def mdns(mac: str, address: str, host: str, service: str, facts: Iterable[str] = ()) -> Packet:
    answers = [
        DNSRR(rrname=f"{service}.local", type="PTR", rdata=f"{host}.{service}.local"),
        DNSRRSRV(rrname=f"{host}.{service}.local", port=631, target=f"{host}.local"),
        DNSRR(rrname=f"{host}.{service}.local", type="TXT", rdata=[fact.encode() for fact in facts] or [b""]),
        DNSRR(rrname=f"{host}.local", type="A", rdata=address),
    ]
    ether = Ether(src=mac, dst="01:00:5e:00:00:fb")
    return ether / IP(src=address, dst="224.0.0.251", ttl=255) / UDP(sport=5353, dport=5353) / DNS(qr=1, an=answers)


def ssdp(mac: str, address: str, server: str, kind: str) -> Packet:
    lines = f"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: {kind}\r\nSERVER: {server}\r\n\r\n"
    ether = Ether(src=mac, dst="01:00:5e:7f:ff:fa")
    return ether / IP(src=address, dst="239.255.255.250") / UDP(sport=1900, dport=1900) / lines.encode()


def lldp(mac: str, name: str) -> Packet:
    return (
        Ether(src=mac, dst="01:80:c2:00:00:0e", type=0x88CC)
        / LLDPDUChassisID(subtype=4, id=mac)
        / LLDPDUPortID(subtype=5, id=b"1/0/3")
        / LLDPDUTimeToLive(ttl=120)
        / LLDPDUSystemName(system_name=name.encode())
        / LLDPDUSystemDescription(description=b"ArubaOS 8.10")
        / LLDPDUSystemCapabilities(mac_bridge_available=1, mac_bridge_enabled=1)
        / LLDPDUEndOfLLDPDU()
    )


def office() -> list[Packet]:
    """A printer, a laptop, a switch, a camera, and a phone with a made-up address."""
    tagged = Ether(src=CAMERA, dst="ff:ff:ff:ff:ff:ff") / Dot1Q(vlan=7) / ARP(hwsrc=CAMERA, psrc="10.1.0.14")
    return [
        arp(PRINTER, "10.1.0.11"),
        mdns(PRINTER, "10.1.0.11", "BRW001BA9", "_ipp._tcp", ["ty=Brother HL-L2350DW", "serialNumber=E7 3190"]),
        dhcp(LAPTOP, "laptop-balie-2"),
        arp(LAPTOP, "10.1.0.12"),
        lldp(SWITCH, "sw-werkhaven"),
        ssdp(CAMERA, "10.1.0.14", "Linux UPnP/1.0 AXIS", "urn:axis-com:service:BasicService:1"),
        tagged,
        dhcp(PHONE, "Pixel-8", "android-dhcp-15"),
    ]


def pcap(path: Path, packets: Iterable[Packet], at: float = AT, **more: object) -> Path:
    with PcapWriter(str(path), linktype=1, **more) as writer:  # type: ignore[arg-type]
        for number, packet in enumerate(packets):
            packet.time = at + number
            writer.write(packet)
    return path


def pcapng(path: Path, packets: Iterable[Packet], at: float = AT) -> Path:
    writer = PcapNgWriter(str(path))
    for number, packet in enumerate(packets):
        packet.time = at + number
        writer.write(packet)
    writer.close()
    return path
